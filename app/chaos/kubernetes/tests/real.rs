//! The same lifecycle through the real `kubectl`, against the simulated server on a loopback port.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use tempfile::TempDir;

use super::*;

/// The real program with a configuration of its own; nothing, said aloud, where it is not installed.
fn program(server: SocketAddr) -> Option<(Program, TempDir)> {
    let Ok(program) = Program::find() else {
        eprintln!("skipped: no kubectl on this machine");
        return None;
    };
    let folder = tempfile::tempdir().unwrap();
    let config = json!({
        "apiVersion": "v1", "kind": "Config", "current-context": "staging",
        "clusters": [{"name": "c", "cluster": {"server": format!("http://{server}")}}],
        "contexts": [{"name": "staging", "context": {"cluster": "c", "user": "u"}}],
        "users": [{"name": "u", "user": {}}],
    });
    let file = folder.path().join("config");
    fs::write(&file, config.to_string()).unwrap();
    Some((program.with_variable("KUBECONFIG", file).with_variable("HOME", folder.path()), folder))
}

fn slow() -> Limits {
    Limits { inject: Duration::from_mins(1), recover: Duration::from_mins(1), pause: Duration::from_millis(1) }
}

#[test]
fn a_fault_lives_and_ends_through_the_real_program() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let mut driver = ChaosMesh::new(target(), Box::new(program.clone()), slow());
    assert_eq!(driver.targets(), [server.to_string()]);
    driver.preflight().unwrap_or_else(|error| panic!("{error}: {:?}", cluster.calls()));
    driver.arm(&fault("error", json!({"status": 503}))).unwrap();
    assert_eq!(cluster.object(OBJECT).unwrap()["spec"]["replace"], json!({"code": 503}));
    assert_eq!(verify_clean_through(&program, &driver.undo()).unwrap().len(), 1);
    undo_through(&program, &driver.undo(), slow()).unwrap();
    undo_through(&program, &driver.undo(), slow()).unwrap();
    assert_eq!(verify_clean_through(&program, &driver.undo()).unwrap(), Vec::<String>::new());
}

#[test]
fn a_route_lives_and_ends_through_the_real_program() {
    let cluster = Simulated::shop();
    cluster.put(SHARED, shared());
    cluster.switch(Switches { conflicts: 1, ..Switches::default() });
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let target = Target { virtual_service: Some("payments".to_owned()), ..target() };
    let mut driver = Istio::new(target, Box::new(program.clone()), slow());
    driver.preflight().unwrap();
    let armed = driver.arm(&fault("context-drop", json!({"headers": ["traceparent"]})));
    armed.unwrap_or_else(|error| panic!("{error}: {:?}", cluster.calls()));
    assert_eq!(cluster.object(SHARED).unwrap()["spec"]["http"][0]["name"], "riftline-exp42");
    undo_through(&program, &driver.undo(), slow()).unwrap();
    assert_eq!(cluster.object(SHARED).unwrap()["spec"], shared()["spec"]);
}

#[test]
fn what_the_server_refuses_or_keeps_comes_back_in_its_words() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let mut driver = ChaosMesh::new(target(), Box::new(program.clone()), slow());
    driver.arm(&fault("latency", json!({}))).unwrap();
    let other = Target { marker: None, ..target() };
    let mut second = ChaosMesh::new(other, Box::new(program.clone()), slow());
    let error = second.arm(&fault("latency", json!({}))).unwrap_err().to_string();
    assert!(error.contains("AlreadyExists"), "{error}");
    cluster.switch(Switches { finalizer_sticks: true, ..Switches::default() });
    let error = undo_through(&program, &driver.undo(), limits()).unwrap_err().to_string();
    assert!(error.contains("cleanFinalizer=forced"), "{error}");
}

#[test]
fn a_server_that_is_away_is_unreachable_for_the_real_program() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    cluster.switch(Switches { calls_left: Some(0), ..Switches::default() });
    let driver = ChaosMesh::new(target(), Box::new(program.clone()), limits());
    let error = driver.rehearse(&fault("latency", json!({}))).unwrap_err();
    assert!(matches!(error, DriverError::Unreachable { .. }), "{error}");
}

#[test]
fn an_object_that_breaks_the_schema_is_refused_by_the_server() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let kubectl: &dyn Kubectl = &program;
    let cluster_client = super::super::cluster::Cluster { kubectl, context: "staging", namespace: "shop" };
    let object = json!({"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "HTTPChaos", "metadata": {"name": "x"}, "spec": {"mode": "some"}});
    let error = super::super::life::rehearse(&cluster_client, &super::super::cluster::HTTP_CHAOS, &object).unwrap_err();
    assert!(error.to_string().contains("nvalid"), "{error}");
}
