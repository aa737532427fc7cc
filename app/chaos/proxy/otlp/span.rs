//! A faulted request as a span in OTLP/JSON (opentelemetry-proto 1.x, `trace/v1/trace.proto`, JSON mapping of the OTLP specification).

use std::time::{Duration, SystemTime};

use hyper::http::HeaderMap;
use serde_json::{Value, json};

use crate::chaos::proxy::dice::Dice;

/// The context of a request: ids of its trace and of the span that sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parent {
    pub trace: u128,
    pub span: u64,
}

impl Parent {
    /// Reads `traceparent`, or else B3 in one header or in several.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Option<Self> {
        let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
        let w3c = text("traceparent").and_then(|value| {
            let mut parts = value.split('-').skip(1);
            Self::new(parts.next()?, parts.next()?)
        });
        let b3 = || {
            text("b3")
                .and_then(|value| value.split_once('-'))
                .and_then(|(trace, rest)| Self::new(trace, rest.get(..16)?))
        };
        w3c.or_else(b3).or_else(|| Self::new(text("x-b3-traceid")?, text("x-b3-spanid")?))
    }

    fn new(trace: &str, span: &str) -> Option<Self> {
        let trace = u128::from_str_radix(trace, 16).ok().filter(|id| *id != 0)?;
        let span = u64::from_str_radix(span, 16).ok().filter(|id| *id != 0)?;
        Some(Self { trace, span })
    }
}

/// A fault that hit a request.
#[derive(Debug, Clone)]
pub struct Proven {
    /// Of the request as it came, before anything was changed.
    pub parent: Option<Parent>,
    pub kind: String,
    pub run: Option<String>,
    pub link: String,
    pub method: String,
    pub path: String,
    pub began: SystemTime,
    pub ended: SystemTime,
    pub planned: Duration,
    pub actual: Duration,
}

/// Returns a request of `ExportTraceServiceRequest` with all of them.
pub(super) fn request(proven: &[Proven], dice: &mut Dice) -> Value {
    let spans: Vec<Value> = proven.iter().map(|proven| span(proven, dice)).collect();
    json!({"resourceSpans": [{
        "resource": {"attributes": [text("service.name", "riftline-proxy")]},
        "scopeSpans": [{"scope": {"name": "riftline.chaos"}, "spans": spans}],
    }]})
}

fn span(proven: &Proven, dice: &mut Dice) -> Value {
    let fresh = u128::from(dice.number()) << 64 | u128::from(dice.number());
    let mut attributes = vec![
        text("fault.kind", &proven.kind),
        number("fault.planned_ms", proven.planned),
        number("fault.actual_ms", proven.actual),
        text("fault.link", &proven.link),
        text("http.request.method", &proven.method),
        text("url.path", &proven.path),
    ];
    attributes.extend(proven.run.as_ref().map(|run| text("fault.experiment", run)));
    // Where the context is lost on purpose, a child would hide that the callee is missing.
    let is_torn = proven.kind.starts_with("context-");
    let (parent, beside) = if is_torn { (None, proven.parent) } else { (proven.parent, None) };
    attributes
        .extend(beside.map(|parent| text("fault.request", &format!("{:032x}-{:016x}", parent.trace, parent.span))));
    json!({
        "traceId": format!("{:032x}", parent.map_or(fresh, |parent| parent.trace)),
        "spanId": format!("{:016x}", dice.number().max(1)),
        "parentSpanId": parent.map_or_else(String::new, |parent| format!("{:016x}", parent.span)),
        "name": format!("fault {}", proven.kind),
        "kind": 1,
        "startTimeUnixNano": nanos(proven.began),
        "endTimeUnixNano": nanos(proven.ended.max(proven.began)),
        "attributes": attributes,
    })
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

fn number(key: &str, value: Duration) -> Value {
    json!({"key": key, "value": {"doubleValue": value.as_secs_f64() * 1e3}})
}

fn nanos(time: SystemTime) -> String {
    time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_nanos().to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_context_is_not_hidden_by_its_proof() {
        let parent = Some(Parent { trace: 0xab, span: 0xcd });
        let now = SystemTime::now();
        let zero = Duration::ZERO;
        let proven = |kind: &str| Proven {
            parent,
            kind: kind.to_owned(),
            run: None,
            link: "a".to_owned(),
            method: "GET".to_owned(),
            path: "/".to_owned(),
            began: now,
            ended: now,
            planned: zero,
            actual: zero,
        };
        let mut dice = Dice::new(&[1]);
        assert_eq!(span(&proven("latency"), &mut dice)["parentSpanId"], "00000000000000cd");
        let beside = span(&proven("context-drop"), &mut dice);
        assert_eq!(beside["parentSpanId"], "");
        assert!(beside["attributes"].to_string().contains("000000000000000000000000000000ab-00000000000000cd"));
    }

    #[test]
    fn the_parent_is_the_request_that_was_faulted() {
        let of = |name: &'static str, value: &'static str| {
            Parent::of(&HeaderMap::from_iter([(hyper::header::HeaderName::from_static(name), value.parse().unwrap())]))
        };
        let wanted = Some(Parent { trace: 0xab, span: 0xcd });
        assert_eq!(of("traceparent", "00-000000000000000000000000000000ab-00000000000000cd-01"), wanted);
        assert_eq!(of("b3", "00000000000000ab-00000000000000cd-1"), wanted);
        assert_eq!(of("b3", "0"), None);
        assert_eq!(of("traceparent", "00-00000000000000000000000000000000-00000000000000cd-01"), None);
    }
}
