//! What a trace was torn into, how its pieces were joined again, and which of it is shown.

use riftline_queries::cancel::Cancel;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::{Cell, Table};
use riftline_queries::trace::healed::{Healed, Join};
use riftline_queries::trace::spans::Spans;

use crate::tui::jobs::Backend;

/// How a trace is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    /// With all that was joined to it; else only the spans that carry its id, below the parents that were recorded.
    pub is_healed: bool,
    /// With times moved to one clock; only where it is healed.
    pub on_one_clock: bool,
}

impl Default for Sight {
    fn default() -> Self {
        Self { is_healed: true, on_one_clock: true }
    }
}

impl Sight {
    /// Everything as it was recorded.
    pub const RAW: Self = Self { is_healed: false, on_one_clock: true };
}

/// A finding that says why spans had to be joined.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    pub rule: String,
    /// `caller -> callee`, or a service.
    pub subject: String,
    pub fix: String,
}

/// The pieces of a trace, and what is known about each span's piece. Everything is empty for a trace that is whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Torn {
    pub sight: Sight,
    /// Ids of the pieces, the one that was asked for first.
    pub traces: Vec<String>,
    pub num_accepted: usize,
    pub num_maybe: usize,
    /// Whether any clock is off.
    pub is_skewed: bool,
    /// What may name the joins.
    pub findings: Vec<Named>,
    joins: Vec<Join>,
    /// By span.
    join: Vec<u32>,
    /// By span: into `traces`.
    trace: Vec<u32>,
    /// By span: what its clock is off.
    offset_ns: Vec<i64>,
}

impl Torn {
    /// Takes a trace apart into spans as `sight` shows them, and what is known about its pieces.
    #[must_use]
    pub fn new(mut healed: Healed, sight: Sight, findings: Vec<Named>) -> (Spans, Self) {
        let num_accepted = healed.joins.iter().filter(|join| join.is_accepted).count();
        let num_maybe = healed.joins.len() - num_accepted;
        let is_skewed = healed.is_skewed();
        if !sight.is_healed {
            keep_recorded(&mut healed);
        } else if sight.on_one_clock && is_skewed {
            healed.spans = healed.on_one_clock();
        }
        let is_plain = num_accepted + num_maybe == 0 && !is_skewed;
        let Healed { spans, traces, trace, joins, join, offset_ns } = healed;
        let torn = Self { sight, traces, num_accepted, num_maybe, is_skewed, findings, joins, join, trace, offset_ns };
        let torn = if is_plain { Self { sight, traces: torn.traces, ..Self::default() } } else { torn };
        (spans, torn)
    }

    /// Returns the join that put the span below its parent.
    #[must_use]
    pub fn join(&self, span: usize) -> Option<&Join> {
        self.joins.get(*self.join.get(span)? as usize)
    }

    /// Returns the spans that were joined, in their order.
    pub fn joined(&self) -> impl Iterator<Item = usize> {
        (0..self.join.len()).filter(|&span| self.join(span).is_some())
    }

    /// Returns the id of the trace that the span was recorded in; nothing where there is only one.
    #[must_use]
    pub fn piece(&self, span: usize) -> Option<&str> {
        let piece = *self.trace.get(span)? as usize;
        self.traces.get(piece).filter(|_| self.traces.len() > 1).map(String::as_str)
    }

    /// Returns what the clock of the span is off, in nanoseconds to add.
    #[must_use]
    pub fn offset_ns(&self, span: usize) -> i64 {
        self.offset_ns.get(span).copied().unwrap_or_default()
    }

    /// Returns what was added to the span's recorded start.
    #[must_use]
    pub fn added_ns(&self, span: usize) -> i64 {
        if self.is_adjusted() { self.offset_ns(span) } else { 0 }
    }

    /// Tells whether there is another way to look at it.
    #[must_use]
    pub const fn is_torn(&self) -> bool {
        self.num_accepted + self.num_maybe > 0 || self.is_skewed
    }

    /// Tells whether times are moved to one clock.
    #[must_use]
    pub const fn is_adjusted(&self) -> bool {
        self.is_skewed && self.sight.is_healed && self.sight.on_one_clock
    }

    /// Returns the finding about calls from `caller` to `callee`, or about what one of them does with context.
    #[must_use]
    pub fn named(&self, caller: &str, callee: &str) -> Option<&Named> {
        let about = |sides: &[&str]| self.findings.iter().find(|finding| is_about(&finding.subject, sides));
        about(&[caller, callee]).or_else(|| about(&[callee])).or_else(|| about(&[caller]))
    }
}

