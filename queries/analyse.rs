//! Stitches torn traces and looks for what tore them: stretch of time by stretch of time, each again only when something that it
//! was made of changed.
//!
//! A stretch is made of whole slots of ten seconds of traces' starts, as many as hold [`STRETCH_ROWS`] spans. Which slots go
//! together follows from what the store holds, not from how it came, so that the result is the same whatever the order and
//! batching of arrival. Memory is bounded by one stretch.

mod load;
mod rows;
pub mod sql_rules;
mod stretches;

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use duckdb::Connection;

use crate::cancel::Cancel;
use crate::detect::{Case, Rules, detect};
use crate::error::{AskError, WriteError};
use crate::settle::SettleError;
use crate::stitch::stitch;
use crate::store::reader::interruptible;
use crate::store::{Store, lock, writer};
use crate::trace::window::Window;
use rows::Rows;
use sql_rules::BrokenRule;
use stretches::Stretch;

/// Spans that are looked at together, about.
const STRETCH_ROWS: u64 = 500_000;

/// Stretches that are looked at at the same time: each takes a core and memory.
const AT_ONCE: usize = 2;

/// How long a trace may take to arrive while receiving: exporters send every five seconds.
const GRACE: Duration = Duration::from_secs(10);

/// What analysing did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Analysed {
    /// Stretches that were looked at, and those that had not changed.
    pub stretches: usize,
    pub unchanged: usize,
    pub stitches: usize,
    pub findings: usize,
    /// Rules whose SQL does not fit the store.
    pub broken: Vec<BrokenRule>,
}

/// Why analysing stops early.
enum Stop {
    Cancelled,
    Database(duckdb::Error),
    Write(WriteError),
}

impl From<duckdb::Error> for Stop {
    fn from(error: duckdb::Error) -> Self {
        Self::Database(error)
    }
}

/// What the last analysis saw: where it is still so, there is nothing to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    last_row: i64,
    /// Last rows of logs and metrics, added up.
    last_other: i64,
    num_traces: i64,
    rules: u64,
    /// The slot of the watermark.
    watermark: i64,
}

impl Store {
    /// Brings stitches and findings up to date, and all other derived views before them.
    pub fn analyse(&self, cancel: &Cancel) -> Result<Analysed, SettleError> {
        self.settle(cancel)?;
        let mut seen = lock(&self.shared.analysed);
        let connection = self.shared.connection().map_err(|error| self.analyse_error(&error))?;
        let rules = self.rules();
        let now = self.seen(&connection, &rules).map_err(|error| self.analyse_error(&error))?;
        if seen.as_ref() == Some(&now) {
            return Ok(Analysed::default());
        }
        let result = interruptible(&connection, cancel, |connection| self.analyse_changed(connection, &rules, cancel));
        match result {
            Ok(analysed) => {
                *seen = Some(now);
                Ok(analysed)
            }
            Err(_) if cancel.is_stopped() => Err(SettleError::Cancelled),
            Err(Stop::Cancelled) => Err(SettleError::Cancelled),
            Err(Stop::Database(error)) => Err(self.analyse_error(&error)),
            Err(Stop::Write(error)) => Err(SettleError::Write(error)),
        }
    }

    /// Reads all traces that start in `from_ns..to_ns`, and the logs of that time. Everything where both are the extremes.
    pub fn window(&self, from_ns: i64, to_ns: i64, cancel: &Cancel) -> Result<Window, SettleError> {
        self.settle(cancel)?;
        let connection = self.shared.connection().map_err(|error| self.analyse_error(&error))?;
        let stretch = Stretch { fingerprint: 0, from_ns, to_ns, is_all: from_ns == i64::MIN && to_ns == i64::MAX };
        let window = load::window(&connection, self.shared.derived(), &stretch);
        window.map_err(|error| self.analyse_error(&error))
    }

    /// Tells whether its spans may be read as a whole.
    pub fn fits_at_once(&self) -> Result<bool, AskError> {
        /// More take gigabytes.
        const MAX_SPANS: u64 = 500_000;
        Ok(self.num_spans()? <= MAX_SPANS)
    }

    /// Reads everything; where that does not fit, what was recorded in the 15 minutes before and behind `time_ns`.
    pub fn recording(&self, time_ns: i64, cancel: &Cancel) -> Result<Window, AskError> {
        const AROUND_NS: i64 = 15 * 60 * 1_000_000_000;
        let (from_ns, to_ns) = if self.fits_at_once()? {
            (i64::MIN, i64::MAX)
        } else {
            (time_ns.saturating_sub(AROUND_NS), time_ns.saturating_add(AROUND_NS))
        };
        self.window(from_ns, to_ns, cancel).map_err(|error| match error {
            SettleError::Cancelled => AskError::Cancelled,
            other => AskError::Store { message: other.to_string() },
        })
    }

