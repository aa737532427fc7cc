use std::net::SocketAddr;
use std::process::{Command, Stdio};

use serde_json::Map;

use super::*;
use crate::chaos::drivers::peers::{self, Server};
use crate::chaos::drivers::toxiproxy::tests::{ask_edge, create_edge, drives, stuck};
use crate::chaos::drivers::{make, undo, verify_clean};
use crate::chaos::proxy::api::testing;

fn order() -> Order {
    Order { run: "abc".to_owned(), number: 1, seed: 1, client: Client::default() }
}

fn driver(options: Value) -> Box<dyn Driver> {
    let options: Map<String, Value> = serde_json::from_value(options).unwrap();
    make("builtin", &options, &order()).unwrap()
}

fn fault(text: &str) -> Fault {
    serde_json::from_str(text).unwrap()
}

fn ask_twice(edge: SocketAddr) {
    for _ in 0..2 {
        ask_edge(edge).unwrap();
    }
}

#[test]
fn our_proxy_passes_for_a_toxiproxy() {
    let ours = testing::start();
    drives(&ours.api, create_edge(&ours.api));
}

#[test]
fn a_fault_is_armed_counted_kept_and_undone() {
    let ours = testing::start();
    let edge = create_edge(&ours.api);
    let mut driver = driver(json!({"api": ours.api, "proxy": "edge"}));
    assert!(driver.preflight().unwrap()[0].contains("riftline proxy at"));
    let latency = fault(
        r#"{"kind":"latency","place":"connection","when":{"unit":"connection","nth":2},
            "magnitude":{"dist":"empirical","quantiles":[[0,60],[1,90]]}}"#,
    );
    assert_eq!(driver.fidelity(&latency), Fidelity::default());
    driver.arm(&latency).unwrap();
    assert_eq!(driver.injected().unwrap().faults, Some(0));
    ask_twice(edge);
    assert_eq!(driver.injected().unwrap(), Injected { faults: Some(1), unmarked: Some(0) });
    driver.keep().unwrap();
    assert!(verify_clean(&driver.undo()).unwrap()[0].contains("riftline_abc_1"));
    undo(&driver.undo()).unwrap();
    undo(&driver.undo()).unwrap();
    assert_eq!(verify_clean(&driver.undo()).unwrap(), Vec::<String>::new());
    assert!(driver.keep().unwrap_err().to_string().contains("is gone"));
}

#[test]
fn a_run_that_is_not_heard_of_loses_its_faults() {
    let ours = testing::start();
    let edge = create_edge(&ours.api);
    let mut driver = driver(json!({"api": ours.api, "proxy": "edge"}));
    driver.arm(&fault(r#"{"kind":"latency","magnitude":{"dist":"fixed","ms":1}}"#)).unwrap();
    ours.registry.lease("abc", std::time::Duration::ZERO);
    while !ours.registry.link("edge").unwrap().armed().is_empty() {
        std::thread::yield_now();
    }
    assert!(ask_edge(edge).is_ok() && driver.keep().is_err());
}

#[test]
fn a_toxiproxy_is_not_taken_for_our_proxy() {
    let Some(program) = peers::find("bin/toxiproxy-server") else { return };
    let port = peers::free_port();
    let mut command = Command::new(program);
    command.args(["-host", "127.0.0.1", "-port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Server::start(command, port);
    let mut driver = driver(json!({"api": format!("http://127.0.0.1:{port}"), "proxy": "edge"}));
    assert!(driver.preflight().unwrap_err().to_string().contains("choose driver toxiproxy"));
}

#[test]
fn what_the_proxy_would_refuse_is_refused_before() {
    let mut driver = driver(json!({"api": "http://127.0.0.1:1"}));
    let refusal = driver.fidelity(&fault(r#"{"kind":"latencie"}"#)).refusal.unwrap();
    assert!(refusal.contains("latency"), "{refusal}");
    assert!(matches!(driver.arm(&fault(r#"{"kind":"latencie"}"#)), Err(DriverError::Unable(_))));
}

#[test]
fn a_program_that_does_not_start_is_named() {
    let port = peers::free_port();
    let started = |program: &str| {
        let options = json!({"api": format!("http://127.0.0.1:{port}"), "upstream": "127.0.0.1:9", "program": program});
        driver(options).preflight().unwrap_err().to_string()
    };
    assert!(started("/nowhere/riftline").contains("/nowhere/riftline"));
    assert!(started("false").contains("it ended with"));
    let named: Map<String, Value> =
        serde_json::from_value(json!({"api": "http://localhost:1", "upstream": "127.0.0.1:9"})).unwrap();
    assert!(make("builtin", &named, &order()).err().unwrap().to_string().contains("an address and a port"));
}

#[test]
fn a_deletion_does_not_wait_for_a_client_that_takes_no_bytes() {
    let ours = testing::start();
    let (driver, client) = stuck(&ours.api);
    undo(&driver.undo()).unwrap();
    assert_eq!(verify_clean(&driver.undo()).unwrap(), Vec::<String>::new());
    drop(client);
}
