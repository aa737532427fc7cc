//! The same lifecycle through the real `kubectl`, against the simulated server on a loopback port.

use std::fs;
use std::net::SocketAddr;

use serde_json::json;
use tempfile::TempDir;

use super::super::super::manifest;
use super::super::super::manifest::tests::{every_manifest, schema};
use super::super::cluster::{Cluster, HTTP_CHAOS};
use super::super::life;
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

#[test]
fn a_fault_lives_and_ends_through_the_real_program() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let mut driver = ChaosMesh::new(target(), Box::new(program.clone()), patient());
    assert_eq!(driver.targets(), [server.to_string()]);
    driver.preflight().unwrap_or_else(|error| panic!("{error}: {:?}", cluster.calls()));
    driver.arm(&fault("error", json!({"status": 503}))).unwrap();
    assert_eq!(cluster.object(OBJECT).unwrap()["spec"]["replace"], json!({"code": 503}));
    assert_eq!(verify_clean_through(&program, &driver.undo()).unwrap().len(), 1);
    undo_through(&program, &driver.undo(), patient()).unwrap();
    undo_through(&program, &driver.undo(), patient()).unwrap();
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
    let mut driver = Istio::new(target, Box::new(program.clone()), patient());
    driver.preflight().unwrap();
    let armed = driver.arm(&fault("context-drop", json!({"headers": ["traceparent"]})));
    armed.unwrap_or_else(|error| panic!("{error}: {:?}", cluster.calls()));
    assert_eq!(cluster.object(SHARED).unwrap()["spec"]["http"][0]["name"], "riftline-exp42");
    undo_through(&program, &driver.undo(), patient()).unwrap();
    assert_eq!(cluster.object(SHARED).unwrap()["spec"], shared()["spec"]);
}

#[test]
fn what_the_server_refuses_or_keeps_comes_back_in_its_words() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let mut driver = ChaosMesh::new(target(), Box::new(program.clone()), patient());
    driver.arm(&fault("latency", json!({}))).unwrap();
    let other = Target { marker: None, ..target() };
    let mut second = ChaosMesh::new(other, Box::new(program.clone()), patient());
    let error = second.arm(&fault("latency", json!({}))).unwrap_err().to_string();
    assert!(error.contains("AlreadyExists"), "{error}");
    cluster.switch(Switches { finalizer_sticks: true, ..Switches::default() });
    let error = undo_through(&program, &driver.undo(), impatient()).unwrap_err().to_string();
    assert!(error.contains("cleanFinalizer=forced"), "{error}");
}

#[test]
fn a_server_that_is_away_is_unreachable_for_the_real_program() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    cluster.switch(Switches { calls_left: Some(0), ..Switches::default() });
    let driver = ChaosMesh::new(target(), Box::new(program.clone()), impatient());
    let error = driver.rehearse(&fault("latency", json!({}))).unwrap_err();
    assert!(matches!(error, DriverError::Unreachable { .. }), "{error}");
}

