//! Faults in the headers of Envoy's fault filter, and what is lost on the way.

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::Value;

use crate::chaos::driver::Fidelity;
use crate::chaos::drivers::lossy;
use crate::chaos::proxy::dice::Dice;

/// Milliseconds before the request goes on.
pub const DELAY: &str = "x-envoy-fault-delay-request";
const ABORT: &str = "x-envoy-fault-abort-request";
const GRPC_ABORT: &str = "x-envoy-fault-abort-grpc-request";
const THROUGHPUT: &str = "x-envoy-fault-throughput-response";

/// How long a request without an answer is held: the rails allow no longer delay.
const HANG_MS: f64 = 60_000.0;

/// What decides about one request.
#[derive(Debug, Clone, Copy)]
pub struct Draw {
    pub seed: u64,
    /// Which request of the run, counted from 1 since arming.
    pub ordinal: u64,
    /// Milliseconds since arming.
    pub armed_ms: f64,
}

/// A header's name, and its value for a share from 0 to 1 of the distribution.
type Asked = (&'static str, Box<dyn Fn(f64) -> u64>);

/// Returns the headers of one request; none where it is not hit.
#[must_use]
pub fn draw(fault: &Fault, draw: Draw) -> Vec<(String, String)> {
    let mut dice = Dice::new(&[draw.seed, draw.ordinal]);
    if !is_hit(fault, draw, dice.share()) {
        return Vec::new();
    }
    let Ok((name, value)) = ask(fault, &mut Vec::new()) else { return Vec::new() };
    vec![(name.to_owned(), value(dice.share()).to_string())]
}

fn is_hit(fault: &Fault, draw: Draw, luck: f64) -> bool {
    let when = &fault.when;
    let is_on = when.window.is_none_or(|cycle| {
        let (on, off) = (cycle.on_ms.max(0.0), cycle.off_ms.max(0.0));
        off == 0.0 || draw.armed_ms % (on + off) < on
    });
    is_on
        && when.nth.is_none_or(|nth| draw.ordinal == nth)
        && when.first.is_none_or(|first| draw.ordinal <= first)
        && luck < when.share
}

/// Returns what is lost when `fault` is asked for by headers.
#[must_use]
pub fn fidelity(fault: &Fault) -> Fidelity {
    let mut losses = unseen(fault);
    let asked = lossy::mistake(fault).map_or_else(|| ask(fault, &mut losses).map(drop), Err);
    match asked {
        Ok(()) => Fidelity { losses, refusal: None },
        Err(refusal) => Fidelity { losses: Vec::new(), refusal: Some(refusal) },
    }
}

/// Headers are put on before anybody knows which calls a request will lead to.
fn unseen(fault: &Fault) -> Vec<String> {
    let when = &fault.when;
    let mut losses = Vec::new();
    if when.method.is_some() || when.path.is_some() {
        losses.push("method and path are not looked at: every request of the run may be hit".to_owned());
    }
    if when.nth.is_some() || when.first.is_some() {
        losses.push("the run's own requests are counted, not the calls at the edge".to_owned());
    }
    if when.unit == riftline_queries::replay::fault::Unit::Connection && when.share < 1.0 {
        let share = lossy::percent(when.share);
        losses.push(format!("{share} % per connection becomes {share} % per request"));
    }
    losses
}

/// Returns headers as they may look, for people to read: the smallest, the middle and the largest.
#[must_use]
pub fn examples(fault: &Fault) -> Vec<String> {
    let Ok((name, value)) = ask(fault, &mut Vec::new()) else { return Vec::new() };
    let mut shown: Vec<String> = [0.0, 0.5, 1.0].map(|share| format!("{name}: {}", value(share))).into();
    shown.dedup();
    shown
}

fn ask(fault: &Fault, losses: &mut Vec<String>) -> Result<Asked, String> {
    if fault.place == Place::Connection {
        return Err("Envoy's filter acts on requests, not on connections: use the built-in proxy".to_owned());
    }
    match fault.kind.as_str() {
        "latency" => Ok(latency(fault, losses)),
        "hang" => Ok(hang(fault, losses)),
        "error" => error(fault, losses),
        "bandwidth" => Ok(bandwidth(fault, losses)),
        _ => Err("Envoy's filter knows delays, errors and slow answers only: use the built-in proxy".to_owned()),
    }
}

fn number(fault: &Fault, name: &str) -> Option<f64> {
    fault.with.get(name).and_then(Value::as_f64)
}

fn fixed(name: &'static str, value: f64) -> Asked {
    let value = value.max(0.0).round() as u64;
    (name, Box::new(move |_| value))
}

fn latency(fault: &Fault, losses: &mut Vec<String>) -> Asked {
    if fault.place == Place::Response {
        losses.push("the delay comes before the upstream is asked, not behind its answer".to_owned());
    }
    let magnitude = fault.magnitude.clone();
    let ms = move |share| magnitude.as_ref().map_or(0.0, |magnitude| magnitude.quantile(share));
    (DELAY, Box::new(move |share| ms(share).min(HANG_MS).round() as u64))
}

fn hang(fault: &Fault, losses: &mut Vec<String>) -> Asked {
    let ms = number(fault, "release_ms").unwrap_or(HANG_MS).min(HANG_MS);
    losses.push(format!("the answer comes {} s late instead of never", (ms / 1e3).round()));
    fixed(DELAY, ms)
}

fn error(fault: &Fault, losses: &mut Vec<String>) -> Result<Asked, String> {
    let told = ["body", "retry_after_s", "message", "trailers_only"];
    let lost: Vec<&str> = told.into_iter().filter(|name| fault.with.contains_key(*name)).collect();
    if !lost.is_empty() {
        losses.push(format!("{} cannot be chosen: Envoy answers with a text of its own", lost.join(", ")));
    }
    if fault.place == Place::Response {
        losses.push("the upstream is not asked before the error".to_owned());
    }
    if let Some(status) = number(fault, "grpc_status") {
        return Ok(fixed(GRPC_ABORT, status));
    }
    match number(fault, "status").unwrap_or(503.0) {
        status if (200.0..600.0).contains(&status) => Ok(fixed(ABORT, status)),
        status => Err(format!("Envoy answers with a status from 200 to 599, not {status}")),
    }
}

fn bandwidth(fault: &Fault, losses: &mut Vec<String>) -> Asked {
    let wanted = number(fault, "kb_per_s").unwrap_or_default();
    // Ours are thousands of bytes, Envoy's are 1024.
    let kib = (wanted * 1000.0 / 1024.0).round().max(1.0);
    if (kib * 1.024 - wanted).abs() > 0.01 * wanted {
        losses.push(format!("{wanted} KB/s become {:.1} KB/s: only whole KiB/s are possible", kib * 1.024));
    }
    if fault.place == Place::Request {
        losses.push("the answer is slowed down, not the request".to_owned());
    }
    fixed(THROUGHPUT, kib)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(text: &str) -> Fault {
        serde_json::from_str(text).unwrap()
    }

    fn headers(fault: &Fault, ordinal: u64, armed_ms: f64) -> Vec<(String, String)> {
        draw(fault, Draw { seed: 7, ordinal, armed_ms })
    }

    #[test]
    fn a_distribution_is_drawn_request_by_request() {
        let fault = fault(r#"{"kind":"latency","magnitude":{"dist":"lognormal","median_ms":100,"sigma":0.5}}"#);
        let mut drawn: Vec<u64> = (1..=2_001).map(|n| headers(&fault, n, 0.0)[0].1.parse().unwrap()).collect();
        drawn.sort_unstable();
        assert!((90..110).contains(&drawn[1_000]), "median {}", drawn[1_000]);
        assert!((170..210).contains(&drawn[1_800]), "p90 {}", drawn[1_800]);
        assert_eq!(fidelity(&fault), Fidelity::default());
        assert_eq!(headers(&fault, 5, 0.0), headers(&fault, 5, 9.0));
    }

    #[test]
    fn a_share_and_turns_are_kept() {
        let some = fault(r#"{"kind":"error","with":{"status":503},"when":{"share":0.25}}"#);
        let hits = (1..=4_000).filter(|n| !headers(&some, *n, 0.0).is_empty()).count();
        assert!((900..1_100).contains(&hits), "{hits}");
        let third = fault(r#"{"kind":"error","with":{"status":503},"when":{"nth":3}}"#);
        assert_eq!([2, 3, 4].map(|n| headers(&third, n, 0.0).len()), [0, 1, 0]);
        let turns = fault(r#"{"kind":"error","with":{"status":503},"when":{"window":{"on_ms":10,"off_ms":10}}}"#);
        assert_eq!([0.0, 10.0, 25.0].map(|ms| headers(&turns, 1, ms).len()), [1, 0, 1]);
    }

    #[test]
    fn each_fault_has_its_header() {
        let header = |text: &str| headers(&fault(text), 1, 0.0).remove(0);
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(header(r#"{"kind":"error","with":{"status":418}}"#), pair(ABORT, "418"));
        assert_eq!(header(r#"{"kind":"error","with":{"grpc_status":14}}"#), pair(GRPC_ABORT, "14"));
        assert_eq!(
            header(r#"{"kind":"bandwidth","place":"response","with":{"kb_per_s":1024}}"#),
            pair(THROUGHPUT, "1000")
        );
        assert_eq!(header(r#"{"kind":"hang","with":{"release_ms":250}}"#), pair(DELAY, "250"));
        assert_eq!(header(r#"{"kind":"latency","magnitude":{"dist":"fixed","ms":2100}}"#), pair(DELAY, "2100"));
    }

    #[test]
    fn what_the_filter_cannot_do_is_refused() {
        for text in [
            r#"{"kind":"context-drop"}"#,
            r#"{"kind":"abort"}"#,
            r#"{"kind":"latency","place":"connection"}"#,
            r#"{"kind":"error","with":{"status":101}}"#,
        ] {
            assert!(fidelity(&fault(text)).refusal.is_some(), "{text}");
            assert_eq!(headers(&fault(text), 1, 0.0), []);
        }
    }
}
