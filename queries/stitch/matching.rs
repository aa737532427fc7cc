//! One-to-one matchings of callees to calls: how probable each pair is over all matchings, and which matching is best.
//!
//! Callees come in order of time and choose one after the other among a few calls each, or none. What matters for those to come
//! is only which of the calls that they may still choose are taken: a set that is small, because calls come and go with time.
//! Sums over all matchings are taken over these sets, forward and backward; where there are too many, the improbable are
//! forgotten. A component that no call connects to others is solved for itself.

use crate::trace::window::Rows;

mod best;
mod components;
mod layers;

use components::{Component, components};

/// A call that a callee may choose.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice {
    /// A number of the call.
    pub call: u32,
    /// How many times as likely the pair is as both being alone, as a natural logarithm.
    pub ln_weight: f64,
}

/// Sets of calls that are kept: of a callee, and of all callees of a component on average.
const MAX_SETS: usize = 512;
const MIN_SETS: usize = 8;
const MAX_SETS_IN_ALL: usize = 1 << 20;
/// Sets that are so much less probable than the most probable are forgotten, in nats.
const MAX_BEHIND: f64 = 14.0;

/// Callees, by time, and their choices. Numbers of calls are by time too.
#[derive(Debug)]
pub struct Problem {
    /// How many times less likely a callee takes a call that came before one that was taken: 1 where order does not count.
    pub inverted: f64,
    choices: Rows<Choice>,
    num_callees: usize,
    num_calls: usize,
}

/// What comes out.
#[derive(Debug, Default, PartialEq)]
pub struct Solution {
    /// The probability of each choice, in the order in which the choices were added.
    pub posteriors: Vec<f64>,
}

impl Default for Problem {
    fn default() -> Self {
        Self { inverted: 1.0, choices: Rows::default(), num_callees: 0, num_calls: 0 }
    }
}

impl Problem {
    /// Adds the next callee.
    pub fn push(&mut self, choices: impl IntoIterator<Item = Choice>) {
        let num_calls = &mut self.num_calls;
        let choices = choices.into_iter().filter(|choice| choice.ln_weight.is_finite());
        self.choices.push(choices.inspect(|choice| *num_calls = (*num_calls).max(choice.call as usize + 1)));
        self.num_callees += 1;
    }

    /// Returns the choices of a callee that count.
    #[must_use]
    pub fn choices(&self, callee: usize) -> &[Choice] {
        self.choices.get(callee)
    }

    /// Returns the probability of each choice.
    #[must_use]
    pub fn solve(&self) -> Solution {
        let begins = self.begins();
        let mut solution = Solution { posteriors: vec![0.0; begins.last().copied().unwrap_or(0)] };
        for component in components(self) {
            layers::solve(self, &component, &mut |callee, choice, posterior| {
                solution.posteriors[begins[callee as usize] + choice] = posterior;
            });
        }
        solution
    }

    /// Returns the call of each callee in the matching with the largest sum of weights as they are; nothing where that is none.
    #[must_use]
    pub fn best(&self) -> Vec<Option<u32>> {
        let mut found = vec![None; self.num_callees];
        for component in components(self) {
            best::solve(self, &component, &mut |callee, choice| {
                let choice = choice.and_then(|at| self.choices(callee as usize).get(at));
                found[callee as usize] = choice.map(|choice| choice.call);
            });
        }
        found
    }

    /// Returns how many sets are kept a callee.
    fn max_sets(component: &Component) -> usize {
        (MAX_SETS_IN_ALL / component.steps.len().max(1)).clamp(MIN_SETS, MAX_SETS)
    }

    /// Where the choices of each callee begin, and the number of all.
    fn begins(&self) -> Vec<usize> {
        let mut sum = 0;
        let mut begins = vec![0];
        begins.extend((0..self.num_callees).map(|callee| {
            sum += self.choices(callee).len();
            sum
        }));
        begins
    }
}

#[cfg(test)]
mod tests;
