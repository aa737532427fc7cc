//! Spans that come twice: the same ids and the same content are one span, the same ids with other content are two.

use duckdb::Connection;
use hashbrown::{HashMap, HashSet};

use super::rows::Rows;
use super::{Stop, Stretch};
use crate::store::columns::Columns;
use crate::store::writer::append_columns;

/// What repeats in one part.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// By row that repeats an earlier one: its source.
    pub(super) hidden: HashMap<i64, u32>,
    /// Rows of visible spans that share their id with another visible one, and whether they did before this settling.
    pub(super) shared: Vec<(i64, bool)>,
}

/// Finds repeated span ids within each trace, and compares what the spans hold.
pub(super) fn find(connection: &Connection, rows: &Rows, stretch: &Stretch) -> Result<Repeats, Stop> {
    let groups = repeated_ids(rows);
    if groups.is_empty() {
        return Ok(Repeats::default());
    }
    let contents = contents(connection, rows, &groups)?;
    let mut repeats = Repeats::default();
    for group in &groups {
        repeats.compare(rows, group, &contents, stretch);
    }
    Ok(repeats)
}

/// Returns groups of spans, by row, that share trace and span id.
fn repeated_ids(rows: &Rows) -> Vec<Vec<u32>> {
    let mut groups = Vec::new();
    let mut seen: Vec<(u64, u32)> = Vec::new();
    for trace in 0..rows.num_traces() {
        seen.clear();
        seen.extend(rows.of_trace(trace).iter().map(|&at| (rows.span_id[at as usize], at)));
        // Stable, so that spans of one id stay by row.
        seen.sort_by_key(|&(id, _)| id);
        groups.extend(
            seen.chunk_by(|left, right| left.0 == right.0)
                .filter(|group| group.len() > 1)
                .map(|group| group.iter().map(|&(_, at)| at).collect()),
        );
    }
    groups
}

/// Returns a hash of everything recorded in each of these rows but where it came from, and its source.
fn contents(connection: &Connection, rows: &Rows, groups: &[Vec<u32>]) -> duckdb::Result<HashMap<i64, (u64, u32)>> {
    connection.execute_batch("CREATE OR REPLACE TEMP TABLE repeated (\"row\" BIGINT)")?;
    let mut columns = Columns::default();
    columns.int("row", groups.iter().flatten().map(|&at| rows.row[at as usize]).collect());
    append_columns(connection, "repeated", columns)?;
    let sql = "SELECT \"row\", hash(*COLUMNS(* EXCLUDE (\"row\", source_id))), source_id FROM raw_spans \
               WHERE \"row\" IN (FROM repeated)";
    let mut statement = connection.prepare(sql)?;
    let contents = statement.query_map([], |row| Ok((row.get(0)?, (row.get(1)?, row.get(2)?))))?;
    contents.collect()
}

impl Repeats {
    fn compare(&mut self, rows: &Rows, group: &[u32], contents: &HashMap<i64, (u64, u32)>, stretch: &Stretch) {
        let mut seen: HashSet<u64> = HashSet::new();
        let mut visible: Vec<i64> = Vec::new();
        for &at in group {
            let row = rows.row[at as usize];
            let Some(&(content, source)) = contents.get(&row) else { continue };
            if seen.insert(content) {
                visible.push(row);
            } else {
                self.hidden.insert(row, source);
            }
        }
        // Spans without an id share nothing; they are marked for that already.
        let has_id = group.first().is_some_and(|&at| rows.span_id[at as usize] != 0);
        if has_id && visible.len() > 1 {
            let num_old = visible.iter().filter(|&&row| row <= stretch.after).count();
            self.shared.extend(visible.iter().map(|&row| (row, row <= stretch.after && num_old > 1)));
        }
    }
}
