//! Hops that pass the trace on under a parent of their own, and export no spans.

use hashbrown::HashMap;

use super::Hint;
use crate::stitch::Rule;
use crate::stitch::calls::clock::Clocks;
use crate::stitch::calls::ends::Ends;
use crate::trace::window::{Symbol, Window};

/// Of the callees of an edge that have a caller, at most this share is linked properly: otherwise spans were lost.
const MAX_LINKED: f64 = 0.1;

/// Callees with an unknown parent, each with the one unserved call of its own trace around it.
pub(super) fn hints(window: &Window, ends: &Ends, clocks: &mut Clocks) -> Vec<Hint> {
    if ends.orphans.is_empty() {
        return Vec::new();
    }
    let mut calls: HashMap<u32, Vec<u32>> = HashMap::new();
    ends.calls.iter().for_each(|&call| calls.entry(window.trace[call as usize]).or_default().push(call));
    let mut found: Vec<(u32, u32)> = Vec::new();
    for &child in &ends.orphans {
        let of_trace = calls.get(&window.trace[child as usize]).into_iter().flatten().copied();
        let mut around =
            of_trace.filter(|&call| ends.may_join(window, call, child) && clocks.surround(window, call, child));
        if let (Some(call), None) = (around.next(), around.next()) {
            found.push((call, child));
        }
    }
    let edge = |&(call, child): &(u32, u32)| (window.service(call), window.service(child));
    let count = |pairs: &[(u32, u32)]| {
        let mut counts: HashMap<(Symbol, Symbol), f64> = HashMap::new();
        pairs.iter().for_each(|pair| *counts.entry(edge(pair)).or_default() += 1.0);
        counts
    };
    let (hidden, linked) = (count(&found), count(&ends.linked));
    let of =
        |counts: &HashMap<(Symbol, Symbol), f64>, pair: &(u32, u32)| counts.get(&edge(pair)).copied().unwrap_or(0.0);
    found.retain(|pair| of(&linked, pair) <= MAX_LINKED * (of(&linked, pair) + of(&hidden, pair)));
    let hint = |(call, child)| Hint {
        child,
        calls: vec![call],
        rule: Rule::HiddenHop,
        value: Symbol::EMPTY,
        names_call: true,
    };
    found.into_iter().map(hint).collect()
}
