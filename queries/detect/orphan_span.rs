//! `orphan-span`: spans that name a parent which is nowhere.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use super::finding::{Draft, Example, Subject};
use super::loss::is_parent_local;
use super::share::at_least;
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

#[derive(Debug, Default)]
struct Orphans {
    spans: Vec<u32>,
    /// Spans with a parent id.
    all: usize,
    /// Of the orphans: the parent was in the same process.
    local: u64,
    /// Of the orphans: stitching found another place for them.
    joined: u64,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut services: BTreeMap<Symbol, Orphans> = BTreeMap::new();
    for span in window.spans().filter(|&span| !window.is_root(span)) {
        let orphans = services.entry(window.service(span)).or_default();
        orphans.all += 1;
        if window.is_orphan(span) {
            orphans.spans.push(span);
            orphans.local += u64::from(is_parent_local(window, span));
            orphans.joined += u64::from(case.stitch_of(span).is_some());
        }
    }
    services.retain(|_, orphans| orphans.is_found(rule));
    services.into_iter().map(|(service, orphans)| orphans.draft(window, rule, service)).collect()
}

impl Orphans {
    fn is_found(&self, rule: &Rule) -> bool {
        let share = at_least(self.spans.len(), self.all, rule.threshold("deviations"));
        self.spans.len() as u64 >= rule.count("min_orphans").max(1) && share >= rule.threshold("min_share")
    }

    fn draft(self, window: &Window, rule: &Rule, service: Symbol) -> Draft {
        let (name, count) = (window.text(service), self.spans.len());
        let id = |&span: &u32| (window.trace[span as usize], window.parent_span_id[span as usize]);
        let parents = self.spans.iter().map(id).collect::<BTreeSet<_>>().len();
        let remote = count as u64 - self.local;
        let side = if self.local > 0 { "in the service itself" } else { "in its callers" };
        Draft {
            occurrences: count as u64,
            out_of: self.all as u64,
            why: format!("{count} of {} spans of {name} name a parent that never came; look for the loss {side}", self.all),
            examples: self.spans.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
            spans: self.spans,
            ..Draft::new(Subject::Service(service), service, rule.confidence)
        }
        .proof("missing_parents", parents)
        .proof("parent_was", json!({"same_process": self.local, "other_process": remote}))
        .proof("rejoined", self.joined)
    }
}
