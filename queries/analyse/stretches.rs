//! Which spans are looked at together.

use duckdb::Connection;
use hashbrown::HashSet;
use xxhash_rust::xxh3::Xxh3;

/// Traces that start in one slot are never parted.
pub(super) const SLOT_NS: i64 = 10_000_000_000;

/// Rises when the same spans give other stitches or findings.
const CODE_VERSION: u64 = 1;

/// Traces that start in `from..to`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) fingerprint: u64,
    pub(super) from_ns: i64,
    pub(super) to_ns: i64,
    /// Whether it holds all traces of the store.
    pub(super) is_all: bool,
}

/// What happened in one slot.
struct Slot {
    number: i64,
    num_rows: u64,
    print: [i64; 4],
}

/// Returns the stretches of the store.
///
/// Slots that end after `watermark_ns` wait: their traces may not be whole yet. A late span of an earlier slot has that one looked
/// at again.
pub(super) fn find(
    connection: &Connection,
    derived: &str,
    rules: u64,
    max_rows: u64,
    watermark_ns: i64,
) -> duckdb::Result<Vec<Stretch>> {
    let mut slots = slots(connection, derived)?;
    let num_slots = slots.len();
    slots.retain(|slot| slot.number.saturating_add(1).saturating_mul(SLOT_NS) <= watermark_ns);
    let is_all = slots.len() == num_slots;
    let mut stretches = Vec::new();
    let mut rest = slots.as_slice();
    while !rest.is_empty() {
        let (taken, later) = rest.split_at(how_many(rest, max_rows));
        stretches.extend(stretch(taken, rules));
        rest = later;
    }
    if let [only] = stretches.as_mut_slice() {
        only.is_all = is_all;
    }
    Ok(stretches)
}

/// Returns the fingerprints of the stretches that are known.
pub(super) fn known(connection: &Connection, derived: &str) -> duckdb::Result<HashSet<u64>> {
    let mut statement = connection.prepare(&format!("SELECT stretch FROM {derived}analysed_stretches"))?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// Counts rows and logs by slot. Sums of row numbers change with any row that comes or goes.
fn slots(connection: &Connection, derived: &str) -> duckdb::Result<Vec<Slot>> {
    let sql = format!(
        "SELECT slot, CAST(sum(rows) AS UBIGINT), CAST(sum(first) AS BIGINT), CAST(sum(last) AS BIGINT), \
         CAST(sum(logs) AS BIGINT), CAST(sum(log_rows) AS BIGINT) FROM (\
         SELECT epoch_ns(start) // {SLOT_NS} AS slot, sum(num_rows) AS rows, sum(first_row) AS first, sum(last_row) AS last, \
         0 AS logs, 0 AS log_rows FROM {derived}settled_traces GROUP BY slot UNION ALL \
         SELECT epoch_ns(time) // {SLOT_NS}, 0, 0, 0, count(*), sum(\"row\") FROM raw_logs GROUP BY 1 UNION ALL \
         SELECT epoch_ns(time) // {SLOT_NS}, 0, 0, 0, count(*), sum(\"row\") FROM raw_metrics GROUP BY 1) \
         GROUP BY slot ORDER BY slot"
    );
    let mut statement = connection.prepare(&sql)?;
    let slots = statement.query_map([], |row| {
        let print = [row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?];
        Ok(Slot { number: row.get(0)?, num_rows: row.get(1)?, print })
    })?;
    slots.collect()
}

/// How many slots the next stretch takes: at least one.
fn how_many(slots: &[Slot], max_rows: u64) -> usize {
    let mut sum = 0_u64;
    let fits = slots.iter().take_while(|slot| {
        sum = sum.saturating_add(slot.num_rows);
        sum <= max_rows
    });
    fits.count().max(1)
}

fn stretch(slots: &[Slot], rules: u64) -> Option<Stretch> {
    let (first, last) = (slots.first()?, slots.last()?);
    let mut hasher = Xxh3::new();
    let mut add = |number: i64| hasher.update(&number.to_le_bytes());
    add(CODE_VERSION as i64);
    add(rules as i64);
    for slot in slots {
        add(slot.number);
        add(slot.num_rows as i64);
        slot.print.iter().for_each(|&number| add(number));
    }
    Some(Stretch {
        fingerprint: hasher.digest(),
        from_ns: first.number.saturating_mul(SLOT_NS),
        to_ns: last.number.saturating_add(1).saturating_mul(SLOT_NS),
        is_all: false,
    })
}
