//! Clocks of processes: what to add to times of one instance to compare them with those of another.

use hashbrown::HashMap;

use crate::trace::window::{Role, Symbol, Window};

mod peak;

pub(super) use peak::peak;

/// Calls between two instances that are looked at.
const MAX_PAIRS: usize = 1_000;

/// The clocks of all instances, as far as calls connect them.
#[derive(Debug, Default)]
pub(super) struct Clocks {
    numbers: HashMap<Symbol, u32>,
    /// The next instance on the way to the one whose clock counts.
    next: Vec<u32>,
    /// What to add to get the time of the next.
    ahead_ns: Vec<i64>,
}

impl Clocks {
    /// Learns from calls and their callees; calls between more instances of a pair count first.
    pub(super) fn learn(window: &Window, linked: impl Iterator<Item = (u32, u32)>) -> Self {
        let mut clocks = Self::default();
        let mut pairs: HashMap<(u32, u32), Vec<i64>> = HashMap::new();
        for (call, callee) in linked {
            let pair = (clocks.number(window.instance(call)), clocks.number(window.instance(callee)));
            let differences = pairs.entry(pair).or_default();
            if differences.len() < MAX_PAIRS {
                differences.push(middle(window, call).saturating_sub(middle(window, callee)));
            }
        }
        let mut pairs: Vec<_> = pairs.into_iter().collect();
        pairs.sort_unstable_by_key(|(pair, differences)| (std::cmp::Reverse(differences.len()), *pair));
        for ((caller, callee), mut differences) in pairs {
            let at = differences.len() / 2;
            let ahead = *differences.select_nth_unstable(at).1;
            clocks.connect(caller, callee, ahead);
        }
        clocks
    }

    /// Returns the number of an instance.
    pub(super) fn number(&mut self, instance: Symbol) -> u32 {
        let added = self.next.len() as u32;
        let number = *self.numbers.entry(instance).or_insert(added);
        if number == added {
            self.next.push(added);
            self.ahead_ns.push(0);
        }
        number
    }

    /// Says that `ahead_ns` added to times of `callee` gives those of `caller`, unless more is known.
    pub(super) fn connect(&mut self, caller: u32, callee: u32, ahead_ns: i64) {
        let ((one, one_ahead), (other, other_ahead)) = (self.find(caller), self.find(callee));
        if one == other {
            return;
        }
        self.next[other as usize] = one;
        self.ahead_ns[other as usize] = ahead_ns.saturating_add(one_ahead).saturating_sub(other_ahead);
    }

    pub(super) fn is_connected(&self, one: u32, other: u32) -> bool {
        self.find(one).0 == self.find(other).0
    }

    /// Returns what to add to times of an instance to get those of the clock that counts for all that are connected.
    pub(super) fn ahead_ns(&self, instance: u32) -> i64 {
        self.find(instance).1
    }

    /// Tells whether time allows that a callee comes from a call.
    pub(super) fn allow(&mut self, window: &Window, call: u32, callee: u32) -> bool {
        let (start, slack) = self.start(window, call, callee);
        let is_late =
            window.role[call as usize] != Role::Producer && start > window.end_ns[call as usize].saturating_add(slack);
        start >= window.start_ns[call as usize].saturating_sub(slack) && !is_late
    }

    /// Tells whether a call lasts all the time of its callee.
    pub(super) fn surround(&mut self, window: &Window, call: u32, callee: u32) -> bool {
        let (start, slack) = self.start(window, call, callee);
        let end = start.saturating_add(window.duration_ns(callee));
        let (from, to) = (window.start_ns[call as usize], window.end_ns[call as usize]);
        from.saturating_sub(slack) <= start && end <= to.saturating_add(slack)
    }

    /// Returns the start of a callee by the clock of a call, and how wrong that may be.
    fn start(&mut self, window: &Window, call: u32, callee: u32) -> (i64, i64) {
        const KNOWN_NS: i64 = 20_000_000;
        const UNKNOWN_NS: i64 = 5_000_000_000;
        let (caller, instance) = (self.number(window.instance(call)), self.number(window.instance(callee)));
        let ahead = self.ahead_ns(instance).saturating_sub(self.ahead_ns(caller));
        let slack = if self.is_connected(caller, instance) { KNOWN_NS } else { UNKNOWN_NS };
        (window.start_ns[callee as usize].saturating_add(ahead), slack)
    }

    fn find(&self, mut at: u32) -> (u32, i64) {
        let mut ahead = 0_i64;
        while self.next[at as usize] != at {
            ahead = ahead.saturating_add(self.ahead_ns[at as usize]);
            at = self.next[at as usize];
        }
        (at, ahead)
    }
}

/// Returns the time in the middle of a span.
pub(super) fn middle(window: &Window, span: u32) -> i64 {
    let start = window.start_ns[span as usize];
    start.saturating_add(window.duration_ns(span) / 2)
}
