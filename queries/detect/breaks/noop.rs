//! Services that neither read nor send context.

use std::collections::BTreeSet;

use serde_json::Map;

use super::judge::{Judge, Pair};
use super::proof::Wire;
use super::{Cause, Verdict};
use crate::detect::headers::Format;
use crate::detect::hops::Hop;
use crate::trace::window::Symbol;

impl Judge<'_, '_> {
    /// Returns the services that do nothing with context.
    pub(super) fn noops(&self) -> Vec<Cause> {
        let callees: BTreeSet<Symbol> = self.hops.keys().map(|&(_, callee)| callee).collect();
        callees.into_iter().filter_map(|service| self.noop(service)).collect()
    }

    /// A service to which and from which nothing is linked, although those that call it are understood elsewhere, or call
    /// nobody else.
    fn noop(&self, service: Symbol) -> Option<Cause> {
        let (sent, received): (Vec<_>, Vec<_>) = (self.from(service).collect(), self.to(service).collect());
        let count = |hops: &[(Symbol, &Hop)]| hops.iter().map(|(_, hop)| hop.calls()).sum::<u64>();
        let dead = |hops: &[(Symbol, &Hop)]| {
            let broken: usize = hops.iter().map(|(_, hop)| hop.breaks.len()).sum();
            broken as f64 >= (1.0 - self.max_working) * count(hops) as f64
        };
        let is_dead =
            count(&received) >= self.min_entries && count(&sent) >= self.min_calls && dead(&sent) && dead(&received);
        let honest = received.iter().filter(|(caller, _)| self.links_elsewhere(*caller)).count();
        let is_only = received.iter().any(|(caller, _)| self.from(*caller).count() == 1);
        if !is_dead || honest == 0 && !is_only {
            return None;
        }
        let mut hops: Vec<Pair> = received.iter().map(|&(caller, _)| (caller, service)).collect();
        hops.extend(sent.iter().map(|&(callee, _)| (service, callee)));
        if hops.iter().any(|pair| self.crossing(self.hops.get(pair)).is_some() || self.wire_format(*pair)) {
            return None;
        }
        let because = format!(
            "{} neither reads nor sends context: 0 of {} inbound and 0 of {} outbound requests are linked; {honest} of {} callers are understood elsewhere",
            self.text(service),
            count(&received),
            count(&sent),
            received.len()
        );
        let weight = if honest > 1 { 1.0 } else { 0.85 };
        Some(Cause { verdict: Verdict::Noop, side: service, hops, weight, because, proof: Map::new() })
    }

    /// Captured headers show a format other than the callee's on this hop.
    fn wire_format(&self, pair: Pair) -> bool {
        let sends = |hop: &Hop| Wire::read(self.case, hop).ignored_by_most(hop).is_some_and(Format::is_b3);
        !self.case.headers.is_empty() && self.hops.get(&pair).is_some_and(sends)
    }
}
