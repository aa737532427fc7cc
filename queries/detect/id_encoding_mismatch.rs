//! `id-encoding-mismatch`: logs that name their trace in another alphabet, so that they cannot be joined as they are.

mod decode;

use std::collections::{BTreeMap, BTreeSet};

use hashbrown::HashSet;
use serde_json::json;

use self::decode::{Encoding, decoded};
use super::finding::{Draft, Subject};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

/// Logs of one service that name a trace in a field of their own.
#[derive(Debug, Default)]
struct Named {
    all: u64,
    /// Encoding, field and an example (as written, and the trace that it is) to how many.
    joined: BTreeMap<(Encoding, Symbol), (u64, Symbol, u128)>,
    traces: BTreeSet<u128>,
}

/// The ids of a window's traces.
struct Known {
    whole: HashSet<u128>,
    low: HashSet<u64>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let fields = fields(window);
    if fields.iter().all(|&is_field| !is_field) {
        return Vec::new();
    }
    let known = Known {
        whole: window.traces.iter().copied().collect(),
        low: window.traces.iter().map(|&id| id as u64).collect(),
    };
    let mut services: BTreeMap<Symbol, Named> = BTreeMap::new();
    for log in 0..window.logs.time_ns.len() {
        let fields = window.log_attributes(log).iter().filter(|&&(key, _)| fields[key.0 as usize]);
        for &(key, value) in fields {
            let service = window.resources.get(window.logs.resource[log] as usize).map(|one| one.service);
            services.entry(service.unwrap_or_default()).or_default().add(window, &known, key, value);
        }
    }
    let first_spans = first_spans(window);
    services.into_iter().filter_map(|(service, named)| named.draft(window, rule, service, &first_spans)).collect()
}

/// Tells by symbol whether a key of logs names a trace.
fn fields(window: &Window) -> Vec<bool> {
    const NAMES: [&str; 8] =
        ["trace_id", "traceid", "trace.id", "dd.trace_id", "oteltraceid", "x-b3-traceid", "logging.googleapis.com/trace", "xray.trace_id"];
    let mut fields = vec![false; window.texts.len()];
    for log in 0..window.logs.time_ns.len() {
        for &(key, _) in window.log_attributes(log) {
            let field = &mut fields[key.0 as usize];
            *field = *field || {
                let name = window.text(key);
                NAMES.iter().any(|known| name.eq_ignore_ascii_case(known) || ends_with(name, known))
            };
        }
    }
    fields
}

/// `mdc.traceId` and the like.
fn ends_with(name: &str, known: &str) -> bool {
    let at = name.len().saturating_sub(known.len());
    let prefix = name.get(..at).unwrap_or_default();
    prefix.ends_with('.') && name.get(at..).is_some_and(|end| end.eq_ignore_ascii_case(known))
}

/// One span of each trace, to point at.
fn first_spans(window: &Window) -> BTreeMap<u128, u32> {
    let mut spans = BTreeMap::new();
    for span in window.spans() {
        spans.entry(window.trace_id(span)).or_insert(span);
    }
    spans
}

impl Named {
    fn add(&mut self, window: &Window, known: &Known, key: Symbol, value: Symbol) {
        self.all += 1;
        for (encoding, id) in decoded(window.text(value)) {
            let is_known = if id >> 64 == 0 { known.low.contains(&(id as u64)) } else { known.whole.contains(&id) };
            if is_known {
                self.joined.entry((encoding, key)).or_insert((0, value, id)).0 += 1;
                self.traces.insert(id);
                return;
            }
        }
    }

    fn draft(self, window: &Window, rule: &Rule, service: Symbol, first_spans: &BTreeMap<u128, u32>) -> Option<Draft> {
        let joined: u64 = self.joined.iter().filter(|((encoding, _), _)| encoding.is_foreign()).map(|(_, found)| found.0).sum();
        if joined < rule.count("min_logs").max(1) || (joined as f64) < rule.threshold("min_share") * self.all as f64 {
            return None;
        }
        let name = window.text(service);
        let (&(encoding, key), &(_, value, id)) =
            self.joined.iter().filter(|((encoding, _), _)| encoding.is_foreign()).max_by_key(|(_, found)| found.0)?;
        let (field, all) = (window.text(key), self.all);
        Some(Draft {
            occurrences: joined,
            out_of: all,
            why: format!("{joined} of {all} log records of {name} name their trace in {field} as {}: they join it only when that is decoded", encoding.name()),
            spans: self.traces.iter().filter_map(|id| first_spans.get(id).copied()).collect(),
            ..Draft::new(Subject::Service(service), service, rule.confidence)
        }
        .proof("field", field)
        .proof("raw", window.text(value))
        .proof("decoded", json!({"as": encoding.name(), "hex": format!("{id:032x}")})))
    }
}
