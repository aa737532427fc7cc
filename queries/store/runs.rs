//! Chaos runs and their journals.

use duckdb::params;

use super::{Store, lock};
use crate::error::WriteError;

/// A run as its journal tells it. Times are nanoseconds since 1970, UTC.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunRecord {
    pub run_id: String,
    pub name: String,
    pub started_ns: i64,
    pub ended_ns: i64,
    /// As the Chaos Toolkit names it: completed, failed, aborted, interrupted.
    pub state: String,
    /// The experiment, as JSON.
    pub plan: String,
    pub verdict: Option<String>,
    pub events: Vec<RunEvent>,
}

/// One line of a run's journal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunEvent {
    pub time_ns: i64,
    pub kind: String,
    pub fault: String,
    /// JSON.
    pub details: String,
}

impl Store {
    /// Keeps a run with its journal, in place of what was known of it, and says of everything in this store that it came from it.
    pub fn record_run(&self, run: &RunRecord) -> Result<(), WriteError> {
        let _writing = lock(&self.shared.writer);
        let failed = |error: duckdb::Error| self.shared.write_error(&error);
        let connection = self.shared.connection().map_err(failed)?;
        let transaction = connection.unchecked_transaction().map_err(failed)?;
        insert(&transaction, run).map_err(failed)?;
        transaction.commit().map_err(failed)
    }
}

fn insert(connection: &duckdb::Connection, run: &RunRecord) -> duckdb::Result<()> {
    let id = &run.run_id;
    connection.execute("DELETE FROM raw_runs WHERE run_id = ?", params![id])?;
    connection.execute("DELETE FROM raw_run_events WHERE run_id = ?", params![id])?;
    connection.execute("UPDATE raw_sources SET run_id = ? WHERE run_id IS NULL", params![id])?;
    connection.execute(
        "INSERT INTO raw_runs VALUES (?, ?, make_timestamp_ns(?), make_timestamp_ns(?), ?, ?, ?)",
        params![id, run.name, run.started_ns, run.ended_ns, run.state, run.plan, run.verdict],
    )?;
    let mut statement = connection.prepare("INSERT INTO raw_run_events VALUES (?, make_timestamp_ns(?), ?, ?, ?)")?;
    for event in &run.events {
        statement.execute(params![id, event.time_ns, event.kind, event.fault, event.details])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cancel::Cancel;
    use crate::desk::{Desk, Question};

    #[test]
    fn a_run_stands_in_the_views_once_however_often_it_is_kept() {
        let store = Store::temporary().unwrap();
        let event = RunEvent {
            time_ns: 5,
            kind: "armed".to_owned(),
            fault: "latency".to_owned(),
            details: "{\"a\":1}".to_owned(),
        };
        let mut run = RunRecord {
            run_id: "r1".to_owned(),
            name: "stall".to_owned(),
            started_ns: 1,
            ended_ns: 9,
            state: "failed".to_owned(),
            plan: "{}".to_owned(),
            verdict: None,
            events: vec![event],
        };
        store.record_run(&run).unwrap();
        run.state = "completed".to_owned();
        run.verdict = Some("REPRODUCED".to_owned());
        store.record_run(&run).unwrap();
        let sql = "SELECT r.state, r.verdict, e.kind FROM runs r JOIN run_events e USING (run_id)";
        let question = Question::Sql { sql: sql.to_owned(), max_rows: None };
        let table = store.ask(&question, &Cancel::default()).unwrap();
        assert_eq!(table.num_rows(), 1);
        assert_eq!(table.get(0, "verdict"), crate::table::Cell::Text("REPRODUCED"));
    }
}
