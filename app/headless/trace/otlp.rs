//! One trace as an OTLP request in JSON, rebuilt from the store.
//!
//! As the protocol's JSON mapping has it: ids in lower-case hexadecimal, 64-bit integers as text, enums as numbers.
//! <https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>

use std::collections::HashMap;
use std::io::{self, Write};

use riftline_queries::table::{Cell, Table};
use serde_json::{Map, Value, json};

use super::rows::{Trace, integer, text};
use super::typed::Typed;
use crate::format::{write_json, write_text};

/// Spans of one scope; the first row says which.
struct ScopeGroup {
    rows: Vec<usize>,
}

/// Spans of one resource, by scope.
struct ResourceGroup {
    scopes: Vec<ScopeGroup>,
}

/// Columns that tell resources apart, and those that tell scopes apart.
const RESOURCE: [&str; 2] = ["resource", "resource_schema_url"];
const SCOPE: [&str; 4] = ["scope_name", "scope_version", "scope", "scope_schema_url"];

/// Prints one `ExportTraceServiceRequest` on one line.
pub fn print(trace: &Trace, out: &mut dyn Write) -> io::Result<()> {
    out.write_all(b"{\"resourceSpans\":[")?;
    for (index, group) in groups(&trace.table).iter().enumerate() {
        separate(index, out)?;
        print_resource(trace, group, out)?;
    }
    out.write_all(b"]}\n")
}

fn print_resource(trace: &Trace, group: &ResourceGroup, out: &mut dyn Write) -> io::Result<()> {
    let first = group.scopes.first().and_then(|scope| scope.rows.first()).copied().unwrap_or_default();
    let [resource, schema_url] = RESOURCE.map(|name| text(trace.table.get(first, name)));
    out.write_all(b"{\"resource\":")?;
    write_value(&json!({ "attributes": attributes(resource) }), out)?;
    print_schema_url(schema_url, out)?;
    out.write_all(b",\"scopeSpans\":[")?;
    for (index, scope) in group.scopes.iter().enumerate() {
        separate(index, out)?;
        print_scope(trace, scope, out)?;
    }
    out.write_all(b"]}")
}

fn print_schema_url(url: &str, out: &mut dyn Write) -> io::Result<()> {
    if url.is_empty() {
        return Ok(());
    }
    out.write_all(b",\"schemaUrl\":")?;
    write_text(url, out)
}

fn print_scope(trace: &Trace, group: &ScopeGroup, out: &mut dyn Write) -> io::Result<()> {
    let first = group.rows.first().copied().unwrap_or_default();
    let [name, version, typed, schema_url] = SCOPE.map(|name| text(trace.table.get(first, name)));
    let mut scope = Map::new();
    put_text(&mut scope, "name", name);
    put_text(&mut scope, "version", version);
    put_list(&mut scope, "attributes", attributes(typed));
    out.write_all(b"{\"scope\":")?;
    write_value(&Value::Object(scope), out)?;
    print_schema_url(schema_url, out)?;
    out.write_all(b",\"spans\":[")?;
    for (index, &row) in group.rows.iter().enumerate() {
        separate(index, out)?;
        write_value(&span(trace, row), out)?;
    }
    out.write_all(b"]}")
}

fn separate(index: usize, out: &mut dyn Write) -> io::Result<()> {
    if index > 0 { out.write_all(b",") } else { Ok(()) }
}

/// Groups rows by resource and scope, in the order of their first span.
fn groups(table: &Table) -> Vec<ResourceGroup> {
    let mut groups: Vec<ResourceGroup> = Vec::new();
    let mut places = HashMap::new();
    for row in 0..table.num_rows() {
        let resource = RESOURCE.map(|name| text(table.get(row, name)));
        let scope = SCOPE.map(|name| text(table.get(row, name)));
        let at = *places.entry((resource, None)).or_insert_with(|| {
            groups.push(ResourceGroup { scopes: Vec::new() });
            groups.len() - 1
        });
        let Some(group) = groups.get_mut(at) else { continue };
        let at = *places.entry((resource, Some(scope))).or_insert_with(|| {
            group.scopes.push(ScopeGroup { rows: Vec::new() });
            group.scopes.len() - 1
        });
        group.scopes.get_mut(at).into_iter().for_each(|scope| scope.rows.push(row));
    }
    groups
}

