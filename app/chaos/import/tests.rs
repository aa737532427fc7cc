use proptest::prelude::*;
use riftline_queries::replay::fault::{Magnitude, Place, Unit};
use serde_json::json;

use super::*;
use crate::chaos::manifest::{self, tests as made};

fn toxic(kind: &str, attributes: &Value) -> Imported {
    let toxic = json!({"name": "t", "type": kind, "stream": "downstream", "toxicity": 0.5, "attributes": attributes});
    let proxy = json!([{"name": "payments", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:2", "enabled": true, "toxics": [toxic]}]);
    read(&proxy.to_string()).unwrap()
}

#[test]
fn a_configuration_of_toxiproxy_gives_links() {
    let text = r#"[{"name": "orders", "listen": "[::]:19001", "upstream": "orders:18081", "enabled": true},
                   {"name": "down", "listen": "127.0.0.1:2", "upstream": "x:1", "enabled": false, "lisen": 3}]"#;
    let imported = read(text).unwrap();
    assert_eq!(imported.links[0].upstream, "orders:18081");
    assert_eq!(imported.faults.len(), 1, "a disabled proxy is a fault");
    assert_eq!(imported.faults[0].at, At::Link("down".to_owned()));
    assert!(imported.notes.iter().any(|note| note.contains("unknown field `lisen` (did you mean `listen`?)")));
}

#[test]
fn toxics_become_faults_of_connections() {
    let fault = |kind: &str, attributes: Value| toxic(kind, &attributes).faults.remove(0).fault;
    let latency = fault("latency", json!({"latency": 1000, "jitter": 100}));
    assert_eq!(latency.magnitude, Some(Magnitude::Uniform { low_ms: 900.0, high_ms: 1100.0 }));
    assert_eq!((latency.place, latency.when.unit), (Place::Connection, Unit::Connection));
    assert!((latency.when.share - 0.5).abs() < 1e-9);
    assert_eq!(fault("bandwidth", json!({"rate": 64})).with["kb_per_s"], 64.0);
    assert_eq!(fault("timeout", json!({"timeout": 0})).kind, "hang");
    assert_eq!(fault("timeout", json!({"timeout": 500})).with["release_ms"], 500);
    assert_eq!(fault("reset_peer", json!({})).with["how"], "reset");
    assert_eq!(fault("slicer", json!({"average_size": 10, "delay": 2000})).with["every_ms"], 2.0, "microseconds there");
    assert_eq!(fault("limit_data", json!({"bytes": 7})).kind, "truncate");
    let left_out = toxic("slow_close", &json!({"delay": 3}));
    assert!(left_out.faults.is_empty() && left_out.notes[0].contains("type `slow_close` was left out"));
}

#[test]
fn what_toxiproxy_answers_by_name_is_taken_too() {
    let text = r#"{"payments": {"name": "payments", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:2", "enabled": true,
        "toxics": [{"name": "l", "type": "latency", "stream": "upstream", "toxicity": 1, "attributes": {"latncy": 5}}]}}"#;
    let imported = read(text).unwrap();
    assert_eq!(imported.links.len(), 1);
    assert!(
        imported.notes.iter().any(|note| note.contains("`latncy` (did you mean `latency`?)")),
        "{:?}",
        imported.notes
    );
    assert!(imported.notes.iter().any(|note| note.contains("`stream: upstream` is lost")), "{:?}", imported.notes);
}

#[test]
fn network_chaos_is_taken_over_with_its_pods() {
    let text = "
apiVersion: chaos-mesh.org/v1alpha1
kind: NetworkChaos
metadata: {name: delay, namespace: shop}
spec:
  action: delay
  mode: all
  selector: {namespaces: [shop], labelSelectors: {app: orders}}
  target: {mode: all, selector: {labelSelectors: {app: payments}}}
  direction: to
  delay: {latency: 1m30s, jitter: 10ms, correlation: '25'}
  duratoin: 30s
---
apiVersion: chaos-mesh.org/v1alpha1
kind: Schedule
metadata: {name: nightly}
---
apiVersion: v1
kind: Pod
";
    let imported = read(text).unwrap();
    let fault = &imported.faults[0].fault;
    assert_eq!(fault.magnitude, Some(Magnitude::Uniform { low_ms: 89_990.0, high_ms: 90_010.0 }));
    let At::Pods(pods) = &imported.faults[0].at else { panic!("{imported:?}") };
    assert_eq!(
        (pods.namespace.as_str(), pods.labels["app"].as_str(), pods.peer["app"].as_str()),
        ("shop", "orders", "payments")
    );
    let notes = imported.notes.join("\n");
    for wanted in [
        "`duratoin` (did you mean `duration`?)",
        "mode all becomes one",
        "it has no end",
        "`correlation` was left out",
        "Schedule nightly was left out",
        "another format",
    ] {
        assert!(notes.contains(wanted), "{wanted}: {notes}");
    }
}

