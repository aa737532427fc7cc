//! Why requests arrive without their context, and who has to change something: one cause for all hops that it explains.

mod common;
mod judge;
mod noop;
mod proof;

use std::collections::BTreeMap;

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::hops::{self, Break, Hop, Hops};
use super::{Case, Rule};
use crate::trace::window::Symbol;

/// Which rule a cause belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// The caller sends B3.
    B3,
    /// Caller and callee do not speak the same format.
    Format,
    /// The service neither reads nor sends context.
    Noop,
    /// The caller sends nothing.
    NotInjected,
}

/// One fault and the hops that it explains.
#[derive(Debug, Clone, PartialEq)]
pub struct Cause {
    pub verdict: Verdict,
    pub side: Symbol,
    /// Caller and callee.
    pub hops: Vec<(Symbol, Symbol)>,
    /// Factor on the rule's confidence: 1 where the evidence is the best there is.
    pub weight: f64,
    /// One half of a sentence.
    pub because: String,
    pub proof: serde_json::Map<String, serde_json::Value>,
}

/// Returns the drafts of the causes with one verdict.
#[must_use]
pub fn drafts(case: &Case<'_>, rule: &Rule, verdict: Verdict) -> Vec<Draft> {
    let hops = hops::requests(case);
    let causes = judge::causes(case, &hops, rule);
    causes.into_iter().filter(|cause| cause.verdict == verdict).map(|cause| draft(case, rule, &hops, cause)).collect()
}

fn draft(case: &Case<'_>, rule: &Rule, hops: &Hops, cause: Cause) -> Draft {
    let window = case.window;
    let list: Vec<&Hop> = cause.hops.iter().filter_map(|pair| hops.get(pair)).collect();
    let breaks: Vec<Break> = list.iter().flat_map(|hop| hop.breaks.iter().copied()).collect();
    let calls: u64 = list.iter().map(|hop| hop.calls()).sum();
    let sure = breaks.iter().filter(|one| one.is_sure).count() as f64 / breaks.len().max(1) as f64;
    let subject = match (cause.hops.as_slice(), cause.verdict) {
        ([(caller, callee)], Verdict::B3 | Verdict::Format | Verdict::NotInjected) => Subject::Edge(*caller, *callee),
        _ => Subject::Service(cause.side),
    };
    let mut draft = Draft::new(subject, cause.side, rule.confidence * cause.weight * (0.5 + 0.5 * sure));
    draft.occurrences = breaks.len() as u64;
    draft.out_of = calls;
    draft.why = format!("{} of {calls} {}; {}", calls - breaks.len() as u64, arrive(case, &cause.hops), cause.because);
    draft.spans = breaks.iter().flat_map(|one| [one.call, one.root]).collect();
    draft.examples = examples(&breaks);
    draft.evidence = cause.proof;
    let by_hop: BTreeMap<String, String> =
        cause.hops.iter().filter_map(|pair| Some(row(case, *pair, hops.get(pair)?))).collect();
    let first = breaks.first().map(|one| [one.call, one.root].map(|span| format!("{:032x}", window.trace_id(span))));
    draft.proof("hops", json!(by_hop)).proof("trace_ids", json!(first))
}

fn arrive(case: &Case<'_>, hops: &[(Symbol, Symbol)]) -> String {
    let text = |symbol: Symbol| case.window.text(symbol);
    match hops {
        [(caller, callee)] => format!("calls of {} arrive in {} with their context", text(*caller), text(*callee)),
        [(caller, _), rest @ ..] if rest.iter().all(|(other, _)| other == caller) => {
            format!("calls of {} arrive in {} services with their context", text(*caller), hops.len())
        }
        _ => format!("calls on {} edges arrive with their context", hops.len()),
    }
}

/// `caller -> callee` and `broken/calls`.
fn row(case: &Case<'_>, (caller, callee): (Symbol, Symbol), hop: &Hop) -> (String, String) {
    let text = |symbol: Symbol| case.window.text(symbol);
    (format!("{} -> {}", text(caller), text(callee)), format!("{}/{}", hop.breaks.len(), hop.calls()))
}

/// The surest first.
pub(super) fn examples(breaks: &[Break]) -> Vec<Example> {
    let sure = breaks.iter().filter(|one| one.is_sure);
    let all = sure.chain(breaks.iter().filter(|one| !one.is_sure));
    all.map(|one| Example { before: one.call, after: one.root }).take(3).collect()
}
