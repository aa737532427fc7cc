//! The lifecycle of faults against a simulated API server: by function calls, and with the real `kubectl` where it is installed.

mod fake;
mod real;
mod simulated;

use std::sync::Arc;

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Value, json};

use self::fake::Fake;
use self::simulated::{Simulated, Switches};
use super::super::driver::Undo;
use super::super::manifest::tests::{fault, target};
use super::super::manifest::{Pods, RUN_LABEL};
use super::*;

const OBJECT: &str = "/apis/chaos-mesh.org/v1alpha1/namespaces/shop/httpchaos/riftline-exp42";
const SHARED: &str = "/apis/networking.istio.io/v1/namespaces/shop/virtualservices/payments";

/// Limits that are not reached where something still changes.
fn patient() -> Limits {
    Limits { inject: Duration::from_mins(5), recover: Duration::from_mins(5), pause: Duration::from_millis(1) }
}

/// Limits that are reached at once, for where nothing changes any more.
fn impatient() -> Limits {
    Limits { inject: Duration::from_millis(20), recover: Duration::from_millis(20), pause: Duration::from_millis(1) }
}

fn chaos_mesh(cluster: &Arc<Simulated>) -> ChaosMesh {
    chaos_mesh_within(cluster, patient())
}

fn chaos_mesh_within(cluster: &Arc<Simulated>, limits: Limits) -> ChaosMesh {
    ChaosMesh::new(target(), Box::new(Fake(Arc::clone(cluster))), limits)
}

fn istio(cluster: &Arc<Simulated>, change: fn(&mut Target)) -> Istio {
    let mut target = target();
    change(&mut target);
    Istio::new(target, Box::new(Fake(Arc::clone(cluster))), patient())
}

fn undone(cluster: &Arc<Simulated>, undo: &Undo) -> Result<(), DriverError> {
    undo_through(&Fake(Arc::clone(cluster)), undo, patient())
}

/// Undoes where that cannot come to its end.
fn not_undone(cluster: &Arc<Simulated>, undo: &Undo) -> Result<(), DriverError> {
    undo_through(&Fake(Arc::clone(cluster)), undo, impatient())
}

fn left(cluster: &Arc<Simulated>, undo: &Undo) -> Vec<String> {
    verify_clean_through(&Fake(Arc::clone(cluster)), undo).unwrap()
}

fn shared() -> Value {
    let routes = json!([{"name": "theirs", "route": [{"destination": {"host": "payments"}}], "timeout": "2s"}]);
    json!({"apiVersion": "networking.istio.io/v1", "kind": "VirtualService", "metadata": {"name": "payments"},
        "spec": {"hosts": ["payments"], "http": routes}})
}

#[test]
fn a_fault_is_armed_counted_undone_and_leaves_nothing() {
    let cluster = Simulated::shop();
    let mut driver = chaos_mesh(&cluster);
    let found = driver.preflight().unwrap().join("\n");
    assert!(found.contains("1 of 2 of the server's pods"), "{found}");
    assert_eq!(driver.injected().unwrap().faults, Some(0), "nothing is armed yet");
    driver.arm(&fault("latency", json!({}))).unwrap();
    assert_eq!(cluster.object(OBJECT).unwrap()["spec"]["delay"], "300ms");
    assert_eq!(driver.injected().unwrap().faults, None, "pods are counted, not requests");
    cluster.switch(Switches { is_over: true, ..Switches::default() });
    assert!(driver.injected().unwrap_err().to_string().contains("its 120 s are over"));
    assert!(!left(&cluster, &driver.undo()).is_empty());
    undone(&cluster, &driver.undo()).unwrap();
    assert_eq!(cluster.object(OBJECT), None);
    undone(&cluster, &driver.undo()).unwrap();
    assert_eq!(left(&cluster, &driver.undo()), Vec::<String>::new());
}

#[test]
fn the_server_is_asked_for_its_opinion_before_anything_is_made() {
    let cluster = Simulated::shop();
    chaos_mesh(&cluster).arm(&Fault { place: Place::Connection, ..fault("latency", json!({})) }).unwrap();
    let posts: Vec<String> = cluster.calls().into_iter().filter(|call| call.starts_with("POST")).collect();
    assert!(posts[0].contains("dryRun=All") && posts[0].contains("/networkchaos?"), "{posts:?}");
    assert!(!posts[1].contains("dryRun"), "{posts:?}");
}