#[test]
fn http_chaos_may_hold_several_faults() {
    let text = r#"{"apiVersion": "chaos-mesh.org/v1alpha1", "kind": "HTTPChaos", "metadata": {"name": "h"}, "spec": {
        "mode": "one", "selector": {"labelSelectors": {"app": "payments"}}, "target": "Request", "port": 8080, "duration": "2m",
        "method": "GET", "path": "/charge/*/items/*", "request_headers": {"tracestate": "riftline=exp42", "x": "y"},
        "abort": true, "delay": "2s", "replace": {"code": 503, "body": "e30=", "headers": {"traceparent": "", "b3": "0"}},
        "patch": {"headers": [["a", "b"]]}}}"#;
    let imported = read(text).unwrap();
    let kinds: Vec<&str> = imported.faults.iter().map(|placed| placed.fault.kind.as_str()).collect();
    assert_eq!(kinds, ["abort", "latency", "error", "context-drop", "context-corrupt"]);
    assert_eq!(imported.faults[2].fault.with["body"], "{}");
    let when = &imported.faults[3].fault.when;
    assert_eq!((when.path.as_deref(), when.mark.as_deref()), (Some("/charge/{any}/items/*"), Some("exp42")));
    let At::Pods(pods) = &imported.faults[0].at else { panic!("{imported:?}") };
    assert_eq!((pods.port, pods.duration_s), (Some(8080), Some(120.0)));
    let notes = imported.notes.join("\n");
    assert!(notes.contains("header `x` was left out") && notes.contains("`patch` was left out"), "{notes}");
}

#[test]
fn what_is_exported_to_chaos_mesh_comes_back() {
    for (kind, with, place) in [
        ("latency", json!({}), Place::Connection),
        ("latency", json!({}), Place::Request),
        ("error", json!({"status": 503, "body": "x"}), Place::Response),
        ("hang", json!({}), Place::Connection),
        ("bandwidth", json!({"kb_per_s": 64.0}), Place::Connection),
        ("context-drop", json!({"headers": ["traceparent"]}), Place::Request),
    ] {
        let fault = Fault { place, ..made::fault(kind, with) };
        let target = made::target();
        let text = manifest::manifest("chaos-mesh", &fault, &target).unwrap().yaml(&target);
        let back = read(&text).unwrap().faults.remove(0).fault;
        assert_eq!((&back.kind, back.place, &back.with), (&fault.kind, fault.place, &fault.with), "{text}");
        let median = |fault: &Fault| fault.magnitude.as_ref().map(|magnitude| magnitude.quantile(0.5));
        assert_eq!(median(&back), median(&fault), "{text}");
    }
}

#[test]
fn what_is_no_configuration_is_an_error() {
    assert_eq!(read("[]"), Err(ImportError::Unknown));
    assert_eq!(read("hello"), Err(ImportError::Unknown));
    assert_eq!(read("apiVersion: v1"), Err(ImportError::Unknown));
    assert!(matches!(read("{\"a\": "), Err(ImportError::Syntax(_))));
    assert_eq!(read(&" ".repeat(MAX_BYTES + 1)), Err(ImportError::TooLarge));
}

/// Values of any shape, in which names that are known are frequent.
fn anything() -> impl Strategy<Value = Value> {
    let name = prop_oneof![
        Just("spec"),
        Just("metadata"),
        Just("name"),
        Just("delay"),
        Just("latency"),
        Just("replace"),
        Just("headers"),
        Just("toxics"),
        Just("attributes"),
        Just("listen"),
        Just("selector"),
        Just("path"),
        Just("action"),
        Just("code")
    ];
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,8}".prop_map(Value::from),
        Just(json!("NetworkChaos")),
        Just(json!("HTTPChaos")),
        Just(json!("delay")),
        Just(json!("/a/*")),
        Just(json!("1s"))
    ];
    leaf.prop_recursive(4, 48, 8, move |inner| {
        let field = (name.clone().prop_map(str::to_owned), inner.clone());
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(Value::from),
            proptest::collection::vec(field, 0..6).prop_map(|fields| Value::Object(fields.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_panics_and_every_fault_or_note_is_printable(spec in anything(), kind in "(NetworkChaos|HTTPChaos|Other)") {
        let object = json!({"apiVersion": "chaos-mesh.org/v1alpha1", "kind": kind, "metadata": spec, "spec": spec});
        let proxies = json!([{"listen": "a", "name": spec, "toxics": [spec, {"type": "latency", "attributes": spec}]}]);
        for document in [object, proxies] {
            let imported = read(&document.to_string()).unwrap();
            prop_assert!(imported.notes.iter().all(|note| !note.contains(char::is_control)));
            prop_assert!(serde_json::to_string(&imported).is_ok());
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,200}") {
        prop_assert!(read(&text).map_or_else(|error| !error.to_string().is_empty(), |imported| imported.faults.len() < 99));
    }
}
