//! A window straight from what decoders hand over, for those who need no store.

use riftline_ingest::batch::{Batch, ConventionColumn};
use riftline_ingest::convention::Conventions;
use serde_json::{Map, Value};

use super::{Builder, LogRecord, MetricRecord, SpanRecord, Symbol, metrics};

/// Adds the spans and logs of a batch that was decoded with `conventions`.
pub fn push(builder: &mut Builder, batch: &Batch, conventions: &Conventions) {
    let keys: Vec<Symbol> = conventions.span_columns().map(|one| builder.texts.intern(&one.key)).collect();
    let resources: Vec<u32> =
        batch.resources.iter().map(|one| builder.resource(&one.service, &one.attributes)).collect();
    let scopes: Vec<u32> = batch.scopes.iter().map(|one| builder.scope(&one.name, &one.version)).collect();
    for row in 0..batch.spans.len() {
        push_span(builder, batch, row, &keys, (&resources, &scopes));
    }
    let logs = &batch.logs;
    for row in 0..logs.len() {
        builder.attributes(logs.attributes.get(row).unwrap_or_default());
        let body = builder.texts.intern(logs.body.get(row).unwrap_or_default());
        builder.push_log(LogRecord {
            time_ns: logs.time_ns[row],
            resource: resources[logs.resource[row] as usize],
            trace_id: id(logs.trace_hi[row], logs.trace_lo[row]),
            span_id: logs.span_id[row],
            body,
        });
    }
    for row in 0..batch.metrics.len() {
        push_metric(builder, batch, row, &resources);
    }
}

fn push_metric(builder: &mut Builder, batch: &Batch, row: usize, resources: &[u32]) {
    let all = &batch.metrics;
    let name = all.name.get(row).unwrap_or_default();
    if !metrics::is_kept(name) {
        return;
    }
    builder.attributes(all.attributes.get(row).unwrap_or_default());
    let name = builder.texts.intern(name);
    let integer = || all.value_int.get(row).or_else(|| all.count.get(row)).map(|value| value as f64);
    builder.push_metric(MetricRecord {
        name,
        resource: resources[all.resource[row] as usize],
        start_ns: all.start_ns[row],
        time_ns: all.time_ns[row],
        value: all.value_double.get(row).or_else(integer).unwrap_or_default(),
        is_delta: all.temporality[row] == 1,
    });
}

fn push_span(builder: &mut Builder, batch: &Batch, row: usize, keys: &[Symbol], (resources, scopes): (&[u32], &[u32])) {
    let spans = &batch.spans;
    for (column, &key) in spans.conventions.iter().zip(keys) {
        match column {
            ConventionColumn::Text(values) => {
                values.get(row).into_iter().for_each(|value| builder.attribute(key, value));
            }
            ConventionColumn::Int(values) => {
                values.get(row).into_iter().for_each(|value| builder.attribute(key, &value.to_string()));
            }
            ConventionColumn::Double(values) => {
                values.get(row).into_iter().for_each(|value| builder.attribute(key, &format!("{value:?}")));
            }
            ConventionColumn::Bool(values) => {
                values
                    .get(row)
                    .into_iter()
                    .for_each(|value| builder.attribute(key, if value { "true" } else { "false" }));
            }
        }
    }
    builder.attributes(spans.attributes.get(row).unwrap_or_default());
    builder.links(spans.links.get(row).unwrap_or_default());
    let name = builder.texts.intern(spans.name.get(row).unwrap_or_default());
    let trace_state = builder.texts.intern(spans.trace_state.get(row).unwrap_or_default());
    let said = spans.status_message.get(row).unwrap_or_default();
    let message = message(builder, spans.status[row], said, spans.events.get(row).unwrap_or_default());
    builder.push(SpanRecord {
        row: 0,
        trace_id: id(spans.trace_hi[row], spans.trace_lo[row]),
        span_id: spans.span_id[row],
        parent_span_id: spans.parent_span_id[row],
        start_ns: spans.start_ns[row],
        duration_ns: spans.duration_ns[row],
        kind: spans.kind[row],
        status: spans.status[row],
        flags: spans.flags[row],
        resource: resources[spans.resource[row] as usize],
        scope: scopes[spans.scope[row] as usize],
        name,
        trace_state,
        message,
    });
}

/// Returns what a failed span says of why: its status message, else the first of its events that are exceptions.
pub(crate) fn message(builder: &mut Builder, status: u8, message: &str, events: &str) -> Symbol {
    const ERROR: u8 = 2;
    if status != ERROR || !message.is_empty() {
        return builder.texts.intern(message);
    }
    let exception = if events.is_empty() { None } else { exception(events) };
    builder.texts.intern(&exception.unwrap_or_default())
}

/// Returns type and message of the first exception of a JSON array of events.
fn exception(events: &str) -> Option<String> {
    let events: Vec<Map<String, Value>> = serde_json::from_str(events).ok()?;
    let attributes = events.iter().filter_map(|event| event.get("attributes")?.as_object());
    let text = |attributes: &Map<String, Value>, key: &str| attributes.get(key)?.as_str().map(str::to_owned);
    attributes.into_iter().find_map(|one| match (text(one, "exception.type"), text(one, "exception.message")) {
        (Some(kind), Some(message)) => Some(format!("{kind}: {message}")),
        (kind, message) => kind.or(message),
    })
}

fn id(hi: u64, lo: u64) -> u128 {
    u128::from(hi) << 64 | u128::from(lo)
}
