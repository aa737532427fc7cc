//! Requests of a process, and the calls that stand under them.

use std::collections::BTreeMap;

use crate::trace::window::{Symbol, Window};

/// An entry span and the exits below it in the same process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Request {
    pub entry: u32,
    /// By start.
    pub exits: Vec<u32>,
}

/// Returns the requests of each service, process by process, by start.
pub(super) fn by_service(window: &Window) -> BTreeMap<Symbol, Vec<Vec<Request>>> {
    let mut instances: BTreeMap<(Symbol, Symbol), Vec<Request>> = BTreeMap::new();
    for entry in window.spans().filter(|&span| window.is_entry(span)) {
        let process = (window.service(entry), window.instance(entry));
        instances.entry(process).or_default().push(Request { entry, exits: exits(window, entry) });
    }
    let mut services: BTreeMap<Symbol, Vec<Vec<Request>>> = BTreeMap::new();
    for ((service, _), requests) in instances {
        services.entry(service).or_default().push(requests);
    }
    services
}

fn exits(window: &Window, entry: u32) -> Vec<u32> {
    let instance = window.instance(entry);
    let (mut found, mut open) = (Vec::new(), vec![entry]);
    while let Some(span) = open.pop() {
        for &child in window.children(span) {
            if window.is_entry(child) || window.instance(child) != instance {
                continue;
            }
            if window.is_exit(child) {
                found.push(child);
            }
            open.push(child);
        }
    }
    found.sort_unstable();
    found
}

/// Returns the requests that were in work at a moment, the latest first. Only so many are looked at.
pub(super) fn in_work<'r>(window: &Window, requests: &'r [Request], time_ns: i64) -> impl Iterator<Item = &'r Request> {
    const MAX_BACK: usize = 256;
    let begun = requests.partition_point(|request| window.start_ns[request.entry as usize] <= time_ns);
    let ends: Vec<bool> =
        requests[..begun].iter().rev().take(MAX_BACK).map(|one| window.end_ns[one.entry as usize] >= time_ns).collect();
    requests[..begun].iter().rev().zip(ends).filter(|(_, is_open)| *is_open).map(|(request, _)| request)
}