#[test]
fn preflight_refuses_what_could_hurt_more_than_meant() {
    let refused = |prepare: fn(&Simulated), change: fn(&mut Target)| {
        let (cluster, mut target) = (Simulated::shop(), target());
        prepare(&cluster);
        change(&mut target);
        let mut driver = ChaosMesh::new(target, Box::new(Fake(Arc::clone(&cluster))), patient());
        let error = driver.preflight().unwrap_err().to_string();
        assert!(cluster.calls().iter().all(|call| call.starts_with("GET")), "{:?}", cluster.calls());
        error
    };
    let nothing = |_: &Simulated| {};
    assert!(refused(nothing, |target| target.context = "other".to_owned()).contains("the current one is staging"));
    assert!(refused(nothing, |target| target.namespace = "kube-system".to_owned()).contains("no faults there"));
    assert!(refused(nothing, |target| target.namespace = "istio-system".to_owned()).contains("no faults there"));
    assert!(refused(nothing, |target| target.namespace = "bank".to_owned()).contains("no namespace bank"));
    assert!(refused(nothing, |target| target.labels.clear()).contains("every pod"));
    assert!(
        refused(nothing, |target| target.labels = [("app".to_owned(), "x".to_owned())].into())
            .contains("nothing would be hit")
    );
    assert!(refused(nothing, |target| target.pods = Pods::Fixed(2)).contains("2 of 2"));
    let unwelcome = |cluster: &Simulated| cluster.put("/api/v1/namespaces/shop", json!({"metadata": {}}));
    assert!(refused(unwelcome, |_| ()).contains("riftline.dev/inject=enabled"));
    let single = |cluster: &Simulated| cluster.remove("/api/v1/namespaces/shop/pods/payments-1");
    assert!(refused(single, |_| ()).contains("only_pod: true"));
    let host_network = |cluster: &Simulated| {
        let pod = json!({"metadata": {"name": "payments-0", "labels": {"app": "payments"}}, "spec": {"hostNetwork": true},
            "status": {"phase": "Running"}});
        cluster.put("/api/v1/namespaces/shop/pods/payments-0", pod);
    };
    assert!(refused(host_network, |_| ()).contains("network of its node"));
    let from_before = |cluster: &Simulated| cluster.put(OBJECT, json!({"metadata": {}}));
    assert!(refused(from_before, |_| ()).contains("chaos recover"));
}

#[test]
fn the_only_pod_may_be_hit_where_the_experiment_says_so() {
    let cluster = Simulated::shop();
    cluster.remove("/api/v1/namespaces/shop/pods/payments-1");
    let target = Target { only_pod: true, ..target() };
    let found = ChaosMesh::new(target, Box::new(Fake(cluster)), patient()).preflight().unwrap();
    assert!(found.iter().any(|line| line.contains("1 of 1 of the server's pods")), "{found:?}");
}

#[test]
fn what_is_never_injected_is_an_error_and_is_taken_away() {
    let cluster = Simulated::shop();
    cluster.switch(Switches { never_injected: true, ..Switches::default() });
    let mut driver = chaos_mesh_within(&cluster, impatient());
    let error = driver.arm(&fault("latency", json!({}))).unwrap_err();
    assert!(matches!(error, DriverError::Late { .. }), "{error}");
    assert!(error.to_string().contains("shop/payments-0: Not Injected"), "{error}");
    undone(&cluster, &driver.undo()).unwrap();
    assert_eq!(cluster.object(OBJECT), None);
}

