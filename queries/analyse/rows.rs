//! What analysing found, as rows of the derived tables.

use std::collections::BTreeMap;

use duckdb::Connection;
use serde_json::{Map, Value, json};

use super::stretches::Stretch;
use crate::detect::{Case, Finding, Severity};
use crate::stitch::{State, Stitch};
use crate::store::columns::Columns;
use crate::store::writer::append_columns;
use crate::trace::skew::{Limits, Skew};
use crate::trace::window::{NONE, Resource, Window};

/// Rows of all derived tables that analysing writes.
#[derive(Debug, Default)]
pub(super) struct Rows {
    stretches: Vec<Stretch>,
    stitches: Vec<StitchRow>,
    findings: Vec<FindingRow>,
    notes: Vec<(u64, u128, Note)>,
    clocks: Vec<(u64, u32, i64)>,
}

#[derive(Debug)]
struct StitchRow {
    stretch: u64,
    parent: (u128, u64, i64),
    child: (u128, u64, i64),
    confidence: f64,
    state: &'static str,
    rule: &'static str,
    evidence: String,
}

/// A finding, the stretch that it is of, when that begins, and its place in it.
type FindingRow = (Stretch, i64, Finding);

/// What the list of traces says about one.
#[derive(Debug, Clone, Copy, Default)]
struct Note {
    is_stitched: bool,
    num_findings: i64,
}

impl Rows {
    pub(super) fn num_stitches(&self) -> usize {
        self.stitches.len()
    }

    pub(super) fn num_findings(&self) -> usize {
        self.findings.len()
    }

    /// Adds what was found elsewhere.
    pub(super) fn append(&mut self, mut other: Self) {
        self.stretches.append(&mut other.stretches);
        self.stitches.append(&mut other.stitches);
        self.findings.append(&mut other.findings);
        self.notes.append(&mut other.notes);
        self.clocks.append(&mut other.clocks);
    }

    /// Adds what was found in one stretch.
    pub(super) fn push(&mut self, stretch: &Stretch, case: &Case<'_>, findings: &[Finding]) {
        let id = stretch.fingerprint;
        self.stretches.push(*stretch);
        self.stitches.extend(case.stitches.iter().map(|stitch| stitch_row(id, case.window, stitch)));
        self.notes.extend(notes(case, findings).into_iter().map(|(trace, note)| (id, trace, note)));
        self.findings
            .extend(findings.iter().enumerate().map(|(place, finding)| (*stretch, place as i64, finding.clone())));
        self.clocks.extend(clocks(case).map(|(resource, offset)| (id, resource, offset)));
    }
}

impl Rows {
    /// Adds what SQL found in the whole store: it is of no stretch, and found anew each time.
    pub(super) fn push_findings(&mut self, findings: Vec<Finding>) {
        let whole = Stretch { fingerprint: 0, from_ns: 0, to_ns: 0, is_all: true };
        let mut notes = BTreeMap::new();
        count_findings(&mut notes, &findings);
        self.notes.extend(notes.into_iter().map(|(trace, note)| (0, trace, note)));
        self.findings.extend(findings.into_iter().zip(0..).map(|(finding, place)| (whole, place, finding)));
    }
}

/// What to add to the times of each process whose clock is off.
fn clocks<'c>(case: &'c Case<'_>) -> impl Iterator<Item = (u32, i64)> + 'c {
    let skew = Skew::of(case.window, &case.healed_parent, Limits::default());
    let offset = move |(resource, one): (usize, &Resource)| (one.id, skew.offset_ns(resource as u32).saturating_neg());
    case.window.resources.iter().enumerate().map(offset).filter(|&(_, offset)| offset != 0)
}

fn notes(case: &Case<'_>, findings: &[Finding]) -> BTreeMap<u128, Note> {
    let mut notes: BTreeMap<u128, Note> = BTreeMap::new();
    for stitch in case.stitches.iter().filter(|stitch| stitch.state == State::Accepted) {
        for span in [stitch.parent, stitch.child] {
            notes.entry(case.window.trace_id(span)).or_default().is_stitched = true;
        }
    }
    count_findings(&mut notes, findings);
    notes
}

