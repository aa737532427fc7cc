//! `NetworkChaos`: traffic control (`tc`) on the packets of pods.

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Value, json};

use super::super::{ManifestError, Target, fidelity};
use super::{go_duration, pods, select, with};

/// Delays the packets that callers send to the server, or those that the server sends.
pub fn latency(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    let delay = fidelity::even(fidelity::magnitude(fault)?, losses);
    let mut spec = packets(fault, target, losses);
    losses.push(
        "the delay is one of packets: a new connection waits twice, for its handshake and for its request".to_owned(),
    );
    if delay.jitter_ms > 0 {
        losses.push("jitter puts packets out of order, and TCP sends some again".to_owned());
    }
    fidelity::lose_share(fault, &format!("every packet of {}", pods(target)), losses);
    spec["action"] = json!("delay");
    spec["delay"] = json!({"latency": go_duration(delay.ms as f64), "jitter": go_duration(delay.jitter_ms as f64), "correlation": "0"});
    Ok(spec)
}

/// Throws away what callers send: they wait until they give up. A partition is set up on both sides (`partition/impl.go`).
pub fn hang(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Value {
    let mut spec = packets(fault, target, losses);
    losses.push("connections are not accepted either: callers run into their connect timeout first".to_owned());
    fidelity::lose_share(fault, &format!("every connection of {}", pods(target)), losses);
    if !target.client.is_empty() {
        losses.push(
            "every pod of the server gets a rule too, which throws away only what the chosen callers send".to_owned(),
        );
    }
    if fault.with.contains_key("release_ms") {
        losses.push("`release_ms` is lost: nothing is let go before the end".to_owned());
    }
    spec["action"] = json!("partition");
    spec
}

/// Limits how fast packets leave.
pub fn bandwidth(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Result<Value, ManifestError> {
    let rate = fault.with.get("kb_per_s").and_then(Value::as_f64).filter(|rate| *rate > 0.0 && *rate <= 4e6);
    let problem = "needs `kb_per_s`, above 0 and up to 4 000 000".to_owned();
    let rate = rate.ok_or_else(|| ManifestError::Fault { kind: fault.kind.clone(), problem })? * 1_000.0;
    let mut spec = packets(fault, target, losses);
    losses.push(format!("one limit for all connections of {} together, not one for each", pods(target)));
    spec["action"] = json!("bandwidth");
    // The queue holds half a second, so that it delays before it drops; a bucket below a few packets would let none through.
    spec["bandwidth"] = json!({
        "rate": format!("{rate:.0}bps"),
        "limit": (rate / 2.0).clamp(20_000.0, 2e9) as u64,
        "buffer": (rate / 100.0).clamp(10_000.0, 2e9) as u64,
    });
    Ok(spec)
}

/// Selects whose packets are meant: those from callers to the server where callers are known and requests are meant, those from the
/// server to its callers for answers, and all that the server sends otherwise.
fn packets(fault: &Fault, target: &Target, losses: &mut Vec<String>) -> Value {
    fidelity::lose_requests(fault, target, losses);
    losses.push("the port cannot be named: all packets between these pods are meant".to_owned());
    if target.client.is_empty() {
        losses.push("no labels of callers: all packets that the server's pods send are meant, to whoever".to_owned());
        return with(select(target, &target.labels), json!({"direction": "to"}));
    }
    let (from, to) = match fault.place {
        Place::Response => (&target.labels, &target.client),
        Place::Request | Place::Connection => (&target.client, &target.labels),
    };
    let peer = json!({"selector": {"namespaces": [target.namespace], "labelSelectors": to}, "mode": "all"});
    with(select(target, from), json!({"direction": "to", "target": peer}))
}
