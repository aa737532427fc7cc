//! A store that answers from memory.

use std::sync::Arc;

use riftline::tui::effect::{Answer, Request, Slot};
use riftline::view::traces::page::{Page, PageRequest, Row, WINDOW, Whole};
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::{Column, Table, Values};

use super::chaos::Lab;
use super::findings;

/// 2026-09-14 10:52:03.112 UTC.
pub const NOON: i64 = 1_789_383_123_112_000_000;
pub const SECOND: i64 = 1_000_000_000;

/// What the store holds.
pub struct Desk {
    rows: Vec<Row>,
    is_broken: bool,
    is_healthy: bool,
    /// Answers what is about experiments and runs.
    pub lab: Lab,
}

impl Desk {
    /// A shop with an incident: 2 500 traces, the newest first.
    pub fn shop() -> Self {
        Self {
            rows: (0..2_500).map(|number| row(number, NOON)).collect(),
            is_broken: false,
            is_healthy: false,
            lab: Lab::default(),
        }
    }

    pub fn empty() -> Self {
        Self { rows: Vec::new(), is_broken: false, is_healthy: true, lab: Lab::default() }
    }

    /// The shop before the incident.
    pub fn healthy() -> Self {
        Self { is_healthy: true, ..Self::shop() }
    }

    pub fn broken() -> Self {
        Self { rows: Vec::new(), is_broken: true, is_healthy: false, lab: Lab::default() }
    }

    /// Puts traces before the newest.
    pub fn add_newer(&mut self, num_rows: i64) {
        let newer =
            (0..num_rows).map(|number| Row { trace_id: format!("{number:032x}"), ..row(number, NOON + 99 * SECOND) });
        self.rows.splice(0..0, newer);
    }

    pub fn answer(&self, slot: Slot, request: &Request) -> Option<Answer> {
        if self.is_broken {
            return Some(Answer::Failed(AskError::Store { message: "disk I/O error".to_owned() }));
        }
        match (slot.name, request) {
            (_, Request::Chaos(errand)) => self.lab.answer(errand),
            (_, Request::Page(request)) => Some(Answer::Page(Box::new(self.page(request)))),
            ("extent", _) => Some(table(self.extent())),
            ("findings", _) if self.is_healthy => Some(Answer::Table(Arc::new(Table::default()))),
            ("findings", Request::Table(Question::Sql { sql, .. })) if sql.starts_with("select id") => {
                Some(table(findings::severities()))
            }
            ("findings", _) => Some(table(findings::all())),
            ("before" | "after", Request::Trace { id, .. }) => Some(Answer::Trace(Arc::new(findings::trace(id)))),
            ("names", Request::Table(Question::Sql { sql, .. })) if sql.contains("duckdb_views") => {
                Some(table(columns()))
            }
            ("names", _) => Some(table(names())),
            ("run", Request::Table(Question::Sql { sql, .. })) if sql.contains("frm") => Some(mistake(sql)),
            ("run", _) => Some(table(services())),
            _ => None,
        }
    }

    fn page(&self, request: &PageRequest) -> Page {
        let fits = |row: &&Row| !request.choice.errors_only || row.num_errors > 0;
        let mut rows: Vec<Row> = self.rows.iter().filter(fits).cloned().collect();
        if request.choice.order.info().name == "duration" {
            rows.sort_by_key(|row| (-row.duration_ns, row.trace_id.clone()));
        }
        let anchor = request.anchor.as_ref().and_then(|id| rows.iter().position(|row| row.trace_id == *id));
        let first = anchor.map_or(request.first as usize, |anchor| anchor.saturating_sub(request.first as usize));
        let longest_ns = rows.iter().map(|row| row.duration_ns).max().unwrap_or_default();
        let whole = Whole { len: rows.len() as u64, longest_ns };
        let rows = rows.into_iter().skip(first).take(WINDOW as usize).collect();
        Page { rows, first: first as u64, whole, anchor: anchor.map(|anchor| anchor as u64) }
    }

