//! One accepted connection: finds out what is spoken, connects to the upstream, and forwards until either side ends it.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use tokio::io::duplex;
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::chaos::faults::Level;
use crate::chaos::proxy::effect::Cut;
use crate::chaos::proxy::http::{self, Visit};
use crate::chaos::proxy::io::{AnyIo, Prefixed};
use crate::chaos::proxy::link::{Note, Protocol};
use crate::chaos::proxy::registry::House;
use crate::chaos::proxy::sniff::{Spoken, sniff};
use crate::chaos::proxy::subject::Subject;
use crate::chaos::proxy::tether::{Side, Tether, Tethered};
use crate::chaos::proxy::upstream::Way;
use crate::chaos::proxy::{pump, tls};

/// How long a client may take to say what it speaks where only that can tell, TLS included.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a client of an upstream in TLS may say nothing until it is taken for a protocol in which the server speaks first.
const SILENCE: Duration = Duration::from_secs(1);

/// How many bytes wait between the pump and HTTP where faults act on both.
const BRIDGE: usize = 32 << 10;

/// Serves one connection to its end.
pub(super) async fn serve(socket: TcpStream, note: Note, house: &Arc<House>) {
    // What comes is passed on at once, in whatever pieces it came.
    let _ = socket.set_nodelay(true);
    let link = note.link.clone();
    let (tether, spec) = (Tether::default(), link.spec());
    let client = Tethered::new(socket, tether.clone(), link.clone(), Side::Client);
    let way = Way { spec, ends: link.ends(), link, tether: tether.clone() };
    let mut subject = Subject::new(note);
    if let Some(cut) = subject.decide() {
        if cut != Cut::Close {
            tether.reset();
        }
        return;
    }
    let mut connection = Connection { way, house: house.clone(), subject };
    let closed = connection.subject.closed();
    tokio::select! {
        () = closed => {}
        // Whatever went wrong, both sides have seen it.
        _ = connection.run(client) => {}
    }
}

struct Connection {
    way: Way,
    house: Arc<House>,
    subject: Subject,
}

impl Connection {
    async fn run(&mut self, client: Tethered) -> io::Result<()> {
        let (client, offered) = self.greet(client).await?;
        match self.way.spec.protocol {
            Protocol::Tcp => self.pass(client, None).await,
            Protocol::Http => self.read(client, None).await,
            Protocol::Auto if offered.as_deref() == Some(tls::H2) => self.read(client, None).await,
            Protocol::Auto => self.find_out(client).await,
        }
    }

    /// Does the TLS handshake where the link has a certificate; returns the protocol that was agreed on.
    async fn greet(&self, client: Tethered) -> io::Result<(AnyIo, Option<Vec<u8>>)> {
        let Some(acceptor) = &self.way.ends.acceptor else { return Ok((Box::new(client), None)) };
        let stream = in_time(acceptor.accept(client)).await?;
        let offered = stream.get_ref().1.alpn_protocol().map(<[u8]>::to_vec);
        Ok((Box::new(stream), offered))
    }

    /// Finds out what is spoken. Connects at once, since in some protocols it is the server that speaks first.
    async fn find_out(&mut self, client: AnyIo) -> io::Result<()> {
        if self.way.ends.connector.is_some() {
            return self.find_out_before_tls(client).await;
        }
        let mut client = client;
        let silent = (Spoken::Raw, Bytes::new());
        let (sniffed, upstream) = {
            let mut sniffing = pin!(sniff(&mut client));
            let mut connecting = pin!(in_time(self.way.connect_plainly()));
            tokio::select! {
                sniffed = &mut sniffing => (sniffed?, connecting.await.ok()),
                upstream = &mut connecting => match upstream {
                    Ok(upstream) => tokio::select! {
                        sniffed = &mut sniffing => (sniffed?, Some(upstream)),
                        // A client of HTTP/2 speaks too, only later.
                        greets = upstream.greets_in_http2() => {
                            let sniffed = if greets { in_time(sniffing.as_mut()).await? } else { silent };
                            (sniffed, Some(upstream))
                        }
                    },
                    Err(_) => (in_time(sniffing).await?, None),
                }
            }
        };
        let upstream = upstream.map(|upstream| Box::new(upstream) as AnyIo);
        self.take(client, sniffed, upstream).await
    }

