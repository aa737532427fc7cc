//! Consistent probability sampling: `ot=th:…;rv:…` in the trace state says what was decided, and by which number.

use std::collections::BTreeMap;

use super::super::Rule;
use super::super::finding::{Draft, Example, Subject};
use crate::trace::window::{Symbol, Window};

/// 56 bits.
const DIGITS: usize = 14;

/// Threshold and randomness, as far as they are written.
type Decision = (Option<u64>, Option<u64>);

/// Returns services that exported spans which their own threshold drops, or whose randomness differs within a trace.
pub(super) fn violations(window: &Window, rule: &Rule) -> Vec<Draft> {
    let mut decisions: BTreeMap<Symbol, Decision> = BTreeMap::new();
    let mut randomness: BTreeMap<u32, u64> = BTreeMap::new();
    let mut services: BTreeMap<Symbol, (u64, Vec<u32>)> = BTreeMap::new();
    for span in window.spans() {
        let state = window.trace_state[span as usize];
        if state.is_empty() {
            continue;
        }
        let (threshold, random) = *decisions.entry(state).or_insert_with(|| decision(window.text(state)));
        if threshold.is_none() && random.is_none() {
            continue;
        }
        let number = random.unwrap_or_else(|| low_bits(window.trace_id(span)));
        let first = *randomness.entry(window.trace[span as usize]).or_insert(number);
        let (all, wrong) = services.entry(window.service(span)).or_default();
        *all += 1;
        if threshold.is_some_and(|threshold| number < threshold) || first != number {
            wrong.push(span);
        }
    }
    services.retain(|_, (_, wrong)| wrong.len() as u64 >= rule.count("min_violations").max(1));
    services.into_iter().map(|(service, (all, wrong))| draft(window, rule, service, all, wrong)).collect()
}

fn draft(window: &Window, rule: &Rule, service: Symbol, all: u64, wrong: Vec<u32>) -> Draft {
    let (name, count) = (window.text(service), wrong.len() as u64);
    let state = wrong.first().map(|&span| window.text(window.trace_state[span as usize]).to_owned());
    Draft {
        occurrences: count,
        out_of: all,
        why: format!("{count} of {all} spans of {name} contradict the sampling decision in their own trace state"),
        examples: wrong.iter().map(|&span| Example { before: span, after: span }).take(3).collect(),
        spans: wrong,
        ..Draft::new(Subject::Service(service), service, rule.threshold("confidence_of_state"))
    }
    .proof("trace_state", state)
}

fn low_bits(trace_id: u128) -> u64 {
    trace_id as u64 & ((1 << 56) - 1)
}

fn decision(state: &str) -> Decision {
    let ot = state.split(',').find_map(|member| member.trim().strip_prefix("ot=")).unwrap_or_default();
    let field = |name: &str| ot.split(';').find_map(|field| field.strip_prefix(name));
    let threshold = field("th:").and_then(|digits| hex(digits, digits.len()));
    let random = field("rv:").and_then(|digits| hex(digits, DIGITS));
    (threshold, random)
}

/// Reads up to 14 digits of exactly this length; missing ones at the end are zeros.
fn hex(digits: &str, length: usize) -> Option<u64> {
    let fits = !digits.is_empty() && digits.len() == length && length <= DIGITS;
    let is_hex = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let value = u64::from_str_radix(digits, 16).ok().filter(|_| fits && is_hex)?;
    Some(value << (4 * (DIGITS - length)))
}

#[cfg(test)]
mod tests {
    use super::decision;

    #[test]
    fn thresholds_and_randomness_are_read() {
        assert_eq!(decision("ot=th:8"), (Some(0x80_0000_0000_0000), None));
        assert_eq!(decision("a=b,ot=th:c8;rv:0123456789abcd"), (Some(0xc8_0000_0000_0000), Some(0x01_2345_6789_abcd)));
        assert_eq!(decision("ot=th:;rv:12"), (None, None));
        assert_eq!(decision("congo=th:8"), (None, None));
    }
}