#[test]
fn a_stuck_finalizer_is_told_with_the_command_and_never_forced() {
    let cluster = Simulated::shop();
    let mut driver = chaos_mesh(&cluster);
    driver.arm(&fault("latency", json!({}))).unwrap();
    cluster.switch(Switches { finalizer_sticks: true, ..Switches::default() });
    let error = not_undone(&cluster, &driver.undo()).unwrap_err().to_string();
    assert!(error.contains("finalizers [chaos-mesh/records]"), "{error}");
    let command = "`kubectl --context staging --namespace shop annotate httpchaos/riftline-exp42 \
                   chaos-mesh.chaos-mesh.org/cleanFinalizer=forced`";
    assert!(error.contains(command), "{error}");
    assert!(cluster.calls().iter().all(|call| !call.starts_with("PATCH") && !call.starts_with("PUT")), "not forced");
    assert!(left(&cluster, &driver.undo())[0].contains("kubectl"), "and verify says so too");
}

#[test]
fn writes_that_meet_others_are_tried_again() {
    let cluster = Simulated::shop();
    cluster.switch(Switches { conflicts: 1, ..Switches::default() });
    chaos_mesh(&cluster).arm(&fault("latency", json!({}))).unwrap();
    assert!(cluster.object(OBJECT).is_some());
    cluster.switch(Switches { conflicts: 99, ..Switches::default() });
    let error =
        chaos_mesh(&cluster).arm(&Fault { place: Place::Connection, ..fault("latency", json!({})) }).unwrap_err();
    assert!(error.to_string().contains("Conflict"), "it is not tried for ever: {error}");
}

#[test]
fn an_answer_that_was_lost_is_looked_up() {
    let cluster = Simulated::shop();
    cluster.switch(Switches { loses_answer: true, ..Switches::default() });
    chaos_mesh(&cluster).arm(&fault("latency", json!({}))).unwrap();
    let made = cluster.calls().iter().filter(|call| call.starts_with("POST") && !call.contains("dryRun")).count();
    assert_eq!(made, 1, "{:?}", cluster.calls());
}

#[test]
fn a_server_that_goes_away_at_any_call_is_an_error_and_what_was_made_can_be_undone_later() {
    for calls in 0..6 {
        let cluster = Simulated::shop();
        cluster.switch(Switches { calls_left: Some(calls), ..Switches::default() });
        let mut driver = chaos_mesh_within(&cluster, impatient());
        let armed = driver.arm(&fault("latency", json!({})));
        if calls < 4 {
            let error = armed.unwrap_err();
            assert!(matches!(error, DriverError::Unreachable { .. } | DriverError::Late { .. }), "{calls}: {error}");
        }
        let away = not_undone(&cluster, &driver.undo());
        cluster.switch(Switches::default());
        undone(&cluster, &driver.undo()).unwrap();
        assert!(calls > 4 || away.is_err(), "{calls}: an undo that reached nobody has failed");
        assert_eq!(left(&cluster, &driver.undo()), Vec::<String>::new(), "{calls}");
    }
}

#[test]
fn objects_of_others_are_never_deleted() {
    let cluster = Simulated::shop();
    let theirs = json!({"apiVersion": "chaos-mesh.org/v1alpha1", "metadata": {"name": "riftline-exp42", "labels": {"team": "a"}}});
    cluster.put(OBJECT, theirs);
    let error = undone(&cluster, &chaos_mesh(&cluster).undo()).unwrap_err().to_string();
    assert!(error.contains("not ours"), "{error}");
    assert!(cluster.object(OBJECT).is_some());
}

#[test]
fn rules_that_stayed_in_pods_are_found() {
    let cluster = Simulated::shop();
    let rules = json!({"metadata": {"name": "payments-0"}, "spec": {"rules": [{"source": "shop/riftline-exp42"}]}});
    cluster.put("/apis/chaos-mesh.org/v1alpha1/namespaces/shop/podhttpchaos/payments-0", rules);
    let left = left(&cluster, &chaos_mesh(&cluster).undo());
    assert!(left[0].contains("payments-0 still have rules"), "{left:?}");
}

