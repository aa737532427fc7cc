//! What one process did: its requests, the calls that are still linked to them, and the roots that lost theirs.

use hashbrown::HashMap;

use crate::trace::window::{NONE, Role, Symbol, Window};

/// More kinds of calls or requests than this are not told apart.
const MAX_KINDS: usize = 48;
/// Kinds that are rarer than this are not told apart.
const MIN_KIND: usize = 8;
/// So many linked calls of a request are looked at.
const MAX_LINKED: usize = 32;
/// So many requests are weighed for one root.
const MAX_CHOICES: usize = 48;
/// So many requests that began before are looked at.
const MAX_LOOK_BACK: usize = 1_024;

/// A request or message that came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent {
    pub(super) span: u32,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    pub(super) kind: usize,
    linked: (u32, u32),
}

/// A call, linked or torn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) span: u32,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    pub(super) kind: usize,
}

/// One process: only those that have both requests and torn calls are made.
#[derive(Debug, Default)]
pub(super) struct Process {
    /// By start.
    pub(super) parents: Vec<Parent>,
    /// Torn calls, by start.
    pub(super) calls: Vec<Call>,
    pub(super) num_parent_kinds: usize,
    /// Calls and linked spans have kinds below this.
    pub(super) num_kinds: usize,
    /// By kind: whether some calls of it are torn.
    pub(super) is_loose: Vec<bool>,
    /// By torn call: the value that tells its request, where one does.
    pub(super) known: Vec<Option<Symbol>>,
    linked: Vec<Call>,
    choices: Vec<u32>,
    choice_ends: Vec<u32>,
}

impl Process {
    /// Returns the calls that are still linked to a request, by start.
    pub(super) fn linked(&self, parent: u32) -> &[Call] {
        let (from, to) = self.parents[parent as usize].linked;
        &self.linked[from as usize..to as usize]
    }

    /// Returns where the requests that a torn call may belong to stand in the list of all choices.
    pub(super) fn choice_range(&self, call: u32) -> std::ops::Range<usize> {
        let from = (call as usize).checked_sub(1).map_or(0, |before| self.choice_ends[before]);
        from as usize..self.choice_ends[call as usize] as usize
    }

    /// Returns the requests that a torn call may belong to, by start.
    pub(super) fn choices(&self, call: u32) -> &[u32] {
        &self.choices[self.choice_range(call)]
    }

    /// Returns all calls: the torn ones, then the linked ones.
    pub(super) fn all_calls(&self) -> impl Iterator<Item = &Call> {
        self.calls.iter().chain(&self.linked)
    }

    pub(super) fn num_choices(&self) -> usize {
        self.choices.len()
    }

    /// Tells whether a value says which request a torn call belongs to.
    pub(super) fn is_known(&self, call: u32) -> bool {
        self.known[call as usize].is_some()
    }

    /// Replaces all choices: a list for each torn call, by start.
    pub(super) fn set_choices(&mut self, choices: Vec<Vec<u32>>) {
        self.choices.clear();
        self.choice_ends.clear();
        for list in choices {
            self.choices.extend(list);
            self.choice_ends.push(self.choices.len() as u32);
        }
    }

    /// Leaves out torn calls of kinds that have nothing to do with requests.
    pub(super) fn retain(&mut self, is_related: &[bool]) {
        if self.calls.iter().all(|call| is_related[call.kind]) {
            return;
        }
        let choices = (0..self.calls.len() as u32).map(|call| self.choices(call).to_vec());
        let kept = choices.zip(&self.calls).filter(|(_, call)| is_related[call.kind]).map(|(choices, _)| choices);
        let kept = kept.collect();
        let mut known = std::mem::take(&mut self.known).into_iter();
        self.calls.retain(|call| {
            let known_one = known.next().flatten();
            let is_kept = is_related[call.kind];
            if is_kept {
                self.known.push(known_one);
            }
            is_kept
        });
        self.set_choices(kept);
        self.is_loose.iter_mut().zip(is_related).for_each(|(is_loose, is_related)| *is_loose &= is_related);
    }

    /// Returns the stretch of time that was looked at: at least a microsecond.
    pub(super) fn length_ns(&self) -> f64 {
        let start = self.parents.first().map_or(0, |parent| parent.start_ns);
        let end = self.parents.iter().map(|parent| parent.end_ns).max().unwrap_or(start);
        (end.saturating_sub(start) as f64).max(1_000.0)
    }

    /// Returns a stretch of the process: so many requests, and the torn calls that began while they came in.
    pub(super) fn part(&self, parents: std::ops::Range<usize>) -> Self {
        let first_parent = parents.start;
        let parents = self.parents.get(parents).unwrap_or_default();
        let (Some(first), Some(last)) = (parents.first(), parents.last()) else { return Self::default() };
        let from = self.calls.partition_point(|call| call.start_ns < first.start_ns);
        let to = self.calls.partition_point(|call| call.start_ns <= last.end_ns.max(last.start_ns));
        let (linked_from, linked_to) = (first.linked.0, last.linked.1);
        let shift = |parent: &Parent| Parent {
            linked: (parent.linked.0 - linked_from, parent.linked.1 - linked_from),
            ..*parent
        };
        let mut part = Self {
            parents: parents.iter().map(shift).collect(),
            calls: self.calls[from..to].to_vec(),
            num_parent_kinds: self.num_parent_kinds,
            num_kinds: self.num_kinds,
            is_loose: self.is_loose.clone(),
            known: self.known[from..to].to_vec(),
            linked: self.linked[linked_from as usize..linked_to as usize].to_vec(),
            ..Self::default()
        };
        let shift = first_parent as u32;
        let within = |&parent: &u32| parent.checked_sub(shift).filter(|&at| (at as usize) < part.parents.len());
        let choices = (from..to).map(|call| self.choices(call as u32).iter().filter_map(within).collect()).collect();
        part.set_choices(choices);
        part
    }