fn span(trace: &Trace, row: usize) -> Value {
    let get = |name| trace.table.get(row, name);
    let mut span = Map::new();
    for (key, column) in [("traceId", "trace_id"), ("spanId", "span_id"), ("parentSpanId", "parent_span_id")] {
        put_text(&mut span, key, text(get(column)));
    }
    put_text(&mut span, "traceState", text(get("trace_state")));
    put_number(&mut span, "flags", integer(get("flags")));
    span.insert("name".to_owned(), json!(text(get("name"))));
    span.insert("kind".to_owned(), json!(trace.spans.kind.get(row)));
    let start = integer(get("start_ns"));
    span.insert("startTimeUnixNano".to_owned(), json!(start.to_string()));
    let end = start.saturating_add(integer(get("duration_ns")));
    span.insert("endTimeUnixNano".to_owned(), json!(end.to_string()));
    put_list(&mut span, "attributes", attributes(text(get("attributes"))));
    put_number(&mut span, "droppedAttributesCount", integer(get("dropped_attributes")));
    put_list(&mut span, "events", array(get("events")).iter().map(event).collect());
    put_number(&mut span, "droppedEventsCount", integer(get("dropped_events")));
    let links = array(get("links")).iter().map(link).chain(stitch(text(get("stitch")))).collect();
    put_list(&mut span, "links", links);
    put_number(&mut span, "droppedLinksCount", integer(get("dropped_links")));
    put_status(&mut span, trace.spans.status.get(row).copied().unwrap_or_default(), text(get("status_message")));
    Value::Object(span)
}

fn put_text(object: &mut Map<String, Value>, key: &str, value: &str) {
    if !value.is_empty() {
        object.insert(key.to_owned(), json!(value));
    }
}

fn put_number(object: &mut Map<String, Value>, key: &str, value: i64) {
    if value != 0 {
        object.insert(key.to_owned(), json!(value));
    }
}

fn put_list(object: &mut Map<String, Value>, key: &str, values: Vec<Value>) {
    if !values.is_empty() {
        object.insert(key.to_owned(), Value::Array(values));
    }
}

fn put_status(span: &mut Map<String, Value>, code: u8, message: &str) {
    let mut status = Map::new();
    if code != 0 {
        status.insert("code".to_owned(), json!(code));
    }
    put_text(&mut status, "message", message);
    if !status.is_empty() {
        span.insert("status".to_owned(), Value::Object(status));
    }
}

fn event(event: &Typed) -> Value {
    let mut made = Map::new();
    made.insert(
        "timeUnixNano".to_owned(),
        json!(event.get("time_ns").and_then(Typed::integer).unwrap_or_default().to_string()),
    );
    put_text(&mut made, "name", event.get("name").and_then(Typed::text).unwrap_or_default());
    put_parts(&mut made, event);
    Value::Object(made)
}

/// Returns a link to the span that was found for a joined one, so that others can follow it.
fn stitch(stitch: &str) -> Option<Value> {
    let stitch: Value = serde_json::from_str(stitch).ok()?;
    if stitch["state"] != "accepted" {
        return None;
    }
    Some(json!({
        "traceId": stitch["parent_trace_id"],
        "spanId": stitch["parent_span_id"],
        "attributes": [
            { "key": "riftline.stitch.rule", "value": { "stringValue": stitch["rule"] } },
            { "key": "riftline.stitch.confidence", "value": { "doubleValue": stitch["confidence"] } },
        ],
    }))
}

