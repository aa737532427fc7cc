//! Sends spans in batches to an OTLP endpoint.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::http::{Request, Uri, header};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::otlp::{Counts, Proven, span};
use crate::chaos::proxy::registry::Say;

/// How many spans go in one request, and how long the first of them waits for others.
const BATCH: usize = 256;
const GATHERING: Duration = Duration::from_millis(200);

const PATIENCE: Duration = Duration::from_secs(5);

/// Where spans go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// `host:port`
    authority: String,
    path: String,
}

/// An endpoint that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no OTLP endpoint: write http://host:port")]
pub struct EndpointError(String);

impl Endpoint {
    /// Reads `http://127.0.0.1:4318`; `/v1/traces` is added where there is no path.
    pub fn parse(text: &str) -> Result<Self, EndpointError> {
        let bad = || EndpointError(text.to_owned());
        let uri: Uri = text.parse().map_err(|_| bad())?;
        let authority = uri.authority().filter(|_| uri.scheme_str() == Some("http")).ok_or_else(bad)?;
        let authority = match authority.port_u16() {
            Some(_) => authority.to_string(),
            None => format!("{authority}:4318"),
        };
        let path = if uri.path() == "/" { "/v1/traces" } else { uri.path() };
        Ok(Self { authority, path: path.to_owned() })
    }
}

type Sender = SendRequest<Full<Bytes>>;

/// Sends until nobody can add anything any more.
pub(super) async fn run(
    endpoint: Endpoint,
    mut queue: mpsc::Receiver<Proven>,
    counts: Arc<Counts>,
    say: Say,
    mut dice: Dice,
) {
    let (mut sender, mut was_bad) = (None, false);
    let mut batch = Vec::with_capacity(BATCH);
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        if batch.len() < BATCH {
            sleep(GATHERING).await;
            while batch.len() < BATCH
                && let Ok(proven) = queue.try_recv()
            {
                batch.push(proven);
            }
        }
        let body = span::request(&batch, &mut dice).to_string();
        let sent = timeout(PATIENCE, post(&endpoint, &mut sender, body)).await;
        let reason = sent.unwrap_or_else(|_| Err("no answer in time".to_owned())).err();
        let counter = if reason.is_some() { &counts.dropped } else { &counts.sent };
        counter.fetch_add(batch.len() as u64, Ordering::Relaxed);
        if let Some(reason) = reason.as_ref().filter(|_| !was_bad) {
            say(&format!("spans of faults are lost: {}: {reason}", endpoint.authority));
        }
        if reason.is_some() {
            sender = None;
        }
        was_bad = reason.is_some();
        batch.clear();
    }
}

async fn post(endpoint: &Endpoint, sender: &mut Option<Sender>, body: String) -> Result<(), String> {
    let ready = match sender.as_mut() {
        Some(sender) => sender.ready().await.is_ok(),
        None => false,
    };
    if !ready {
        *sender = Some(connect(endpoint).await?);
    }
    let sender = sender.as_mut().ok_or("not connected")?;
    let request = Request::post(&endpoint.path)
        .header(header::HOST, &endpoint.authority)
        .header(header::CONTENT_TYPE, "application/json")
        .body(Full::new(Bytes::from(body)))
        .map_err(|error| error.to_string())?;
    let response = sender.send_request(request).await.map_err(|error| error.to_string())?;
    let status = response.status();
    // The connection is free again once the answer is read.
    let _ = response.into_body().collect().await;
    if status.is_success() { Ok(()) } else { Err(format!("answered {status}")) }
}

async fn connect(endpoint: &Endpoint) -> Result<Sender, String> {
    let socket = TcpStream::connect(&endpoint.authority).await.map_err(|error| error.to_string())?;
    let (sender, connection) = http1::handshake(TokioIo::new(socket)).await.map_err(|error| error.to_string())?;
    tokio::spawn(connection);
    Ok(sender)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn endpoints_have_a_host() {
        let of = |text| Endpoint::parse(text).map(|endpoint| format!("{}{}", endpoint.authority, endpoint.path));
        assert_eq!(of("http://127.0.0.1:4318").unwrap(), "127.0.0.1:4318/v1/traces");
        assert_eq!(of("http://collector/otlp").unwrap(), "collector:4318/otlp");
        for bad in ["", "127.0.0.1:4318", "https://x:1", "http://", "grpc://x:1"] {
            assert!(of(bad).is_err(), "{bad}");
        }
    }
}
