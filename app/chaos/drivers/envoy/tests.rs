use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Map, Value, json};

use super::*;
use crate::chaos::drivers::peers::{self, Server};
use crate::chaos::drivers::{make, undo};
use crate::chaos::http::{Endpoint, Reply, Traffic};

/// A real Envoy before a server that echoes.
struct Edge {
    _server: Server,
    _folder: tempfile::TempDir,
    admin: String,
    url: String,
}

/// Starts Envoy with the filters that `change` leaves in its configuration; nothing where there is no Envoy.
fn envoy(change: impl Fn(String) -> String) -> Option<Edge> {
    let program = peers::find("bin/envoy")?;
    let (listen, admin) = (peers::free_port(), peers::free_port());
    let config = include_str!("envoy.yaml")
        .replace("UPSTREAM", &peers::echo().port().to_string())
        .replace("LISTEN", &listen.to_string())
        .replace("ADMIN", &admin.to_string());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("envoy.yaml");
    fs::write(&file, change(config)).unwrap();
    let server = Server::start(command(&program, &file), listen);
    let (admin, url) = (format!("http://127.0.0.1:{admin}"), format!("http://127.0.0.1:{listen}/"));
    Some(Edge { _server: server, _folder: folder, admin, url })
}

fn command(program: &Path, file: &Path) -> Command {
    let mut command = Command::new(program);
    command.arg("-c").arg(file).args(["--concurrency", "1", "--disable-hot-restart", "--log-level", "off"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

fn driver(edge: &Edge) -> Box<dyn Driver> {
    let options: Map<String, Value> = json!({"admin": edge.admin, "probe": edge.url}).as_object().unwrap().clone();
    let order = Order { run: "abc".to_owned(), number: 1, seed: 1, client: Client::default() };
    make("envoy", &options, &order).unwrap()
}

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).unwrap()
}

/// Makes a call of gRPC, over HTTP/2.
fn send_grpc(edge: &Edge, driver: &dyn Driver, fault: &Fault) -> Reply {
    let mut headers = driver.request_headers(fault);
    headers.push(("content-type".to_owned(), "application/grpc".to_owned()));
    let url = format!("{}shop.Stock/Get", edge.url);
    let spec = RequestSpec { method: "POST".to_owned(), url, headers, body: vec![0; 5] };
    let mut traffic = Traffic::new(vec![Endpoint::parse(&edge.url).unwrap().target().parse().unwrap()]);
    traffic.is_http2 = true;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(traffic.send(&spec)).outcome.unwrap()
}

/// Sends a request as a run would; returns the answer and how long it took.
fn send(edge: &Edge, driver: &dyn Driver, fault: &Fault) -> (Reply, Duration) {
    let headers = driver.request_headers(fault);
    let spec = RequestSpec { method: "GET".to_owned(), url: edge.url.clone(), headers, body: Vec::new() };
    let began = Instant::now();
    (Client::default().request(&spec).unwrap(), began.elapsed())
}

#[test]
fn a_real_envoy_delays_and_aborts_what_carries_our_headers() {
    let Some(edge) = envoy(|config| config) else { return };
    let mut driver = driver(&edge);
    assert!(driver.preflight().unwrap()[1].contains("the fault filter answers"));
    let latency = fault(r#"{"kind":"latency","magnitude":{"dist":"fixed","ms":120}}"#);
    assert_eq!(driver.request_headers(&latency), [], "nothing before it is armed");
    driver.arm(&latency).unwrap();
    let (reply, took) = send(&edge, &*driver, &latency);
    assert!(reply.status == 200 && took >= Duration::from_millis(100), "{took:?}");
    let error = fault(r#"{"kind":"error","with":{"status":418}}"#);
    assert_eq!(send(&edge, &*driver, &error).0.status, 418);
    let grpc = fault(r#"{"kind":"error","with":{"grpc_status":14}}"#);
    let reply = send_grpc(&edge, &*driver, &grpc);
    assert_eq!((reply.status, reply.header("grpc-status")), (200, Some("14")));
    assert_eq!(driver.injected().unwrap(), Injected { faults: Some(3), unmarked: None });
    undo(&driver.undo()).unwrap();
    stops_at_once(&edge, &*driver, &error);
}

fn stops_at_once(edge: &Edge, driver: &dyn Driver, error: &Fault) {
    stop_faults(&edge.admin, &Client::default()).unwrap();
    assert_eq!(send(edge, driver, error).0.status, 200);
    allow_faults(&edge.admin, &Client::default()).unwrap();
    assert_eq!(send(edge, driver, error).0.status, 418);
}

#[test]
fn an_envoy_without_the_filter_is_told_apart() {
    let without = |config: String| {
        let from = config.find("          - name: envoy.filters.http.fault").unwrap();
        let to = config.find("          - name: envoy.filters.http.router").unwrap();
        format!("{}{}", &config[..from], &config[to..])
    };
    let Some(edge) = envoy(without) else { return };
    let error = driver(&edge).preflight().unwrap_err();
    assert!(matches!(error, DriverError::Missing(_)), "{error}");
}

#[test]
fn two_filters_on_the_way_are_told() {
    let twice = |config: String| {
        let from = config.find("          - name: envoy.filters.http.fault").unwrap();
        let to = config.find("          - name: envoy.filters.http.router").unwrap();
        format!("{}{}{}", &config[..to], &config[from..to].replace("http.fault\n", "http.fault.again\n"), &config[to..])
    };
    let Some(edge) = envoy(twice) else { return };
    assert!(driver(&edge).preflight().unwrap()[1].starts_with("2 fault filters answer"));
}

#[test]
fn only_the_filters_own_counts_are_added_up() {
    let stats = "http.a.fault.delays_injected: 3\nhttp.a.fault.shop.delays_injected: 3\nhttp.b.fault.aborts_injected: 2\n\
                 http.a.fault.active_faults: 7\nhttp.a.fault.response_rl_injected: 1\n";
    assert_eq!(sum_of_counters(stats), 6);
}
