//! How often calls overtake each other between two processes: learned from calls whose callee is known.

use hashbrown::HashMap;

use super::clock::Clocks;
use super::ends::Ends;
use super::exact::Found;
use super::market::{End, known};
use crate::trace::window::{NONE, Window};

/// Calls of a pair of groups, and later calls of each, that are looked at.
const MAX_CALLS: usize = 2_000;
const MAX_LATER: usize = 16;
/// What is believed before anything is seen counts as so many pairs of either kind.
const DOUBT: f64 = 4.0;

/// Returns how many times less likely it is that a call is served before an earlier one than after it, where both could be: of
/// calls, and of messages where that is known.
pub(super) fn overtaken(window: &Window, ends: &Ends, found: &Found, clocks: &mut Clocks) -> (f64, Option<f64>) {
    let mut groups: HashMap<(u32, u32), Vec<(End, End)>> = HashMap::new();
    let joined = found.joins.iter().map(|&(child, call, ..)| (call, child));
    for (call, child) in ends.linked.iter().copied().chain(joined) {
        let pair = (ends.group[call as usize], ends.group[child as usize]);
        let list = groups.entry(pair).or_default();
        if pair.0 != NONE && pair.1 != NONE && list.len() < MAX_CALLS {
            list.push(known(window, clocks, (call, child)));
        }
    }
    let (mut calls, mut messages) = ((0.0, 0.0), (0.0, 0.0));
    for (pair, mut list) in groups.into_iter().filter(|(pair, list)| pair.0 != NONE && list.len() > 1) {
        list.sort_by_key(|(call, callee)| (call.start_ns, call.span, callee.span));
        let is_message = ends.is_message(pair.1);
        let count = if is_message { &mut messages } else { &mut calls };
        Edge::new(&list, is_message).count(&list, count);
    }
    let ratio = |(inverted, ordered): (f64, f64)| ((inverted + DOUBT) / (ordered + DOUBT)).clamp(0.2, 1.0);
    (ratio(calls), (messages.0 + messages.1 > 0.0).then(|| ratio(messages)))
}

/// The gaps that are usual on an edge: lowest and highest before and after.
struct Edge {
    before: (i64, i64),
    after: (i64, i64),
    is_message: bool,
}

impl Edge {
    fn new(list: &[(End, End)], is_message: bool) -> Self {
        let usual = |gap: fn(&End, &End) -> i64| {
            let mut gaps: Vec<i64> = list.iter().map(|(call, callee)| gap(call, callee)).collect();
            gaps.sort_unstable();
            let at = |place: usize| gaps.get(place).copied().unwrap_or(0);
            (at(gaps.len() / 20), at(gaps.len() - 1 - gaps.len() / 20))
        };
        Self { before: usual(before), after: usual(after), is_message }
    }

    /// Tells whether nothing about a call and a callee is unusual.
    fn is_usual(&self, call: &End, callee: &End) -> bool {
        let within = |gap: i64, (low, high): (i64, i64)| (low..=high).contains(&gap);
        within(before(call, callee), self.before) && (self.is_message || within(after(call, callee), self.after))
    }

    /// Counts pairs of calls that could be swapped: those whose callees overtook each other, and the others.
    fn count(&self, list: &[(End, End)], (inverted, ordered): &mut (f64, f64)) {
        for (at, (call, callee)) in list.iter().enumerate() {
            for (later, other) in list.iter().skip(at + 1).take(MAX_LATER) {
                if self.is_usual(call, other) && self.is_usual(later, callee) && later.start_ns > call.start_ns {
                    *(if other.start_ns < callee.start_ns { &mut *inverted } else { &mut *ordered }) += 1.0;
                }
            }
        }
    }
}

fn before(call: &End, callee: &End) -> i64 {
    callee.start_ns.saturating_sub(call.start_ns)
}

fn after(call: &End, callee: &End) -> i64 {
    call.end_ns.saturating_sub(callee.end_ns)
}