/// Tells whether a subject names these services. It names them with their namespace, if they have one.
fn is_about(subject: &str, services: &[&str]) -> bool {
    let sides: Vec<&str> = subject.split(" -> ").collect();
    let is_same = |(side, service): (&&str, &&str)| {
        *side == *service || side.strip_suffix(*service).is_some_and(|namespace| namespace.ends_with('/'))
    };
    sides.len() == services.len() && sides.iter().zip(services).all(is_same)
}

/// Leaves the spans of the first trace, with the parents that were recorded.
fn keep_recorded(healed: &mut Healed) {
    for span in 0..healed.spans.len() {
        if let Some(join) = healed.join_of(span) {
            healed.spans.parent_span_id[span] = join.recorded_parent;
        }
    }
    let len = healed.trace.partition_point(|&trace| trace == 0);
    healed.spans.truncate(len);
    healed.trace.truncate(len);
    healed.offset_ns.truncate(len);
    healed.join.clear();
    healed.joins.clear();
}

/// Asks which findings say where context was lost, the worst first.
pub fn ask_findings(backend: &dyn Backend, cancel: &Cancel) -> Result<Vec<Named>, AskError> {
    let sql = "SELECT rule, subject, fix FROM findings WHERE \"group\" IN ('A', 'B', 'C', 'G') \
               ORDER BY severity_number, place, rule, subject"
        .to_owned();
    let table = backend.ask(&Question::Sql { sql, max_rows: Some(1_000) }, cancel)?;
    Ok((0..table.num_rows()).map(|row| named(&table, row)).collect())
}

fn named(table: &Table, row: usize) -> Named {
    let text = |name: &str| match table.get(row, name) {
        Cell::Text(text) => text.to_owned(),
        _ => String::new(),
    };
    Named { rule: text("rule"), subject: text("subject"), fix: text("fix") }
}

#[cfg(test)]
mod tests {
    use riftline_queries::trace::healed::NONE;

    use super::*;

    fn healed() -> Healed {
        let join = Join {
            recorded_parent: 0,
            confidence: 0.97,
            is_accepted: true,
            rule: "call-timing".to_owned(),
            why: "no other fits".to_owned(),
        };
        let spans = Spans {
            row: vec![1, 2],
            span_id: vec![7, 8],
            parent_span_id: vec![0, 7],
            start_ns: vec![1_000, 900],
            duration_ns: vec![500, 100],
            kind: vec![3, 2],
            status: vec![0, 0],
            marks: vec![0, 0],
            service: vec![0, 1],
            name: vec![2, 2],
            texts: ["gateway", "orders", "POST"].map(Into::into).to_vec(),
        };
        Healed {
            spans,
            traces: vec!["aa".to_owned(), "bb".to_owned()],
            trace: vec![0, 1],
            joins: vec![join],
            join: vec![NONE, 0],
            offset_ns: vec![0, 200],
        }
    }

    #[test]
    fn healed_on_one_clock_has_all_spans_with_their_times_moved() {
        let (spans, torn) = Torn::new(healed(), Sight::default(), Vec::new());
        assert_eq!((spans.len(), spans.start_ns[1], torn.added_ns(1)), (2, 1_100, 200));
        assert_eq!((torn.joined().collect::<Vec<_>>(), torn.piece(1)), (vec![1], Some("bb")));
    }

    #[test]
    fn raw_is_the_asked_trace_as_it_was_recorded_and_still_knows_what_was_joined() {
        let (spans, torn) = Torn::new(healed(), Sight::RAW, Vec::new());
        assert_eq!((spans.len(), spans.parent_span_id[0], torn.num_accepted), (1, 0, 1));
        assert_eq!((torn.joined().count(), torn.is_adjusted()), (0, false));
    }

    #[test]
    fn a_finding_about_the_edge_goes_before_one_about_a_service() {
        let finding = |rule: &str, subject: &str| Named {
            rule: rule.to_owned(),
            subject: subject.to_owned(),
            ..Named::default()
        };
        let findings =
            vec![finding("c", "gateway"), finding("b", "orders"), finding("a", "shop/gateway -> shop/orders")];
        let torn = Torn { findings, ..Torn::default() };
        let rule = |caller: &str, callee: &str| torn.named(caller, callee).map(|finding| finding.rule.as_str());
        assert_eq!((rule("gateway", "orders"), rule("stock", "orders")), (Some("a"), Some("b")));
        assert_eq!((rule("gateway", "stock"), rule("stock", "mail")), (Some("c"), None));
    }
}
