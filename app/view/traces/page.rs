//! Pages of the list: how they are asked for and what comes back.
//!
//! The list may be larger than memory, so only a window of it is here. When rows arrive, the window is asked for again around
//! the trace under the cursor (the anchor), wherever that is by then.

use std::fmt::Write as _;

use riftline_queries::cancel::Cancel;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::semconv::conventions;
use riftline_queries::table::{Cell, Table};
use riftline_queries::traceql;

use super::column::Order;
use crate::tui::jobs::Backend;

/// How many rows a window holds.
pub const WINDOW: u64 = 400;

const COLUMNS: &str = "trace_id, start, duration_ns, root_service, root_name, num_spans, num_services, num_errors, is_complete, is_stitched, num_findings";

/// Which traces, in which order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Choice {
    pub order: Order,
    /// `TraceQL`.
    pub filter: Option<String>,
    pub errors_only: bool,
    /// Start of the trace, in nanoseconds since 1970, both included.
    pub range: Option<(i64, i64)>,
}

/// Which window.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PageRequest {
    pub choice: Choice,
    /// The first row wanted; where there is an anchor, how many rows are wanted before it.
    pub first: u64,
    pub anchor: Option<String>,
    /// Known from the page before, unless rows may have arrived since.
    pub whole: Option<Whole>,
}

/// What is known of the whole list.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Whole {
    pub len: u64,
    pub longest_ns: i64,
}

/// A window of the list.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Page {
    pub rows: Vec<Row>,
    /// Where `rows` begin in the list.
    pub first: u64,
    pub whole: Whole,
    /// Where the anchor is in the list.
    pub anchor: Option<u64>,
}

/// One trace of the list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    pub trace_id: String,
    pub start_ns: i64,
    pub duration_ns: i64,
    pub root_service: String,
    pub root_name: String,
    pub num_spans: u64,
    pub num_services: u64,
    pub num_errors: u64,
    pub is_complete: bool,
    pub is_stitched: bool,
    pub num_findings: u64,
}

impl Choice {
    /// Returns the condition on rows of the view `traces`.
    pub fn condition(&self) -> Result<String, AskError> {
        let mut parts = Vec::new();
        if let Some((first, last)) = self.range {
            parts.push(format!("start between make_timestamp_ns({first}) and make_timestamp_ns({last})"));
        }
        if self.errors_only {
            parts.push("num_errors > 0".to_owned());
        }
        if let Some(filter) = &self.filter {
            let query =
                traceql::parse(filter).map_err(|error| AskError::Bad { message: error.message, at: Some(error.at) })?;
            parts.push(format!("trace_id in ({})", traceql::compile(&query, &conventions())));
        }
        Ok(if parts.is_empty() { "true".to_owned() } else { parts.join(" and ") })
    }

    /// Returns the list as SQL that a user can paste.
    pub fn sql(&self) -> Result<String, AskError> {
        let (key, direction) = (self.order.info().key, self.direction());
        let condition = self.condition()?;
        Ok(format!("select {COLUMNS}\nfrom traces\nwhere {condition}\norder by {key} {direction}, trace_id"))
    }

    fn direction(&self) -> &'static str {
        if self.order.descends { "desc" } else { "asc" }
    }
}

impl PageRequest {
    /// Asks for the window.
    pub fn fetch(&self, backend: &dyn Backend, cancel: &Cancel) -> Result<Page, AskError> {
        let (whole, anchor) = match (self.whole, &self.anchor) {
            (Some(whole), None) => (whole, None),
            (_, anchor) => self.measure(anchor.as_deref(), backend, cancel)?,
        };
        let first = match (anchor, &self.anchor) {
            (Some(anchor), _) => anchor.saturating_sub(self.first),
            (None, Some(_)) => 0,
            (None, None) => self.first.min(whole.len.saturating_sub(1)),
        };
        let mut sql = self.choice.sql()?;
        let _ = write!(sql, "\nlimit {WINDOW} offset {first}");
        let table = backend.ask(&Question::Sql { sql, max_rows: Some(WINDOW) }, cancel)?;
        let rows = (0..table.num_rows()).map(|index| Row::read(&table, index)).collect();
        Ok(Page { rows, first, whole, anchor })
    }

