//! Ids that name the call: links, twins of ids, messages.

use hashbrown::HashMap;

use super::Hint;
use super::headers::by_span_id;
use crate::stitch::Rule;
use crate::stitch::calls::ends::Ends;
use crate::stitch::calls::operation::own;
use crate::trace::window::{NONE, Role, Symbol, Window, key};

/// Roots that link to one call of another process.
pub(super) fn links(window: &Window, ends: &Ends) -> Vec<Hint> {
    if window.links.is_empty() {
        return Vec::new();
    }
    let calls = by_span_id(window);
    let linked = |child: u32| {
        let found = window.links_of(child).iter().flat_map(|link| {
            let is_it = |&&call: &&u32| {
                window.trace_id(call) == link.trace_id && window.instance(call) != window.instance(child)
            };
            calls.get(&link.span_id).into_iter().flatten().filter(is_it)
        });
        let mut found: Vec<u32> = found.copied().collect();
        found.sort_unstable();
        found.dedup();
        found
    };
    let hint = |&child: &u32| {
        let calls = linked(child);
        // Consumers of batches link to many messages: none of them is the parent.
        let is_one = calls.len() == 1;
        is_one.then_some(Hint { child, calls, rule: Rule::Link, value: Symbol::EMPTY, names_call: true })
    };
    ends.roots.iter().filter_map(hint).collect()
}

/// Callees whose parent is a call of a trace with another id, and roots of traces whose ids end alike.
pub(super) fn twins(window: &Window, ends: &Ends) -> Vec<Hint> {
    let mut hints = Vec::new();
    let mut ids: HashMap<u64, Vec<u32>> = HashMap::new();
    if !ends.orphans.is_empty() {
        let calls = by_span_id(window);
        for &child in &ends.orphans {
            let found = calls.get(&window.parent_span_id[child as usize]).into_iter().flatten();
            let is_it = |&&call: &&u32| {
                window.instance(call) != window.instance(child) && !ends.is_message_pair_odd(call, child)
            };
            let calls: Vec<u32> = found.filter(is_it).copied().collect();
            if calls.len() == 1 {
                hints.push(Hint { child, calls, rule: Rule::TwinId, value: Symbol::EMPTY, names_call: true });
            }
        }
    }
    let mut halves: HashMap<u64, u32> = HashMap::new();
    window.traces.iter().filter(|&&id| id as u64 != 0).for_each(|&id| *halves.entry(id as u64).or_default() += 1);
    for &call in &ends.calls {
        let half = window.trace_id(call) as u64;
        if halves.get(&half).is_some_and(|&num| num > 1) {
            ids.entry(half).or_default().push(call);
        }
    }
    for &child in &ends.roots {
        let found = ids.get(&(window.trace_id(child) as u64)).into_iter().flatten().copied();
        let calls: Vec<u32> = found.filter(|&call| ends.may_join(window, call, child)).collect();
        if !calls.is_empty() {
            hints.push(Hint { child, calls, rule: Rule::TwinId, value: Symbol::EMPTY, names_call: false });
        }
    }
    hints
}

/// Consumers of messages whose id, or place in a partition, a producer knows too.
pub(super) fn messages(window: &Window, ends: &Ends) -> Vec<Hint> {
    let mut producers: HashMap<(Symbol, Symbol, Symbol), Vec<u32>> = HashMap::new();
    let consumers: Vec<u32> =
        ends.roots.iter().copied().filter(|&root| window.role[root as usize] == Role::Consumer).collect();
    if consumers.is_empty() {
        return Vec::new();
    }
    for call in window.spans().filter(|&span| window.role[span as usize] == Role::Producer) {
        names(window, call).into_iter().flatten().for_each(|name| producers.entry(name).or_default().push(call));
    }
    let mut hints = Vec::new();
    for child in consumers {
        let find = |name: &(Symbol, Symbol, Symbol)| {
            let found = producers.get(name).into_iter().flatten().copied();
            let calls: Vec<u32> =
                found.filter(|&call| ends.fits(ends.group[call as usize], ends.group[child as usize])).collect();
            (!calls.is_empty()).then_some((calls, if name.1.is_empty() { name.0 } else { name.2 }))
        };
        if let Some((calls, value)) = names(window, child).iter().flatten().find_map(find) {
            hints.push(Hint { child, calls, rule: Rule::MessageId, value, names_call: true });
        }
    }
    hints
}

/// The names of a message: its id; destination, partition and offset.
fn names(window: &Window, span: u32) -> [Option<(Symbol, Symbol, Symbol)>; 2] {
    let get = |key: Symbol| {
        own(window, span, key)?;
        window.attributes(span).iter().find(|(name, _)| *name == key).map(|&(_, value)| value)
    };
    let id = get(key::MESSAGING_MESSAGE_ID).map(|id| (id, Symbol::EMPTY, Symbol::EMPTY));
    let partition =
        || get(key::MESSAGING_DESTINATION_PARTITION_ID).or_else(|| get(key::MESSAGING_KAFKA_DESTINATION_PARTITION));
    let place = || Some((get(key::MESSAGING_DESTINATION_NAME)?, partition()?, get(key::MESSAGING_KAFKA_OFFSET)?));
    [id, place()]
}

impl Ends {
    /// Tells whether one of two spans is of a message and the other of a call.
    fn is_message_pair_odd(&self, call: u32, child: u32) -> bool {
        let (call, child) = (self.group[call as usize], self.group[child as usize]);
        call != NONE && child != NONE && self.is_message(call) != self.is_message(child)
    }
}