    fn find_choices(&mut self) {
        let mut latest_end = i64::MIN;
        let ends: Vec<i64> = self
            .parents
            .iter()
            .map(|parent| {
                latest_end = latest_end.max(parent.end_ns);
                latest_end
            })
            .collect();
        for call in &self.calls {
            let until = self.parents.partition_point(|parent| parent.start_ns <= call.start_ns);
            let near = (0..until).rev().take(MAX_LOOK_BACK).take_while(|&at| ends[at] >= call.start_ns);
            let open = near.filter(|&at| self.parents[at].end_ns >= call.start_ns).take(MAX_CHOICES);
            let from = self.choices.len();
            self.choices.extend(open.map(|at| at as u32));
            self.choices[from..].reverse();
            self.choice_ends.push(self.choices.len() as u32);
        }
    }
}

/// Returns the processes in which something is torn, in the order of their first spans.
pub(super) fn processes(window: &Window) -> Vec<Process> {
    let mut groups: HashMap<Symbol, (Vec<u32>, Vec<u32>)> = HashMap::new();
    let mut order = Vec::new();
    for span in window.spans().filter(|&span| is_torn(window, span)) {
        let instance = window.instance(span);
        groups
            .entry(instance)
            .or_insert_with(|| {
                order.push(instance);
                Default::default()
            })
            .1
            .push(span);
    }
    if order.is_empty() {
        return Vec::new();
    }
    for span in window.spans().filter(|&span| window.is_entry(span)) {
        if let Some(group) = groups.get_mut(&window.instance(span)) {
            group.0.push(span);
        }
    }
    let groups = order.iter().filter_map(|instance| groups.get(instance));
    groups.filter(|(entries, _)| !entries.is_empty()).map(|(entries, torn)| process(window, entries, torn)).collect()
}

fn is_torn(window: &Window, span: u32) -> bool {
    window.is_root(span) && !window.is_entry(span)
}

fn process(window: &Window, entries: &[u32], torn: &[u32]) -> Process {
    let mut process = Process::default();
    let parent_kinds = Kinds::new(entries.iter().map(|&span| key(window, span)));
    let mut linked = Vec::new();
    for &span in entries {
        let from = linked.len() as u32;
        descend(window, span, &mut linked);
        let kind = parent_kinds.get(key(window, span));
        let linked = (from, linked.len() as u32);
        let (start_ns, end_ns) = (window.start_ns[span as usize], window.end_ns[span as usize]);
        process.parents.push(Parent { span, start_ns, end_ns, kind, linked });
    }
    let kinds = Kinds::new(torn.iter().chain(&linked).map(|&span| key(window, span)));
    let call = |&span: &u32| {
        let (start_ns, end_ns) = (window.start_ns[span as usize], window.end_ns[span as usize]);
        Call { span, start_ns, end_ns, kind: kinds.get(key(window, span)) }
    };
    process.calls = torn.iter().map(call).collect();
    process.linked = linked.iter().map(call).collect();
    process.num_parent_kinds = parent_kinds.len;
    process.num_kinds = kinds.len;
    process.is_loose = vec![false; kinds.len];
    process.calls.iter().for_each(|call| process.is_loose[call.kind] = true);
    process.known = vec![None; process.calls.len()];
    process.find_choices();
    process
}

/// Adds the spans below `span` that are of its process.
fn descend(window: &Window, span: u32, found: &mut Vec<u32>) {
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
}

type Key = (Symbol, Role);

fn key(window: &Window, span: u32) -> Key {
    (window.name[span as usize], window.role[span as usize])
}

/// Numbers for names, given by first occurrence. The rare ones share the last number.
struct Kinds {
    numbers: HashMap<Key, usize>,
    len: usize,
}

impl Kinds {
    fn new(keys: impl Iterator<Item = Key>) -> Self {
        let mut counts: HashMap<Key, usize> = HashMap::new();
        let mut order = Vec::new();
        for key in keys {
            let count = counts.entry(key).or_insert(0);
            if *count == 0 {
                order.push(key);
            }
            *count += 1;
        }
        let mut frequent: Vec<Key> = order.iter().copied().filter(|key| counts[key] >= MIN_KIND).collect();
        // Sorting is stable: among equals the first to occur stays.
        frequent.sort_by_key(|key| std::cmp::Reverse(counts[key]));
        frequent.truncate(MAX_KINDS - 1);
        let numbers: HashMap<Key, usize> =
            frequent.into_iter().enumerate().map(|(number, key)| (key, number)).collect();
        let len = numbers.len() + usize::from(numbers.len() < order.len());
        Self { numbers, len }
    }

    fn get(&self, key: Key) -> usize {
        self.numbers.get(&key).copied().unwrap_or(self.len - 1)
    }
}

/// Tells whether a place is that of a request.
pub(super) fn is_placed(place: u32) -> bool {
    place != NONE
}
