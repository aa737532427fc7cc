//! Where questions are asked: a store in this process, or the riftline that holds it, over its private socket.
//!
//! Both give the same answers, so that a script works during an incident while a workstation has the store open.

use serde::{Deserialize, Serialize};

use crate::cancel::Cancel;
use crate::error::AskError;
use crate::table::Table;

/// What can be asked. Travels over the socket as JSON.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "ask")]
pub enum Question {
    /// One SELECT, written by a user: read-only, capped.
    Sql { sql: String, max_rows: Option<u64> },
    /// The view `traces`, newest first.
    Traces(Selection),
    /// The spans of one trace, by start; columns of the view `spans`. `id` is a trace id or a prefix of at least 4 hex digits
    /// that fits one trace only.
    Trace { id: String },
    /// The same, with the spans of all traces that were joined to it, and the columns `healed_parent_span_id` and `stitch`.
    HealedTrace { id: String },
    /// One row a service: spans, errors, p50, p90 and p99 of duration, first and last seen.
    Services(Selection),
    /// The view `edges` summed over minutes: client, server, operation, calls, errors, p50, p99.
    Edges(Selection),
    /// The view `logs`, by time.
    Logs(Selection),
    /// The view `flows`, by time. Socket events belong to no trace: a TraceQL filter is refused.
    Flows(Selection),
    /// The view `findings`, the first to fix first.
    Findings(Chosen),
}

/// Which findings. What is empty or absent chooses all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Chosen {
    /// A finding's id or the first digits of it, or the id of a rule.
    pub id: Option<String>,
    pub rule: Option<String>,
    /// Letters of the catalogue.
    pub groups: Vec<String>,
    /// The least severity, as a number: 0 crit to 4 info.
    pub severity: Option<u8>,
}

/// Which rows, for the views that scripts list.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Selection {
    /// TraceQL spanset filter `{…}`: traces that have a matching span; spans, edges and logs of those traces.
    pub traceql: Option<String>,
    /// Only what starts within this many nanoseconds before the newest record in the store.
    pub since_ns: Option<i64>,
    pub limit: Option<u64>,
}

/// Somebody who answers questions.
pub trait Desk: Send + Sync {
    /// Answers `question`; stops early with [`AskError::Cancelled`] once `cancel` is stopped.
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError>;
}
