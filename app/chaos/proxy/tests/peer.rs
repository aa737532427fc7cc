//! Both ends of a link, as little of HTTP as tests need: what is asserted is what is on the wire.

use std::sync::Arc;

use riftline_queries::replay::fault::{Fault, Magnitude, Place, When};
use serde_json::{Map, Value};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::{Link, LinkSpec, Protocol};
use crate::chaos::proxy::registry::Registry;

/// A registry with one link, and what listens behind it.
pub(super) struct Bench {
    pub(super) registry: Registry,
    pub(super) link: Arc<Link>,
    pub(super) upstream: TcpListener,
}

impl Bench {
    pub(super) async fn new(protocol: Protocol) -> Self {
        let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let registry = Registry::default();
        let to = upstream.local_addr().unwrap().to_string();
        let spec = LinkSpec { protocol, ..LinkSpec::new("link", "127.0.0.1:0", &to) };
        let link = registry.create(spec).await.unwrap();
        Self { registry, link, upstream }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(self.link.address().unwrap()).await.unwrap()
    }

    /// Connects and reads to the end: a reset may be seen by either.
    pub(super) async fn refused(&self) -> std::io::Result<String> {
        rest(&mut TcpStream::connect(self.link.address().unwrap()).await?).await
    }

    pub(super) async fn accept(&self) -> TcpStream {
        self.upstream.accept().await.unwrap().0
    }

    pub(super) fn arm(&self, fault: Fault) -> Arc<Armed> {
        let armed = Armed::new("fault".to_owned(), None, fault, 7).unwrap();
        self.registry.arm("link", armed).unwrap()
    }

    /// Sends `request` and returns what arrived at the upstream, which has answered with `answer` and closed.
    pub(super) async fn exchange(&self, request: &str, answer: &str) -> (String, std::io::Result<String>) {
        let mut client = self.connect().await;
        let server = async {
            let mut server = self.accept().await;
            let heard = head(&mut server).await;
            server.write_all(answer.as_bytes()).await.unwrap();
            heard
        };
        let client = async {
            client.write_all(request.as_bytes()).await.unwrap();
            rest(&mut client).await
        };
        tokio::join!(server, client)
    }

    /// Sends `request` and returns what comes back without the upstream being asked.
    pub(super) async fn ask(&self, request: &str) -> std::io::Result<String> {
        let mut client = self.connect().await;
        client.write_all(request.as_bytes()).await.unwrap();
        rest(&mut client).await
    }
}

/// Reads up to the end of a head.
pub(super) async fn head(stream: &mut TcpStream) -> String {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        read.push(stream.read_u8().await.unwrap());
    }
    String::from_utf8(read).unwrap()
}

/// Reads up to the end; what was read before a reset is kept in the error's words.
pub(super) async fn rest(stream: &mut TcpStream) -> std::io::Result<String> {
    let mut read = Vec::new();
    match stream.read_to_end(&mut read).await {
        Ok(_) => Ok(String::from_utf8(read).unwrap()),
        Err(error) => Err(std::io::Error::new(error.kind(), String::from_utf8_lossy(&read).into_owned())),
    }
}

pub(super) fn fault(kind: &str, place: Place, with: Value) -> Fault {
    let with = match with {
        Value::Object(with) => with,
        _ => Map::new(),
    };
    Fault { kind: kind.to_owned(), place, when: When::default(), magnitude: None, with }
}

pub(super) fn latency(place: Place, ms: f64) -> Fault {
    Fault { magnitude: Some(Magnitude::Fixed { ms }), ..fault("latency", place, Value::Null) }
}

pub(super) const GET: &str = "GET /orders/1 HTTP/1.1\r\nHost: shop\r\n\r\n";
pub(super) const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\nConnection: close\r\n\r\n0123456789";
