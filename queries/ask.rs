//! Answers questions from a store in this process. The SQL of each answer is a file of `sql/answers`.

mod ids;

use crate::cancel::Cancel;
use crate::desk::{Chosen, Desk, Question, Selection};
use crate::error::AskError;
use crate::run::{self, DEFAULT_MAX_ROWS};
use crate::store::Store;
use crate::table::{Cell, Table};
use crate::traceql;

const TRACES: &str = include_str!("sql/answers/traces.sql");
const TRACE: &str = include_str!("sql/answers/trace.sql");
const HEALED_TRACE: &str = include_str!("sql/answers/healed_trace.sql");
const FINDINGS: &str = include_str!("sql/answers/findings.sql");
const SERVICES: &str = include_str!("sql/answers/services.sql");
const EDGES: &str = include_str!("sql/answers/edges.sql");
const EDGES_OF_TRACES: &str = include_str!("sql/answers/edges_of_traces.sql");
const LOGS: &str = include_str!("sql/answers/logs.sql");
const FLOWS: &str = include_str!("sql/answers/flows.sql");
const NEWEST: &str = include_str!("sql/answers/newest.sql");

impl Desk for Store {
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError> {
        let asked = Asked { store: self, cancel };
        match question {
            Question::Sql { sql, max_rows } => run::run(self, sql, *max_rows, cancel),
            Question::Traces(selection) => asked.traces(selection),
            Question::Trace { id } => asked.trace(id),
            Question::HealedTrace { id } => asked.healed_trace(id),
            Question::Services(selection) => asked.listed(SERVICES, "start", selection),
            Question::Edges(selection) => asked.edges(selection),
            Question::Logs(selection) => asked.listed(LOGS, "time", selection),
            Question::Flows(selection) => asked.flows(selection),
            Question::Findings(chosen) => asked.findings(chosen),
        }
    }
}

struct Asked<'a> {
    store: &'a Store,
    cancel: &'a Cancel,
}

impl Asked<'_> {
    fn traces(&self, selection: &Selection) -> Result<Table, AskError> {
        run::analyse(self.store, self.cancel)?;
        self.listed(TRACES, "start", selection)
    }

    fn edges(&self, selection: &Selection) -> Result<Table, AskError> {
        if selection.traceql.is_some() {
            return self.listed(EDGES_OF_TRACES, "start", selection);
        }
        run::settle(self.store, self.cancel)?;
        self.listed(EDGES, "minute", selection)
    }

    fn flows(&self, selection: &Selection) -> Result<Table, AskError> {
        if selection.traceql.is_some() {
            let message = "flows belong to no trace, so TraceQL cannot choose among them".to_owned();
            return Err(AskError::Bad { message, at: None });
        }
        self.listed(FLOWS, "time", selection)
    }

    fn findings(&self, chosen: &Chosen) -> Result<Table, AskError> {
        run::analyse(self.store, self.cancel)?;
        self.select(&FINDINGS.replace("/* and of these */", &findings_condition(chosen)))
    }

    fn healed_trace(&self, id: &str) -> Result<Table, AskError> {
        run::analyse(self.store, self.cancel)?;
        let found = ids::find(self.store, id, self.cancel)?;
        let traces = self.store.pieces(found.id, self.cancel)?;
        let pieces = traces.iter().filter_map(|piece| ids::find(self.store, &piece.to_string(), self.cancel).ok());
        let (mut ids, mut rows) = (Vec::new(), Vec::new());
        for piece in pieces {
            ids.push(format!("'{}'", piece.id));
            rows.push(format!("\"row\" BETWEEN {} AND {}", piece.first_row, piece.last_row));
        }
        let sql = HEALED_TRACE
            .replace("('0123456789abcdef0123456789abcdef')", &format!("({})", ids.join(", ")))
            .replace("'0123456789abcdef0123456789abcdef'", &format!("'{}'", found.id))
            .replace("/* and in these rows */", &format!("AND ({})", rows.join(" OR ")));
        self.select(&sql)
    }

    fn trace(&self, id: &str) -> Result<Table, AskError> {
        let found = ids::find(self.store, id, self.cancel)?;
        // The rows of a trace lie near each other: the bounds spare the rest of the store.
        let sql = TRACE
            .replace("'0123456789abcdef0123456789abcdef'", &format!("'{:016x}{:016x}'", found.id.hi, found.id.lo))
            .replace(
                "/* and in these rows */",
                &format!("AND \"row\" BETWEEN {} AND {}", found.first_row, found.last_row),
            );
        self.select(&sql)
    }

    /// Fills `selection` into the comments of `template`; `time` is the column that `since_ns` looks at.
    fn listed(&self, template: &str, time: &str, selection: &Selection) -> Result<Table, AskError> {
        let traces = self.traces_condition(selection)?;
        let since = self.since_condition(time, selection)?;
        let limit = selection.limit.map(|limit| format!("LIMIT {limit}")).unwrap_or_default();
        let sql = template
            .replace("/* and of these traces */", &traces)
            .replace("/* and since then */", &since)
            .replace("/* and so many */", &limit);
        self.select(&sql)
    }

    fn traces_condition(&self, selection: &Selection) -> Result<String, AskError> {
        let Some(text) = &selection.traceql else {
            return Ok(String::new());
        };
        let query =
            traceql::parse(text).map_err(|error| AskError::Bad { message: error.message, at: Some(error.at) })?;
        if query.uses_traces() {
            run::settle(self.store, self.cancel)?;
        }
        Ok(format!("AND trace_id IN ({})", traceql::compile(&query, &self.store.conventions())))
    }

    fn since_condition(&self, time: &str, selection: &Selection) -> Result<String, AskError> {
        let Some(since_ns) = selection.since_ns else {
            return Ok(String::new());
        };
        match self.select(NEWEST)?.get(0, "newest_ns") {
            Cell::Int(newest_ns) => {
                Ok(format!("AND {time} >= make_timestamp_ns({})", newest_ns.saturating_sub(since_ns.max(0))))
            }
            _ => Ok(String::new()),
        }
    }

    /// Runs our own SQL: what is wrong with it is our fault.
    fn select(&self, sql: &str) -> Result<Table, AskError> {
        let reader = self.store.reader()?;
        let result = run::select(reader.connection(), sql, DEFAULT_MAX_ROWS, self.cancel);
        if self.cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        result.map_err(|error| match error {
            AskError::Bad { message, .. } => AskError::Store { message },
            other => other,
        })
    }
}

/// What `chosen` asks for, as SQL behind a condition.
fn findings_condition(chosen: &Chosen) -> String {
    let text = |text: &str| format!("'{}'", text.replace('\'', "''"));
    let mut sql = String::new();
    if let Some(id) = &chosen.id {
        sql.push_str(&format!(" AND (rule = {0} OR starts_with(id, lower({0})))", text(id)));
    }
    if let Some(rule) = &chosen.rule {
        sql.push_str(&format!(" AND rule = {}", text(rule)));
    }
    if !chosen.groups.is_empty() {
        let groups: Vec<String> = chosen.groups.iter().map(|group| text(&group.to_uppercase())).collect();
        sql.push_str(&format!(" AND upper(\"group\") IN ({})", groups.join(", ")));
    }
    if let Some(severity) = chosen.severity {
        sql.push_str(&format!(" AND severity_number <= {severity}"));
    }
    sql
}

#[cfg(test)]
mod tests;