    /// Waits for the client, since what is offered to the upstream depends on it.
    async fn find_out_before_tls(&mut self, mut client: AnyIo) -> io::Result<()> {
        let sniffed = match timeout(SILENCE, sniff(&mut client)).await {
            Ok(sniffed) => sniffed?,
            Err(_) => (Spoken::Raw, Bytes::new()),
        };
        self.take(client, sniffed, None).await
    }

    async fn take(
        &mut self,
        client: AnyIo,
        (spoken, read): (Spoken, Bytes),
        upstream: Option<AnyIo>,
    ) -> io::Result<()> {
        let client: AnyIo = Box::new(Prefixed::new(read, client));
        match spoken {
            Spoken::Http1 | Spoken::Http2 => self.converse(client, spoken, upstream).await,
            Spoken::Tls | Spoken::Raw => {
                self.complain(spoken);
                self.pass(client, upstream).await
            }
        }
    }

    /// Passes raw bytes.
    async fn pass(&mut self, client: AnyIo, upstream: Option<AnyIo>) -> io::Result<()> {
        self.subject.note.is_http(false);
        let upstream = match upstream {
            Some(upstream) => upstream,
            // A client that connects to nobody sees a reset, too. It must be said while the socket is there.
            None => self.way.connect(None).await.inspect_err(|_| self.way.tether.reset())?,
        };
        Box::pin(pump::forward(client, upstream, &mut self.subject, &self.way.tether)).await;
        Ok(())
    }

    /// Reads requests of whatever version of HTTP.
    async fn read(&mut self, mut client: AnyIo, upstream: Option<AnyIo>) -> io::Result<()> {
        let (spoken, read) = in_time(sniff(&mut client)).await?;
        let spoken = if spoken == Spoken::Http2 { Spoken::Http2 } else { Spoken::Http1 };
        self.converse(Box::new(Prefixed::new(read, client)), spoken, upstream).await
    }

    /// Forwards requests; where faults act on bytes, too, those see the bytes first.
    async fn converse(&mut self, client: AnyIo, spoken: Spoken, upstream: Option<AnyIo>) -> io::Result<()> {
        self.subject.note.is_http(true);
        let visit = Arc::new(Visit::new(self.way.clone(), self.house.clone(), spoken));
        let (drained, renewed) = (self.subject.drained(), self.subject.renewed());
        if self.subject.up.is_empty() && self.subject.down.is_empty() {
            http::serve(client, upstream, visit, renewed, Some(&mut self.subject)).await;
            return Ok(());
        }
        let (outer, inner) = duplex(BRIDGE);
        let talk = http::serve(Box::new(inner), upstream, visit, drained, None);
        let mut pumped = Box::pin(pump::forward(client, outer, &mut self.subject, &self.way.tether));
        tokio::select! {
            () = talk => {}
            () = &mut pumped => return Ok(()),
        }
        // What was said last is still on its way through the stages, unless it is cut off.
        if !self.way.tether.is_reset(Side::Client) {
            pumped.await;
        }
        Ok(())
    }

    /// Says that faults that need requests cannot work here, since nothing else would tell.
    fn complain(&self, spoken: Spoken) {
        let link = &self.way.link;
        let num_raw = link.traffic.raw.fetch_add(1, Ordering::Relaxed) + 1;
        link.traffic.passed_tls.fetch_add(u64::from(spoken == Spoken::Tls), Ordering::Relaxed);
        let wants_requests = link.armed().iter().any(|armed| armed.level != Level::Connection);
        if wants_requests && num_raw.is_power_of_two() {
            let what = if spoken == Spoken::Tls { "TLS, and the link has no certificate" } else { "no HTTP" };
            (self.house.say)(&format!("link {}: clients speak {what}: faults on requests do nothing there", link.name));
        }
    }
}

async fn in_time<T>(work: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(PATIENCE, work).await.map_err(|_| io::Error::from(io::ErrorKind::TimedOut))?
}
