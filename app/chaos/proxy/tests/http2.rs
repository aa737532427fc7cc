//! HTTP/2 and gRPC through a link. The client speaks in frames (RFC 9113), so that what is asserted is what is on the wire.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Collected};
use hyper::body::{Body, Frame, Incoming};
use hyper::http::{HeaderMap, Request, Response};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use riftline_queries::replay::fault::{Fault, Place, When};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::peer::{Bench, fault, latency};
use crate::chaos::proxy::link::Protocol;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// A client that speaks in frames.
struct Client(TcpStream);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Heard {
    kind: u8,
    flags: u8,
    stream: u32,
    payload: Vec<u8>,
}

impl Client {
    async fn connect(bench: &Bench) -> Self {
        Self::greet(bench.connect().await).await
    }

    async fn greet(mut socket: TcpStream) -> Self {
        socket.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n").await.unwrap();
        let mut client = Self(socket);
        client.send(SETTINGS, 0, 0, &[]).await;
        client
    }

    async fn send(&mut self, kind: u8, flags: u8, stream: u32, payload: &[u8]) {
        let mut frame = (payload.len() as u32).to_be_bytes()[1..].to_vec();
        frame.extend([kind, flags]);
        frame.extend(stream.to_be_bytes());
        frame.extend(payload);
        self.0.write_all(&frame).await.unwrap();
    }

    /// Begins a POST with these headers and sends a body of three bytes.
    async fn call(&mut self, stream: u32, path: &str, headers: &[(&str, &str)]) {
        // Static table (RFC 7541, appendix A): 3 is POST, 6 is http, 4 is :path, 1 is :authority.
        let mut block = vec![0x83, 0x86];
        literal(&mut block, &[0x04], path);
        literal(&mut block, &[0x01], "shop");
        for (name, value) in headers {
            let mut key = vec![0, name.len() as u8];
            key.extend(name.bytes());
            literal(&mut block, &key, value);
        }
        self.send(HEADERS, END_HEADERS, stream, &block).await;
        self.send(DATA, END_STREAM, stream, b"abc").await;
    }

    async fn frame(&mut self) -> Option<Heard> {
        let mut head = [0; 9];
        self.0.read_exact(&mut head).await.ok()?;
        let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
        let mut payload = vec![0; length as usize];
        self.0.read_exact(&mut payload).await.ok()?;
        let stream = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
        Some(Heard { kind: head[3], flags: head[4], stream, payload })
    }

    /// Returns frames of these kinds until one of `stream` ends it.
    async fn until_end(&mut self, stream: u32) -> Vec<Heard> {
        let mut heard = Vec::new();
        while let Some(frame) = self.frame().await {
            let ends = frame.stream == stream
                && (frame.kind == RST_STREAM || frame.kind <= HEADERS && frame.flags & END_STREAM != 0);
            if [DATA, HEADERS, RST_STREAM, GOAWAY].contains(&frame.kind) {
                heard.push(frame);
            }
            if ends {
                break;
            }
        }
        heard
    }
}

/// A header that enters no table, without Huffman coding.
fn literal(block: &mut Vec<u8>, key: &[u8], value: &str) {
    block.extend(key);
    block.push(value.len() as u8);
    block.extend(value.bytes());
}

/// Answers gRPC calls with a message and trailers, and hands over what arrived.
fn serve(listener: TcpListener) -> mpsc::Receiver<(HeaderMap, Bytes)> {
    let (sender, receiver) = mpsc::channel(16);
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let sender = sender.clone();
            let service = service_fn(move |request: Request<Incoming>| answer(request, sender.clone()));
            tokio::spawn(http2::Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(socket), service));
        }
    });
    receiver
}

async fn answer(
    request: Request<Incoming>,
    heard: mpsc::Sender<(HeaderMap, Bytes)>,
) -> Result<Response<Frames>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.map(Collected::to_bytes).unwrap_or_default();
    let _ = heard.send((head.headers, body)).await;
    let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
    let frames = [Ok(Frame::data(Bytes::from_static(b"0123456789"))), Ok(Frame::trailers(trailers))];
    let body = Frames(frames.into_iter().collect());
    Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap())
}

struct Frames(VecDeque<Result<Frame<Bytes>, Infallible>>);

impl Body for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.pop_front())
    }
}

/// A link in front of a gRPC server.
async fn shop() -> (Bench, mpsc::Receiver<(HeaderMap, Bytes)>) {
    shop_on(Protocol::Auto).await
}

async fn shop_on(protocol: Protocol) -> (Bench, mpsc::Receiver<(HeaderMap, Bytes)>) {
    let mut bench = Bench::new(protocol).await;
    let stand_in = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let heard = serve(std::mem::replace(&mut bench.upstream, stand_in));
    (bench, heard)
}

const GRPC: &[(&str, &str)] = &[("content-type", "application/grpc"), ("te", "trailers"), ("grpc-timeout", "5S")];

fn kinds(heard: &[Heard]) -> Vec<u8> {
    heard.iter().map(|frame| frame.kind).collect()
}

#[tokio::test]
async fn a_call_passes_with_its_trailers() {
    for protocol in [Protocol::Auto, Protocol::Http] {
        passes(protocol).await;
    }
}

async fn passes(protocol: Protocol) {
    let (bench, mut heard) = shop_on(protocol).await;
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    let got = client.until_end(1).await;
    assert_eq!(kinds(&got), [HEADERS, DATA, HEADERS]);
    assert_eq!(got[1].payload, b"0123456789");
    let (headers, body) = heard.recv().await.unwrap();
    assert_eq!(&body[..], b"abc");
    assert_eq!((&headers["te"], &headers["grpc-timeout"]), (&"trailers".parse().unwrap(), &"5S".parse().unwrap()));
    assert_eq!(headers.len(), 3, "nothing was added: {headers:?}");
}

