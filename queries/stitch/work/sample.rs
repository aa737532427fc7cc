//! Walks through the ways to share out torn calls among requests, each visited as often as it is likely.

use super::chain::Scratch;
use super::model::Model;
use super::process::{Process, is_placed};
use super::random::Random;
use crate::trace::window::NONE;

/// More torn calls than this are not given to one request.
const MAX_MEMBERS: usize = 64;

/// One way to share out the calls.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// By torn call: its request, or [`NONE`].
    places: Vec<u32>,
    /// By request: its torn calls, by start.
    members: Vec<Vec<u32>>,
    scores: Vec<f64>,
}

impl State {
    pub(super) fn new(process: &Process, places: Vec<u32>) -> Self {
        let mut members = vec![Vec::new(); process.parents.len()];
        for (call, &place) in places.iter().enumerate().filter(|&(_, &place)| is_placed(place)) {
            members[place as usize].push(call as u32);
        }
        Self { places, scores: vec![0.0; members.len()], members }
    }

    pub(super) fn members(&self, parent: u32) -> &[u32] {
        &self.members[parent as usize]
    }

    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }
}

/// First come, first served: each call goes to the request that began first among those with fewest calls of its kind.
pub(super) fn first_come(process: &Process) -> Vec<u32> {
    let mut counts = vec![0_u32; process.parents.len() * process.num_kinds];
    let place = |call: u32| {
        let kind = process.calls[call as usize].kind;
        let end = process.calls[call as usize].end_ns;
        let at = |parent: u32| parent as usize * process.num_kinds + kind;
        let open =
            process.choices(call).iter().copied().filter(|&parent| process.parents[parent as usize].end_ns >= end);
        let first = open.min_by_key(|&parent| (counts[at(parent)], parent));
        first.inspect(|&parent| counts[at(parent)] += 1).unwrap_or(NONE)
    };
    (0..process.calls.len() as u32).map(place).collect()
}

/// The walk.
pub(super) struct Sampler<'p> {
    process: &'p Process,
    pub(super) state: State,
    random: Random,
    scratch: Scratch,
    left: Vec<u32>,
    right: Vec<u32>,
}

impl<'p> Sampler<'p> {
    pub(super) fn new(process: &'p Process, state: State) -> Self {
        let (left, right) = (Vec::new(), Vec::new());
        Self { process, state, random: Random(0x5eed), scratch: Scratch::default(), left, right }
    }

    /// Weighs all requests anew.
    pub(super) fn rescore(&mut self, model: &Model) {
        for parent in 0..self.process.parents.len() {
            self.state.scores[parent] =
                model.chain(self.process, parent as u32, &self.state.members[parent], &mut self.scratch);
        }
    }

    /// Tries one change for each torn call.
    pub(super) fn sweep(&mut self, model: &Model) {
        for call in 0..self.process.calls.len() as u32 {
            self.change(model, call);
        }
    }

    fn change(&mut self, model: &Model, call: u32) {
        let from = self.state.places[call as usize];
        let Some(to) = self.other_place(call, from) else { return };
        let (how, kind) = (self.random.below(5), self.process.calls[call as usize].kind);
        let partner = if how == 0 || !is_placed(to) { None } else { self.partner(to, kind) };
        let is_tail = how >= 3 && is_placed(from) && partner.is_some();
        self.propose((call, from), (partner, to), is_tail);
        self.decide(model, (call, from), (partner, to));
    }

    /// Chooses another of the call's places, the one outside of all requests among them.
    fn other_place(&mut self, call: u32, from: u32) -> Option<u32> {
        let choices = self.process.choices(call);
        let at = self.random.below(choices.len() + 1);
        let to = choices.get(at).copied().unwrap_or(NONE);
        (to != from).then_some(to)
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
    fn propose(&mut self, (call, from): (u32, u32), (partner, to): (Option<u32>, u32), is_tail: bool) {
        self.left.clear();
        self.right.clear();
        let empty = Vec::new();
        let of = |place: u32| self.state.members.get(place as usize).unwrap_or(&empty);
        let goes = |member: u32| member == call || (is_tail && member > call);
        let comes = |member: u32| Some(member) == partner || (is_tail && partner.is_some_and(|first| member > first));
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

    fn decide(&mut self, model: &Model, (call, from): (u32, u32), (partner, to): (Option<u32>, u32)) {
        if !self.fits(from, to) {
            return;
        }
        let null =
            |is_null: bool, call: u32| if is_null { model.null(self.process.calls[call as usize].kind) } else { 0.0 };
        let (left, right) = (self.weigh(model, from, true), self.weigh(model, to, false));
        let before = self.score(from) + self.score(to) + null(!is_placed(from), call);
        let after =
            left + right + null(!is_placed(to), call) + partner.map_or(0.0, |partner| null(!is_placed(from), partner));
        let is_taken = after >= before || self.random.share().ln() < after - before;
        if is_taken {
            self.take((from, left), (to, right), call, partner);
        }
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
        let members = if is_left { &self.left } else { &self.right };
        if is_placed(place) { model.chain(self.process, place, members, &mut self.scratch) } else { 0.0 }
    }

    fn score(&self, place: u32) -> f64 {
        self.state.scores.get(place as usize).copied().unwrap_or(0.0)
    }

    fn take(&mut self, (from, left): (u32, f64), (to, right): (u32, f64), call: u32, partner: Option<u32>) {
        self.state.places[call as usize] = to;
        if let Some(partner) = partner {
            self.state.places[partner as usize] = from;
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
