//! Evidence that does not hang on time: ids and values that both ends have.

mod headers;
mod hidden;
mod ids;
mod logs;
mod values;

use hashbrown::{HashMap, HashSet};

use super::clock::Clocks;
use super::ends::Ends;
use crate::stitch::Rule;
use crate::stitch::keys::Keys;
use crate::trace::window::{Role, Symbol, Window};

/// What speaks for some calls as the parent of a span.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Hint {
    pub(super) child: u32,
    /// Spans, ascending.
    pub(super) calls: Vec<u32>,
    pub(super) rule: Rule,
    /// What both sides share.
    pub(super) value: Symbol,
    /// The evidence names the call itself: time has no say.
    pub(super) names_call: bool,
}

/// What exact evidence found.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Child, parent, rule and value.
    pub(super) joins: Vec<(u32, u32, Rule, Symbol)>,
    /// Roots that must be one of some calls (spans, ascending), and the value that says so.
    pub(super) only: HashMap<u32, (Vec<u32>, Symbol)>,
}

/// Finds all joins that evidence proves.
pub(super) fn find(window: &Window, ends: &Ends, clocks: &mut Clocks, keys: &Keys) -> Found {
    let mut found = Found::default();
    let mut taken = Taken::default();
    let direct =
        [headers::hints(window, ends), ids::links(window, ends), ids::twins(window, ends), ids::messages(window, ends)];
    let mut vague = Vec::new();
    for hint in direct.into_iter().flatten() {
        match hint.calls.as_slice() {
            &[call] if hint.names_call => taken.join(window, &mut found, &hint, call),
            _ => vague.push(hint),
        }
    }
    vague.extend(logs::hints(window, ends));
    vague.extend(values::hints(window, ends, keys));
    vague.retain(|hint| !taken.children.contains(&hint.child));
    learn_clocks(window, clocks, &vague, ends);
    let filtered = in_time(window, clocks, vague);
    settle(window, filtered, &mut taken, &mut found);
    for hint in hidden::hints(window, ends, clocks) {
        if let &[call] = hint.calls.as_slice() {
            taken.join(window, &mut found, &hint, call);
        }
    }
    found
}

/// Ends that are joined already.
#[derive(Debug, Default)]
struct Taken {
    children: HashSet<u32>,
    calls: HashSet<u32>,
}

impl Taken {
    fn join(&mut self, window: &Window, found: &mut Found, hint: &Hint, call: u32) {
        // A message may reach many consumers, a call has one callee.
        let is_free = window.role[call as usize] == Role::Producer || !self.calls.contains(&call);
        if is_free && self.children.insert(hint.child) {
            self.calls.insert(call);
            found.only.remove(&hint.child);
            found.joins.push((hint.child, call, hint.rule, hint.value));
        }
    }
}

/// Clocks that no linked call connects are learned from hints that leave one call.
fn learn_clocks(window: &Window, clocks: &mut Clocks, hints: &[Hint], ends: &Ends) {
    let single = hints.iter().filter_map(|hint| match hint.calls.as_slice() {
        &[call] if window.role[call as usize] != Role::Producer => Some((call, hint.child)),
        _ => None,
    });
    *clocks = Clocks::learn(window, ends.linked.iter().copied().chain(single));
}

/// Leaves of each hint the calls that time allows.
fn in_time(window: &Window, clocks: &mut Clocks, hints: Vec<Hint>) -> Vec<Hint> {
    let mut hints = hints;
    for hint in &mut hints {
        let child = hint.child;
        hint.calls.retain(|&call| clocks.allow(window, call, child));
    }
    hints.retain(|hint| !hint.calls.is_empty());
    hints
}

/// Joins children and calls that have only each other left; others are restricted to what is left.
fn settle(window: &Window, hints: Vec<Hint>, taken: &mut Taken, found: &mut Found) {
    let mut best: HashMap<u32, Hint> = HashMap::new();
    for hint in hints {
        // The first rule wins, unless a later one leaves fewer of the same calls.
        let known = best.entry(hint.child).or_insert_with(|| hint.clone());
        let common: Vec<u32> =
            known.calls.iter().copied().filter(|call| hint.calls.binary_search(call).is_ok()).collect();
        if !common.is_empty() && common.len() < known.calls.len() {
            *known = Hint { calls: common, ..hint };
        }
    }
    let mut wanted: HashMap<u32, u32> = HashMap::new();
    best.values().flat_map(|hint| &hint.calls).for_each(|&call| *wanted.entry(call).or_default() += 1);
    let mut best: Vec<Hint> = best.into_values().collect();
    best.sort_unstable_by_key(|hint| hint.child);
    for hint in best {
        match hint.calls.as_slice() {
            &[call] if wanted.get(&call) == Some(&1) || window.role[call as usize] == Role::Producer => {
                taken.join(window, found, &hint, call);
            }
            _ => {
                found.only.insert(hint.child, (hint.calls, hint.value));
            }
        }
    }
}

/// How sure a rule is.
pub(super) fn confidence(rule: Rule) -> f64 {
    match rule {
        Rule::Header | Rule::Link | Rule::TwinId => 0.995,
        Rule::HiddenHop => 0.90,
        Rule::Connection => 0.97,
        _ => 0.99,
    }
}
