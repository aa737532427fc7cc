//! `message-context-missing`: consumers begin traces without a link to the message's producer.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Draft, Example, Subject};
use super::hops::{self, Break, Hop};
use super::{Case, Rule};
use crate::trace::window::{Role, Symbol, Window, key};

/// What a consumer service gets from one destination.
#[derive(Default)]
struct Inbox {
    /// Spans that process a message, and those of them that have neither parent nor link.
    processed: u64,
    lost: Vec<u32>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let stitched = hops::messages(case);
    let by_edge = stitched.iter().filter(|(_, hop)| is_broken(hop, rule)).map(|(&pair, hop)| by_edge(case, rule, pair, hop));
    let mut drafts: Vec<Draft> = by_edge.collect();
    let known: BTreeSet<Symbol> = drafts.iter().filter_map(|draft| callee(draft.subject)).collect();
    let senders = senders(case.window);
    for ((consumer, destination), inbox) in inboxes(case.window) {
        let from = senders.get(&destination).into_iter().flatten().copied().filter(|sender| *sender != consumer);
        if !known.contains(&consumer) && is_empty_handed(&inbox, rule) {
            drafts.extend(by_destination(case, rule, (consumer, destination), &inbox, &from.collect::<Vec<_>>()));
        }
    }
    drafts
}

fn callee(subject: Subject) -> Option<Symbol> {
    match subject {
        Subject::Edge(_, callee) => Some(callee),
        Subject::Service(_) => None,
    }
}

fn is_broken(hop: &Hop, rule: &Rule) -> bool {
    hop.calls() >= rule.count("min_messages") && hop.split() >= rule.threshold("min_share")
}

fn is_empty_handed(inbox: &Inbox, rule: &Rule) -> bool {
    inbox.processed >= rule.count("min_messages")
        && inbox.lost.len() as f64 >= rule.threshold("min_share") * inbox.processed as f64
}

/// Producer and consumer of each message are known by stitches.
fn by_edge(case: &Case<'_>, rule: &Rule, (producer, consumer): (Symbol, Symbol), hop: &Hop) -> Draft {
    let window = case.window;
    let (lost, all) = (hop.breaks.len() as u64, hop.calls());
    let destination = hop.breaks.first().and_then(|one| destination(window, one.root)).unwrap_or_default();
    let confidence = rule.confidence * (rule.threshold("weight_unsure") + (1.0 - rule.threshold("weight_unsure")) * hop.sureness());
    let draft = Draft {
        occurrences: lost,
        out_of: all,
        why: why(window, (producer, consumer), destination, lost, all),
        spans: hop.breaks.iter().flat_map(|one: &Break| [one.call, one.root]).collect(),
        examples: super::breaks::examples(&hop.breaks),
        ..Draft::new(Subject::Edge(producer, consumer), producer, confidence)
    };
    draft.proof("destination", window.text(destination)).proof("surely_paired", hop.breaks.iter().filter(|one| one.is_sure).count())
}

/// No message could be paired, but those who send to the destination are known.
fn by_destination(
    case: &Case<'_>,
    rule: &Rule,
    (consumer, destination): (Symbol, Symbol),
    inbox: &Inbox,
    senders: &[Symbol],
) -> Option<Draft> {
    let window = case.window;
    let (&first, others) = senders.split_first()?;
    let lost = inbox.lost.len() as u64;
    let (subject, side) = if others.is_empty() { (Subject::Edge(first, consumer), first) } else { (Subject::Service(consumer), consumer) };
    let names: Vec<&str> = senders.iter().map(|&sender| window.text(sender)).collect();
    let draft = Draft {
        occurrences: lost,
        out_of: inbox.processed,
        why: why(window, (first, consumer), destination, lost, inbox.processed),
        spans: inbox.lost.clone(),
        examples: inbox.lost.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
        ..Draft::new(subject, side, rule.confidence * rule.threshold("weight_unsure"))
    };
    Some(draft.proof("destination", window.text(destination)).proof("producers", names))
}

fn why(window: &Window, (producer, consumer): (Symbol, Symbol), destination: Symbol, lost: u64, all: u64) -> String {
    let [producer, consumer, destination] = [producer, consumer, destination].map(|symbol| window.text(symbol));
    format!(
        "{lost} of {all} messages on {destination} begin a trace of their own in {consumer}, with no link to the span of {producer} that sent them"
    )
}

fn inboxes(window: &Window) -> BTreeMap<(Symbol, Symbol), Inbox> {
    let mut inboxes: BTreeMap<(Symbol, Symbol), Inbox> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.role[span as usize] == Role::Consumer) {
        let Some(destination) = destination(window, span) else { continue };
        let inbox = inboxes.entry((window.service(span), destination)).or_default();
        inbox.processed += 1;
        if window.is_root(span) && window.links_of(span).is_empty() {
            inbox.lost.push(span);
        }
    }
    inboxes
}

/// Who sends to each destination, by name.
fn senders(window: &Window) -> BTreeMap<Symbol, Vec<Symbol>> {
    let mut senders: BTreeMap<Symbol, Vec<Symbol>> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.role[span as usize] == Role::Producer) {
        let Some(destination) = destination(window, span) else { continue };
        let known = senders.entry(destination).or_default();
        if !known.contains(&window.service(span)) {
            known.push(window.service(span));
        }
    }
    senders.values_mut().for_each(|known| known.sort_by_key(|&service| window.text(service)));
    senders
}

fn destination(window: &Window, span: u32) -> Option<Symbol> {
    window.attribute(span, key::MESSAGING_DESTINATION_NAME)
}