    /// Sets the rules that detectors go by from now on; findings follow with the next analysis.
    pub fn set_rules(&self, rules: Arc<Rules>) {
        *lock(&self.shared.rules) = rules;
    }

    /// Returns the rules that detectors go by.
    #[must_use]
    pub fn rules(&self) -> Arc<Rules> {
        lock(&self.shared.rules).clone()
    }

    fn seen(&self, connection: &Connection, rules: &Rules) -> duckdb::Result<Seen> {
        let derived = self.shared.derived();
        let watermark = self.watermark_ns() / stretches::SLOT_NS;
        let sql = format!(
            "SELECT (SELECT \"row\" FROM {derived}settle_state), \
             (SELECT coalesce(max(\"row\"), 0) FROM raw_logs) + (SELECT coalesce(max(\"row\"), 0) FROM raw_metrics), \
             (SELECT count(*) FROM {derived}settled_traces)"
        );
        connection.query_row(&sql, [], |row| {
            Ok(Seen {
                last_row: row.get(0)?,
                last_other: row.get(1)?,
                num_traces: row.get(2)?,
                rules: rules.hash(),
                watermark,
            })
        })
    }

    fn analyse_changed(&self, connection: &Connection, rules: &Rules, cancel: &Cancel) -> Result<Analysed, Stop> {
        let derived = self.shared.derived();
        let all = stretches::find(connection, derived, rules.hash(), STRETCH_ROWS, self.watermark_ns())?;
        let known = stretches::known(connection, derived)?;
        let (unchanged, changed): (Vec<Stretch>, Vec<Stretch>) =
            all.into_iter().partition(|stretch| known.contains(&stretch.fingerprint));
        if changed.is_empty() && known.len() == unchanged.len() {
            return Ok(Analysed { unchanged: unchanged.len(), ..Analysed::default() });
        }
        let mut rows = Rows::default();
        for some in changed.chunks(AT_ONCE) {
            if cancel.is_stopped() {
                return Err(Stop::Cancelled);
            }
            self.look_at_all(some, rules)?.into_iter().for_each(|found| rows.append(found));
        }
        let (findings, broken) = sql_rules::find(self, rules, cancel);
        rows.push_findings(findings);
        let analysed = Analysed {
            stretches: changed.len(),
            unchanged: unchanged.len(),
            stitches: rows.num_stitches(),
            findings: rows.num_findings(),
            broken,
        };
        self.write(connection, &rows, &unchanged).map_err(Stop::Write)?;
        Ok(analysed)
    }

    /// Looks at several stretches at once, each on a thread of its own; in their order.
    fn look_at_all(&self, stretches: &[Stretch], rules: &Rules) -> duckdb::Result<Vec<Rows>> {
        let derived = self.shared.derived();
        let look = |stretch| look_at(&self.shared.connection()?, derived, stretch, rules);
        thread::scope(|scope| {
            let threads: Vec<_> = stretches.iter().map(|stretch| scope.spawn(move || look(stretch))).collect();
            // A thread that panicked did so on our own mistake: its stretch is as if it could not be read.
            let found = threads.into_iter().map(|one| one.join().unwrap_or(Err(duckdb::Error::InvalidQuery)));
            found.collect()
        })
    }

    /// Traces that begin after this time may not be whole yet: while receiving, those of the last seconds.
    fn watermark_ns(&self) -> i64 {
        if !self.shared.is_listening.load(Ordering::Acquire) {
            return i64::MAX;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        i64::try_from(now.saturating_sub(GRACE).as_nanos()).unwrap_or(i64::MAX)
    }

    /// Replaces what was known by `rows`; what `unchanged` stretches said stays.
    fn write(&self, connection: &Connection, rows: &Rows, unchanged: &[Stretch]) -> Result<(), WriteError> {
        let _settling = lock(&self.shared.settling);
        let written = (|| {
            let transaction = connection.unchecked_transaction()?;
            rows::write(&transaction, self.shared.derived(), rows, unchanged)?;
            transaction.commit()
        })();
        written.map_err(|error| writer::write_error(self.path(), &error))
    }

    fn analyse_error(&self, error: &duckdb::Error) -> SettleError {
        let path: &Path = self.path();
        SettleError::Write(writer::write_error(path, error))
    }
}

/// Stitches one stretch and looks for what is wrong.
fn look_at(connection: &Connection, derived: &str, stretch: &Stretch, rules: &Rules) -> duckdb::Result<Rows> {
    let window = load::window(connection, derived, stretch)?;
    let stitches = stitch(&window);
    let case = Case::new(&window, &stitches);
    let findings = detect(&case, rules);
    let mut rows = Rows::default();
    rows.push(stretch, &case, &findings);
    Ok(rows)
}

#[cfg(test)]
mod tests;