#[test]
fn istio_gets_a_virtual_service_of_the_runs_own_where_there_is_none() {
    let cluster = Simulated::shop();
    let mut driver = istio(&cluster, |_| ());
    driver.preflight().unwrap();
    driver.arm(&fault("error", json!({"status": 503}))).unwrap();
    let own = SHARED.replace("payments", "riftline-exp42");
    assert_eq!(cluster.object(&own).unwrap()["metadata"]["labels"][RUN_LABEL], "exp42");
    assert!(left(&cluster, &driver.undo())[0].contains("virtualservices/riftline-exp42"));
    undone(&cluster, &driver.undo()).unwrap();
    assert_eq!((cluster.object(&own), left(&cluster, &driver.undo())), (None, Vec::new()));
}

#[test]
fn istio_must_be_told_of_a_virtual_service_that_is_there() {
    let cluster = Simulated::shop();
    cluster.put(SHARED, shared());
    let error = istio(&cluster, |_| ()).preflight().unwrap_err().to_string();
    assert!(error.contains("VirtualService payments routes payments already"), "{error}");
    let about_timeouts = |target: &mut Target| {
        target.virtual_service = Some("payments".to_owned());
        target.about_timeouts = true;
    };
    let error = istio(&cluster, about_timeouts).preflight().unwrap_err().to_string();
    assert!(error.contains("which Istio suspends"), "{error}");
}

#[test]
fn a_route_is_put_in_front_and_taken_out_again_also_when_others_write_in_between() {
    let cluster = Simulated::shop();
    cluster.put(SHARED, shared());
    let mut driver = istio(&cluster, |target| target.virtual_service = Some("payments".to_owned()));
    driver.preflight().unwrap();
    cluster.switch(Switches { conflicts: 1, ..Switches::default() });
    driver.arm(&fault("error", json!({"status": 503}))).unwrap();
    let armed = cluster.object(SHARED).unwrap();
    assert_eq!(armed["spec"]["http"][0]["name"], "riftline-exp42");
    assert_eq!(armed["spec"]["http"][1], shared()["spec"]["http"][0]);
    assert_eq!(armed["metadata"]["annotations"], json!({"edited": "by others", RUN_LABEL: "exp42"}));
    assert!(left(&cluster, &driver.undo())[0].contains("route riftline-exp42"));
    cluster.switch(Switches { conflicts: 2, ..Switches::default() });
    undone(&cluster, &driver.undo()).unwrap();
    undone(&cluster, &driver.undo()).unwrap();
    let after = cluster.object(SHARED).unwrap();
    assert_eq!(after["spec"], shared()["spec"], "as before");
    assert_eq!(after["metadata"]["annotations"], json!({"edited": "by others"}), "what others wrote stays");
    assert_eq!(left(&cluster, &driver.undo()), Vec::<String>::new());
}

#[test]
fn an_undo_is_read_from_the_journal_and_not_believed_blindly() {
    let cluster = Simulated::shop();
    let undo = istio(&cluster, |target| target.virtual_service = Some("payments".to_owned())).undo();
    let text = serde_json::to_string(&undo).unwrap();
    assert_eq!(serde_json::from_str::<Undo>(&text).unwrap(), undo);
    let refused = |from: &str, to: &str| {
        let undo: Undo = serde_json::from_str(&text.replace(from, to)).unwrap();
        undone(&cluster, &undo).unwrap_err().to_string()
    };
    assert!(refused("VirtualService", "Namespace").contains("kind `Namespace`"));
    assert!(refused("VirtualService", "HTTPChaos").contains("has no routes"));
    assert!(refused(r#""payments""#, r#""../payments""#).contains("cannot be an object's name"));
    assert!(undone(&cluster, &Undo::Nothing).is_err());
    assert_eq!(cluster.calls(), Vec::<String>::new(), "nobody was asked");
}

#[test]
fn litmus_is_shown_but_not_run() {
    let mut driver = driver("litmus", target()).unwrap();
    assert!(driver.preview(&fault("latency", json!({})))[0].contains("kind: ChaosEngine"));
    assert!(driver.arm(&fault("latency", json!({}))).unwrap_err().to_string().contains("export only"));
    assert_eq!(driver.undo(), Undo::Nothing);
}

#[test]
fn the_api_server_is_what_rails_look_at() {
    assert_eq!(chaos_mesh(&Simulated::shop()).targets(), ["10.0.0.1:443"]);
    assert!(names(&target()).contains(&"shop".to_owned()));
}
