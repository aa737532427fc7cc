//! `tail-sampling-torn`: a Collector decides on traces before all their spans are there.

use std::collections::BTreeMap;

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::loss::Ends;
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window, metrics};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let mut drafts = counted(case.window, rule);
    drafts.extend(late(case.window, rule));
    drafts
}

/// What Collectors count: traces given up too early, spans that came after the decision.
fn counted(window: &Window, rule: &Rule) -> Vec<Draft> {
    let mut collectors: BTreeMap<Symbol, BTreeMap<&str, f64>> = BTreeMap::new();
    for point in window.metrics.points.iter().filter(|point| metrics::is_tail_sampling_loss(window.text(point.name))) {
        let service = window.resources.get(point.resource as usize).map(|one| one.service).unwrap_or_default();
        let most = collectors.entry(service).or_default().entry(window.text(point.name)).or_default();
        *most = most.max(point.value);
    }
    let total = |counters: &BTreeMap<&str, f64>| counters.values().sum::<f64>();
    collectors.retain(|_, counters| total(counters) >= 1.0);
    let draft = |(service, counters): (Symbol, BTreeMap<&str, f64>)| {
        let (count, name) = (total(&counters) as u64, window.text(service));
        Draft {
            occurrences: count,
            out_of: count,
            why: format!("{name} counts {count} spans or traces that came too late for its decision, or were given up before it"),
            ..Draft::new(Subject::Service(service), service, rule.confidence)
        }
        .proof("counters", json!(counters))
    };
    collectors.into_iter().map(draft).collect()
}

/// Spans with a parent id, longer and shorter than what Collectors wait for.
#[derive(Debug, Default)]
struct Sides {
    long: u64,
    short: u64,
    short_orphans: u64,
    long_orphans: Vec<u32>,
}

/// Long spans end after the decision: then they lose their parents far more often than short ones.
fn late(window: &Window, rule: &Rule) -> Option<Draft> {
    let ends = Ends::of(window);
    let mut sides = Sides::default();
    for span in window.spans().filter(|&span| !window.is_root(span) && ends.is_inside(window, span)) {
        let is_orphan = window.is_orphan(span);
        if window.duration_ns(span) as f64 > rule.threshold("decision_wait_s") * 1e9 {
            sides.long += 1;
            sides.long_orphans.extend(is_orphan.then_some(span));
        } else {
            sides.short += 1;
            sides.short_orphans += u64::from(is_orphan);
        }
    }
    let lost = sides.long_orphans.len() as u64;
    let share = lost as f64 / sides.long.max(1) as f64;
    let of_short = sides.short_orphans as f64 / sides.short.max(1) as f64;
    let is_torn = lost >= rule.count("min_orphans").max(1) && share > rule.threshold("min_ratio") * of_short && share >= rule.threshold("min_share");
    let &span = sides.long_orphans.first().filter(|_| is_torn)?;
    let service = window.service(span);
    let wait = rule.threshold("decision_wait_s");
    Some(
        Draft {
            occurrences: lost,
            out_of: sides.long,
            why: format!("{lost} of {} spans that take longer than {wait} s lost their parent; of shorter ones {} of {} did", sides.long, sides.short_orphans, sides.short),
            examples: sides.long_orphans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
            spans: sides.long_orphans,
            ..Draft::new(Subject::Service(service), service, rule.threshold("confidence_by_length"))
        }
        .proof("decision_wait_s", wait),
    )
}
