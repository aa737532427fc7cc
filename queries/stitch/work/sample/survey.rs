//! Finds out which calls may still be elsewhere, and where.

use super::super::model::Model;
use super::super::near::Near;
use super::{How, Sampler};

/// Places that make a state less likely by more than this (natural logarithm) are out of the question.
const FAR: f64 = 12.0;

impl Sampler<'_> {
    /// Tries every change of every torn call once, and leaves alone from then on those of which none is near.
    /// Where that would cost more than `limit`, the rest stays.
    pub(in crate::stitch::work) fn close(&mut self, model: &Model, limit: u64) {
        let mut open = std::mem::take(&mut self.near.open);
        let limit = self.cost.saturating_add(limit);
        open.retain(|&call| {
            let mut is_open = self.cost > limit;
            if is_open {
                return true;
            }
            for place in 0..self.near.get(call).len() {
                let to = self.near.get(call)[place];
                is_open |= to != self.state.places[call as usize] && self.try_all(model, call, to);
            }
            is_open
        });
        self.near.open = open;
    }

    /// Tries every change of every torn call that may move `times` times over, and keeps to those places from then on that were not out of
    /// the question.
    pub(in crate::stitch::work) fn survey(&mut self, model: &Model, times: usize) {
        let open = std::mem::take(&mut self.near.open);
        let mut is_near = vec![false; open.iter().map(|&call| self.near.get(call).len()).sum()];
        for _ in 0..times {
            let mut at = 0;
            for &call in &open {
                for place in 0..self.near.get(call).len() {
                    is_near[at] |= self.try_all(model, call, self.near.get(call)[place]);
                    at += 1;
                }
            }
        }
        self.keep_near(&open, &is_near);
    }

    fn keep_near(&mut self, open: &[u32], is_near: &[bool]) {
        let mut is_near = is_near.iter();
        let mut open = open.iter().copied().peekable();
        let mut next = Near::default();
        for call in 0..self.process.calls.len() as u32 {
            let now = self.state.places[call as usize];
            if open.next_if_eq(&call).is_none() {
                next.push(call, std::iter::once(now));
                continue;
            }
            let places = self.near.get(call).iter().copied().zip(is_near.by_ref());
            next.push(call, places.filter(|&(place, is_near)| *is_near || place == now).map(|(place, _)| place));
        }
        self.near = next;
    }

    /// Tries to bring a call to a place in every way, and tells whether one of them is not out of the question.
    fn try_all(&mut self, model: &Model, call: u32, to: u32) -> bool {
        let mut best = f64::NEG_INFINITY;
        for how in [How::Alone, How::Swap, How::Tail, How::Cut] {
            let from = self.state.places[call as usize];
            if from == to {
                return true;
            }
            best = best.max(self.attempt(model, (call, from), to, how));
        }
        best > -FAR
    }
}
