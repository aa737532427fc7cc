//! What is said about a span, in the order in which it helps.

use riftline_ingest::marks::Mark;
use riftline_queries::trace::details::SpanDetails;
use serde_json::{Map, Value};

use super::values::{group, shown};
use super::{Fact, Link};
use crate::humane::{self, Zone};
use crate::theme::Role;
use crate::view::trace::data::TraceData;
use crate::view::trace::forest::Orphanage;
use crate::view::trace::joints;
use crate::view::trace::marks::{self, SpanMark};
use crate::view::trace::outline::Row;
use crate::view::trace::runs::Run;

const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
const STATUSES: [&str; 3] = ["unset", "ok", "error"];

/// Returns all facts about the span at `rank`.
#[must_use]
pub fn facts(data: &TraceData, rank: u32, recorded: &SpanDetails, zone: Zone) -> Vec<Fact> {
    let mut facts = summary(data, rank, recorded, zone);
    section(&mut facts, "attributes", object("", &recorded.attributes));
    section(&mut facts, "events", events(recorded));
    section(&mut facts, "links", links(recorded));
    section(&mut facts, "resource", object("", &recorded.resource));
    section(&mut facts, "scope", scope(recorded));
    section(&mut facts, "as recorded", object("", &recorded.original));
    section(&mut facts, "ids and times", ids(recorded, zone));
    facts
}

/// Returns what is to say about the heading of a run or of a missing parent.
#[must_use]
pub fn of_heading(data: &TraceData, row: Row) -> Vec<Fact> {
    let facts = match row {
        Row::Span(_) | Row::Joint(_) => Vec::new(),
        Row::Run(run) => of_run(data, &data.forest.runs()[run as usize]),
        Row::Missing(missing) => of_missing(data.forest.orphanages()[missing as usize]),
    };
    facts.into_iter().flatten().collect()
}

fn of_run(data: &TraceData, run: &Run) -> Vec<Option<Fact>> {
    let span = data.forest.span(run.first);
    let (from_ns, to_ns) = run.extent_ns;
    let errors = if run.num_errors > 0 { humane::count(u64::from(run.num_errors)) } else { String::new() };
    vec![
        fact("operation", data.spans.name(span), Role::Strong),
        fact("service", data.spans.service(span), Role::Text),
        fact("spans", format!("{} siblings in a row", humane::count(u64::from(run.len))), Role::Number),
        fact("together", humane::duration(to_ns.saturating_sub(from_ns)), Role::Number),
        fact("p50", humane::duration(run.p50_ns), Role::Number),
        fact("p99", humane::duration(run.p99_ns), Role::Number),
        fact("errors", errors, Role::Error),
    ]
}

fn of_missing(orphanage: Orphanage) -> Vec<Option<Fact>> {
    let why = "No span with this id has arrived. It was not exported, not sampled, lost on the way, or is still to come; \
               or the caller's headers named a span that nobody recorded.";
    vec![
        fact("missing parent", format!("{:016x}", orphanage.parent_id), Role::Id),
        fact("named by", format!("{} spans", humane::count(u64::from(orphanage.num_orphans))), Role::Number),
        fact("", why, Role::Text),
    ]
}

fn section(facts: &mut Vec<Fact>, heading: &str, mut rest: Vec<Fact>) {
    if !rest.is_empty() {
        facts.push(Fact { key: heading.to_owned(), value: String::new(), role: Role::Heading, link: None });
        facts.append(&mut rest);
    }
}

/// Returns a fact, or nothing where there is nothing to say.
fn fact(key: &str, value: impl Into<String>, role: Role) -> Option<Fact> {
    let value = value.into();
    (!value.is_empty()).then(|| Fact { key: key.to_owned(), value, role, link: None })
}

fn summary(data: &TraceData, rank: u32, recorded: &SpanDetails, zone: Zone) -> Vec<Fact> {
    let kind = KINDS.get(usize::from(recorded.kind)).unwrap_or(&"unknown");
    let is_error = recorded.status == 2;
    let added_ns = data.torn.added_ns(data.forest.span(rank));
    let start_ns = recorded.start_ns.saturating_add(added_ns);
    let offset_ns = start_ns.saturating_sub(data.summary.window.from_ns());
    let start = format!("{}  {}", humane::time_of_day(start_ns, zone), humane::offset(offset_ns));
    let self_ns = humane::duration(data.self_ns(rank));
    let time = format!("{start}  took {}  self {self_ns}", humane::duration(recorded.duration_ns));
    let mut facts = vec![
        fact("operation", &recorded.name, Role::Strong),
        fact("service", format!("{}  {kind}", recorded.service), Role::Text),
    ];
    facts.extend(joints::facts(data, rank).into_iter().map(|(key, value)| fact(key, value, Role::Mark)));
    facts.extend([
        fact("time", time, Role::Number),
        fact("status", status(recorded), if is_error { Role::Error } else { Role::Text }),
    ]);
    let is_said = |mark: &SpanMark| matches!(mark, SpanMark::Error | SpanMark::Joined | SpanMark::MaybeJoined);
    for mark in marks::marks(data, rank).into_iter().filter(|mark| !is_said(mark)) {
        facts.push(fact("note", format!("{} {}", mark.sign(), mark.words()), Role::Warn));
    }
    facts.into_iter().flatten().collect()
}