/// Findings that are more than a note count for the traces that they touch.
fn count_findings(notes: &mut BTreeMap<u128, Note>, findings: &[Finding]) {
    for finding in findings.iter().filter(|finding| finding.severity < Severity::Info) {
        finding.traces.iter().for_each(|&trace| notes.entry(trace).or_default().num_findings += 1);
    }
}

fn stitch_row(stretch: u64, window: &Window, stitch: &Stitch) -> StitchRow {
    let ids = |span: u32| (window.trace_id(span), window.span_id[span as usize], window.row[span as usize]);
    StitchRow {
        stretch,
        parent: ids(stitch.parent),
        child: ids(stitch.child),
        confidence: stitch.confidence,
        state: stitch.state.name(),
        rule: stitch.rule.name(),
        evidence: Value::Object(evidence(window, stitch)).to_string(),
    }
}

fn evidence(window: &Window, stitch: &Stitch) -> Map<String, Value> {
    let found = &stitch.evidence;
    let mut evidence = Map::new();
    evidence.insert("why".to_owned(), json!(stitch.why(window)));
    evidence.insert("class".to_owned(), json!(if stitch.rule.is_exact() { "R0" } else { "R2" }));
    if !found.value.is_empty() {
        evidence.insert("value".to_owned(), json!(window.text(found.value)));
    }
    evidence.insert("candidates".to_owned(), json!(found.candidates));
    if found.runner_up != NONE {
        let id = format!("{:016x}", window.span_id[found.runner_up as usize]);
        evidence.insert("runner_up".to_owned(), json!({"span_id": id, "confidence": found.runner_up_confidence}));
    }
    evidence.insert("before_ns".to_owned(), json!(found.before_ns));
    evidence.insert("after_ns".to_owned(), json!(found.after_ns));
    evidence.insert("offset_ns".to_owned(), json!(found.offset_ns));
    evidence.insert("learned_from".to_owned(), json!(found.learned_from));
    evidence
}

/// Replaces everything but what `unchanged` stretches said.
pub(super) fn write(connection: &Connection, derived: &str, rows: &Rows, unchanged: &[Stretch]) -> duckdb::Result<()> {
    let kept: Vec<String> = unchanged.iter().map(|stretch| format!("{}::UBIGINT", stretch.fingerprint)).collect();
    let gone = if kept.is_empty() { String::new() } else { format!(" WHERE stretch NOT IN ({})", kept.join(", ")) };
    for table in ["analysed_stretches", "settled_stitches", "settled_findings", "trace_notes", "settled_clocks"] {
        connection.execute_batch(&format!("DELETE FROM {derived}{table}{gone}"))?;
    }
    let append = |table: &str, columns: Columns| append(connection, derived, table, columns);
    append("analysed_stretches", stretch_columns(&rows.stretches))?;
    append("settled_stitches", stitch_columns(&rows.stitches))?;
    append("settled_findings", finding_columns(&rows.findings))?;
    append("trace_notes", note_columns(&rows.notes))?;
    append("settled_clocks", clock_columns(&rows.clocks))
}

/// Tables of a store that cannot be written lie in an attached database, which an appender does not find by name.
fn append(connection: &Connection, derived: &str, table: &str, columns: Columns) -> duckdb::Result<()> {
    if derived.is_empty() {
        return append_columns(connection, table, columns);
    }
    let names = columns.names().iter().map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    connection
        .execute_batch(&format!("CREATE OR REPLACE TEMP TABLE new_rows AS SELECT * FROM {derived}{table} LIMIT 0"))?;
    append_columns(connection, "new_rows", columns)?;
    connection.execute_batch(&format!(
        "INSERT INTO {derived}{table} ({names}) SELECT {names} FROM new_rows; DROP TABLE new_rows"
    ))
}

fn stretch_columns(stretches: &[Stretch]) -> Columns {
    let mut columns = Columns::default();
    columns.unsigned("stretch", stretches.iter().map(|stretch| stretch.fingerprint).collect());
    columns.time("from", stretches.iter().map(|stretch| stretch.from_ns).collect());
    columns.time("to", stretches.iter().map(|stretch| stretch.to_ns).collect());
    columns
}

