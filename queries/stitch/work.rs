//! Inside a service: which request did the work that began a trace of its own.
//!
//! Where a service hands work to another thread without its context, the calls it makes there become roots. All that is left
//! of their parent is time: a call begins a moment after something of its request ended, and what follows begins a moment
//! after it. Those delays are learned from the spans at hand, process by process, and whole requests are weighed against each
//! other.

mod aim;
mod chain;
mod delays;
mod learn;
mod model;
mod order;
mod outset;
mod process;
mod random;
mod sample;
mod solve;

use super::Stitch;
use crate::trace::window::Window;

/// Joins roots of clients, producers and internal spans to the spans of their own process that caused them.
#[must_use]
pub fn join(window: &Window) -> Vec<Stitch> {
    process::processes(window).iter().flat_map(solve::solve).collect()
}

/// The baseline: of each edge the first unserved call gets the first root, and so on. Pairs of (child, parent).
#[must_use]
pub fn first_come(window: &Window) -> Vec<(u32, u32)> {
    let pairs = |process: &process::Process| {
        let places = sample::first_come(process);
        let served = process.calls.iter().zip(places).filter(|&(_, place)| place != crate::trace::window::NONE);
        served.map(|(call, place)| (call.span, process.parents[place as usize].span)).collect::<Vec<_>>()
    };
    process::processes(window).iter().flat_map(pairs).collect()
}
