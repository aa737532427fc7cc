//! Gathers what is torn, by service.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::kinds::{Kinds, key};
use super::process::{Call, Parent, Process};
use crate::trace::window::{Symbol, Window};

/// So many linked calls of a request are looked at.
const MAX_LINKED: usize = 32;

/// Spans of one process, by start.
#[derive(Debug, Default)]
struct Instance {
    entries: Vec<u32>,
    torn: Vec<u32>,
}

/// Returns the services in which something is torn, in the order of their first torn spans.
pub(super) fn processes(window: &Window) -> Vec<Process> {
    let mut services: BTreeMap<u32, Vec<Instance>> = BTreeMap::new();
    for (first, instance) in instances(window) {
        services.entry(first).or_default().push(instance);
    }
    services.into_values().map(|instances| process(window, &instances)).collect()
}

/// Returns the processes that have torn spans and requests, each with the first torn span of its service.
fn instances(window: &Window) -> Vec<(u32, Instance)> {
    let mut places: HashMap<Symbol, usize> = HashMap::new();
    let mut services: HashMap<Symbol, u32> = HashMap::new();
    let mut found: Vec<(u32, Instance)> = Vec::new();
    for span in window.spans().filter(|&span| is_torn(window, span)) {
        let first = *services.entry(window.service(span)).or_insert(span);
        let place = *places.entry(window.instance(span)).or_insert(found.len());
        if place == found.len() {
            found.push((first, Instance::default()));
        }
        found[place].1.torn.push(span);
    }
    if !found.is_empty() {
        for span in window.spans().filter(|&span| window.is_entry(span)) {
            if let Some(&place) = places.get(&window.instance(span)) {
                found[place].1.entries.push(span);
            }
        }
    }
    found.retain(|(_, instance)| !instance.entries.is_empty());
    found
}

fn is_torn(window: &Window, span: u32) -> bool {
    window.is_root(span) && !window.is_entry(span)
}

fn process(window: &Window, instances: &[Instance]) -> Process {
    let parent_kinds = Kinds::new(instances.iter().flat_map(|one| &one.entries).map(|&span| key(window, span)));
    let mut linked = Vec::new();
    let ends: Vec<usize> =
        instances.iter().flat_map(|one| &one.entries).map(|&span| descend(window, span, &mut linked)).collect();
    let torn = instances.iter().flat_map(|one| &one.torn);
    let kinds = Kinds::new(torn.chain(&linked).map(|&span| key(window, span)));
    let mut process = Process::new(parent_kinds.len, kinds.len);
    let mut reader = Reader { window, parent_kinds, kinds, linked, ends, shift_ns: 0, free_ns: None };
    instances.iter().for_each(|instance| reader.read(instance, &mut process));
    process.known = vec![None; process.calls.len()];
    process.find_choices();
    process
}

struct Reader<'w> {
    window: &'w Window,
    parent_kinds: Kinds,
    kinds: Kinds,
    /// Linked spans of all requests, and where those of each end.
    linked: Vec<u32>,
    ends: Vec<usize>,
    /// What is added to the times of the process that is read.
    shift_ns: i64,
    /// From when on there is nothing.
    free_ns: Option<i64>,
}

impl Reader<'_> {
    fn read(&mut self, instance: &Instance, process: &mut Process) {
        let all = || instance.entries.iter().chain(&instance.torn);
        let begin = all().map(|&span| self.window.start_ns[span as usize]).min().unwrap_or(0);
        let end = all().map(|&span| self.window.end_ns[span as usize]).max().unwrap_or(begin);
        // The first keeps its times.
        self.shift_ns = self.free_ns.map_or(0, |free| free.saturating_sub(begin));
        // As long again as it took, there is nothing: no request of one process is near a call of another.
        let length = end.saturating_sub(begin).saturating_add(1_000_000);
        self.free_ns = Some(begin.saturating_add(self.shift_ns).saturating_add(length).saturating_add(length / 4));
        for &span in &instance.entries {
            let parent = self.parent(span, process);
            process.parents.push(parent);
        }
        for &span in &instance.torn {
            let call = self.call(span);
            process.is_loose[call.kind] = true;
            process.calls.push(call);
        }
    }

    fn parent(&self, span: u32, process: &mut Process) -> Parent {
        let at = process.parents.len();
        let from = at.checked_sub(1).map_or(0, |before| self.ends[before]);
        process.linked_calls.extend(self.linked[from..self.ends[at]].iter().map(|&span| self.call(span)));
        let kind = self.parent_kinds.get(key(self.window, span));
        let (start_ns, end_ns) = self.times(span);
        Parent { span, start_ns, end_ns, kind, linked: (from as u32, self.ends[at] as u32) }
    }

    fn call(&self, span: u32) -> Call {
        let (start_ns, end_ns) = self.times(span);
        Call { span, start_ns, end_ns, kind: self.kinds.get(key(self.window, span)) }
    }

    fn times(&self, span: u32) -> (i64, i64) {
        let shifted = |time: i64| time.saturating_add(self.shift_ns);
        (shifted(self.window.start_ns[span as usize]), shifted(self.window.end_ns[span as usize]))
    }
}

/// Adds the spans below `span` that are of its process, by start, and returns how many there are then.
fn descend(window: &Window, span: u32, found: &mut Vec<u32>) -> usize {
    let (from, instance) = (found.len(), window.instance(span));
    let is_ours = |child: u32| !window.is_entry(child) && window.instance(child) == instance;
    let mut next = from;
    let mut at = span;
    loop {
        found.extend(window.children(at).iter().copied().filter(|&child| is_ours(child)).take(MAX_LINKED));
        if next >= found.len() || found.len() - from >= MAX_LINKED {
            break;
        }
        at = found[next];
        next += 1;
    }
    found.truncate(from + MAX_LINKED);
    found[from..].sort_unstable();
    found.len()
}
