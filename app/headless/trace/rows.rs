//! The rows of one trace (columns of the view `spans`) as what trees are built from.

use std::collections::HashMap;

use riftline_ingest::marks::Mark;
use riftline_queries::table::{Cell, Table};
use riftline_queries::trace::assemble::{Tree, assemble};
use riftline_queries::trace::spans::Spans;

/// Kinds and statuses as the view names them, by their number in OTLP.
pub const KINDS: [&str; 6] = ["unspecified", "internal", "server", "client", "producer", "consumer"];
pub const STATUSES: [&str; 3] = ["unset", "ok", "error"];
/// The parent that was found for a span, or the recorded one: in answers to `Question::HealedTrace`.
const HEALED_PARENT: &str = "healed_parent_span_id";
/// Status of a span that failed.
pub const ERROR: u8 = 2;

/// One trace: its rows, and the tree over them. Spans are rows of the table, by the same index.
#[derive(Debug)]
pub struct Trace {
    pub table: Table,
    pub spans: Spans,
    pub tree: Tree,
}

impl Trace {
    /// Builds the tree over the rows of `table`.
    #[must_use]
    pub fn new(table: Table) -> Self {
        let spans = spans(&table);
        let tree = assemble(&spans);
        Self { table, spans, tree }
    }

    /// Returns the trace id as the view shows it.
    #[must_use]
    pub fn id(&self) -> &str {
        text(self.table.get(0, "trace_id"))
    }

    /// Returns the first and the last moment of the trace. Spans whose times are not known do not count while others do.
    #[must_use]
    pub fn extent(&self) -> (i64, i64) {
        let untimed = Mark::TimeMissing.bit() | Mark::TimeSaturated.bit();
        let is_timed = |span: &usize| self.spans.marks.get(*span).is_some_and(|marks| marks & untimed == 0);
        let timed: Vec<usize> = (0..self.spans.len()).filter(is_timed).collect();
        let chosen = if timed.is_empty() { (0..self.spans.len()).collect() } else { timed };
        let start = chosen.iter().map(|&span| self.spans.start_ns[span]).min().unwrap_or_default();
        let end = chosen.iter().map(|&span| self.spans.end_ns(span)).max().unwrap_or_default();
        (start, end)
    }

    /// Returns how many services take part.
    #[must_use]
    pub fn num_services(&self) -> usize {
        self.spans.service.iter().collect::<std::collections::HashSet<_>>().len()
    }

    /// Returns how many spans failed.
    #[must_use]
    pub fn num_errors(&self) -> usize {
        (0..self.spans.len()).filter(|&span| self.spans.status.get(span) == Some(&ERROR)).count()
    }
}

/// Returns the text of a cell, nothing for any other.
#[must_use]
pub fn text(cell: Cell<'_>) -> &str {
    match cell {
        Cell::Text(text) | Cell::Json(text) => text,
        _ => "",
    }
}

/// Returns the whole number of a cell, 0 for any other.
#[must_use]
pub fn integer(cell: Cell<'_>) -> i64 {
    match cell {
        Cell::Int(value) | Cell::Time(value) => value,
        Cell::UInt(value) => i64::try_from(value).unwrap_or(i64::MAX),
        _ => 0,
    }
}

fn spans(table: &Table) -> Spans {
    let mut spans = Spans::default();
    let mut texts: HashMap<Box<str>, u32> = HashMap::new();
    let at = |name| table.position(name).unwrap_or(usize::MAX);
    let parent = if table.position(HEALED_PARENT).is_some() { HEALED_PARENT } else { "parent_span_id" };
    let [id, parent, start, duration, kind, status, marks, service, name] =
        ["span_id", parent, "start_ns", "duration_ns", "kind", "status", "mark_bits", "service", "name"].map(at);
    for row in 0..table.num_rows() {
        spans.row.push(i64::try_from(row).unwrap_or(i64::MAX));
        spans.span_id.push(hex(table.cell(row, id)));
        spans.parent_span_id.push(hex(table.cell(row, parent)));
        spans.start_ns.push(integer(table.cell(row, start)));
        spans.duration_ns.push(integer(table.cell(row, duration)));
        spans.kind.push(number(table.cell(row, kind), &KINDS));
        spans.status.push(number(table.cell(row, status), &STATUSES));
        spans.marks.push(u32::try_from(integer(table.cell(row, marks))).unwrap_or_default());
        spans.service.push(intern(text(table.cell(row, service)), &mut texts, &mut spans.texts));
        spans.name.push(intern(text(table.cell(row, name)), &mut texts, &mut spans.texts));
    }
    spans
}

fn hex(cell: Cell<'_>) -> u64 {
    u64::from_str_radix(text(cell), 16).unwrap_or_default()
}

fn number(cell: Cell<'_>, names: &[&str]) -> u8 {
    let position = names.iter().position(|name| name.eq_ignore_ascii_case(text(cell)));
    position.and_then(|position| u8::try_from(position).ok()).unwrap_or_default()
}

fn intern(text: &str, known: &mut HashMap<Box<str>, u32>, texts: &mut Vec<Box<str>>) -> u32 {
    if let Some(&index) = known.get(text) {
        return index;
    }
    let index = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    texts.push(text.into());
    known.insert(text.into(), index);
    index
}
