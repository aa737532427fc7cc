//! The list of faults itself.

use std::collections::BTreeSet;

use riftline_queries::replay::fault::{Magnitude, When};
use serde_json::json;

use super::*;

#[expect(clippy::needless_pass_by_value, reason = "it is made where it is passed")]
fn fault(kind: &str, place: Place, with: serde_json::Value) -> Fault {
    let magnitude = (kind == "latency").then_some(Magnitude::Fixed { ms: 1.0 });
    Fault {
        kind: kind.to_owned(),
        place,
        when: When::default(),
        magnitude,
        with: with.as_object().cloned().unwrap_or_default(),
    }
}

fn refusal(fault: &Fault) -> String {
    compile(fault).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn every_fault_can_be_armed_everywhere_it_says() {
    for entry in FAULTS {
        let with = match entry.name {
            "error" => json!({"status": 503}),
            "idle-reset" => json!({"after_ms": 5}),
            "bandwidth" => json!({"kb_per_s": 1.5}),
            "truncate" => json!({"bytes": 1}),
            "connection-limit" => json!({"max": 1}),
            "context-rename" => json!({"to": "x-*"}),
            _ => json!({}),
        };
        for place in entry.places {
            let (level, _) = compile(&fault(entry.name, *place, with.clone())).unwrap();
            assert_eq!(level.needs_http(), *place != Place::Connection, "{}", entry.name);
        }
    }
}

#[test]
fn names_are_unique_and_defaults_are_of_their_kind() {
    let names: BTreeSet<&str> = FAULTS.iter().map(|entry| entry.name).collect();
    assert_eq!(names.len(), FAULTS.len());
    for entry in FAULTS {
        for parameter in entry.parameters {
            assert!(!parameter.name.is_empty() && !parameter.about.is_empty(), "{}", entry.name);
            assert!(!(parameter.is_required && parameter.default.is_some()), "{}", parameter.name);
            let default = parameter.default.map(|text| serde_json::from_str(text).unwrap());
            assert!(default.is_none_or(|value| parameter.kind.takes(&value)), "{}", parameter.name);
        }
    }
}

#[test]
fn mistakes_name_what_is_nearest() {
    assert!(refusal(&fault("latencie", Place::Request, json!({}))).contains("did you mean `latency`"));
    let message = refusal(&fault("error", Place::Request, json!({"statuss": 500})));
    assert!(message.contains("did you mean `status`"), "{message}");
    let message = refusal(&fault("error", Place::Request, json!({"status": 700})));
    assert_eq!(message, "error: status is 700, but must be a whole number from 200 to 599");
    assert!(refusal(&fault("truncate", Place::Response, json!({}))).contains("needs bytes"));
    assert!(refusal(&fault("context-drop", Place::Connection, json!({}))).contains("it can at request"));
    assert!(refusal(&fault("error", Place::Request, json!({}))).contains("either status or grpc_status"));
}

#[test]
fn what_cannot_be_chosen_is_refused() {
    let with = |when: When| Fault { when, ..fault("abort", Place::Connection, json!({})) };
    assert!(refusal(&with(When { mark: Some("a".into()), ..When::default() })).contains("no method, path or mark"));
    assert!(refusal(&with(When { share: 1.5, ..When::default() })).contains("from 0 to 1"));
    assert!(refusal(&with(When { share: f64::NAN, ..When::default() })).contains("from 0 to 1"));
    assert!(refusal(&with(When { nth: Some(0), ..When::default() })).contains("counts from 1"));
    let sized = Fault { magnitude: Some(Magnitude::Fixed { ms: 1.0 }), ..fault("hang", Place::Request, json!({})) };
    assert!(refusal(&sized).contains("takes no magnitude"));
}
