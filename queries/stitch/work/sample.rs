//! Walks through the ways to share out torn calls among requests, each visited as often as it is likely.

mod survey;

use super::aim::{Aim, NUM_AIMS, aims};
use super::chain::Scratch;
use super::model::Model;
use super::near::Near;
use super::order::Neighbours;
use super::process::{Process, is_placed};
use super::state::{MAX_MEMBERS, NOWHERE, State};
use crate::chance::Chance;
use crate::trace::window::NONE;

/// The walk.
pub(super) struct Sampler<'p> {
    process: &'p Process,
    pub(super) state: State,
    random: Chance,
    /// 1 to visit each state as often as it is likely; more to be less choosy.
    pub(super) heat: f64,
    scratch: Scratch,
    left: Vec<u32>,
    right: Vec<u32>,
    left_froms: Vec<(u32, i64)>,
    right_froms: Vec<(u32, i64)>,
    neighbours: Neighbours,
    near: Near,
    aims: Vec<[Aim; NUM_AIMS]>,
    /// How many calls were weighed so far.
    pub(super) cost: u64,
}

/// What moves with a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    Alone,
    /// A call of its kind comes back.
    Swap,
    /// All that comes after it goes along, and all from a call of its kind on comes back.
    Tail,
    /// All that comes after it goes along, and all that comes after it there comes back.
    Cut,
}

impl<'p> Sampler<'p> {
    pub(super) fn new(process: &'p Process, state: State, seed: u64) -> Self {
        Self {
            process,
            state,
            random: Chance::new(seed),
            heat: 1.0,
            scratch: Scratch::default(),
            left: Vec::new(),
            right: Vec::new(),
            left_froms: Vec::new(),
            right_froms: Vec::new(),
            neighbours: Neighbours::new(process),
            near: Near::all(process),
            aims: Vec::new(),
            cost: 0,
        }
    }

    /// Weighs all requests anew.
    pub(super) fn rescore(&mut self, model: &Model) {
        self.aims = aims(self.process, model);
        self.state.froms.fill(NOWHERE);
        for parent in 0..self.process.parents.len() {
            let members = &self.state.members[parent];
            let froms = &mut self.left_froms;
            self.state.scores[parent] = model.chain(self.process, parent as u32, members, &mut self.scratch, froms);
            froms.iter().for_each(|&(call, from_ns)| self.state.froms[call as usize] = from_ns);
        }
    }

    /// Tries one change for each torn call that may move.
    pub(super) fn sweep(&mut self, model: &Model) {
        for at in 0..self.near.open.len() {
            self.change(model, self.near.open[at]);
        }
    }

    /// Tries two changes for each torn call that may move, one of them among those that seem best. States are then no longer
    /// visited as often as they are likely: this is to find a good one.
    pub(super) fn search(&mut self, model: &Model) {
        for at in 0..self.near.open.len() {
            let call = self.near.open[at];
            self.change(model, call);
            self.follow(model, call);
        }
    }

    /// Tries to bring a call, and what comes after it, to where something ended that it may have followed.
    fn follow(&mut self, model: &Model, call: u32) {
        let at = self.random.below(NUM_AIMS);
        let to = match self.aims.get(call as usize).map_or(Aim::Nothing, |aims| aims[at]) {
            Aim::Nothing => return,
            Aim::Request(parent) => parent,
            Aim::Call(before) => self.state.places[before as usize],
        };
        let from = self.state.places[call as usize];
        if to != from && to != NONE {
            let how = self.how();
            self.attempt(model, (call, from), to, how);
        }
    }

    fn how(&mut self) -> How {
        match self.random.below(6) {
            0 => How::Alone,
            1 | 2 => How::Swap,
            3 | 4 => How::Tail,
            _ => How::Cut,
        }
    }

    fn change(&mut self, model: &Model, call: u32) {
        let from = self.state.places[call as usize];
        let near = self.near.get(call);
        let to = near[self.random.below(near.len())];
        if to != from {
            let how = self.how();
            self.attempt(model, (call, from), to, how);
        }
    }

    /// Tries to bring a call to another place, and returns how much more likely that is.
    fn attempt(&mut self, model: &Model, (call, from): (u32, u32), to: u32, how: How) -> f64 {
        let kind = self.process.calls[call as usize].kind;
        let is_alone = how == How::Alone || !is_placed(to) || (how == How::Cut && is_placed(from));
        let partner = if is_alone { None } else { self.partner(to, kind) };
        if partner.is_none() && is_placed(to) && self.state.members(to).len() >= MAX_MEMBERS {
            return f64::NEG_INFINITY;
        }
        let tails = match how {
            How::Cut if is_placed(from) && is_placed(to) => Some((call, call)),
            How::Tail if is_placed(from) => partner.map(|partner| (call, partner)),
            _ => None,
        };
        self.propose((call, from), (partner, to), tails);
        self.decide(model, (call, from), (partner, to))
    }

