//! The HTTP API of the proxy: that of Toxiproxy 2.12, so that its clients work unchanged, and more under `/riftline`.
//!
//! | | |
//! | --- | --- |
//! | `GET /version`, `GET /metrics`, `POST /reset`, `POST /populate` | as Toxiproxy |
//! | `/proxies`, `/proxies/{link}`, `/proxies/{link}/toxics`, `/proxies/{link}/toxics/{toxic}` | as Toxiproxy |
//! | toxics of type `riftline.<fault>` | any fault, with `{place, when, magnitude, with, run, seed}` as attributes |
//! | `PUT /riftline/leases/{run}` `{ttl_ms}`, `DELETE`, `GET /riftline/leases` | faults of a run live as long as its lease |
//! | `GET /riftline/counters` | what each armed fault did so far |
//!
//! What differs from Toxiproxy: links listen on loopback where no address is named; a side that stops talking does not end the
//! other's sentence (half-close); connections that are open when `reset_peer` comes are reset, too, not closed; taking a toxic away
//! never waits for a client; `/metrics` is always there.
//!
//! Reference: <https://github.com/Shopify/toxiproxy/blob/v2.12.0/README.md#http-api> and `api.go` there.

mod answer;
mod counters;
mod gate;
mod leases;
mod metrics;
mod proxies;
mod route;
mod toxics;

#[cfg(test)]
pub(in crate::chaos) mod testing;
#[cfg(test)]
mod tests;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::sleep;

use self::toxics::Toxics;
use crate::chaos::proxy::registry::Registry;

/// How many connections may be open at once; more wait.
const MAX_CONNECTIONS: usize = 256;
/// How long a client may take for the head of a request.
const HEAD_PATIENCE: Duration = Duration::from_secs(15);
/// How long accepting rests after it failed (no more file descriptors, say).
const REST: Duration = Duration::from_millis(100);

/// What the API acts on.
struct Api {
    registry: Arc<Registry>,
    toxics: Toxics,
}

/// Serves the API on `listener` until the task is dropped. Fails at once where other machines could reach it: whoever can call this
/// API can cut connections.
pub async fn serve(registry: Arc<Registry>, listener: TcpListener) -> io::Result<()> {
    let address = listener.local_addr()?;
    if !address.ip().is_loopback() {
        let text = format!("the API must not listen on {address}: only on loopback, as 127.0.0.1:8474");
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    let api = Arc::new(Api { registry, toxics: Toxics::default() });
    let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let place = places.clone().acquire_owned().await.map_err(io::Error::other)?;
        let Ok((socket, _)) = listener.accept().await else {
            sleep(REST).await;
            continue;
        };
        let api = api.clone();
        tokio::spawn(async move {
            talk(socket, api).await;
            drop(place);
        });
    }
}

/// Answers the requests of one connection; how it ends is the client's business.
async fn talk(socket: TcpStream, api: Arc<Api>) {
    let answer = service_fn(move |request| {
        let api = api.clone();
        async move { Ok::<_, std::convert::Infallible>(route::answer(&api, request).await) }
    });
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    let _ = builder.serve_connection(TokioIo::new(socket), answer).await;
}