/// Returns the status in words; nothing where none was set.
fn status(recorded: &SpanDetails) -> String {
    if recorded.status == 0 && recorded.status_message.is_empty() {
        return String::new();
    }
    let name = STATUSES.get(usize::from(recorded.status)).unwrap_or(&"unknown");
    match recorded.status_message.as_str() {
        "" => (*name).to_owned(),
        message => format!("{name}: {message}"),
    }
}

/// Returns the entries of a JSON object, those of one convention together.
fn object(indent: &str, json: &str) -> Vec<Fact> {
    match serde_json::from_str(json) {
        Ok(Value::Object(entries)) => entries_of(indent, &entries),
        Ok(Value::Null) | Err(_) if json.is_empty() => Vec::new(),
        _ => fact("", json, Role::Text).into_iter().collect(),
    }
}

fn entries_of(indent: &str, entries: &Map<String, Value>) -> Vec<Fact> {
    let mut sorted: Vec<(&String, &Value)> = entries.iter().collect();
    sorted.sort_by_key(|&(key, _)| (group(key), key));
    let facts = sorted.into_iter().map(|(key, value)| {
        let (value, role) = shown(value);
        Fact { key: format!("{indent}{key}"), value, role, link: None }
    });
    facts.collect()
}

fn array(json: &str) -> Vec<Map<String, Value>> {
    serde_json::from_str(json).unwrap_or_default()
}

fn text<'a>(entries: &'a Map<String, Value>, key: &str) -> &'a str {
    entries.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn attributes(entries: &Map<String, Value>) -> Vec<Fact> {
    let attributes = entries.get("attributes").and_then(Value::as_object);
    let mut facts = attributes.map_or_else(Vec::new, |attributes| entries_of("  ", attributes));
    let dropped = entries.get("dropped_attributes").and_then(Value::as_u64).unwrap_or_default();
    facts.extend(lost("  dropped", dropped));
    facts
}

fn events(recorded: &SpanDetails) -> Vec<Fact> {
    let mut facts = Vec::new();
    for event in array(&recorded.events) {
        let time_ns = event.get("time_ns").and_then(Value::as_i64).unwrap_or_default();
        let name = match text(&event, "name") {
            "" => "(no name)",
            name => name,
        };
        let offset = humane::offset(time_ns.saturating_sub(recorded.start_ns));
        facts.extend(fact(&offset, name, Role::Strong));
        facts.extend(attributes(&event));
    }
    facts.extend(lost("dropped", recorded.dropped_events));
    facts
}

fn links(recorded: &SpanDetails) -> Vec<Fact> {
    let mut facts = Vec::new();
    for link in array(&recorded.links) {
        let ids: Link = (text(&link, "trace_id").to_owned(), text(&link, "span_id").to_owned());
        let value = format!("{}  span {}", ids.0, ids.1);
        facts.push(Fact { key: "→ trace".to_owned(), value, role: Role::Accent, link: Some(ids) });
        facts.extend(fact("  trace state", text(&link, "trace_state"), Role::Text));
        facts.extend(attributes(&link));
    }
    facts.extend(lost("dropped", recorded.dropped_links));
    facts
}

fn scope(recorded: &SpanDetails) -> Vec<Fact> {
    let named = [
        fact("name", &recorded.scope_name, Role::Text),
        fact("version", &recorded.scope_version, Role::Text),
        fact("schema", &recorded.scope_schema_url, Role::Text),
    ];
    named.into_iter().flatten().chain(object("", &recorded.scope_attributes)).collect()
}

fn ids(recorded: &SpanDetails, zone: Zone) -> Vec<Fact> {
    let end_ns = recorded.start_ns.saturating_add(recorded.duration_ns);
    let marks = Mark::ALL.into_iter().filter(|mark| recorded.marks & mark.bit() != 0).map(Mark::name);
    let facts = [
        fact("trace", &recorded.trace_id, Role::Id),
        fact("span", &recorded.span_id, Role::Id),
        fact("parent", &recorded.parent_span_id, Role::Id),
        fact("trace state", &recorded.trace_state, Role::Text),
        fact("flags", format!("{:#x}", recorded.flags), Role::Text),
        fact("start", humane::rfc3339(recorded.start_ns, zone), Role::Time),
        fact("end", humane::rfc3339(end_ns, zone), Role::Time),
        fact("marks", marks.collect::<Vec<_>>().join(", "), Role::Warn),
        lost("dropped attributes", recorded.dropped_attributes),
        fact("resource schema", &recorded.resource_schema_url, Role::Text),
        fact("read from", &recorded.source, Role::Text),
    ];
    facts.into_iter().flatten().collect()
}

/// Returns how many were dropped before riftline saw the span, where any were.
fn lost(key: &str, number: u64) -> Option<Fact> {
    (number > 0).then(|| fact(key, format!("{} by the SDK or on the way", humane::count(number)), Role::Warn)).flatten()
}