    fn partner(&mut self, parent: u32, kind: usize) -> Option<u32> {
        let calls = &self.process.calls;
        let members = &self.state.members[parent as usize];
        let count = members.iter().filter(|&&member| calls[member as usize].kind == kind).count();
        if count == 0 {
            return None;
        }
        let at = self.random.below(count);
        members.iter().copied().filter(|&member| calls[member as usize].kind == kind).nth(at)
    }

    /// Writes what both requests would have into `left` and `right`.
    fn propose(&mut self, (call, from): (u32, u32), (partner, to): (Option<u32>, u32), tails: Option<(u32, u32)>) {
        self.left.clear();
        self.right.clear();
        let empty = Vec::new();
        let of = |place: u32| self.state.members.get(place as usize).unwrap_or(&empty);
        let goes = |member: u32| member == call || tails.is_some_and(|(first, _)| member > first);
        let comes = |member: u32| Some(member) == partner || tails.is_some_and(|(_, first)| member > first);
        self.left.extend(of(from).iter().copied().filter(|&member| !goes(member)));
        self.left.extend(of(to).iter().copied().filter(|&member| comes(member)));
        self.right.extend(of(to).iter().copied().filter(|&member| !comes(member)));
        self.right.extend(of(from).iter().copied().filter(|&member| goes(member)));
        if !is_placed(from) {
            self.right.push(call);
        }
        self.left.sort_unstable();
        self.right.sort_unstable();
    }

    fn decide(&mut self, model: &Model, (call, from): (u32, u32), (partner, to): (Option<u32>, u32)) -> f64 {
        self.cost += 2 + (self.left.len() + self.right.len()) as u64;
        if !self.fits(from, to) {
            return f64::NEG_INFINITY;
        }
        let null =
            |is_null: bool, call: u32| if is_null { model.null(self.process.calls[call as usize].kind) } else { 0.0 };
        let (left, right) = (self.weigh(model, from, true), self.weigh(model, to, false));
        let before = self.score(from) + self.score(to) + null(!is_placed(from), call);
        let after =
            left + right + null(!is_placed(to), call) + partner.map_or(0.0, |partner| null(!is_placed(from), partner));
        let after = after + self.order(model, call, partner, (!is_placed(from), !is_placed(to)));
        let is_taken = after >= before || self.random.share_above_zero().ln() * self.heat < after - before;
        if is_taken {
            self.take((from, left), (to, right), call, partner);
        }
        after - before
    }

    /// Tells whether every call that moves may be where it goes.
    fn fits(&self, from: u32, to: u32) -> bool {
        let is_choice = |&call: &u32, place: u32| self.process.choices(call).binary_search(&place).is_ok();
        let is_fine = |calls: &[u32], place: u32| {
            !is_placed(place) || (calls.len() <= MAX_MEMBERS && calls.iter().all(|call| is_choice(call, place)))
        };
        is_fine(&self.left, from) && is_fine(&self.right, to)
    }

    fn weigh(&mut self, model: &Model, place: u32, is_left: bool) -> f64 {
        let (members, froms) =
            if is_left { (&self.left, &mut self.left_froms) } else { (&self.right, &mut self.right_froms) };
        froms.clear();
        if is_placed(place) { model.chain(self.process, place, members, &mut self.scratch, froms) } else { 0.0 }
    }

    /// Returns how much more likely the order of calls becomes.
    fn order(&mut self, model: &Model, call: u32, partner: Option<u32>, (from_null, to_null): (bool, bool)) -> f64 {
        if !model.order.matters() {
            return 0.0;
        }
        if to_null {
            self.right_froms.push((call, NOWHERE));
        }
        if let Some(partner) = partner.filter(|_| from_null) {
            self.left_froms.push((partner, NOWHERE));
        }
        let changes = [self.left_froms.as_slice(), &self.right_froms];
        model.order.change(self.process, &self.state, &self.neighbours, changes)
    }

    fn score(&self, place: u32) -> f64 {
        self.state.scores.get(place as usize).copied().unwrap_or(0.0)
    }

    fn take(&mut self, (from, left): (u32, f64), (to, right): (u32, f64), call: u32, partner: Option<u32>) {
        self.state.places[call as usize] = to;
        for &(call, from_ns) in self.left_froms.iter().chain(&self.right_froms) {
            self.state.froms[call as usize] = from_ns;
        }
        if let Some(partner) = partner {
            self.state.places[partner as usize] = from;
        }
        for (call, place) in [(Some(call), to), (partner, from)] {
            if let Some(call) = call.filter(|_| !is_placed(place)) {
                self.state.froms[call as usize] = NOWHERE;
            }
        }
        for (place, score, members) in [(from, left, &mut self.left), (to, right, &mut self.right)] {
            if is_placed(place) {
                members.iter().for_each(|&member| self.state.places[member as usize] = place);
                std::mem::swap(&mut self.state.members[place as usize], members);
                self.state.scores[place as usize] = score;
            }
        }
    }
}
