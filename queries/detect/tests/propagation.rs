//! Requests, messages and work that lose their context: what has to fire, and what looks alike and is right.

mod boundaries;
mod hops;
mod leaks;
mod messages;
mod requests;

use super::scene::{Process, Put, Scene, server};

/// Ten requests a second to an edge service; `each` puts what a request does.
fn requests(scene: &mut Scene, edge: Process, count: u32, mut each: impl FnMut(&mut Scene, Put, f64, u32)) {
    for number in 0..count {
        let from = f64::from(number) * 100.0;
        let request = scene.put(server(edge, "GET /", from, 50.0));
        each(scene, request, from, number);
    }
}

fn text(says: &[(String, u64, u64, String)]) -> Vec<(&str, u64, u64, &str)> {
    says.iter()
        .map(|(subject, occurrences, out_of, side)| (subject.as_str(), *occurrences, *out_of, side.as_str()))
        .collect()
}

const BREAKS: [&str; 4] =
    ["b3-not-extracted", "propagator-format-mismatch", "propagator-noop-default", "context-not-injected"];
