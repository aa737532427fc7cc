//! Calls of which the callee is known: what their gaps say of those that are torn.

use hashbrown::HashMap;

use super::clock::Clocks;
use super::ends::Ends;
use super::exact::Found;
use super::market::{Market, known};
use super::model::Example;
use super::pairs::Pair;
use crate::trace::window::{NONE, Window};

/// Examples of a pair of groups.
const MAX_EXAMPLES: usize = 2_000;

/// Known calls by their groups.
#[derive(Debug, Default)]
pub(super) struct Examples {
    by_groups: HashMap<(u32, u32), Vec<(f64, f64)>>,
}

impl Examples {
    /// Gathers calls that are linked, and those that evidence joined.
    pub(super) fn gather(window: &Window, ends: &Ends, found: &Found, clocks: &mut Clocks) -> Self {
        let mut examples = Self::default();
        let joined = found.joins.iter().map(|&(child, call, ..)| (call, child));
        for (call, child) in ends.linked.iter().copied().chain(joined) {
            let groups = (ends.group[call as usize], ends.group[child as usize]);
            if groups.0 == NONE || groups.1 == NONE {
                continue;
            }
            let list = examples.by_groups.entry(groups).or_default();
            if list.len() < MAX_EXAMPLES {
                let (call, callee) = known(window, clocks, (call, child));
                let pair = Pair::new(0, &call, &callee, 0);
                list.push((pair.before_ns, pair.after_ns));
            }
        }
        examples
    }

    /// Returns those of the edges of a market.
    pub(super) fn of(&self, market: &Market) -> Vec<Example> {
        let mut all = Vec::new();
        for (edge, ends) in (0..).zip(&market.edges) {
            let groups = (market.call_groups[ends.calls as usize], market.callee_groups[ends.callees as usize]);
            let known = self.by_groups.get(&groups).into_iter().flatten();
            all.extend(known.map(|&(before_ns, after_ns)| Example { edge, before_ns, after_ns, weight: 1.0 }));
        }
        all
    }
}
