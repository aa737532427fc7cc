//! One accepted connection: finds out what is spoken, connects to the upstream, and forwards until either side ends it.

use std::io;
use std::sync::Arc;

use tokio::net::TcpStream;

use crate::chaos::proxy::effect::Cut;
use crate::chaos::proxy::link::{Link, Note};
use crate::chaos::proxy::pump;
use crate::chaos::proxy::registry::House;
use crate::chaos::proxy::subject::Subject;
use crate::chaos::proxy::tether::{Side, Tether, Tethered};

/// Serves one connection to its end.
pub(super) async fn serve(socket: TcpStream, note: Note, _house: &Arc<House>) {
    // What comes is passed on at once, in whatever pieces it came.
    let _ = socket.set_nodelay(true);
    let tether = Tether::default();
    let link = note.link.clone();
    let client = Tethered::new(socket, tether.clone(), link.clone(), Side::Client);
    let mut subject = Subject::new(note);
    if let Some(cut) = subject.decide() {
        if cut != Cut::Close {
            tether.reset();
        }
        return;
    }
    match connect(&link, &tether).await {
        Ok(upstream) => {
            subject.note.is_http(false);
            pump::forward(client, upstream, &mut subject, &tether).await;
        }
        // A client that connects to nobody would see a reset, too.
        Err(_) => tether.reset(),
    }
}

/// Connects to the upstream; its name is looked up anew.
async fn connect(link: &Arc<Link>, tether: &Tether) -> io::Result<Tethered> {
    let socket = TcpStream::connect(&link.spec().upstream).await?;
    let _ = socket.set_nodelay(true);
    Ok(Tethered::new(socket, tether.clone(), link.clone(), Side::Upstream))
}
