//! Inside a service: which request did the work that began a trace of its own.
//!
//! Where a service hands work to another thread without its context, the calls it makes there become roots. All that is left
//! of their parent is time: a call begins a moment after something of its request ended, and what follows begins a moment
//! after it. Those delays are learned from the spans at hand, process by process, and whole requests are weighed against each
//! other.

mod aim;
mod chain;
mod delays;
mod gather;
mod kinds;
mod known;
mod learn;
mod model;
mod near;
mod order;
mod outset;
mod place;
mod process;
mod sample;
mod screen;
mod solve;
mod state;
#[cfg(test)]
mod tests;

use std::cell::OnceCell;

use process::Process;

use super::Stitch;
use super::keys::Keys;
use crate::trace::window::{NONE, Window};

/// Joins roots of clients, producers and internal spans to the spans of their own process that caused them.
#[must_use]
pub fn join(window: &Window, keys: &OnceCell<Keys>) -> Vec<Stitch> {
    let mut processes = related(window);
    if processes.is_empty() {
        return Vec::new();
    }
    let keys = keys.get_or_init(|| Keys::find(window));
    for process in &mut processes {
        known::restrict(window, keys, process);
    }
    processes.iter().flat_map(|process| solve::solve(window, process)).collect()
}

/// The baseline: of each edge the first unserved call gets the first root, and so on. Pairs of (child, parent).
#[must_use]
pub fn first_come(window: &Window) -> Vec<(u32, u32)> {
    let pairs = |process: &Process| {
        let places = state::first_come(process);
        let served = process.calls.iter().zip(places).filter(|&(_, place)| place != NONE);
        served.map(|(call, place)| (call.span, process.parents[place as usize].span)).collect::<Vec<_>>()
    };
    related(window).iter().flat_map(pairs).collect()
}

/// Returns the processes in which torn calls have to do with requests, with those calls alone.
fn related(window: &Window) -> Vec<Process> {
    let mut processes = gather::processes(window);
    for process in &mut processes {
        let is_related = screen::related(process);
        process.retain(&is_related);
    }
    processes.retain(|process| !process.calls.is_empty());
    processes
}
