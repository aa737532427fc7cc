//! What is said about joined spans: how sure it is, why, and what to change so that it need not be guessed.

use super::data::TraceData;
use super::torn::Named;
use crate::humane;

/// Returns the finding that says why the span at `rank` had to be joined to its parent.
#[must_use]
pub fn named(data: &TraceData, rank: u32) -> Option<&Named> {
    let parent = data.forest.parent(rank)?;
    let service = |rank: u32| data.spans.service(data.forest.span(rank));
    data.torn.named(service(parent), service(rank))
}

/// Returns what the details of the span say about its join: (key, value), the first to know first.
#[must_use]
pub fn facts(data: &TraceData, rank: u32) -> Vec<(&'static str, String)> {
    let span = data.forest.span(rank);
    let mut facts = Vec::new();
    if let Some(join) = data.torn.join(span) {
        let state = if join.is_accepted { "joined" } else { "maybe joined" };
        facts.push((state, format!("{} sure, by {}", humane::sureness(join.confidence), join.rule)));
        facts.push(("because", join.why.clone()));
        if let Some(finding) = named(data, rank) {
            facts.push(("finding", format!("{}: {}", finding.rule, finding.subject.replace("->", "→"))));
            facts.push(("to change", finding.fix.lines().next().unwrap_or_default().to_owned()));
        }
        facts.push(("recorded", recorded(join.recorded_parent)));
    }
    facts.extend(data.torn.piece(span).map(|piece| ("in trace", piece.to_owned())));
    facts.extend(clock(data, span).map(|text| ("clock", text)));
    facts
}

fn recorded(parent: u64) -> String {
    match parent {
        0 => "without a parent: it began a trace of its own".to_owned(),
        parent => format!("below {parent:016x}, which nobody recorded"),
    }
}

fn clock(data: &TraceData, span: usize) -> Option<String> {
    let offset_ns = data.torn.offset_ns(span);
    let how = if data.torn.is_adjusted() { "added to its times" } else { "to add to its times; S does" };
    (offset_ns != 0).then(|| format!("{} {how}", humane::offset(offset_ns)))
}
