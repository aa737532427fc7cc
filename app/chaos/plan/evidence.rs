//! The incident's spans as a file: what a run is judged by, wherever the experiment is taken to.

use std::collections::{BTreeMap, BTreeSet};

use riftline_ingest::pack::gzip;
use riftline_queries::trace::window::{Link, Symbol, Window};
use serde_json::{Value, json};

/// Returns the spans of some traces, and the exceptions that were logged in them, as OTLP in JSON: one request a trace and line, packed.
#[must_use]
pub fn of(window: &Window, traces: impl Iterator<Item = u128>) -> Vec<u8> {
    let wanted: BTreeSet<u128> = traces.collect();
    let spans = by_trace(&wanted, window.len(), |span| window.trace_id(span as u32));
    let logs = by_trace(&wanted, window.logs.time_ns.len(), |log| window.logs.trace_id[log]);
    let spans = spans.values().map(|spans| spans_request(window, spans));
    let logs = logs.values().filter_map(|logs| logs_request(window, logs));
    let lines: String = spans.chain(logs).map(|request| request.to_string() + "\n").collect();
    gzip(lines.as_bytes())
}

fn by_trace(wanted: &BTreeSet<u128>, count: usize, trace_of: impl Fn(usize) -> u128) -> BTreeMap<u128, Vec<usize>> {
    let mut found: BTreeMap<u128, Vec<usize>> = BTreeMap::new();
    for at in 0..count {
        let trace = trace_of(at);
        if wanted.contains(&trace) {
            found.entry(trace).or_default().push(at);
        }
    }
    found
}

fn spans_request(window: &Window, spans: &[usize]) -> Value {
    let of_resource = |(resource, spans): (u32, Vec<usize>)| {
        let spans: Vec<Value> = spans.into_iter().map(|span| one(window, span as u32)).collect();
        json!({"resource": said(window, resource), "scopeSpans": [{"spans": spans}]})
    };
    let resources = by_resource(spans, &window.resource);
    json!({"resourceSpans": resources.into_iter().map(of_resource).collect::<Vec<_>>()})
}

/// Returns nothing where no exception was logged.
fn logs_request(window: &Window, logs: &[usize]) -> Option<Value> {
    let is_exception =
        |log: &&usize| window.log_attributes(**log).iter().any(|(name, _)| window.text(*name) == "exception.type");
    let logs: Vec<usize> = logs.iter().filter(is_exception).copied().collect();
    let of_resource = |(resource, logs): (u32, Vec<usize>)| {
        let logs: Vec<Value> = logs.into_iter().map(|log| exception(window, log)).collect();
        json!({"resource": said(window, resource), "scopeLogs": [{"logRecords": logs}]})
    };
    let resources = by_resource(&logs, &window.logs.resource);
    (!logs.is_empty()).then(|| json!({"resourceLogs": resources.into_iter().map(of_resource).collect::<Vec<_>>()}))
}

fn by_resource(rows: &[usize], resource_of: &[u32]) -> BTreeMap<u32, Vec<usize>> {
    let mut found: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for &row in rows {
        found.entry(resource_of[row]).or_default().push(row);
    }
    found
}

fn said(window: &Window, resource: u32) -> Value {
    let resource = window.resources.get(resource as usize);
    json!({"attributes": resource.map(|resource| attributes(window, &resource.attributes))})
}

fn exception(window: &Window, log: usize) -> Value {
    json!({
        "timeUnixNano": window.logs.time_ns[log].to_string(),
        "traceId": format!("{:032x}", window.logs.trace_id[log]),
        "spanId": format!("{:016x}", window.logs.span_id[log]),
        "attributes": attributes(window, window.log_attributes(log)),
    })
}

fn one(window: &Window, span: u32) -> Value {
    let at = span as usize;
    let mut value = json!({
        "traceId": format!("{:032x}", window.trace_id(span)),
        "spanId": format!("{:016x}", window.span_id[at]),
        "name": window.text(window.name[at]),
        "kind": window.kind[at],
        "startTimeUnixNano": window.start_ns[at].to_string(),
        "endTimeUnixNano": window.end_ns[at].to_string(),
        "attributes": attributes(window, window.attributes(span)),
        "status": {"code": window.status[at], "message": window.text(window.message[at])},
        "flags": window.flags[at],
    });
    let link =
        |link: &Link| json!({"traceId": format!("{:032x}", link.trace_id), "spanId": format!("{:016x}", link.span_id)});
    if !window.links_of(span).is_empty() {
        value["links"] = window.links_of(span).iter().map(link).collect();
    }
    if window.parent_span_id[at] != 0 {
        value["parentSpanId"] = json!(format!("{:016x}", window.parent_span_id[at]));
    }
    value
}

fn attributes(window: &Window, pairs: &[(Symbol, Symbol)]) -> Vec<Value> {
    let pair =
        |&(key, value): &(Symbol, Symbol)| json!({"key": window.text(key), "value": value_of(window.text(value))});
    pairs.iter().map(pair).collect()
}

/// Numbers are numbers again; everything else is a text.
fn value_of(text: &str) -> Value {
    match text.parse::<i64>() {
        Ok(number) if number.to_string() == text => json!({ "intValue": text }),
        _ => json!({ "stringValue": text }),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use riftline_ingest::read::Input;
    use riftline_queries::lab::read;
    use riftline_queries::trace::window::Without;

    use super::*;

    fn window(bytes: &[u8]) -> Window {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("incident");
        fs::write(&path, bytes).unwrap();
        read::window(&[Input::Path(path.display().to_string())], Without::default()).unwrap()
    }

    #[test]
    fn what_is_written_down_is_read_again() {
        let ids = |byte: &str| (byte.repeat(16), byte.repeat(8));
        let (trace, span) = ids("0a");
        let (other, _) = ids("0b");
        let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "orders"}}]});
        let span = |trace: &str| {
            json!({"traceId": trace, "spanId": span, "name": "GET", "kind": 3, "startTimeUnixNano": "1000000000",
                "endTimeUnixNano": "2000000000", "status": {"code": 2, "message": "refused: no 5"},
                "attributes": [{"key": "http.response.status_code", "value": {"intValue": "503"}}]})
        };
        let log = json!({"timeUnixNano": "1500000000", "traceId": trace, "spanId": "0a".repeat(8),
            "attributes": [{"key": "exception.type", "value": {"stringValue": "Refused"}}]});
        let said = json!({"timeUnixNano": "1600000000", "traceId": trace, "spanId": "0a".repeat(8)});
        let lines = [
            json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span(&trace), span(&other)]}]}]}),
            json!({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": [log, said]}]}]}),
        ];
        let all = window(lines.map(|line| line.to_string() + "\n").concat().as_bytes());
        let wanted = u128::from_str_radix(&trace, 16).unwrap();
        let kept = window(&of(&all, [wanted].into_iter()));
        assert_eq!((kept.len(), kept.logs.time_ns.len(), kept.trace_id(0)), (1, 1, wanted));
        assert_eq!(kept.text(kept.message[0]), "refused: no 5");
        assert_eq!((kept.status[0], kept.kind[0], kept.text(kept.service(0))), (2, 3, "orders"));
        assert_eq!(kept.log_attributes(0).iter().map(|(_, value)| kept.text(*value)).collect::<Vec<_>>(), ["Refused"]);
    }
}
