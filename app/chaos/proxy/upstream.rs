//! Connects a client's connection to the upstream of its link.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::chaos::proxy::io::AnyIo;
use crate::chaos::proxy::link::{Link, LinkSpec};
use crate::chaos::proxy::tether::{Side, Tether, Tethered};
use crate::chaos::proxy::tls::Ends;

/// How long an upstream may take to accept, TLS included.
const PATIENCE: Duration = Duration::from_secs(10);

/// Where a connection leads. Stays as it was when the connection came, whatever becomes of the link.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) spec: Arc<LinkSpec>,
    pub(super) ends: Ends,
    pub(super) link: Arc<Link>,
    pub(super) tether: Tether,
}

impl Way {
    /// Connects, in TLS where the link has that; `spoken` is offered there. A name is looked up anew.
    pub(super) async fn connect(&self, spoken: Option<&[u8]>) -> io::Result<AnyIo> {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(PATIENCE, self.reach(spoken)).await.map_err(late)?
    }

    async fn reach(&self, spoken: Option<&[u8]>) -> io::Result<AnyIo> {
        let socket = self.connect_plainly().await?;
        let Some(connector) = &self.ends.connector else { return Ok(Box::new(socket)) };
        let stream = connector.offering(spoken).connect(connector.name.clone(), socket).await?;
        Ok(Box::new(stream))
    }

    /// Connects without TLS.
    pub(super) async fn connect_plainly(&self) -> io::Result<Tethered> {
        let socket = TcpStream::connect(&self.spec.upstream).await?;
        // What comes is passed on at once, in whatever pieces it came.
        let _ = socket.set_nodelay(true);
        Ok(Tethered::new(socket, self.tether.clone(), self.link.clone(), Side::Upstream))
    }
}