fn stitch_columns(rows: &[StitchRow]) -> Columns {
    let mut columns = Columns::default();
    columns.unsigned("stretch", rows.iter().map(|row| row.stretch).collect());
    for (name, side) in [("parent", 0), ("child", 1)] {
        let ids = |row: &StitchRow| if side == 0 { row.parent } else { row.child };
        columns.unsigned(&format!("{name}_hi"), rows.iter().map(|row| (ids(row).0 >> 64) as u64).collect());
        columns.unsigned(&format!("{name}_lo"), rows.iter().map(|row| ids(row).0 as u64).collect());
        columns.unsigned(&format!("{name}_span_id"), rows.iter().map(|row| ids(row).1).collect());
        columns.int(&format!("{name}_row"), rows.iter().map(|row| ids(row).2).collect());
    }
    columns.double("confidence", rows.iter().map(|row| row.confidence).collect());
    columns.texts("state", rows.iter().map(|row| row.state));
    columns.texts("rule", rows.iter().map(|row| row.rule));
    columns.texts("evidence", rows.iter().map(|row| row.evidence.as_str()));
    columns
}

fn finding_columns(rows: &[FindingRow]) -> Columns {
    let mut columns = Columns::default();
    let examples: Vec<String> = rows.iter().map(|(.., finding)| examples(finding).to_string()).collect();
    let evidence: Vec<String> = rows.iter().map(|(.., finding)| json!(finding.evidence).to_string()).collect();
    let services: Vec<String> = rows.iter().map(|(.., finding)| json!(finding.services).to_string()).collect();
    columns.unsigned("stretch", rows.iter().map(|(stretch, ..)| stretch.fingerprint).collect());
    columns.time("from", rows.iter().map(|(stretch, ..)| stretch.from_ns).collect());
    columns.int("place", rows.iter().map(|(_, place, _)| *place).collect());
    columns.texts("id", rows.iter().map(|(.., finding)| finding.id.as_str()));
    columns.texts("rule", rows.iter().map(|(.., finding)| finding.rule.as_str()));
    columns.texts("group", rows.iter().map(|(.., finding)| finding.group.as_str()));
    columns.byte("severity", rows.iter().map(|(.., finding)| finding.severity as u8).collect());
    columns.double("confidence", rows.iter().map(|(.., finding)| finding.confidence).collect());
    columns.texts("subject", rows.iter().map(|(.., finding)| finding.subject.as_str()));
    columns.texts("services", services.iter().map(String::as_str));
    columns.time("first_seen", rows.iter().map(|(.., finding)| finding.first_seen_ns).collect());
    columns.time("last_seen", rows.iter().map(|(.., finding)| finding.last_seen_ns).collect());
    columns.int("occurrences", rows.iter().map(|(.., finding)| finding.occurrences as i64).collect());
    columns.int("out_of", rows.iter().map(|(.., finding)| finding.out_of as i64).collect());
    columns.texts("examples", examples.iter().map(String::as_str));
    columns.texts("evidence", evidence.iter().map(String::as_str));
    columns.texts("fix", rows.iter().map(|(.., finding)| finding.fix.as_str()));
    columns
}

/// `[{"before":{"trace_id":…,"span_id":…},"after":{…}}]`
fn examples(finding: &Finding) -> Value {
    let ids =
        |(trace, span): (u128, u64)| json!({"trace_id": format!("{trace:032x}"), "span_id": format!("{span:016x}")});
    finding.examples.iter().map(|[before, after]| json!({"before": ids(*before), "after": ids(*after)})).collect()
}

fn note_columns(notes: &[(u64, u128, Note)]) -> Columns {
    let mut columns = Columns::default();
    columns.unsigned("stretch", notes.iter().map(|(stretch, ..)| *stretch).collect());
    columns.unsigned("trace_hi", notes.iter().map(|(_, trace, _)| (*trace >> 64) as u64).collect());
    columns.unsigned("trace_lo", notes.iter().map(|(_, trace, _)| *trace as u64).collect());
    columns.flag("is_stitched", notes.iter().map(|(.., note)| note.is_stitched).collect());
    columns.int("num_findings", notes.iter().map(|(.., note)| note.num_findings).collect());
    columns
}

fn clock_columns(clocks: &[(u64, u32, i64)]) -> Columns {
    let mut columns = Columns::default();
    columns.unsigned("stretch", clocks.iter().map(|(stretch, ..)| *stretch).collect());
    columns.word("resource_id", clocks.iter().map(|(_, resource, _)| *resource).collect());
    columns.int("offset_ns", clocks.iter().map(|(.., offset)| *offset).collect());
    columns
}
