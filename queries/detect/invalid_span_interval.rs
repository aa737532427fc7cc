//! `invalid-span-interval`: spans whose times cannot be true.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{NONE, Symbol, Window};

/// 2000-01-01: no tracer is older.
const YEAR_2000_NS: i64 = 946_684_800_000_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Wrong {
    EndsBeforeStart,
    BeforeYear2000,
    LongerThanADay,
    FarFromItsTrace,
}

impl Wrong {
    fn name(self) -> &'static str {
        match self {
            Self::EndsBeforeStart => "ends before it starts",
            Self::BeforeYear2000 => "before 2000",
            Self::LongerThanADay => "longer than a day",
            Self::FarFromItsTrace => "more than a day from its parent",
        }
    }
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut services: BTreeMap<Symbol, (u64, Vec<(Wrong, u32)>)> = BTreeMap::new();
    for span in window.spans() {
        let (all, wrong) = services.entry(window.service(span)).or_default();
        *all += 1;
        wrong.extend(what_is_wrong(window, rule, span).map(|what| (what, span)));
    }
    services.retain(|_, (_, wrong)| !wrong.is_empty() && wrong.len() as u64 >= rule.count("min_spans"));
    services.into_iter().map(|(service, (all, wrong))| draft(window, rule, service, all, &wrong)).collect()
}

fn what_is_wrong(window: &Window, rule: &Rule, span: u32) -> Option<Wrong> {
    let (at, parent) = (span as usize, window.parent[span as usize]);
    let day = rule.threshold("max_hours") * 3.6e12;
    let far = |parent: u32| window.start_ns[at].saturating_sub(window.start_ns[parent as usize]).saturating_abs() as f64 > day;
    if window.ends_before_start(span) {
        Some(Wrong::EndsBeforeStart)
    } else if window.start_ns[at] < YEAR_2000_NS {
        Some(Wrong::BeforeYear2000)
    } else if window.duration_ns(span) as f64 > day {
        Some(Wrong::LongerThanADay)
    } else {
        (parent != NONE && !window.ends_before_start(parent) && far(parent)).then_some(Wrong::FarFromItsTrace)
    }
}

fn draft(window: &Window, rule: &Rule, service: Symbol, all: u64, wrong: &[(Wrong, u32)]) -> Draft {
    let mut kinds: BTreeMap<Wrong, u64> = BTreeMap::new();
    let mut scopes: BTreeMap<String, u64> = BTreeMap::new();
    for &(what, span) in wrong {
        *kinds.entry(what).or_default() += 1;
        let scope = window.scopes.get(window.scope[span as usize] as usize).copied().unwrap_or_default();
        *scopes.entry(format!("{} {}", window.text(scope.name), window.text(scope.version))).or_default() += 1;
    }
    let listed: Vec<String> = kinds.iter().map(|(what, count)| format!("{count} {}", what.name())).collect();
    let (name, count) = (window.text(service), wrong.len() as u64);
    Draft {
        occurrences: count,
        out_of: all,
        why: format!("{count} of {all} spans of {name} have times that cannot be: {}", listed.join(", ")),
        spans: wrong.iter().map(|&(_, span)| span).collect(),
        examples: wrong.iter().map(|&(_, span)| Example { before: span, after: span }).take(3).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    }
    .proof("kinds", kinds.iter().map(|(what, count)| json!({"what": what.name(), "count": count})).collect::<Value>())
    .proof("scopes", json!(scopes))
}
