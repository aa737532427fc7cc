//! Faults in the words of Toxiproxy 2.12, and what is lost on the way.

use riftline_queries::replay::fault::{Fault, Magnitude, Place};
use serde_json::{Value, json};

use crate::chaos::driver::Fidelity;
use crate::chaos::drivers::lossy;
use crate::chaos::even;

/// A toxic, but for its name.
#[derive(Debug, Clone, PartialEq)]
pub struct Toxic {
    /// What Toxiproxy calls its type.
    pub kind: &'static str,
    pub stream: &'static str,
    /// Share of connections, 0 to 1.
    pub toxicity: f64,
    pub attributes: Value,
}

/// Type and attributes of a toxic.
type Words = (&'static str, Value);

/// Returns the toxic that comes nearest to `fault`, if there is one, and what is lost.
#[must_use]
pub fn represent(fault: &Fault) -> (Option<Toxic>, Fidelity) {
    let mut losses = lossy::unread_requests(fault);
    match translate(fault, &mut losses) {
        Ok((kind, attributes)) => {
            let toxicity = fault.when.share.clamp(0.0, 1.0);
            let toxic = Toxic { kind, stream: stream(fault), toxicity, attributes };
            (Some(toxic), Fidelity { losses, refusal: None })
        }
        Err(refusal) => (None, Fidelity { losses: Vec::new(), refusal: Some(refusal) }),
    }
}

fn translate(fault: &Fault, losses: &mut Vec<String>) -> Result<Words, String> {
    if let Some(refusal) = lossy::mistake(fault).or_else(|| lossy::uncounted(fault, "Toxiproxy")) {
        return Err(refusal);
    }
    match fault.kind.as_str() {
        "latency" => Ok(latency(fault, losses)),
        "hang" => Ok(hang(fault, losses)),
        "abort" => abort(fault, losses),
        "idle-reset" => Ok(idle_reset(fault, losses)),
        "drip" => Ok(drip(fault, losses)),
        "bandwidth" => Ok(bandwidth(fault, losses)),
        "truncate" => Ok(truncate(fault, losses)),
        _ => Err("Toxiproxy passes bytes on and cannot read HTTP: use the built-in proxy".to_owned()),
    }
}

/// Requests go upstream, answers come downstream; of a connection the fault says which.
fn stream(fault: &Fault) -> &'static str {
    let is_up = match fault.place {
        Place::Connection => fault.with.get("stream").and_then(Value::as_str) == Some("up"),
        Place::Request => fault.kind != "abort" && fault.kind != "truncate",
        Place::Response => false,
    };
    if is_up { "upstream" } else { "downstream" }
}

fn number(fault: &Fault, name: &str) -> Option<f64> {
    fault.with.get(name).and_then(Value::as_f64)
}

fn text<'a>(fault: &'a Fault, name: &str, usual: &'a str) -> &'a str {
    fault.with.get(name).and_then(Value::as_str).unwrap_or(usual)
}

fn whole(value: f64) -> u64 {
    value.max(0.0).round() as u64
}

fn latency(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let (even, loss) = even::fit(fault.magnitude.as_ref().unwrap_or(&Magnitude::Fixed { ms: 0.0 }));
    losses.extend(loss);
    if fault.place != Place::Connection {
        losses.push("time is added to every piece of data, so that a long body is late more than once".to_owned());
    }
    ("latency", json!({ "latency": even.ms, "jitter": even.jitter_ms }))
}

fn hang(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let release = number(fault, "release_ms").map_or(0, whole);
    if release > 0 {
        losses.push("after the hang the connection is closed instead of answered".to_owned());
    }
    ("timeout", json!({ "timeout": release }))
}

fn abort(fault: &Fault, losses: &mut Vec<String>) -> Result<Words, String> {
    if text(fault, "where", "before") != "before" {
        return Err("Toxiproxy does not know where headers end: use the built-in proxy".to_owned());
    }
    if text(fault, "how", "reset") == "close" {
        return Ok(("limit_data", json!({ "bytes": 0 })));
    }
    if text(fault, "how", "reset") == "goaway" {
        return Err("Toxiproxy cannot send GOAWAY: use the built-in proxy".to_owned());
    }
    losses.push("connections that are open when it is armed are closed, not reset".to_owned());
    Ok(("reset_peer", json!({ "timeout": 0 })))
}

fn idle_reset(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let after = number(fault, "after_ms").map_or(0, whole);
    losses.push(format!("the reset comes {after} ms after the first data, whether the connection is idle or not"));
    if fault.with.get("half_open") != Some(&Value::Bool(false)) {
        losses.push("both sides are told of the reset: none is left in the belief of a connection".to_owned());
    }
    ("reset_peer", json!({ "timeout": after }))
}

