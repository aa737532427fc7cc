//! Calls and callees that compete for each other.

use hashbrown::HashMap;

use super::clock::{Clocks, peak};
use super::ends::{Ends, path_number};
use crate::trace::window::{NONE, Window};

/// One end of a call, in the common time of all clocks.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(clippy::struct_field_names, reason = "the end of a span is not the end of a call")]
pub(super) struct End {
    pub(super) span: u32,
    /// A number of the market's groups of calls or of callees.
    pub(super) group: u32,
    pub(super) instance: u32,
    pub(super) start_ns: i64,
    pub(super) end_ns: i64,
    /// 0 where it is not known.
    pub(super) path: u64,
}

/// Groups of calls and callees that fit, directly or by way of others.
#[derive(Debug, Default)]
pub(super) struct Market {
    /// By start.
    pub(super) calls: Vec<End>,
    pub(super) callees: Vec<End>,
    /// Numbers of [`Ends::groups`].
    pub(super) call_groups: Vec<u32>,
    pub(super) callee_groups: Vec<u32>,
    /// The edge of each pair of groups, calls by callees; [`NONE`] where they do not fit.
    pub(super) edge: Vec<u32>,
    pub(super) edges: Vec<Edge>,
    pub(super) is_message: bool,
}

/// A group of calls and one of callees that fit.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Edge {
    pub(super) calls: u32,
    pub(super) callees: u32,
    /// Both ends know the path of a request, and agree on it.
    pub(super) has_paths: bool,
}

impl Market {
    pub(super) fn edge(&self, call: &End, callee: &End) -> Option<u32> {
        let at = call.group as usize * self.callee_groups.len() + callee.group as usize;
        self.edge.get(at).copied().filter(|&edge| edge != NONE)
    }

    /// Tells whether a call and a callee may belong together, time apart.
    pub(super) fn fits(&self, call: &End, callee: &End) -> Option<u32> {
        let edge = self.edge(call, callee)?;
        let has_paths = self.edges[edge as usize].has_paths && call.path != 0 && callee.path != 0;
        let is_other = call.instance != callee.instance;
        (is_other && (!has_paths || call.path == callee.path)).then_some(edge)
    }
}

/// Makes the markets of `calls` and `roots` (spans, by start).
pub(super) fn markets(window: &Window, ends: &Ends, clocks: &mut Clocks, calls: &[u32], roots: &[u32]) -> Vec<Market> {
    let (call_groups, callee_groups) = (groups(ends, calls), groups(ends, roots));
    let fits = fitting(ends, &call_groups, &callee_groups);
    let mut owner: Vec<u32> = (0..ends.groups.len() as u32).collect();
    for &(call, callee) in &fits {
        let (one, other) = (find(&owner, call), find(&owner, callee));
        owner[one.max(other) as usize] = one.min(other);
    }
    let mut places: HashMap<u32, usize> = HashMap::new();
    let mut markets: Vec<Market> = Vec::new();
    for &(call, callee) in &fits {
        let place = *places.entry(find(&owner, call)).or_insert_with(|| {
            markets.push(Market { is_message: ends.is_message(callee), ..Market::default() });
            markets.len() - 1
        });
        let market = &mut markets[place];
        let (calls, callees) = (number(&mut market.call_groups, call), number(&mut market.callee_groups, callee));
        market.edges.push(Edge { calls, callees, has_paths: false });
    }
    let mut filler = Filler { window, ends, clocks };
    filler.fill(&mut markets, calls, roots);
    markets
}

fn groups(ends: &Ends, spans: &[u32]) -> Vec<u32> {
    let mut groups: Vec<u32> =
        spans.iter().map(|&span| ends.group[span as usize]).filter(|&group| group != NONE).collect();
    groups.sort_unstable();
    groups.dedup();
    groups
}

/// Returns the pairs of groups that fit. Groups that do not even have the same protocol and name of the operation are not compared.
fn fitting(ends: &Ends, calls: &[u32], callees: &[u32]) -> Vec<(u32, u32)> {
    let what = |group: u32| {
        let operation = ends.operations.get(ends.groups[group as usize].operation);
        (operation.protocol, operation.what.as_str())
    };
    let mut by_what: HashMap<_, Vec<u32>> = HashMap::new();
    callees.iter().for_each(|&callee| by_what.entry(what(callee)).or_default().push(callee));
    let pairs = calls
        .iter()
        .flat_map(|&call| by_what.get(&what(call)).into_iter().flatten().map(move |&callee| (call, callee)));
    pairs.filter(|&(call, callee)| ends.fits(call, callee)).collect()
}

fn number(groups: &mut Vec<u32>, group: u32) -> u32 {
    let found = groups.iter().position(|&known| known == group);
    found.unwrap_or_else(|| {
        groups.push(group);
        groups.len() - 1
    }) as u32
}

fn find(owner: &[u32], mut at: u32) -> u32 {
    while owner[at as usize] != at {
        at = owner[at as usize];
    }
    at
}

/// Returns one end by its own clock.
fn end(window: &Window, clocks: &mut Clocks, span: u32, group: u32) -> End {
    let (start_ns, end_ns) = (window.start_ns[span as usize], window.end_ns[span as usize]);
    let instance = clocks.number(window.instance(span));
    End { span, group, instance, start_ns, end_ns, path: path_number(window, span) }
}

