//! Ways to share out torn calls among requests.

use super::process::{Process, is_placed};
use crate::trace::window::NONE;

/// More torn calls than this are not given to one request.
pub(super) const MAX_MEMBERS: usize = 64;

/// One way to share out the calls.
#[derive(Debug, Clone)]
pub(super) struct State {
    /// By torn call: its request, or [`NONE`].
    pub(super) places: Vec<u32>,
    /// By request: its torn calls, by start.
    pub(super) members: Vec<Vec<u32>>,
    /// By request: how likely it is with them.
    pub(super) scores: Vec<f64>,
    /// By torn call: when that ended which it followed, or [`NOWHERE`].
    pub(super) froms: Vec<i64>,
}

/// Stands for the time that a call without a request followed.
pub(super) const NOWHERE: i64 = i64::MIN;

impl State {
    pub(super) fn new(process: &Process, mut places: Vec<u32>) -> Self {
        let mut members = vec![Vec::new(); process.parents.len()];
        for (call, place) in places.iter_mut().enumerate().filter(|(_, place)| is_placed(**place)) {
            let members = &mut members[*place as usize];
            if members.len() < MAX_MEMBERS { members.push(call as u32) } else { *place = NONE }
        }
        Self { froms: vec![NOWHERE; places.len()], places, scores: vec![0.0; members.len()], members }
    }

    pub(super) fn members(&self, parent: u32) -> &[u32] {
        &self.members[parent as usize]
    }

    pub(super) fn followed_ns(&self, call: u32) -> i64 {
        self.froms[call as usize]
    }

    pub(super) fn places(&self) -> &[u32] {
        &self.places
    }
}

/// First come, first served: each call goes to the request that began first among those with fewest calls of its kind.
pub(super) fn first_come(process: &Process) -> Vec<u32> {
    let mut counts = vec![0_u8; process.parents.len() * process.num_kinds];
    let place = |call: u32| {
        let kind = process.calls[call as usize].kind;
        let end = if process.is_known(call) { i64::MIN } else { process.calls[call as usize].end_ns };
        let at = |parent: u32| parent as usize * process.num_kinds + kind;
        let open =
            process.choices(call).iter().copied().filter(|&parent| process.parents[parent as usize].end_ns >= end);
        let first = open.min_by_key(|&parent| (counts[at(parent)], parent));
        first.inspect(|&parent| counts[at(parent)] = counts[at(parent)].saturating_add(1)).unwrap_or(NONE)
    };
    (0..process.calls.len() as u32).map(place).collect()
}
