//! What a reader should know of a run besides its figures.

use super::asked::{Judged, Staging};
use super::prepare::Prepared;
use crate::replay::edge::Class;

/// The run itself stops where injected and planned faults are further apart, as a share of the planned.
const AS_PLANNED: f64 = 0.2;

/// Returns all remarks, one sentence each.
pub(super) fn remarks(prepared: &Prepared, staging: &Staging<'_>, plan: &Judged) -> Vec<String> {
    let all = [
        looked_through(prepared),
        behind(prepared, plan),
        loose(prepared),
        baseline(prepared),
        share(prepared, plan),
        injected(staging),
    ];
    all.into_iter().flatten().collect()
}

fn looked_through(prepared: &Prepared) -> Option<String> {
    let services: Vec<&str> = prepared.through.iter().map(String::as_str).collect();
    (!services.is_empty()).then(|| format!("only one side has {}: looked through", services.join(", ")))
}

fn behind(prepared: &Prepared, plan: &Judged) -> Option<String> {
    let is_left_out = plan.class == Class::Error && !prepared.edge.behind.is_empty();
    let server = &plan.edge.server;
    is_left_out.then(|| format!("what happens in {server} and behind it is not compared: a fault stands in for it"))
}

fn loose(prepared: &Prepared) -> Option<String> {
    let fragments = prepared.num_loose;
    (fragments > 0).then(|| format!("{fragments} fragments could not be joined to a request: counted by time"))
}

fn baseline(prepared: &Prepared) -> Option<String> {
    let words = "the incident has no baseline: measured by staging's";
    prepared.arms.healthy.is_empty().then(|| words.to_owned())
}

fn share(prepared: &Prepared, plan: &Judged) -> Option<String> {
    let is_mixed = plan.share < 1.0 && !prepared.arms.healthy.is_empty();
    is_mixed
        .then(|| format!("the fault hits {:.0} % of the requests: the incident is mixed likewise", plan.share * 100.0))
}

fn injected(staging: &Staging<'_>) -> Option<String> {
    let (injected, planned) = (staging.injected?, staging.planned?);
    let is_off = (injected as f64 - planned as f64).abs() > AS_PLANNED * planned as f64;
    is_off.then(|| format!("{injected} faults were injected instead of {planned}"))
}