    /// Asks how long the list is, how long its longest trace, and where the anchor is.
    fn measure(
        &self,
        anchor: Option<&str>,
        backend: &dyn Backend,
        cancel: &Cancel,
    ) -> Result<(Whole, Option<u64>), AskError> {
        let sql = self.measure_sql(anchor)?;
        let table = backend.ask(&Question::Sql { sql, max_rows: Some(1) }, cancel)?;
        let whole = Whole {
            len: number(table.get(0, "len")),
            longest_ns: i64::try_from(number(table.get(0, "longest_ns"))).unwrap_or(i64::MAX),
        };
        let is_there = table.get(0, "has_anchor") == Cell::Bool(true);
        Ok((whole, is_there.then(|| number(table.get(0, "before")))))
    }

    fn measure_sql(&self, anchor: Option<&str>) -> Result<String, AskError> {
        let condition = self.choice.condition()?;
        let id = anchor.filter(|id| id.bytes().all(|byte| byte.is_ascii_hexdigit()));
        let Some(id) = id else {
            return Ok(format!("select count(*) as len, max(duration_ns) as longest_ns from traces where {condition}"));
        };
        let key = self.choice.order.info().key;
        let sign = if self.choice.order.descends { ">" } else { "<" };
        Ok(format!(
            "with anchor as (select {key} as anchor_key, trace_id as anchor_id from traces where trace_id = '{id}' limit 1) \
             select count(*) as len, max(duration_ns) as longest_ns, \
             count(*) filter (where {key} {sign} anchor_key or ({key} = anchor_key and trace_id < anchor_id)) as before, \
             coalesce(bool_or(trace_id = anchor_id), false) as has_anchor \
             from traces left join anchor on true where {condition}"
        ))
    }
}

impl Row {
    fn read(table: &Table, index: usize) -> Self {
        let text = |name: &str| match table.get(index, name) {
            Cell::Text(text) => text.to_owned(),
            _ => String::new(),
        };
        let count = |name: &str| number(table.get(index, name));
        let time = |name: &str| match table.get(index, name) {
            Cell::Time(value) | Cell::Int(value) => value,
            _ => 0,
        };
        Self {
            trace_id: text("trace_id"),
            start_ns: time("start"),
            duration_ns: time("duration_ns"),
            root_service: text("root_service"),
            root_name: text("root_name"),
            num_spans: count("num_spans"),
            num_services: count("num_services"),
            num_errors: count("num_errors"),
            is_complete: table.get(index, "is_complete") != Cell::Bool(false),
            is_stitched: table.get(index, "is_stitched") == Cell::Bool(true),
            num_findings: count("num_findings"),
        }
    }
}

/// Returns a whole number that is not negative; 0 for anything else.
fn number(cell: Cell<'_>) -> u64 {
    match cell {
        Cell::Int(value) => u64::try_from(value).unwrap_or_default(),
        Cell::UInt(value) => value,
        Cell::Double(value) => value.max(0.0) as u64,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_is_sql_that_can_be_pasted() {
        let choice = Choice {
            order: Order::named("duration").unwrap(),
            filter: Some("{ duration > 1s }".to_owned()),
            errors_only: true,
            range: Some((1, 2)),
        };
        let sql = choice.sql().unwrap();
        assert!(sql.contains("num_errors > 0 and trace_id in (SELECT"), "{sql}");
        assert!(sql.ends_with("order by duration_ns desc, trace_id"), "{sql}");
    }

    #[test]
    fn a_bad_filter_says_where() {
        let choice = Choice { filter: Some("{ duration > }".to_owned()), ..Choice::default() };
        assert!(matches!(choice.condition(), Err(AskError::Bad { at: Some(_), .. })));
    }

    #[test]
    fn an_anchor_is_only_looked_for_where_it_is_an_id() {
        let request = PageRequest::default();
        assert!(request.measure_sql(Some("4bf9")).unwrap().contains("'4bf9'"));
        assert!(!request.measure_sql(Some("'; drop")).unwrap().contains("drop"));
    }
}