/// Puts the times of an end into the common time.
fn align(clocks: &Clocks, end: &mut End) {
    let ahead = clocks.ahead_ns(end.instance);
    end.start_ns = end.start_ns.saturating_add(ahead);
    end.end_ns = end.end_ns.saturating_add(ahead);
}

/// Returns both ends of a call that is known, in the common time. Their groups are those of [`Ends`].
pub(super) fn known(window: &Window, clocks: &mut Clocks, (call, callee): (u32, u32)) -> (End, End) {
    let (mut call, mut callee) = (end(window, clocks, call, NONE), end(window, clocks, callee, NONE));
    align(clocks, &mut call);
    align(clocks, &mut callee);
    (call, callee)
}

struct Filler<'a> {
    window: &'a Window,
    ends: &'a Ends,
    clocks: &'a mut Clocks,
}

impl Filler<'_> {
    fn fill(&mut self, markets: &mut [Market], calls: &[u32], roots: &[u32]) {
        let mut places = vec![(NONE, NONE); self.ends.groups.len()];
        for (at, market) in markets.iter().enumerate() {
            let groups = market.call_groups.iter().zip(0..).chain(market.callee_groups.iter().zip(0..));
            groups.for_each(|(&group, number)| places[group as usize] = (at as u32, number));
        }
        for (spans, is_calls) in [(calls, true), (roots, false)] {
            for &span in spans {
                let Some(&(at, group)) = places.get(self.ends.group[span as usize] as usize) else { continue };
                let Some(market) = markets.get_mut(at as usize) else { continue };
                let end = self.end(span, group);
                if is_calls { market.calls.push(end) } else { market.callees.push(end) }
            }
        }
        for market in markets.iter_mut() {
            index(market);
        }
        // Calls tell offsets, messages do not: calls first.
        markets.iter_mut().filter(|market| !market.is_message).for_each(|market| self.connect(market));
        markets.iter_mut().for_each(|market| self.align(market));
    }

    fn end(&mut self, span: u32, group: u32) -> End {
        end(self.window, self.clocks, span, group)
    }

    /// Learns the offset of instances that no linked call connects.
    fn connect(&mut self, market: &Market) {
        let pairs = instance_pairs(market);
        for (caller, callee) in pairs {
            if self.clocks.is_connected(caller, callee) {
                continue;
            }
            let of = |ends: &[End], instance: u32| -> Vec<(i64, i64)> {
                let chosen = ends.iter().filter(|end| end.instance == instance);
                chosen.map(|end| (end.start_ns, end.end_ns)).collect()
            };
            if let Some(ahead) = peak(&of(&market.calls, caller), &of(&market.callees, callee)) {
                self.clocks.connect(caller, callee, ahead);
            }
        }
    }

    /// Puts the times of all ends into the common time.
    fn align(&self, market: &mut Market) {
        market.calls.iter_mut().chain(&mut market.callees).for_each(|end| align(self.clocks, end));
        // Stable: ends that start together stay in the window's order.
        market.calls.sort_by_key(|end| end.start_ns);
        market.callees.sort_by_key(|end| end.start_ns);
    }
}

/// Instances that may call each other, those with most spans first.
fn instance_pairs(market: &Market) -> Vec<(u32, u32)> {
    const MAX_PAIRS: usize = 64;
    let count = |ends: &[End]| {
        let mut counts: HashMap<(u32, u32), u64> = HashMap::new();
        ends.iter().for_each(|end| *counts.entry((end.group, end.instance)).or_default() += 1);
        counts
    };
    let (calls, callees) = (count(&market.calls), count(&market.callees));
    let mut pairs: HashMap<(u32, u32), u64> = HashMap::new();
    for (&(group, caller), &num) in &calls {
        for (&(other, callee), &other_num) in &callees {
            let at = group as usize * market.callee_groups.len() + other as usize;
            if caller != callee && market.edge.get(at).is_some_and(|&edge| edge != NONE) {
                *pairs.entry((caller, callee)).or_default() += num.min(other_num);
            }
        }
    }
    let mut pairs: Vec<_> = pairs.into_iter().collect();
    pairs.sort_unstable_by_key(|&(pair, num)| (std::cmp::Reverse(num), pair));
    pairs.into_iter().take(MAX_PAIRS).map(|(pair, _)| pair).collect()
}

/// Fills the table of edges, and finds those where both ends know the path.
fn index(market: &mut Market) {
    let num = market.callee_groups.len();
    market.edge = vec![NONE; market.call_groups.len() * num];
    for (number, edge) in market.edges.iter().enumerate() {
        market.edge[edge.calls as usize * num + edge.callees as usize] = number as u32;
    }
    let mut paths: HashMap<u64, Vec<u32>> = HashMap::new();
    for callee in market.callees.iter().filter(|callee| callee.path != 0) {
        let groups = paths.entry(callee.path).or_default();
        if !groups.contains(&callee.group) {
            groups.push(callee.group);
        }
    }
    for call in market.calls.iter().filter(|call| call.path != 0) {
        for &group in paths.get(&call.path).into_iter().flatten() {
            let edge = market.edge[call.group as usize * num + group as usize];
            market.edges.get_mut(edge as usize).into_iter().for_each(|edge| edge.has_paths = true);
        }
    }
}
