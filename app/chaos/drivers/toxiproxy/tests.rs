use std::io::Write;
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Map;

use super::*;
use crate::chaos::drivers::peers::{self, Server};
use crate::chaos::drivers::{make, undo, undo_with, verify_clean};
use crate::chaos::http::{RequestSpec, Traffic};

/// A real Toxiproxy server and a proxy `edge` on it before a server that echoes; nothing where there is no such program.
fn real() -> Option<(Server, String, SocketAddr)> {
    let program = peers::find("bin/toxiproxy-server")?;
    let port = peers::free_port();
    let mut command = Command::new(program);
    command.args(["-host", "127.0.0.1", "-port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let server = Server::start(command, port);
    let api = format!("http://127.0.0.1:{port}");
    let edge = create_edge(&api);
    Some((server, api, edge))
}

pub(in crate::chaos) fn create_edge(api: &str) -> SocketAddr {
    let body = json!({"name": "edge", "listen": "127.0.0.1:0", "upstream": peers::echo().to_string()});
    let call = call("POST", format!("{api}/proxies"), Some(body), &[201]);
    let proxy = ask_json(&Client::default(), &call).unwrap();
    proxy["listen"].as_str().unwrap().parse().unwrap()
}

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).unwrap()
}

fn driver(api: &str, run: &str) -> Box<dyn Driver> {
    let options: Map<String, Value> = json!({"api": api, "proxy": "edge"}).as_object().unwrap().clone();
    let order = Order { run: run.to_owned(), number: 1, seed: 1, client: Client::default() };
    make("toxiproxy", &options, &order).unwrap()
}

/// Sends a request on a connection of its own; returns the milliseconds that it took, or what went wrong in a word.
pub(in crate::chaos) fn ask_edge(edge: SocketAddr) -> Result<f64, &'static str> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let spec =
        RequestSpec { method: "GET".to_owned(), url: format!("http://{edge}/"), headers: Vec::new(), body: Vec::new() };
    let exchange = runtime.block_on(Traffic::new(vec![edge]).send(&spec));
    exchange.outcome.map(|_| exchange.duration.as_secs_f64() * 1e3).map_err(|error| error.word())
}

