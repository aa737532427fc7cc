//! Finds a trace by its id, or by the beginning of it.

use crate::cancel::Cancel;
use crate::error::AskError;
use crate::store::{Store, TraceId};

/// Shorter beginnings fit too many traces to be meant.
const MIN_DIGITS: usize = 4;
const MAX_DIGITS: usize = 32;

/// How many traces are named where a beginning fits several.
const NAMED: usize = 5;

/// A trace, and between which rows of the store its spans lie.
pub(super) struct Found {
    pub(super) id: TraceId,
    pub(super) first_row: i64,
    pub(super) last_row: i64,
}

/// Returns the one trace whose id begins with the hexadecimal digits `id`.
pub(super) fn find(store: &Store, id: &str, cancel: &Cancel) -> Result<Found, AskError> {
    let (from, to) = range(id.trim())?;
    let reader = store.reader()?;
    let mut found = reader.run(cancel, |connection| {
        let mut statement = connection.prepare(
            "SELECT trace_hi, trace_lo, min(\"row\"), max(\"row\") FROM raw_spans \
             WHERE trace_hi BETWEEN ? AND ? AND (trace_hi > ? OR trace_lo >= ?) AND (trace_hi < ? OR trace_lo <= ?) \
             GROUP BY trace_hi, trace_lo ORDER BY trace_hi, trace_lo LIMIT ?",
        )?;
        let rows = statement.query_map(
            duckdb::params![from.hi, to.hi, from.hi, from.lo, to.hi, to.lo, (NAMED + 1) as u64],
            |row| {
                let id = TraceId { hi: row.get(0)?, lo: row.get(1)? };
                Ok(Found { id, first_row: row.get(2)?, last_row: row.get(3)? })
            },
        )?;
        rows.collect::<duckdb::Result<Vec<Found>>>()
    })?;
    match (found.pop(), found.len()) {
        (None, _) => Err(AskError::NotFound { what: "trace", id: id.to_owned() }),
        (Some(only), 0) => Ok(only),
        (Some(last), _) => {
            found.push(last);
            Err(ambiguous(id, &found))
        }
    }
}

fn ambiguous(id: &str, found: &[Found]) -> AskError {
    let names = found.iter().take(NAMED).map(|found| format!("{:016x}{:016x}", found.id.hi, found.id.lo));
    let more = if found.len() > NAMED { " and more" } else { "" };
    let message = format!("{id} fits several traces: {}{more}", names.collect::<Vec<_>>().join(", "));
    AskError::Bad { message, at: None }
}

/// Returns the first and the last id that begin with `digits`.
fn range(digits: &str) -> Result<(TraceId, TraceId), AskError> {
    let bad = |message: String| AskError::Bad { message, at: None };
    if let Some(at) = digits.find(|digit: char| !digit.is_ascii_hexdigit()) {
        return Err(AskError::Bad {
            message: format!("{digits:?} is not a trace id: expected hexadecimal digits"),
            at: Some(at),
        });
    }
    if !(MIN_DIGITS..=MAX_DIGITS).contains(&digits.len()) {
        return Err(bad(format!("a trace id has 32 digits; {MIN_DIGITS} are enough where they fit one trace only")));
    }
    let number =
        |filler: &str| u128::from_str_radix(&format!("{digits}{}", filler.repeat(MAX_DIGITS - digits.len())), 16);
    match (number("0"), number("f")) {
        (Ok(from), Ok(to)) => Ok((trace_id(from), trace_id(to))),
        _ => Err(bad(format!("{digits:?} is not a trace id"))),
    }
}

fn trace_id(number: u128) -> TraceId {
    TraceId { hi: (number >> 64) as u64, lo: number as u64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginnings_become_ranges() {
        let (from, to) = range("4bF9").unwrap();
        assert_eq!((from.hi, from.lo), (0x4bf9 << 48, 0));
        assert_eq!((to.hi, to.lo), ((0x4bf9 << 48) | (u64::MAX >> 16), u64::MAX));
        let (from, to) = range("000102030405060708090a0b0c0d0e0f").unwrap();
        assert_eq!(from, to);
        assert_eq!((from.hi, from.lo), (0x0001_0203_0405_0607, 0x0809_0a0b_0c0d_0e0f));
        for bad in ["", "4bf", "4bfx", "+4bf9", "0123456789abcdef0123456789abcdef0"] {
            assert!(matches!(range(bad), Err(AskError::Bad { .. })), "{bad}");
        }
    }
}
