//! Log records that name two traces.

use hashbrown::{HashMap, HashSet};

use super::Hint;
use crate::stitch::Rule;
use crate::stitch::calls::ends::Ends;
use crate::trace::window::{NONE, Symbol, Window};

/// Roots of traces that a log record puts beside another trace, with the calls of the other.
pub(super) fn hints(window: &Window, ends: &Ends) -> Vec<Hint> {
    let pairs = pairs(window);
    if pairs.is_empty() {
        return Vec::new();
    }
    let mut calls: HashMap<u32, Vec<u32>> = HashMap::new();
    ends.calls.iter().for_each(|&call| calls.entry(window.trace[call as usize]).or_default().push(call));
    let mut hints = Vec::new();
    for &child in &ends.roots {
        let others = pairs.get(&window.trace[child as usize]).into_iter().flatten();
        for &(other, span_id, value) in others {
            let of_trace = calls.get(&other).into_iter().flatten().copied();
            let found: Vec<u32> = of_trace.filter(|&call| ends.may_join(window, call, child)).collect();
            let named = found.iter().copied().find(|&call| span_id != 0 && window.span_id[call as usize] == span_id);
            let calls = named.map_or(found, |call| vec![call]);
            if !calls.is_empty() {
                hints.push(Hint { child, calls, rule: Rule::Log, value, names_call: false });
            }
        }
    }
    hints
}

/// Of each trace the others that a log record names beside it, with the span that it names, and the text.
fn pairs(window: &Window) -> HashMap<u32, Vec<(u32, u64, Symbol)>> {
    let mut pairs: HashMap<u32, Vec<(u32, u64, Symbol)>> = HashMap::new();
    if window.logs.body.is_empty() {
        return pairs;
    }
    let traces: HashMap<u128, u32> = window.traces.iter().zip(0..).map(|(&id, at)| (id, at)).collect();
    let mut seen = HashSet::new();
    for log in 0..window.logs.body.len() {
        let ids = Ids::of(window, log, &traces);
        for &(one, value) in &ids.traces {
            for &(other, _) in ids.traces.iter().filter(|&&(other, _)| other != one && one != NONE) {
                if seen.insert((one, other, ids.span_id)) {
                    pairs.entry(one).or_default().push((other, ids.span_id, value));
                }
            }
        }
    }
    pairs
}

/// The ids in a log record.
#[derive(Debug, Default)]
struct Ids {
    traces: Vec<(u32, Symbol)>,
    span_id: u64,
}

/// A record that names more traces is a list of them.
const MAX_TRACES: usize = 2;

impl Ids {
    fn of(window: &Window, log: usize, traces: &HashMap<u128, u32>) -> Self {
        let mut ids = Self::default();
        let own = window.logs.trace_id.get(log).copied().unwrap_or(0);
        let own_span = window.logs.span_id.get(log).copied().unwrap_or(0);
        traces.get(&own).into_iter().for_each(|&trace| ids.traces.push((trace, Symbol::EMPTY)));
        let body = window.logs.body.get(log).copied().unwrap_or_default();
        let values = window.log_attributes(log).iter().map(|&(_, value)| value);
        for value in values.chain([body]) {
            for word in window.text(value).split(|c: char| !c.is_ascii_hexdigit()) {
                ids.word(word, value, own_span, traces);
            }
        }
        if ids.traces.len() > MAX_TRACES {
            ids.traces.clear();
        }
        ids.traces.iter_mut().filter(|one| one.1.is_empty()).for_each(|one| one.1 = body);
        ids
    }

    fn word(&mut self, word: &str, value: Symbol, own_span: u64, traces: &HashMap<u128, u32>) {
        if word.len() == 32 {
            let found = u128::from_str_radix(word, 16).ok().and_then(|id| traces.get(&id).copied());
            let is_new = |trace: &u32| self.traces.iter().all(|(known, _)| known != trace);
            found.filter(is_new).into_iter().for_each(|trace| self.traces.push((trace, value)));
        } else if word.len() == 16 {
            let found = u64::from_str_radix(word, 16).ok().filter(|&id| id != 0 && id != own_span);
            self.span_id = found.unwrap_or(self.span_id);
        }
    }
}
