//! Where each torn call may be.

use super::process::Process;
use crate::trace::window::NONE;

/// By torn call: the places that are not out of the question.
#[derive(Debug, Default)]
pub(super) struct Near {
    pub(super) places: Vec<u32>,
    ends: Vec<u32>,
    /// Calls with more than one such place.
    pub(super) open: Vec<u32>,
}

impl Near {
    pub(super) fn all(process: &Process) -> Self {
        let mut near = Self::default();
        for call in 0..process.calls.len() as u32 {
            let outside = (!process.is_known(call)).then_some(NONE);
            near.push(call, process.choices(call).iter().copied().chain(outside));
        }
        near
    }

    pub(super) fn push(&mut self, call: u32, places: impl Iterator<Item = u32>) {
        let from = self.places.len();
        self.places.extend(places);
        if self.places.len() > from + 1 {
            self.open.push(call);
        }
        self.ends.push(self.places.len() as u32);
    }

    pub(super) fn get(&self, call: u32) -> &[u32] {
        let from = (call as usize).checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.places[from as usize..self.ends[call as usize] as usize]
    }
}