#[test]
fn an_object_that_breaks_the_schema_is_refused_by_the_server() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    let client = Cluster { kubectl: &program, context: "staging", namespace: "shop" };
    let object = json!({"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "HTTPChaos", "metadata": {"name": "x"}, "spec": {"mode": "some"}});
    let error = life::rehearse(&client, &HTTP_CHAOS, &object).unwrap_err();
    assert!(error.to_string().contains("nvalid"), "{error}");
}

/// A cluster that really is one: the context that `RIFTLINE_TEST_CONTEXT` names, in which the definitions of Chaos Mesh, Istio and
/// Litmus must be installed. Nothing stays there; no controller is needed.
fn real_cluster() -> Option<(Program, String)> {
    let context = std::env::var("RIFTLINE_TEST_CONTEXT").ok().filter(|context| !context.is_empty());
    if context.is_none() {
        eprintln!("skipped: RIFTLINE_TEST_CONTEXT names no cluster with the definitions of the injectors");
    }
    Some((Program::find().ok()?, context?))
}

#[test]
fn a_real_api_server_takes_every_manifest_in_a_dry_run() {
    let Some((program, context)) = real_cluster() else { return };
    let cluster = Cluster { kubectl: &program, context: &context, namespace: "shop" };
    let plurals = [
        ("NetworkChaos", "networkchaos"),
        ("HTTPChaos", "httpchaos"),
        ("VirtualService", "virtualservices"),
        ("ChaosEngine", "chaosengines"),
    ];
    let mut taken = std::collections::BTreeSet::new();
    for made in every_manifest() {
        let mut object = schema::whole(&made);
        object["metadata"]["name"] = json!("riftline-exp42");
        let plural = plurals.iter().find(|(kind, _)| object["kind"] == *kind).unwrap().1;
        let api = object["apiVersion"].as_str().unwrap();
        let path = format!("/apis/{api}/namespaces/shop/{plural}?dryRun=All&fieldValidation=Strict");
        if taken.insert(object.to_string()) {
            let answer = cluster.create(&path, &object).map_err(DriverError::from);
            assert!(answer.is_ok(), "{}\n{}", answer.unwrap_err(), made.yaml(&target()));
        }
    }
    assert!(taken.len() > 50, "{} objects were looked at", taken.len());
}

/// Puts a route of the run's own, and one in front of others', and takes both out again.
fn routes_come_and_go(program: &Program, context: &str) {
    let named = |virtual_service: Option<&str>| {
        let target =
            Target { context: context.to_owned(), virtual_service: virtual_service.map(str::to_owned), ..target() };
        Istio::new(target, Box::new(program.clone()), patient())
    };
    let cluster = Cluster { kubectl: program, context, namespace: "shop" };
    cluster.create(SHARED.strip_suffix("/payments").unwrap(), &shared()).unwrap();
    for virtual_service in [None, Some("payments")] {
        let mut driver = named(virtual_service);
        driver.arm(&fault("error", json!({"status": 503}))).unwrap();
        assert_eq!(verify_clean_through(program, &driver.undo()).unwrap().len(), 1);
        undo_through(program, &driver.undo(), patient()).unwrap();
        assert_eq!(verify_clean_through(program, &driver.undo()).unwrap(), Vec::<String>::new());
    }
    let after = cluster.get(SHARED).unwrap();
    cluster.delete(SHARED).unwrap();
    assert_eq!(after["spec"], shared()["spec"], "as before");
}

#[test]
fn routes_come_and_go_on_the_simulated_server() {
    let cluster = Simulated::shop();
    let (server, _runtime) = cluster.serve();
    let Some((program, _folder)) = program(server) else { return };
    routes_come_and_go(&program, "staging");
}

#[test]
fn routes_come_and_go_on_a_real_api_server() {
    let Some((program, context)) = real_cluster() else { return };
    routes_come_and_go(&program, &context);
}

#[test]
fn a_finalizer_of_a_real_api_server_keeps_the_object_until_it_is_gone() {
    let Some((program, context)) = real_cluster() else { return };
    let target = Target { context: context.clone(), ..target() };
    let mut driver = ChaosMesh::new(target, Box::new(program.clone()), impatient());
    // Without its controller nothing is ever injected: the object is made, waited for, and taken away again.
    assert!(matches!(driver.arm(&fault("latency", json!({}))), Err(DriverError::Late { .. })));
    undo_through(&program, &driver.undo(), patient()).unwrap();
    let cluster = Cluster { kubectl: &program, context: &context, namespace: "shop" };
    let mut object = manifest::manifest("chaos-mesh", &fault("latency", json!({})), &super::target()).unwrap().body;
    object["metadata"]["finalizers"] = json!(["chaos-mesh/records"]);
    cluster.create(OBJECT.strip_suffix("/riftline-exp42").unwrap(), &object).unwrap();
    let error = undo_through(&program, &driver.undo(), impatient()).unwrap_err().to_string();
    assert!(error.contains("finalizers [chaos-mesh/records]"), "{error}");
    let mut there = cluster.get(OBJECT).unwrap();
    there["metadata"]["finalizers"] = json!([]);
    cluster.replace(OBJECT, &there).unwrap();
    undo_through(&program, &driver.undo(), patient()).unwrap();
    assert_eq!(verify_clean_through(&program, &driver.undo()).unwrap(), Vec::<String>::new());
}