fn link(link: &Typed) -> Value {
    let mut made = Map::new();
    for (key, field) in [("traceId", "trace_id"), ("spanId", "span_id"), ("traceState", "trace_state")] {
        put_text(&mut made, key, link.get(field).and_then(Typed::text).unwrap_or_default());
    }
    put_count(&mut made, "flags", link.get("flags"));
    put_parts(&mut made, link);
    Value::Object(made)
}

/// Puts what events and links have in common.
fn put_parts(made: &mut Map<String, Value>, part: &Typed) {
    put_list(made, "attributes", part.get("attributes").map(key_values).unwrap_or_default());
    put_count(made, "droppedAttributesCount", part.get("dropped_attributes"));
}

fn put_count(made: &mut Map<String, Value>, key: &str, count: Option<&Typed>) {
    let count = count.and_then(Typed::integer).and_then(|count| i64::try_from(count).ok());
    put_number(made, key, count.unwrap_or_default());
}

fn array(cell: Cell<'_>) -> Vec<Typed> {
    serde_json::from_str(text(cell)).unwrap_or_default()
}

/// Returns the typed JSON of attributes as the protocol's list of keys and values.
fn attributes(typed: &str) -> Vec<Value> {
    serde_json::from_str(typed).map(|value: Typed| key_values(&value)).unwrap_or_default()
}

fn key_values(object: &Typed) -> Vec<Value> {
    object.members().iter().map(|(key, value)| json!({ "key": key, "value": any_value(value) })).collect()
}

/// Returns a typed value as the protocol's `AnyValue`. Nesting is bounded: the reader cut it.
fn any_value(value: &Typed) -> Value {
    match value {
        Typed::Null => json!({}),
        Typed::Bool(value) => json!({ "boolValue": value }),
        Typed::Int(number) => json!({ "intValue": number.to_string() }),
        Typed::Double(number) => json!({ "doubleValue": number }),
        Typed::Text(text) => json!({ "stringValue": text }),
        Typed::List(values) => json!({ "arrayValue": { "values": values.iter().map(any_value).collect::<Vec<_>>() } }),
        Typed::Object(members) => {
            special(members).unwrap_or_else(|| json!({ "kvlistValue": { "values": key_values(value) } }))
        }
    }
}

/// Bytes, and doubles that JSON has no number for, are written as an object of one key.
fn special(members: &[(String, Typed)]) -> Option<Value> {
    let [(key, Typed::Text(text))] = members else { return None };
    match (key.as_str(), text.as_str()) {
        ("bytes", base64) => Some(json!({ "bytesValue": base64 })),
        ("double", name @ ("NaN" | "Infinity" | "-Infinity")) => Some(json!({ "doubleValue": name })),
        _ => None,
    }
}

fn write_value(value: &Value, out: &mut dyn Write) -> io::Result<()> {
    write_json(&value.to_string(), out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typed_json_becomes_any_values() {
        let typed = r#"{"a":1,"b":1.0,"c":"1","d":[true,null],"e":{"bytes":"AQI="},"f":{"double":"NaN"},"g":{"x":2}}"#;
        let expected = json!([
            { "key": "a", "value": { "intValue": "1" } },
            { "key": "b", "value": { "doubleValue": 1.0 } },
            { "key": "c", "value": { "stringValue": "1" } },
            { "key": "d", "value": { "arrayValue": { "values": [{ "boolValue": true }, {}] } } },
            { "key": "e", "value": { "bytesValue": "AQI=" } },
            { "key": "f", "value": { "doubleValue": "NaN" } },
            { "key": "g", "value": { "kvlistValue": { "values": [{ "key": "x", "value": { "intValue": "2" } }] } } },
        ]);
        assert_eq!(Value::Array(attributes(typed)), expected);
    }

    #[test]
    fn text_that_is_no_json_has_no_attributes() {
        assert_eq!(attributes("no json"), Vec::<Value>::new());
        assert_eq!(attributes(""), Vec::<Value>::new());
    }
}