fn drip(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let bytes = number(fault, "bytes").map_or(1, whole).max(1);
    let delay_us = whole(number(fault, "every_ms").unwrap_or(100.0) * 1e3);
    losses.push(format!("pieces have at most {bytes} bytes, not all as many"));
    ("slicer", json!({ "average_size": bytes, "size_variation": 0, "delay": delay_us }))
}

fn bandwidth(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let wanted = number(fault, "kb_per_s").unwrap_or_default();
    // A rate of 0 means no limit.
    let rate = whole(wanted).max(1);
    if (rate as f64 - wanted).abs() > 0.01 * wanted {
        losses.push(format!("{wanted} KB/s become {rate} KB/s: only whole ones are possible"));
    }
    ("bandwidth", json!({ "rate": rate }))
}

fn truncate(fault: &Fault, losses: &mut Vec<String>) -> Words {
    let bytes = number(fault, "bytes").map_or(0, whole);
    losses.push(format!("{bytes} bytes are counted over the whole connection, heads of answers among them"));
    ("limit_data", json!({ "bytes": bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    fn toxic(text: &str) -> (Toxic, Vec<String>) {
        let (toxic, fidelity) = represent(&fault(text));
        (toxic.unwrap_or_else(|| panic!("{fidelity:?}")), fidelity.losses)
    }

    #[test]
    fn what_toxiproxy_knows_is_said_without_a_loss() {
        let (latency, losses) = toxic(
            r#"{"kind":"latency","place":"connection","magnitude":{"dist":"uniform","low_ms":200,"high_ms":400},
                "when":{"unit":"connection","share":0.25}}"#,
        );
        let attributes = json!({"latency": 300, "jitter": 100});
        assert_eq!(latency, Toxic { kind: "latency", stream: "downstream", toxicity: 0.25, attributes });
        assert_eq!(losses, Vec::<String>::new());
        assert_eq!(toxic(r#"{"kind":"hang"}"#).1, Vec::<String>::new());
        let (bandwidth, losses) = toxic(r#"{"kind":"bandwidth","place":"response","with":{"kb_per_s":64}}"#);
        assert_eq!((bandwidth.kind, bandwidth.attributes, losses.len()), ("bandwidth", json!({"rate": 64}), 0));
    }

    #[test]
    fn each_fault_becomes_its_toxic() {
        let kind = |text: &str| {
            let (toxic, _) = toxic(text);
            (toxic.kind, toxic.stream, toxic.attributes)
        };
        assert_eq!(
            kind(r#"{"kind":"hang","with":{"release_ms":900}}"#),
            ("timeout", "upstream", json!({"timeout": 900}))
        );
        assert_eq!(
            kind(r#"{"kind":"abort","with":{"how":"reset"}}"#),
            ("reset_peer", "downstream", json!({"timeout": 0}))
        );
        assert_eq!(
            kind(r#"{"kind":"abort","with":{"how":"close"}}"#),
            ("limit_data", "downstream", json!({"bytes": 0}))
        );
        let slices = json!({"average_size": 10, "size_variation": 0, "delay": 5000});
        assert_eq!(
            kind(r#"{"kind":"drip","place":"response","with":{"bytes":10,"every_ms":5}}"#),
            ("slicer", "downstream", slices)
        );
        assert_eq!(
            kind(r#"{"kind":"idle-reset","place":"connection","with":{"after_ms":300}}"#),
            ("reset_peer", "downstream", json!({"timeout": 300}))
        );
        assert_eq!(
            kind(r#"{"kind":"truncate","place":"response","with":{"bytes":99}}"#),
            ("limit_data", "downstream", json!({"bytes": 99}))
        );
    }

    #[test]
    fn what_is_lost_is_said_with_figures() {
        let (toxic, losses) = toxic(
            r#"{"kind":"latency","when":{"share":0.18,"path":"/a","mark":"x"},
                "magnitude":{"dist":"lognormal","median_ms":100,"sigma":1}}"#,
        );
        assert_eq!(toxic.stream, "upstream");
        assert!(losses[0].starts_with("18 % per request becomes 18 % per connection"), "{losses:?}");
        assert!(losses[1].starts_with("path, the run's mark cannot be looked at"), "{losses:?}");
        assert!(losses[2].contains("W1 = "), "{losses:?}");
    }

    #[test]
    fn what_needs_requests_is_refused() {
        for text in [
            r#"{"kind":"context-drop"}"#,
            r#"{"kind":"error","with":{"status":503}}"#,
            r#"{"kind":"latency","when":{"nth":3}}"#,
            r#"{"kind":"hang","when":{"window":{"on_ms":1,"off_ms":1}}}"#,
            r#"{"kind":"abort","with":{"where":"body"}}"#,
        ] {
            let (toxic, fidelity) = represent(&fault(text));
            assert!(toxic.is_none() && fidelity.refusal.is_some(), "{text}");
        }
    }
}