#[tokio::test]
async fn a_grpc_error_is_one_block_of_headers_or_has_trailers() {
    let (bench, _heard) = shop().await;
    let with = json!({"grpc_status": 14, "message": "no 50%"});
    bench.arm(fault("error", Place::Request, with));
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    let got = client.until_end(1).await;
    assert_eq!((kinds(&got), got[0].flags & END_STREAM), (vec![HEADERS], END_STREAM));
    // Indexed 8 of the static table is `:status: 200`.
    assert_eq!(got[0].payload[0] & 0x7f, 8);
    bench.registry.disarm("link", "fault").unwrap();
    bench.arm(fault("error", Place::Request, json!({"grpc_status": 14, "trailers_only": false})));
    client.call(3, "/shop.Cart/Get", GRPC).await;
    assert_eq!(kinds(&client.until_end(3).await), [HEADERS, HEADERS]);
}

#[tokio::test]
async fn a_server_that_greets_first_does_not_hide_what_is_spoken() {
    let bench = Bench::new(Protocol::Auto).await;
    bench.arm(fault("error", Place::Request, json!({"grpc_status": 14})));
    let (socket, mut server) = tokio::join!(bench.connect(), bench.accept());
    server.write_all(&[0, 0, 0, SETTINGS, 0, 0, 0, 0, 0]).await.unwrap();
    let mut client = Client::greet(socket).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    let got = timeout(Duration::from_secs(5), client.until_end(1)).await.unwrap();
    assert_eq!((kinds(&got), got[0].flags & END_STREAM), (vec![HEADERS], END_STREAM));
}

#[tokio::test]
async fn an_abort_resets_the_stream_and_others_go_on() {
    let (bench, _heard) = shop().await;
    let when = When { path: Some("/shop.Cart/Put".into()), ..When::default() };
    bench.arm(Fault { when, ..fault("abort", Place::Request, Value::Null) });
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Put", GRPC).await;
    let got = client.until_end(1).await;
    assert_eq!((kinds(&got), got[0].stream), (vec![RST_STREAM], 1));
    client.call(3, "/shop.Cart/Get", GRPC).await;
    assert_eq!(kinds(&client.until_end(3).await), [HEADERS, DATA, HEADERS]);
}

#[tokio::test]
async fn an_abort_in_the_body_comes_after_some_of_it() {
    let (bench, _heard) = shop().await;
    bench.arm(fault("abort", Place::Request, json!({"where": "body"})));
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    let got = client.until_end(1).await;
    assert_eq!(kinds(&got), [HEADERS, DATA, RST_STREAM]);
    assert_eq!(got[1].payload, b"01234");
}

#[tokio::test]
async fn an_abort_may_say_goodbye_to_the_connection() {
    let (bench, _heard) = shop().await;
    bench.arm(fault("abort", Place::Request, json!({"how": "goaway"})));
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    let mut missing = vec![RST_STREAM, GOAWAY];
    while !missing.is_empty() {
        let frame = client.frame().await.unwrap();
        missing.retain(|kind| *kind != frame.kind);
    }
}

#[tokio::test]
async fn calls_wait_for_themselves_only() {
    let (bench, _heard) = shop().await;
    let when = When { nth: Some(1), ..When::default() };
    let armed = bench.arm(Fault { when, ..latency(Place::Request, 60_000.0) });
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    while armed.tally().hit == 0 {
        tokio::task::yield_now().await;
    }
    client.call(3, "/shop.Cart/Get", GRPC).await;
    let got = client.until_end(3).await;
    assert!(got.iter().all(|frame| frame.stream == 3), "{got:?}");
    bench.registry.disarm("link", "fault").unwrap();
    assert_eq!(kinds(&client.until_end(1).await), [HEADERS, DATA, HEADERS]);
}

#[tokio::test]
async fn deadlines_and_context_of_a_call_can_be_lost() {
    let (bench, mut heard) = shop().await;
    let deadline = bench.arm(fault("deadline-drop", Place::Request, Value::Null));
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    client.until_end(1).await;
    assert!(!heard.recv().await.unwrap().0.contains_key("grpc-timeout"));
    assert_eq!(deadline.tally().hit, 1);
    bench.registry.disarm("link", "fault").unwrap();
    let letters = bench.arm(fault("context-case", Place::Request, Value::Null));
    client.call(3, "/shop.Cart/Get", &[("traceparent", "00-1-2-01")]).await;
    client.until_end(3).await;
    assert_eq!(heard.recv().await.unwrap().0["traceparent"], "00-1-2-01");
    assert_eq!(letters.tally().hit, 0, "names have no letters in HTTP/2");
}

#[tokio::test]
async fn a_client_that_gives_up_is_forgotten_by_a_fault_that_hangs() {
    let (bench, mut heard) = shop().await;
    let armed = bench.arm(fault("hang", Place::Request, Value::Null));
    let mut client = Client::connect(&bench).await;
    client.call(1, "/shop.Cart/Get", GRPC).await;
    while armed.tally().hit == 0 {
        tokio::task::yield_now().await;
    }
    // 8 is CANCEL.
    client.send(RST_STREAM, 0, 1, &8_u32.to_be_bytes()).await;
    drop(client);
    while bench.link.num_open() > 0 {
        tokio::task::yield_now().await;
    }
    assert!(timeout(Duration::from_millis(20), heard.recv()).await.is_err(), "the server was not asked");
}