    fn extent(&self) -> Vec<Column> {
        let time = |row: Option<&Row>| Values::Time(vec![row.map(|row| row.start_ns)]);
        vec![column("first", time(self.rows.last())), column("last", time(self.rows.first()))]
    }
}

/// Returns the trace that is `number` before the newest, with sizes that look like those of a shop.
fn row(number: i64, newest: i64) -> Row {
    let hash = (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let roots = [
        ("gateway", "POST /checkout", 47, 6),
        ("gateway", "GET /users/{id}", 5, 2),
        ("gateway", "GET /products", 12, 3),
        ("cron", "nightly-reconciliation", 312, 4),
        ("mobile-backend", "POST /v2/cart/items", 21, 5),
        ("gateway", "GET /health", 1, 1),
        ("mail", "orders.created process", 4, 2),
    ];
    let (service, name, spans, services) = roots[(hash >> 40) as usize % roots.len()];
    let is_slow = number > 3 && number < 400 && name.contains("checkout");
    let jitter = (hash % 997) as i64 * 61_003;
    let duration_ns = if is_slow { SECOND / 2 + jitter * 40 } else { spans * 1_300_000 + jitter };
    Row {
        trace_id: format!("{hash:016x}{:016x}", hash.rotate_left(23)),
        start_ns: newest - number * 187_000_000 - jitter % 1_000_000,
        duration_ns,
        root_service: service.to_owned(),
        root_name: name.to_owned(),
        num_spans: spans as u64,
        num_services: services,
        num_errors: if is_slow { 1 + hash % 3 } else { 0 },
        is_complete: !hash.is_multiple_of(11),
        is_stitched: hash.is_multiple_of(7),
        num_findings: u64::from(is_slow && hash.is_multiple_of(2)),
    }
}

pub fn column(name: &str, values: Values) -> Column {
    Column { name: name.to_owned(), values }
}

fn table(columns: Vec<Column>) -> Answer {
    Answer::Table(Arc::new(Table { columns, is_cut: false }))
}

pub fn texts(values: &[&str]) -> Values {
    Values::Text(values.iter().map(|text| Some((*text).into())).collect())
}

fn names() -> Vec<Column> {
    let labels = ["gateway", "orders", "POST /checkout", "GET /users/{id}"];
    vec![
        column("kind", texts(&["service", "service", "operation", "operation"])),
        column("label", texts(&labels)),
        column("n", Values::Int(vec![Some(402_331), Some(311_204), Some(9_902), Some(1_204)])),
    ]
}

fn columns() -> Vec<Column> {
    let notes = ["view", "traces  bigint", "traces  bigint", "traces  bigint"];
    vec![column("name", texts(&["spans", "num_spans", "num_services", "num_errors"])), column("note", texts(&notes))]
}

fn services() -> Vec<Column> {
    let json =
        |number: i64| Some(format!("{{\"host.name\":\"node-{number}\",\"k8s.pod.name\":\"pod-{number}\"}}").into());
    vec![
        column("service", texts(&["gateway", "orders", "payments", "users", "stock", "mail\u{1b}[31m"])),
        column("spans", Values::Int([402_331, 311_204, 98_112, 41_004, 9_402, 77].map(Some).to_vec())),
        column(
            "p99_ns",
            Values::Int(vec![
                Some(180_000_000),
                Some(2_100_000_000),
                Some(500_000_000),
                Some(61_440_000),
                None,
                Some(1),
            ]),
        ),
        column("error_share", Values::Double([0.004, 0.098, 0.071, 0.0, 0.0, 0.5].map(Some).to_vec())),
        column("first_seen", Values::Time((0..6).map(|number| Some(NOON + number * SECOND)).collect())),
        column("resource", Values::Json((0..6).map(json).collect())),
    ]
}

fn mistake(sql: &str) -> Answer {
    let message = "syntax error at or near \"spans\"".to_owned();
    Answer::Failed(AskError::Bad { message, at: sql.find("spans") })
}
