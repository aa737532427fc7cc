//! What is known about a process: its delays, how many calls its requests make, and how many roots have no request.

use super::chain::{Scratch, Step, walk};
use super::delays::{Logs, bin};
use super::order::Order;
use super::process::Process;
use crate::trace::window::NONE;

/// More calls of one kind than this are counted as so many.
pub(super) const MAX_COUNT: usize = 9;
/// By number of calls.
pub(super) type Counts = [f64; MAX_COUNT + 1];

/// Learned from the joins that are believed, in turn with them.
#[derive(Debug)]
pub(super) struct Model {
    pub(super) num_kinds: usize,
    /// By kind that begins.
    pub(super) common: Vec<Logs>,
    /// By kind of request, kind that begins, kind that ended: a place in `pairs`, or [`NONE`].
    pub(super) pair_at: Vec<u32>,
    pub(super) pairs: Vec<Logs>,
    /// ln of the share of requests, by kind of request, kind of call, number of calls.
    pub(super) counts: Vec<Counts>,
    /// By kind of request: the sum of `counts` for no calls at all.
    pub(super) no_calls: Vec<f64>,
    /// By kind: ln of roots without a request per nanosecond.
    pub(super) nulls: Vec<f64>,
    /// ln of the share of calls that outlive their request, and of those that do not.
    pub(super) outlives: f64,
    pub(super) is_loose: Vec<bool>,
    pub(super) order: Order,
    /// By pair: ln of the share of the calls that begin which follow that.
    pub(super) follows: Vec<f64>,
    /// By kind of request and kind that begins: ln of the share that begin with no other on its way.
    pub(super) alone: Vec<f64>,
    /// By pair of a call and one on its way when it begins: how often it is that one's start which it follows.
    pub(super) beside: Vec<f64>,
}

/// Numbers what is followed: ends of calls by kind, the request's start, starts of calls by kind.
pub(super) fn num_afters(num_kinds: usize) -> usize {
    2 * num_kinds + 1
}

pub(super) fn pair(num_kinds: usize, parent_kind: usize, step: Step) -> u32 {
    ((parent_kind * (num_kinds + 1) + step.next) * num_afters(num_kinds) + step.after) as u32
}

/// Returns the kind of call that begins in a pair.
pub(super) fn next_of(num_kinds: usize, pair: u32) -> usize {
    pair as usize / num_afters(num_kinds) % (num_kinds + 1)
}

/// Returns the step from the start of the call that is on its way.
pub(super) fn beside(num_kinds: usize, step: Step) -> Option<Step> {
    step.beside.map(|(kind, delay_ns)| Step { after: num_kinds + 1 + kind, delay_ns, ..step })
}

impl Model {
    /// Returns the logarithm of how likely a request with these torn calls is.
    pub(super) fn chain(
        &self,
        process: &Process,
        parent: u32,
        members: &[u32],
        scratch: &mut Scratch,
        froms: &mut Vec<(u32, i64)>,
    ) -> f64 {
        froms.clear();
        let kind = process.parents[parent as usize].kind;
        let mut sum = self.no_calls[kind];
        let mut counted: [u8; 64] = [0; 64];
        let outliving = walk(process, parent, members, scratch, |step| {
            sum += self.delay(kind, step);
            if step.member != NONE {
                froms.push((step.member, step.from_ns));
            }
            if step.next < self.num_kinds && self.is_loose[step.next] {
                let shares = &self.counts[kind * self.num_kinds + step.next];
                let count = &mut counted[step.next];
                sum += shares[(*count as usize + 1).min(MAX_COUNT)] - shares[(*count as usize).min(MAX_COUNT)];
                *count = count.saturating_add(1);
            }
        });
        sum + outliving as f64 * self.outlives
    }

    /// Returns the logarithm of how likely a root of this kind without a request is.
    pub(super) fn null(&self, kind: usize) -> f64 {
        self.nulls[kind]
    }

    fn delay(&self, parent_kind: usize, step: Step) -> f64 {
        let follows = |step: Step| self.follows[pair(self.num_kinds, parent_kind, step) as usize];
        let end = self.single(parent_kind, step);
        let Some(other) = beside(self.num_kinds, step) else {
            return end + follows(step) + self.alone[parent_kind * (self.num_kinds + 1) + step.next];
        };
        let context = follows(step) + follows(other);
        let at = self.pair_at[pair(self.num_kinds, parent_kind, other) as usize];
        let Some(share) = self.beside.get(at as usize) else { return context + end };
        context
            + (share * self.single(parent_kind, other).exp() + (1.0 - share) * end.exp()).max(f64::MIN_POSITIVE).ln()
    }

    /// Returns the logarithm of how likely a delay is, per nanosecond.
    pub(super) fn single(&self, parent_kind: usize, step: Step) -> f64 {
        let at = self.pair_at[pair(self.num_kinds, parent_kind, step) as usize];
        let density = self.pairs.get(at as usize).unwrap_or(&self.common[step.next]);
        density.at(bin(step.delay_ns), step.fold)
    }
}