/// What holds for any server that speaks Toxiproxy's API: the real one, and riftline's proxy.
pub(in crate::chaos) fn drives(api: &str, edge: SocketAddr) {
    let mut driver = driver(api, "abc");
    let found = driver.preflight().unwrap();
    assert!(found[1].contains("proxy edge: 127.0.0.1:"), "{found:?}");
    let latency = fault(r#"{"kind":"latency","place":"response","magnitude":{"dist":"fixed","ms":150}}"#);
    assert!(driver.preview(&latency)[0].contains("\"latency\":150"));
    driver.arm(&latency).unwrap();
    assert!(ask_edge(edge).unwrap() >= 150.0);
    driver.keep().unwrap();
    assert!(driver.arm(&latency).is_err(), "the same name is there already");
    assert!(driver.preflight().is_err(), "what is left behind is found");
    assert!(verify_clean(&driver.undo()).unwrap()[0].contains("riftline_abc_1"));
    for _ in 0..2 {
        undo(&driver.undo()).unwrap();
    }
    assert_eq!(verify_clean(&driver.undo()).unwrap(), Vec::<String>::new());
    assert!(ask_edge(edge).is_ok() && driver.keep().is_err());
    cuts(api, edge);
    slows(api, edge);
    leaves_others_alone(api);
}

/// Of what takes time only "at least" is sure.
fn slows(api: &str, edge: SocketAddr) {
    for (text, at_least_ms) in [
        (r#"{"kind":"latency","place":"request","magnitude":{"dist":"uniform","low_ms":60,"high_ms":80}}"#, 60.0),
        (r#"{"kind":"bandwidth","place":"response","with":{"kb_per_s":1}}"#, 50.0),
        (r#"{"kind":"drip","place":"response","with":{"bytes":10,"every_ms":10}}"#, 50.0),
    ] {
        let mut driver = driver(api, "slow");
        driver.arm(&fault(text)).unwrap();
        let took = ask_edge(edge).unwrap();
        assert!(took >= at_least_ms - 1.0, "{text}: {took} ms");
        undo(&driver.undo()).unwrap();
    }
}

fn cuts(api: &str, edge: SocketAddr) {
    for (text, word) in [
        (r#"{"kind":"abort"}"#, "reset"),
        (r#"{"kind":"idle-reset","place":"connection","with":{"after_ms":20}}"#, "reset"),
        (r#"{"kind":"abort","with":{"how":"close"}}"#, "closed"),
        (r#"{"kind":"truncate","place":"response","with":{"bytes":20}}"#, "closed"),
        (r#"{"kind":"hang","with":{"release_ms":50}}"#, "closed"),
    ] {
        let mut driver = driver(api, "cut");
        driver.arm(&fault(text)).unwrap();
        assert_eq!(ask_edge(edge), Err(word), "{text}");
        undo(&driver.undo()).unwrap();
    }
    assert!(ask_edge(edge).is_ok());
}

fn leaves_others_alone(api: &str) {
    let theirs = json!({"name": "theirs", "type": "latency", "attributes": {"latency": 1}});
    ask(&Client::default(), &call("POST", format!("{api}/proxies/edge/toxics"), Some(theirs), &[200])).unwrap();
    let mut driver = driver(api, "mine");
    assert!(driver.preflight().unwrap().last().unwrap().contains("theirs"));
    driver.arm(&fault(r#"{"kind":"hang"}"#)).unwrap();
    undo(&driver.undo()).unwrap();
    let left = ask_json(&Client::default(), &get(format!("{api}/proxies/edge"))).unwrap();
    assert_eq!(toxic_names(&left).into_iter().collect::<Vec<_>>(), ["theirs"]);
}

#[test]
fn the_real_server_is_driven() {
    let Some((_server, api, edge)) = real() else { return };
    drives(&api, edge);
}

#[test]
fn what_is_not_there_is_said_with_what_is() {
    let Some((_server, api, _)) = real() else { return };
    let options: Map<String, Value> = json!({"api": api, "proxy": "other"}).as_object().unwrap().clone();
    let order = Order { run: "a".to_owned(), number: 1, seed: 1, client: Client::default() };
    let mut driver = make("toxiproxy", &options, &order).unwrap();
    assert!(driver.preflight().unwrap_err().to_string().ends_with("it has: edge"));
    let disable = call("POST", format!("{api}/proxies/edge"), Some(json!({"enabled": false})), &[200]);
    ask(&Client::default(), &disable).unwrap();
    let mut driver = self::driver(&api, "a");
    assert!(driver.arm(&fault(r#"{"kind":"hang"}"#)).unwrap_err().to_string().contains("disabled"));
}

/// Sends until nothing more goes in, and then says so, on every connection.
fn flood() -> (SocketAddr, std::sync::mpsc::Receiver<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (stuck, told) = std::sync::mpsc::sync_channel(1);
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            stream.set_write_timeout(Some(Duration::from_millis(300))).unwrap();
            while stream.write_all(&[7; 1 << 12]).is_ok() {}
            let _ = stuck.send(());
            std::mem::forget(stream);
        }
    });
    (address, told)
}

/// A driver whose toxic is on a connection that takes no more bytes, and that connection.
pub(in crate::chaos) fn stuck(api: &str) -> (Box<dyn Driver>, TcpStream) {
    let (upstream, stuck) = flood();
    let body = json!({"name": "flood", "listen": "127.0.0.1:0", "upstream": upstream.to_string()});
    let proxy = ask_json(&Client::default(), &call("POST", format!("{api}/proxies"), Some(body), &[201])).unwrap();
    let options: Map<String, Value> = serde_json::from_value(json!({"api": api, "proxy": "flood"})).unwrap();
    let order = Order { run: "a".to_owned(), number: 1, seed: 1, client: Client::default() };
    let mut driver = make("toxiproxy", &options, &order).unwrap();
    driver.preflight().unwrap();
    driver.arm(&fault(r#"{"kind":"latency","place":"response","magnitude":{"dist":"fixed","ms":1}}"#)).unwrap();
    let client = TcpStream::connect(proxy["listen"].as_str().unwrap()).unwrap();
    stuck.recv().unwrap();
    (driver, client)
}

/// What `undo` does about a deletion that hangs, seen with the server that has this fault of its own.
#[test]
fn a_deletion_that_hangs_in_the_real_server_is_freed() {
    let Some((_server, api, _)) = real() else { return };
    let (driver, client) = stuck(&api);
    let impatient = Client::new(Duration::from_secs(2));
    let Undo::Http { calls, .. } = driver.undo() else { panic!("it undoes by HTTP") };
    assert_eq!(impatient.send(&calls[0]).unwrap_err().word(), "timeout", "it hangs");
    undo_with(&driver.undo(), &impatient).unwrap();
    assert_eq!(verify_clean(&driver.undo()).unwrap(), Vec::<String>::new());
    let after = ask_json(&Client::default(), &get(format!("{api}/proxies/flood"))).unwrap();
    let before = calls[0].body.as_ref().unwrap();
    assert_eq!((&after["enabled"], &after["listen"]), (&json!(true), &before["listen"]));
    drop(client);
}
