//! The offset of two clocks from calls and callees of which nobody knows which belong together: the difference that occurs most.

/// Start and end, in nanoseconds.
pub(in super::super) type Interval = (i64, i64);

/// Clocks are at most so far apart.
const RANGE_NS: i64 = 5_000_000_000;
const BIN_NS: i64 = 50_000;
/// Differences that are looked at.
const MAX_DIFFERENCES: usize = 2_000_000;
const MAX_CALLEES: usize = 2_000;
/// Widths of a peak, in bins.
const WIDTHS: [usize; 9] = [1, 2, 4, 8, 16, 32, 64, 128, 256];
/// A peak stands out so many standard deviations, or there is none.
const MIN_HEIGHT: f64 = 6.0;
/// A peak near zero wins over a higher one: clocks of one machine agree.
const NEAR_NS: i64 = 2_000_000;
const ENOUGH_NEAR: f64 = 0.7;

/// Returns what to add to times of the callees; nothing where no difference stands out. Both are sorted by start.
pub(in super::super) fn peak(calls: &[Interval], callees: &[Interval]) -> Option<i64> {
    let counts = count(calls, callees);
    let sums: Vec<f64> = std::iter::once(0.0)
        .chain(counts.iter().scan(0.0, |sum, &count| {
            *sum += f64::from(count);
            Some(*sum)
        }))
        .collect();
    let total = sums.last().copied().unwrap_or(0.0);
    let per_bin = total / counts.len() as f64;
    let (mut best, mut near) = ((0.0, 0), (0.0, 0));
    for width in WIDTHS {
        let expected = per_bin * width as f64;
        for (from, pair) in sums.iter().zip(sums.iter().skip(width)).enumerate() {
            let height = (pair.1 - pair.0 - expected) / (expected + 1.0).sqrt();
            let at = (from * 2 + width) as i64 * BIN_NS / 2 - RANGE_NS;
            if height > best.0 {
                best = (height, at);
            }
            if height > near.0 && at.abs() <= NEAR_NS {
                near = (height, at);
            }
        }
    }
    let found = if near.0 >= ENOUGH_NEAR * best.0 { near } else { best };
    (found.0 >= MIN_HEIGHT).then_some(found.1)
}

/// Counts differences of middles by bin: call minus callee.
fn count(calls: &[Interval], callees: &[Interval]) -> Vec<u32> {
    let mut counts = vec![0_u32; (2 * RANGE_NS / BIN_NS) as usize];
    let Some(first) = calls.first().zip(callees.first()).map(|(call, callee)| call.0.min(callee.0)) else {
        return counts;
    };
    let last = calls.last().zip(callees.last()).map_or(first, |(call, callee)| call.0.max(callee.0));
    let share = (2.0 * RANGE_NS as f64 / (last as f64 - first as f64).max(1.0)).min(1.0);
    let num_callees = (MAX_DIFFERENCES as f64 / (calls.len() as f64 * share).max(1.0)).max(1.0) as usize;
    let every = callees.len().div_ceil(num_callees.min(MAX_CALLEES)).max(1);
    let mut num_left = MAX_DIFFERENCES;
    for callee in callees.iter().step_by(every) {
        let from = calls.partition_point(|call| call.0 < callee.0.saturating_sub(RANGE_NS));
        let near =
            calls.iter().skip(from).take_while(|call| call.0 <= callee.0.saturating_add(RANGE_NS)).take(num_left);
        for call in near {
            num_left -= 1;
            let bin = difference(call, callee).map(|difference| difference.saturating_add(RANGE_NS) / BIN_NS);
            let bin = bin.and_then(|bin| usize::try_from(bin).ok()).and_then(|bin| counts.get_mut(bin));
            bin.into_iter().for_each(|count| *count += 1);
        }
    }
    counts
}

/// How far the middle of the call is ahead. Callees take no longer than their calls, but for a little: clocks are not read at once.
fn difference(call: &Interval, callee: &Interval) -> Option<i64> {
    const LITTLE_NS: i64 = 2_000_000;
    let (outer, inner) = (call.1.saturating_sub(call.0), callee.1.saturating_sub(callee.0));
    let is_longer = outer.saturating_add(LITTLE_NS) < inner.saturating_sub(inner / 8);
    (!is_longer).then(|| call.0.saturating_sub(callee.0).saturating_add(outer.saturating_sub(inner) / 2))
}
