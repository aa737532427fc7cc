//! The proxy as a whole: its API, the spans that it sends, and when it ends.

use std::sync::{Arc, Mutex};

use riftline_queries::replay::fault::Place;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;

use super::peer::{GET, fault, head, rest};
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::{LinkSpec, Protocol};
use crate::chaos::proxy::otlp::{Endpoint, Reporter};
use crate::chaos::proxy::registry::{Limits, Registry};
use crate::chaos::proxy::{Options, Running, serve};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

async fn call(address: std::net::SocketAddr, request: &str) -> String {
    let mut client = TcpStream::connect(address).await.unwrap();
    client.write_all(request.as_bytes()).await.unwrap();
    rest(&mut client).await.unwrap()
}

fn put(path: &str, body: &Value) -> String {
    let (body, length) = (body.to_string(), body.to_string().len());
    format!("PUT {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}")
}

/// Reads a request and answers it; returns its head and body.
async fn collect(listener: &TcpListener) -> (String, Value) {
    let (mut socket, _) = listener.accept().await.unwrap();
    let head = head(&mut socket).await;
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap().parse().unwrap();
    let mut body = vec![0; length];
    socket.read_exact(&mut body).await.unwrap();
    socket.write_all(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").await.unwrap();
    (head, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_faulted_request_leaves_a_span_in_its_trace() {
    let collector = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = Endpoint::parse(&format!("http://{}", collector.local_addr().unwrap())).unwrap();
    let reporter = Reporter::start(endpoint, Arc::new(|_| ()));
    let registry = Registry::new(Limits::default(), Arc::new(|_| ()), Some(reporter));
    let spec = LinkSpec { protocol: Protocol::Http, ..LinkSpec::new("edge", "127.0.0.1:0", "127.0.0.1:1") };
    let link = registry.create(spec).await.unwrap();
    let error = fault("error", Place::Request, json!({"status": 503}));
    registry.arm("edge", Armed::new("a".into(), Some("exp42".into()), error, 1).unwrap()).unwrap();
    let request = format!("GET /pay?card=1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\ntraceparent: {PARENT}\r\n\r\n");
    let (answer, (head, body)) = tokio::join!(call(link.address().unwrap(), &request), collect(&collector));
    assert!(answer.starts_with("HTTP/1.1 503") && head.starts_with("POST /v1/traces HTTP/1.1"));
    let span = &body["resourceSpans"][0]["scopeSpans"][0]["spans"][0];
    assert_eq!(span["name"], "fault error");
    assert_eq!(
        (&span["traceId"], &span["parentSpanId"]),
        (&json!("0af7651916cd43dd8448eb211c80319c"), &json!("b7ad6b7169203331"))
    );
    let attribute = |key: &str| {
        let all = span["attributes"].as_array().unwrap();
        all.iter().find(|attribute| attribute["key"] == key).unwrap()["value"].clone()
    };
    assert_eq!(attribute("fault.experiment"), json!({"stringValue": "exp42"}));
    assert_eq!(attribute("url.path"), json!({"stringValue": "/pay"}));
    assert_eq!(attribute("fault.planned_ms"), json!({"doubleValue": 0.0}));
}

#[tokio::test]
async fn spans_that_nobody_takes_are_counted_and_said_once() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let notes = said.clone();
    let endpoint = Endpoint::parse("http://127.0.0.1:1").unwrap();
    let reporter = Reporter::start(endpoint, Arc::new(move |line: &str| notes.lock().unwrap().push(line.to_owned())));
    let registry = Registry::new(Limits::default(), Arc::new(|_| ()), Some(reporter.clone()));
    let spec = LinkSpec { protocol: Protocol::Http, ..LinkSpec::new("edge", "127.0.0.1:0", "127.0.0.1:1") };
    let link = registry.create(spec).await.unwrap();
    let error = fault("error", Place::Request, json!({"status": 503}));
    registry.arm("edge", Armed::new("a".into(), None, error, 1).unwrap()).unwrap();
    for lost in 1..=2 {
        let answer = call(link.address().unwrap(), &GET.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 503"));
        while reporter.num_dropped() < lost {
            tokio::task::yield_now().await;
        }
    }
    assert_eq!(said.lock().unwrap().len(), 1);
}

async fn start(options: Options) -> (Running, oneshot::Sender<()>, tokio::task::JoinHandle<()>) {
    let (ready, started) = oneshot::channel();
    let (stop, stopped) = oneshot::channel::<()>();
    let task = tokio::spawn(async move {
        let stopped = async {
            let _ = stopped.await;
        };
        serve(options, |running| ready.send(running.clone()).unwrap(), stopped).await.unwrap();
    });
    (started.await.unwrap(), stop, task)
}

fn options() -> Options {
    let links = vec![LinkSpec::new("edge", "127.0.0.1:0", "127.0.0.1:1")];
    Options { links, api: Some("127.0.0.1:0".parse().unwrap()), ..Options::default() }
}

#[tokio::test]
async fn a_proxy_answers_on_its_api_and_ends_when_told() {
    let (running, stop, task) = start(options()).await;
    let version =
        call(running.api.unwrap(), "GET /version HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n").await;
    assert!(version.starts_with("HTTP/1.1 200"), "{version}");
    assert_eq!(running.links[0].0, "edge");
    stop.send(()).unwrap();
    task.await.unwrap();
    assert!(TcpStream::connect(running.links[0].1).await.is_err());
}

#[tokio::test]
async fn a_proxy_of_a_run_ends_after_the_lease_and_the_last_connection() {
    let (running, _stop, task) = start(Options { exit_with_lease: true, ..options() }).await;
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = json!({"upstream": upstream.local_addr().unwrap().to_string()});
    let moved = call(running.api.unwrap(), &put("/proxies/edge", &to).replace("PUT", "POST")).await;
    assert!(moved.starts_with("HTTP/1.1 200"), "{moved}");
    let mut client = TcpStream::connect(running.links[0].1).await.unwrap();
    let (mut server, _) = upstream.accept().await.unwrap();
    let lease = call(running.api.unwrap(), &put("/riftline/leases/run", &json!({"ttl_ms": 100}))).await;
    assert!(lease.starts_with("HTTP/1.1 20"), "{lease}");
    let leases = "GET /riftline/leases HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n";
    while call(running.api.unwrap(), leases).await.contains("\"run\"") {
        tokio::task::yield_now().await;
    }
    client.write_all(b"still forwarded\r\n\r\n").await.unwrap();
    assert_eq!(head(&mut server).await, "still forwarded\r\n\r\n");
    assert!(!task.is_finished());
    drop((client, server));
    task.await.unwrap();
}
