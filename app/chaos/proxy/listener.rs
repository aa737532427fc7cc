//! Accepts connections of a link and gives each its task, as long as there is room.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream, lookup_host};
use tokio::time::sleep;

use crate::chaos::proxy::connection;
use crate::chaos::proxy::link::{Link, Listening};
use crate::chaos::proxy::registry::{House, RegistryError};
use crate::chaos::proxy::tls::{self, TlsError};

/// How long accepting rests after it failed (no more file descriptors, say).
const REST: Duration = Duration::from_millis(100);

/// Listens on behalf of `link` until [`close`].
pub(super) async fn open(link: &Arc<Link>, house: &Arc<House>) -> Result<(), RegistryError> {
    let spec = link.spec();
    let listen = spec.listen.clone();
    let unusable = |error: TlsError| RegistryError::Spec { link: link.name.clone(), reason: error.to_string() };
    link.set_ends(tls::ends(&spec).map_err(unusable)?);
    let failed = |source| RegistryError::Listen { link: link.name.clone(), listen: listen.clone(), source };
    let addresses = match link.place(&listen) {
        Some(address) => vec![address],
        None => lookup_host(&listen).await.map_err(failed)?.collect(),
    };
    if !house.limits.allows_remote && !addresses.iter().all(|address| is_of_this_machine(address.ip())) {
        let reason = format!("{listen} can be reached from other machines; that must be allowed when the proxy starts");
        return Err(RegistryError::Spec { link: link.name.clone(), reason });
    }
    let listener = TcpListener::bind(addresses.as_slice()).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    link.set_place(listen, address);
    let task = tokio::spawn(accept(listener, link.clone(), house.clone()));
    link.set_listening(Some(Listening { address, task }));
    Ok(())
}

fn is_of_this_machine(address: IpAddr) -> bool {
    address.is_loopback()
}

/// Stops listening and closes all connections; the port is free afterwards.
pub(super) async fn close(link: &Link) {
    link.stop_listening().await;
    link.close_connections();
}

async fn accept(listener: TcpListener, link: Arc<Link>, house: Arc<House>) {
    loop {
        match listener.accept().await {
            Ok((socket, peer)) => admit(socket, peer, &link, &house),
            Err(error) => {
                (house.say)(&format!("link {}: cannot accept: {error}", link.name));
                sleep(REST).await;
            }
        }
    }
}

fn admit(socket: TcpStream, peer: SocketAddr, link: &Arc<Link>, house: &Arc<House>) {
    let Some(place) = Place::take(house) else {
        refuse(&socket, link, house);
        return;
    };
    let note = link.note(peer);
    let house = house.clone();
    tokio::spawn(async move {
        connection::serve(socket, note, &house).await;
        drop(place);
    });
}

fn refuse(socket: &TcpStream, link: &Link, house: &House) {
    // Otherwise a client believes that it is connected until it has written.
    let _ = socket.set_zero_linger();
    let num_refused = link.traffic.refused.fetch_add(1, Ordering::Relaxed) + 1;
    // Said at 1, 2, 4, 8…: often enough to be seen, seldom enough to be read.
    if num_refused.is_power_of_two() {
        let most = house.limits.max_connections;
        (house.say)(&format!(
            "link {}: {num_refused} connections refused: {most} are open, the most allowed",
            link.name
        ));
    }
}

/// A place among the connections of the proxy.
struct Place(Arc<House>);

impl Place {
    fn take(house: &Arc<House>) -> Option<Self> {
        let most = house.limits.max_connections;
        let is_taken = |open: usize| (open < most).then_some(open + 1);
        house.num_connections.fetch_update(Ordering::Relaxed, Ordering::Relaxed, is_taken).ok()?;
        Some(Self(house.clone()))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.0.num_connections.fetch_sub(1, Ordering::Relaxed);
    }
}
