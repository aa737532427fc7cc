//! Where errors come from: of each request the deepest spans that failed, and the call that they show at.

use super::failure::{self, Failure};
use super::ground::{Call, Ground};
use crate::stitch::calls::operation::Protocol;
use crate::trace::window::NONE;

/// Which end of a call shows the failure first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Half {
    /// The caller alone: the callee did its work, or was never reached.
    Client,
    /// The callee answered so.
    Server,
    /// Something inside of the callee failed, which its caller saw.
    Inside,
}

/// What happened at a call: the same for all requests of one incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Symptom {
    pub edge: u32,
    pub failure: Failure,
    pub half: Half,
}

/// A failure that nothing below explains.
#[derive(Debug, Clone, Copy)]
pub(super) struct Source {
    /// The deepest span.
    pub span: u32,
    pub call: u32,
    pub symptom: Symptom,
}

/// What failed in one request.
#[derive(Debug, Default)]
pub(super) struct Sources {
    pub at_calls: Vec<Source>,
    /// Spans that failed inside of a service where no caller of another service saw it.
    pub inside: Vec<u32>,
}

/// Finds the sources of all errors of a request.
pub(super) fn sources(ground: &Ground<'_>, spans: &[u32]) -> Sources {
    let failed = spans.iter().copied().filter(|&span| failure::is_failed(ground.window, span));
    let failed: Vec<u32> = failed.collect();
    let explained = above(ground, &failed);
    let mut sources = Sources::default();
    for &span in failed.iter().filter(|span| explained.binary_search(span).is_err()) {
        if failure::of(ground.window, span).is_none() {
            continue;
        }
        match source(ground, span) {
            Some(source) => sources.at_calls.push(source),
            None => sources.inside.push(span),
        }
    }
    sources
}

/// Returns all spans above those, ascending.
fn above(ground: &Ground<'_>, spans: &[u32]) -> Vec<u32> {
    let mut all = std::collections::BTreeSet::new();
    for &span in spans {
        let mut at = ground.keys.parent_of(span);
        while at != NONE && all.insert(at) {
            at = ground.keys.parent_of(at);
        }
    }
    all.into_iter().collect()
}

fn source(ground: &Ground<'_>, span: u32) -> Option<Source> {
    let failure = failure::of(ground.window, span)?;
    let number = ground.call_of(span);
    let at_call = number.and_then(|number| Some((number, half(ground, ground.call(number)?, span, failure)?)));
    match at_call {
        Some((call, half)) => Some(put(ground, span, call, failure, half)),
        None => inside(ground, span),
    }
}

fn put(ground: &Ground<'_>, span: u32, call: u32, failure: Failure, half: Half) -> Source {
    let edge = ground.call(call).map_or(NONE, |call| call.edge);
    Source { span, call, symptom: Symptom { edge, failure, half } }
}

/// Tells which half failed; nothing where the network has no part in it.
fn half(ground: &Ground<'_>, call: &Call, span: u32, failure: Failure) -> Option<Half> {
    let edge = ground.edge(call.edge)?;
    if span == call.server {
        return (!edge.is_message()).then_some(Half::Server);
    }
    let is_answer = match failure {
        Failure::Http(_) => true,
        Failure::Grpc(status) => {
            call.server == NONE || failure::grpc_status(ground.window, call.server) == Some(status)
        }
        _ => false,
    };
    // What a database says is said in its own protocol.
    let is_said_inside = edge.protocol == Protocol::Named && failure == Failure::Unnamed && call.server == NONE;
    (!is_said_inside).then_some(if is_answer { Half::Server } else { Half::Client })
}

/// A failure inside of a service shows at the call that the service was serving.
fn inside(ground: &Ground<'_>, span: u32) -> Option<Source> {
    let entry = ground.entry_above(span)?;
    let number = ground.call_of(entry)?;
    let call = ground.call(number)?;
    let ends = [call.server, call.client];
    let seen = ends.into_iter().find(|&end| end != NONE && failure::is_failed(ground.window, end))?;
    let failure = failure::of(ground.window, seen)?;
    let is_message = ground.edge(call.edge)?.is_message();
    (!is_message).then(|| put(ground, span, number, failure, Half::Inside))
}
