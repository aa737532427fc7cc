//! What one process did: its requests, the calls that are still linked to them, and the roots that lost theirs.

use crate::trace::window::{NONE, Symbol};

/// So many requests are weighed for one root.
const MAX_CHOICES: usize = 48;
/// So many requests that began before are looked at.
const MAX_LOOK_BACK: usize = 512;

/// A request or message that came in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Parent {
    pub(super) span: u32,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    pub(super) kind: usize,
    /// Where its linked calls stand.
    pub(super) linked: (u32, u32),
}

/// A call, linked or torn.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call {
    pub(super) span: u32,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    pub(super) kind: usize,
}

/// The processes of one service, as if one had run after the other: only those services that have both requests and torn calls
/// are looked at. Times are those of the one process that is made of all.
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
    pub(super) linked_calls: Vec<Call>,
    choices: Vec<u32>,
    choice_ends: Vec<u32>,
}

impl Process {
    pub(super) fn new(num_parent_kinds: usize, num_kinds: usize) -> Self {
        Self { num_parent_kinds, num_kinds, is_loose: vec![false; num_kinds], ..Self::default() }
    }

    /// Returns the calls that are still linked to a request, by start.
    pub(super) fn linked(&self, parent: u32) -> &[Call] {
        let (from, to) = self.parents[parent as usize].linked;
        &self.linked_calls[from as usize..to as usize]
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
        self.calls.iter().chain(&self.linked_calls)
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

    /// Returns a stretch of the process: some requests, and the torn calls that began while they came in, but not more than
    /// `max_calls`.
    pub(super) fn part(&self, parents: std::ops::Range<usize>, max_calls: usize) -> Self {
        let first_parent = parents.start;
        let parents = self.parents.get(parents).unwrap_or_default();
        let (Some(first), Some(last)) = (parents.first(), parents.last()) else { return Self::default() };
        let from = self.calls.partition_point(|call| call.start_ns < first.start_ns);
        let to =
            self.calls.partition_point(|call| call.start_ns <= last.end_ns.max(last.start_ns)).min(from + max_calls);
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
            linked_calls: self.linked_calls[linked_from as usize..linked_to as usize].to_vec(),
            ..Self::default()
        };
        let shift = first_parent as u32;
        let within = |&parent: &u32| parent.checked_sub(shift).filter(|&at| (at as usize) < part.parents.len());
        let choices = (from..to).map(|call| self.choices(call as u32).iter().filter_map(within).collect()).collect();
        part.set_choices(choices);
        part
    }

    /// Finds the requests that are there when a torn call begins: the latest to begin, where there are many.
    pub(super) fn find_choices(&mut self) {
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

/// Tells whether a place is that of a request.
pub(super) fn is_placed(place: u32) -> bool {
    place != NONE
}
