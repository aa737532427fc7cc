//! Small batches, written by hand.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use riftline_ingest::batch::{Batch, ConventionColumn, Resource, Scope};
use riftline_ingest::convention::{Convention, Conventions, ValueType};
use riftline_ingest::read::SourceInfo;
use serde_json::Value;

use crate::cancel::Cancel;
use crate::store::{Group, SourceState, Store};

/// A span to be stored.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct TestSpan {
    pub(crate) trace: u64,
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) service: String,
    pub(crate) name: String,
    pub(crate) kind: u8,
    pub(crate) status: u8,
    pub(crate) start_ns: i64,
    pub(crate) duration_ns: i64,
    /// By raw key, typed.
    pub(crate) attributes: BTreeMap<String, Value>,
}

impl TestSpan {
    pub(crate) fn new(trace: u64, id: u64, parent: u64) -> Self {
        Self {
            trace,
            id,
            parent,
            service: "cart".to_owned(),
            name: "GET /cart".to_owned(),
            kind: 2,
            status: 0,
            start_ns: 1_700_000_000_000_000_000 + id as i64,
            duration_ns: 1_000_000,
            attributes: BTreeMap::new(),
        }
    }

    pub(crate) fn of(mut self, service: &str, kind: u8) -> Self {
        service.clone_into(&mut self.service);
        self.kind = kind;
        self
    }

    pub(crate) fn with(mut self, key: &str, value: impl Into<Value>) -> Self {
        self.attributes.insert(key.to_owned(), value.into());
        self
    }
}

/// One convention of each type, with aliases on some, and one of resources.
pub(crate) fn conventions() -> Arc<Conventions> {
    let convention = |key: &str, value, aliases: &[&str], on_spans| Convention {
        key: key.to_owned(),
        column: key.replace('.', "_"),
        value,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        on_spans,
    };
    Arc::new(Conventions::new(vec![
        convention("http.request.method", ValueType::Text, &["http.method"], true),
        convention("http.response.status_code", ValueType::Int, &["http.status_code", "status"], true),
        convention("sampling.ratio", ValueType::Double, &[], true),
        convention("error.expected", ValueType::Bool, &["expected"], true),
        convention("server.address", ValueType::Text, &[], true),
        convention("peer.service", ValueType::Text, &[], true),
        convention("k8s.pod.name", ValueType::Text, &[], false),
    ]))
}

/// Puts spans into a batch as a decoder would: conventions into columns, the rest into the tail.
pub(crate) fn batch(conventions: &Conventions, spans: &[TestSpan]) -> Batch {
    let mut batch = Batch::new(conventions);
    batch.scopes.push(Scope { name: "test".to_owned(), version: "1".to_owned(), ..Scope::default() });
    for span in spans {
        push(&mut batch, conventions, span);
    }
    batch.close();
    batch
}

fn push(batch: &mut Batch, conventions: &Conventions, span: &TestSpan) {
    let resource = resource(batch, &span.service);
    let rows = &mut batch.spans;
    let row = rows.len();
    rows.trace_hi.push(7);
    rows.trace_lo.push(span.trace);
    rows.span_id.push(span.id);
    rows.parent_span_id.push(span.parent);
    rows.start_ns.push(span.start_ns);
    rows.duration_ns.push(span.duration_ns);
    rows.kind.push(span.kind);
    rows.status.push(span.status);
    rows.flags.push(1);
    rows.resource.push(resource);
    rows.scope.push(0);
    rows.marks.push(0);
    rows.name.push(&span.name);
    let mut tail = serde_json::Map::new();
    let mut aliases = Vec::new();
    for (key, value) in &span.attributes {
        match conventions.slot(key.as_bytes()) {
            Some(slot) if fits(&mut rows.conventions[usize::from(slot.column)], row, value) => {
                if slot.alias > 0 {
                    aliases.push((slot.column, slot.alias));
                }
            }
            _ => {
                tail.insert(key.clone(), value.clone());
            }
        }
    }
    if !tail.is_empty() {
        rows.attributes.pad(row);
        rows.attributes.push(&Value::Object(tail).to_string());
    }
    let number = if aliases.is_empty() { 0 } else { rows.alias_sets.len() as u32 + 1 };
    rows.alias_set.push(number);
    if number > 0 {
        rows.alias_sets.push(aliases);
    }
}

