//! Whether the low bytes of trace ids are random, by a chi-square test.

use std::collections::BTreeMap;

use serde_json::json;

use super::super::finding::{Draft, Example, Subject};
use super::super::Rule;
use crate::trace::window::{Symbol, Window};

/// W3C asks for 56 random bits, at the low end.
const RANDOM_BYTES: usize = 7;

/// The traces that a service began.
struct Begun {
    roots: Vec<u32>,
    /// By byte from the low end: how often each value was met.
    bytes: [[u32; 256]; RANDOM_BYTES],
}

/// Returns services whose new trace ids are biased.
pub(super) fn biased(window: &Window, rule: &Rule) -> Vec<Draft> {
    let mut services: BTreeMap<Symbol, Begun> = BTreeMap::new();
    let mut is_known = vec![false; window.traces.len()];
    for span in window.spans().filter(|&span| window.is_root(span)) {
        if !std::mem::replace(&mut is_known[window.trace[span as usize] as usize], true) {
            services.entry(window.service(span)).or_insert_with(Begun::new).add(span, window.trace_id(span));
        }
    }
    services.into_iter().filter_map(|(service, begun)| begun.draft(window, rule, service)).collect()
}

impl Begun {
    fn new() -> Self {
        Self { roots: Vec::new(), bytes: [[0; 256]; RANDOM_BYTES] }
    }

    fn add(&mut self, root: u32, trace_id: u128) {
        self.roots.push(root);
        for (counts, value) in self.bytes.iter_mut().zip(trace_id.to_le_bytes()) {
            counts[usize::from(value)] += 1;
        }
    }

    fn draft(self, window: &Window, rule: &Rule, service: Symbol) -> Option<Draft> {
        let total = self.roots.len();
        if (total as u64) < rule.count("min_roots").max(1) {
            return None;
        }
        let surprise: Vec<f64> = self.bytes.iter().map(|counts| surprise(counts, total)).collect();
        let is_biased = |&byte: &usize| {
            surprise[byte] > rule.threshold("max_deviations") && bits(&self.bytes[byte], total) < rule.threshold("min_bits")
        };
        let biased: Vec<usize> = (0..RANDOM_BYTES).filter(is_biased).collect();
        if biased.is_empty() {
            return None;
        }
        let why = format!("The ids of {total} traces that {} began are not random: {} of their 7 low bytes are biased", window.text(service), biased.len());
        let draft = Draft {
            occurrences: total as u64,
            out_of: total as u64,
            why,
            examples: self.roots.iter().map(|&root| Example { before: root, after: root }).take(3).collect(),
            spans: self.roots,
            ..Draft::new(Subject::Service(service), service, rule.confidence)
        };
        let worst = surprise.iter().copied().max_by(f64::total_cmp).unwrap_or(0.0);
        Some(draft.proof("kind", "biased").proof("bytes_from_the_right", json!(biased)).proof("deviations", worst.round()))
    }
}

/// Returns the entropy of a byte: 8 bits where all values are equally frequent. With many traces the slightest bias is no chance;
/// only much of it does harm.
fn bits(counts: &[u32; 256], total: usize) -> f64 {
    let shares = counts.iter().filter(|&&count| count > 0).map(|&count| f64::from(count) / total as f64);
    shares.map(|share| -share * share.log2()).sum()
}

/// Returns how many standard deviations the spread of values is beyond chance (Wilson and Hilferty's approximation of the
/// chi-square distribution).
fn surprise(counts: &[u32; 256], total: usize) -> f64 {
    let expected = total as f64 / 256.0;
    let square: f64 = counts.iter().map(|&count| (f64::from(count) - expected).powi(2) / expected).sum();
    let (freedom, part) = (255.0, 2.0 / (9.0 * 255.0));
    ((square / freedom).cbrt() - (1.0 - part)) / f64::sqrt(part)
}
