//! Calls between services, by minute.
//!
//! An edge is counted for each span of kind server or consumer (or of no recorded kind) whose parent belongs to another
//! service, and for each span of kind client or producer that has no child and names its peer: then the server is what
//! `peer.service`, `db.system.name`, `messaging.system`, `server.address` or `net.peer.name` says, in this order. The
//! operation is the name of the callee's span (of the caller's, for peers without spans), as are minute and duration. A call
//! is an error where either of its two spans is.

use hashbrown::HashMap;

use super::rows::{NO_TEXT, Rows};
use crate::trace::assemble::{NONE, Tree};
use crate::trace::spans::Spans;

const MINUTE_NS: i64 = 60_000_000_000;
const CLIENT: u8 = 3;
const PRODUCER: u8 = 4;
const ERROR: u8 = 2;

/// What calls are added up by; texts are numbers into [`Rows::texts`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EdgeKey {
    pub(super) minute_ns: i64,
    pub(super) client: u32,
    pub(super) server: u32,
    pub(super) operation: u32,
    pub(super) bucket: u16,
}

/// Calls and errors.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Calls {
    pub(super) calls: i64,
    pub(super) errors: i64,
}

/// What settling adds to the edges and takes off.
pub(super) type EdgeChanges = HashMap<EdgeKey, Calls>;

/// Adds the edges of one trace, `sign` times. `positions` are those of the spans in `rows`.
pub(super) fn add(changes: &mut EdgeChanges, rows: &Rows, positions: &[u32], spans: &Spans, tree: &Tree, sign: i64) {
    for span in 0..spans.len() {
        let Some((client, server, errors)) = edge(rows, positions, spans, tree, span) else { continue };
        let key = EdgeKey {
            minute_ns: spans.start_ns[span].div_euclid(MINUTE_NS).saturating_mul(MINUTE_NS),
            client,
            server,
            operation: spans.name[span],
            bucket: bucket(spans.duration_ns[span]),
        };
        let calls = changes.entry(key).or_default();
        calls.calls += sign;
        calls.errors += sign * i64::from(errors);
    }
}

fn edge(rows: &Rows, positions: &[u32], spans: &Spans, tree: &Tree, span: usize) -> Option<(u32, u32, bool)> {
    let failed = spans.status[span] == ERROR;
    let service = spans.service[span];
    match spans.kind[span] {
        CLIENT | PRODUCER => {
            let peer = rows.peer[positions[span] as usize];
            let calls_out = tree.descendants[span] == 0 && peer != NO_TEXT && peer != service;
            calls_out.then_some((service, peer, failed))
        }
        1 => None,
        _ => {
            let parent = tree.parent[span];
            let parent = (parent != NONE).then_some(parent as usize)?;
            let caller = spans.service[parent];
            (caller != service).then_some((caller, service, failed || spans.status[parent] == ERROR))
        }
    }
}

/// Returns the latency bucket of a duration: 0 below 1024 ns, eight an octave up to 2^42 ns (73 min), 257 above.
pub(super) fn bucket(duration_ns: i64) -> u16 {
    let ns = u64::try_from(duration_ns).unwrap_or(0);
    if ns < 1 << 10 {
        return 0;
    }
    if ns >= 1 << 42 {
        return 257;
    }
    let octave = ns.ilog2();
    let eighth = (ns >> (octave - 3)) & 7;
    ((octave - 10) * 8 + eighth as u32 + 1) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_eight_an_octave() {
        assert_eq!([bucket(-5), bucket(0), bucket(1023), bucket(1024), bucket(1151), bucket(1152)], [0, 0, 0, 1, 1, 2]);
        assert_eq!(
            [bucket(2047), bucket(2048), bucket((1 << 42) - 1), bucket(1 << 42), bucket(i64::MAX)],
            [8, 9, 256, 257, 257]
        );
    }
}
