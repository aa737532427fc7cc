//! Takes a problem apart, and gives each call a place in the sets of calls that are taken.

use super::Problem;
use crate::trace::window::NONE;

/// So many calls at a time can be told apart.
const NUM_SLOTS: u32 = 128;

/// Callees that calls connect, in order of time.
#[derive(Debug, Default)]
pub(super) struct Component {
    pub(super) steps: Vec<Step>,
}

/// One callee.
#[derive(Debug, Default)]
pub(super) struct Step {
    pub(super) callee: u32,
    /// For each choice the bit of its call; 0 where there was no room for it.
    pub(super) bits: Vec<u128>,
    /// The bits of calls that nobody chooses before this callee.
    pub(super) begun: u128,
    /// The bits of calls that nobody chooses after this callee.
    pub(super) freed: u128,
}

pub(super) fn components(problem: &Problem) -> Vec<Component> {
    let mut owner: Vec<u32> = (0..problem.num_callees as u32).collect();
    let mut first = vec![NONE; problem.num_calls];
    let mut last = vec![NONE; problem.num_calls];
    for callee in 0..problem.num_callees as u32 {
        for choice in problem.choices(callee as usize) {
            let call = choice.call as usize;
            last[call] = callee;
            if first[call] == NONE {
                first[call] = callee;
            } else {
                unite(&mut owner, first[call], callee);
            }
        }
    }
    let mut places = vec![NONE; problem.num_callees];
    let mut all: Vec<(Component, Slots)> = Vec::new();
    let mut slots = vec![NONE; problem.num_calls];
    for callee in 0..problem.num_callees as u32 {
        if problem.choices(callee as usize).is_empty() {
            continue;
        }
        let root = find(&mut owner, callee) as usize;
        if places[root] == NONE {
            places[root] = all.len() as u32;
            all.push((Component::default(), Slots::default()));
        }
        let (component, free) = &mut all[places[root] as usize];
        component.steps.push(free.step(problem, callee, &last, &mut slots));
    }
    all.into_iter().map(|(component, _)| component).collect()
}

/// Bits that are taken.
#[derive(Debug, Default)]
struct Slots(u128);

impl Slots {
    /// `slots` has the slot of each call.
    fn step(&mut self, problem: &Problem, callee: u32, last: &[u32], slots: &mut [u32]) -> Step {
        let mut step = Step { callee, ..Step::default() };
        for choice in problem.choices(callee as usize) {
            let slot = &mut slots[choice.call as usize];
            if *slot == NONE {
                let free = self.0.trailing_ones();
                *slot = free;
                self.0 |= bit(free);
                step.begun |= bit(free);
            }
            step.bits.push(bit(*slot));
        }
        for choice in problem.choices(callee as usize).iter().filter(|choice| last[choice.call as usize] == callee) {
            step.freed |= bit(slots[choice.call as usize]);
        }
        self.0 &= !step.freed;
        step
    }
}

fn bit(slot: u32) -> u128 {
    if slot < NUM_SLOTS { 1 << slot } else { 0 }
}

fn find(owner: &mut [u32], mut at: u32) -> u32 {
    while owner[at as usize] != at {
        owner[at as usize] = owner[owner[at as usize] as usize];
        at = owner[at as usize];
    }
    at
}

fn unite(owner: &mut [u32], one: u32, other: u32) {
    let (one, other) = (find(owner, one), find(owner, other));
    // The earlier one owns: the result does not hang on the order.
    owner[one.max(other) as usize] = one.min(other);
}
