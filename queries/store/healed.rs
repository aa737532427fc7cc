//! Reads a trace together with the traces that were joined to it.

use duckdb::Connection;
use hashbrown::HashMap;
use serde_json::Value;

use super::{Reader, TraceId, spans};
use crate::cancel::Cancel;
use crate::error::AskError;
use crate::trace::healed::{Healed, Join, NONE};
use crate::trace::spans::Spans;

/// A request that was torn into more pieces than this is shown in part.
const MAX_TRACES: usize = 500;

/// One row of `settled_stitches`.
struct Joined {
    parent: TraceId,
    child: TraceId,
    parent_span_id: u64,
    child_row: i64,
    join: Join,
}

/// Returns the trace with all that hangs together with it by accepted and likely joins.
pub(super) fn load(reader: &Reader, id: TraceId, cancel: &Cancel) -> Result<Healed, AskError> {
    let derived = reader.shared().derived();
    let (traces, joins) = reader.run(cancel, |connection| connected(connection, derived, id))?;
    let mut healed = Healed::default();
    for trace in traces {
        let spans = spans::load_trace(reader, trace, cancel);
        if cancel.is_stopped() {
            return Err(AskError::Cancelled);
        }
        match spans {
            Ok(spans) => push(&mut healed, trace, spans),
            // A piece that retention removed is missed by none but the trace that was asked for.
            Err(error) if trace == id => return Err(error),
            Err(_) => {}
        }
    }
    apply(&mut healed, joins);
    healed.offset_ns = reader.run(cancel, |connection| offsets(connection, derived, &healed.spans.row))?;
    Ok(healed)
}

/// Returns the ids of all traces that hang together with `id`, itself first.
pub(super) fn pieces(reader: &Reader, id: TraceId, cancel: &Cancel) -> Result<Vec<TraceId>, AskError> {
    let derived = reader.shared().derived();
    reader.run(cancel, |connection| connected(connection, derived, id).map(|(traces, _)| traces))
}

/// Follows joins from `id` in both directions, level by level.
fn connected(connection: &Connection, derived: &str, id: TraceId) -> duckdb::Result<(Vec<TraceId>, Vec<Joined>)> {
    let (mut traces, mut level, mut joins) = (vec![id], vec![id], HashMap::new());
    while !level.is_empty() && traces.len() < MAX_TRACES {
        let found = joins_of(connection, derived, &level)?;
        level.clear();
        for joined in found {
            for trace in [joined.parent, joined.child] {
                if !traces.contains(&trace) && traces.len() < MAX_TRACES {
                    traces.push(trace);
                    level.push(trace);
                }
            }
            joins.insert(joined.child_row, joined);
        }
    }
    let mut joins: Vec<Joined> = joins.into_values().collect();
    joins.sort_by_key(|joined| joined.child_row);
    Ok((traces, joins))
}

fn joins_of(connection: &Connection, derived: &str, traces: &[TraceId]) -> duckdb::Result<Vec<Joined>> {
    let ids: Vec<String> = traces.iter().map(|id| format!("({}::UBIGINT, {}::UBIGINT)", id.hi, id.lo)).collect();
    let ids = ids.join(", ");
    let sql = format!(
        "SELECT parent_hi, parent_lo, child_hi, child_lo, parent_span_id, child_row, confidence, state, rule, evidence \
         FROM {derived}settled_stitches WHERE state <> 'candidate' \
         AND ((parent_hi, parent_lo) IN ({ids}) OR (child_hi, child_lo) IN ({ids})) ORDER BY child_row"
    );
    let mut statement = connection.prepare(&sql)?;
    let joins = statement.query_map([], |row| {
        let evidence: String = row.get(9)?;
        let evidence: Value = serde_json::from_str(&evidence).unwrap_or_default();
        let join = Join {
            recorded_parent: 0,
            confidence: row.get(6)?,
            is_accepted: row.get::<_, String>(7)? == "accepted",
            rule: row.get(8)?,
            why: evidence["why"].as_str().unwrap_or_default().to_owned(),
        };
        let parent = TraceId { hi: row.get(0)?, lo: row.get(1)? };
        let child = TraceId { hi: row.get(2)?, lo: row.get(3)? };
        Ok(Joined { parent, child, parent_span_id: row.get(4)?, child_row: row.get(5)?, join })
    })?;
    joins.collect()
}

fn push(healed: &mut Healed, id: TraceId, spans: Spans) {
    let number = healed.traces.len() as u32;
    healed.traces.push(id.to_string());
    healed.trace.resize(healed.trace.len() + spans.len(), number);
    healed.spans.append(spans);
}

/// Gives joined spans the parent that was found for them.
fn apply(healed: &mut Healed, joins: Vec<Joined>) {
    healed.join = vec![NONE; healed.spans.len()];
    let places: HashMap<i64, usize> = healed.spans.row.iter().enumerate().map(|(at, &row)| (row, at)).collect();
    for mut joined in joins {
        let Some(&at) = places.get(&joined.child_row) else { continue };
        joined.join.recorded_parent = healed.spans.parent_span_id[at];
        healed.spans.parent_span_id[at] = joined.parent_span_id;
        healed.join[at] = healed.joins.len() as u32;
        healed.joins.push(joined.join);
    }
}

/// Returns what to add to the times of the spans in `rows`.
fn offsets(connection: &Connection, derived: &str, rows: &[i64]) -> duckdb::Result<Vec<i64>> {
    let mut offsets = vec![0; rows.len()];
    let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));
    if count(&format!("SELECT count(*) FROM {derived}settled_clocks WHERE offset_ns <> 0"))? == 0 {
        return Ok(offsets);
    }
    let (Some(first), Some(last)) = (rows.iter().min(), rows.iter().max()) else { return Ok(offsets) };
    let sql = format!(
        "SELECT s.\"row\", first(c.offset_ns ORDER BY c.stretch) FROM raw_spans s \
         JOIN {derived}settled_clocks c ON c.resource_id = s.resource_id \
         WHERE s.\"row\" BETWEEN {first} AND {last} AND c.offset_ns <> 0 GROUP BY s.\"row\""
    );
    let places: HashMap<i64, usize> = rows.iter().enumerate().map(|(at, &row)| (row, at)).collect();
    let mut statement = connection.prepare(&sql)?;
    let mut found = statement.query([])?;
    while let Some(row) = found.next()? {
        if let Some(&at) = places.get(&row.get::<_, i64>(0)?) {
            offsets[at] = row.get(1)?;
        }
    }
    Ok(offsets)
}
