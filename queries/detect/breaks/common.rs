//! What tells broken calls from those that arrive.

use std::collections::BTreeSet;

use crate::detect::hops::Hop;
use crate::trace::window::{NONE, Symbol, Window};

/// Something that a call and what serves it have.
type Fact = fn(&Window, (u32, u32)) -> Symbol;

const FACTS: [(&str, Fact); 4] = [
    ("call", |window, (call, _)| window.name[call as usize]),
    ("library", |window, (call, _)| {
        window.scopes.get(window.scope[call as usize] as usize).map_or(Symbol::EMPTY, |scope| scope.name)
    }),
    ("caller", |window, (call, _)| window.instance(call)),
    ("callee", |window, (_, entry)| window.instance(entry)),
];

/// Returns what all broken calls of a hop have and none of the others: name of the call, library, instance of either side.
pub(super) fn only(window: &Window, hop: &Hop) -> Vec<String> {
    let parents = hop.linked.iter().map(|&span| (window.parent[span as usize], span));
    let linked: Vec<(u32, u32)> = parents.filter(|&(call, _)| call != NONE).collect();
    let broken: Vec<(u32, u32)> = hop.breaks.iter().map(|one| (one.call, one.root)).collect();
    let tells = |(name, fact): &(&str, Fact)| {
        let values = |pairs: &[(u32, u32)]| pairs.iter().map(|&pair| fact(window, pair)).collect::<BTreeSet<Symbol>>();
        let (with, without) = (values(&broken), values(&linked));
        let value = with.first().filter(|_| with.len() == 1 && with.is_disjoint(&without))?;
        Some(format!("{name} {}", window.text(*value)))
    };
    FACTS.iter().filter_map(tells).collect()
}