fn resource(batch: &mut Batch, service: &str) -> u32 {
    let attributes = serde_json::json!({ "service.name": service, "k8s.pod.name": format!("{service}-0") }).to_string();
    let resource = Resource { service: service.to_owned(), attributes, ..Resource::default() };
    let found = batch.resources.iter().position(|one| *one == resource);
    found.unwrap_or_else(|| {
        batch.resources.push(resource);
        batch.resources.len() - 1
    }) as u32
}

/// Puts a value into a column unless it has another type or the column has one already.
fn fits(column: &mut ConventionColumn, row: usize, value: &Value) -> bool {
    match (column, value) {
        (ConventionColumn::Text(column), Value::String(text)) if column.len() <= row => {
            column.pad(row);
            column.push(text);
            true
        }
        (ConventionColumn::Int(column), Value::Number(number)) if column.values.len() <= row && number.is_i64() => {
            column.pad(row);
            column.push(number.as_i64().unwrap());
            true
        }
        (ConventionColumn::Double(column), Value::Number(number)) if column.values.len() <= row && number.is_f64() => {
            column.pad(row);
            column.push(number.as_f64().unwrap());
            true
        }
        (ConventionColumn::Bool(column), Value::Bool(flag)) if column.values.len() <= row => {
            column.pad(row);
            column.push(*flag);
            true
        }
        _ => false,
    }
}

pub(crate) fn source_info(name: &str) -> SourceInfo {
    SourceInfo {
        name: name.to_owned(),
        path: None,
        size: None,
        format: "otlp-json",
        container: String::new(),
        head_hash: 99,
    }
}

/// Stores batches in one transaction, as one source.
pub(crate) fn store_spans(store: &Store, name: &str, batches: &[&[TestSpan]]) -> SourceState {
    let mut group: Group<'_> = store.begin().unwrap();
    let mut source = group.source(&source_info(name), 0).unwrap();
    for spans in batches {
        let mut batch = batch(&store.conventions(), spans);
        batch.from_offset = source.offset;
        batch.to_offset = source.offset + spans.len() as u64;
        batch.prefix_hash = batch.to_offset * 31;
        group.append(&mut source, batch).unwrap();
    }
    group.save(&mut source).unwrap();
    group.commit().unwrap();
    source
}

/// Returns all rows of an answer as text, one row a line.
pub(crate) fn rows(store: &Store, sql: &str) -> Vec<String> {
    let reader = store.reader().unwrap();
    reader
        .run(&Cancel::default(), |connection| {
            let mut statement = connection.prepare(sql)?;
            let mut lines = Vec::new();
            let mut rows = statement.query([])?;
            while let Some(row) = rows.next()? {
                let columns = row.as_ref().column_count();
                let cells: Vec<String> = (0..columns)
                    .map(|column| row.get::<_, duckdb::types::Value>(column).map(|value| format!("{value:?}")))
                    .collect::<duckdb::Result<_>>()?;
                lines.push(cells.join(" | "));
            }
            Ok(lines)
        })
        .unwrap()
}

/// Returns the texts of a one-column answer.
pub(crate) fn texts(store: &Store, sql: &str) -> Vec<String> {
    let reader = store.reader().unwrap();
    let texts = reader.run(&Cancel::default(), |connection| {
        let mut statement = connection.prepare(sql)?;
        statement.query_map([], |row| row.get::<_, Option<String>>(0).map(Option::unwrap_or_default))?.collect()
    });
    texts.unwrap()
}

pub(crate) fn count(store: &Store, sql: &str) -> i64 {
    let reader = store.reader().unwrap();
    reader.run(&Cancel::default(), |connection| connection.query_row(sql, [], |row| row.get(0))).unwrap()
}

/// A path in a folder of its own.
pub(crate) fn folder() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rift");
    (folder, path)
}
