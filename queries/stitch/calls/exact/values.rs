//! Values that few requests have: request ids, numbers in paths and logs, both ends of a connection.

use hashbrown::HashMap;

use super::Hint;
use crate::stitch::Rule;
use crate::stitch::calls::ends::Ends;
use crate::stitch::calls::operation::own;
use crate::stitch::keys::Keys;
use crate::trace::window::{Symbol, Window, key};

/// A value that more calls have than this says little.
const MAX_CALLS: usize = 16;

/// Returns what values say of roots.
pub(super) fn hints(window: &Window, ends: &Ends, keys: &Keys) -> Vec<Hint> {
    let mut hints = connections(window, ends);
    let by_value = calls_by_value(window, ends, keys);
    for &child in &ends.roots {
        if let Some((value, calls)) = rarest(window, ends, keys, &by_value, child) {
            let rule = rule(window, child, keys.text(value));
            let value = window.texts.find(keys.text(value)).unwrap_or_default();
            hints.push(Hint { child, calls, rule, value, names_call: false });
        }
    }
    // Request ids before other values.
    hints.sort_by_key(|hint| hint.rule);
    hints
}

fn calls_by_value(window: &Window, ends: &Ends, keys: &Keys) -> HashMap<u32, Vec<u32>> {
    let mut by_value: HashMap<u32, Vec<u32>> = HashMap::new();
    for &call in &ends.calls {
        for &value in keys.of_trace(window.trace[call as usize]) {
            by_value.entry(value).or_default().push(call);
        }
    }
    by_value
}

/// Returns the value of a root's trace that leaves the fewest calls, and those calls.
fn rarest(
    window: &Window,
    ends: &Ends,
    keys: &Keys,
    by_value: &HashMap<u32, Vec<u32>>,
    child: u32,
) -> Option<(u32, Vec<u32>)> {
    let mut best: Option<(u32, Vec<u32>)> = None;
    let mut passed = 0;
    for &value in keys.of_trace(window.trace[child as usize]) {
        let Some(calls) = by_value.get(&value).filter(|calls| calls.len() <= MAX_CALLS * MAX_CALLS) else { continue };
        passed += calls.len();
        if passed > MAX_PASSED {
            break;
        }
        let fitting: Vec<u32> = calls.iter().copied().filter(|&call| ends.may_join(window, call, child)).collect();
        let fewest = best.as_ref().map_or(MAX_CALLS + 1, |(_, calls)| calls.len());
        if !fitting.is_empty() && fitting.len() < fewest {
            best = Some((value, fitting));
        }
    }
    best.map(|(value, calls)| (value, owners(keys, value, child, calls)))
}

/// Calls that are looked at a root.
const MAX_PASSED: usize = 4_096;

/// Where the root itself has the value, calls that have it themselves come before others of their trace.
fn owners(keys: &Keys, value: u32, child: u32, calls: Vec<u32>) -> Vec<u32> {
    let has = |span: u32| keys.of_span(span).binary_search(&value).is_ok();
    let own: Vec<u32> = calls.iter().copied().filter(|&call| has(call)).collect();
    if has(child) && !own.is_empty() { own } else { calls }
}

/// A value that stands in an attribute for request ids is one.
fn rule(window: &Window, child: u32, text: &str) -> Rule {
    const NAMES: [&str; 6] =
        ["x-request-id", "x-correlation-id", "request.id", "request-id", "correlation.id", "correlation-id"];
    let is_request_id = window.attributes(child).iter().any(|&(key, value)| {
        let key = window.text(key).to_ascii_lowercase().replace('_', "-");
        NAMES.iter().any(|name| key.ends_with(name)) && window.text(value).eq_ignore_ascii_case(text)
    });
    if is_request_id { Rule::RequestId } else { Rule::UniqueValue }
}

/// Calls on the connection that the callee saw.
fn connections(window: &Window, ends: &Ends) -> Vec<Hint> {
    let mut by_end: HashMap<(&str, &str), Vec<u32>> = HashMap::new();
    for &call in &ends.calls {
        let end = own(window, call, key::NETWORK_LOCAL_ADDRESS).zip(own(window, call, key::NETWORK_LOCAL_PORT));
        end.into_iter().for_each(|end| by_end.entry(end).or_default().push(call));
    }
    if by_end.is_empty() {
        return Vec::new();
    }
    let mut hints = Vec::new();
    for &child in &ends.roots {
        let get = |keys: [Symbol; 3]| keys.into_iter().find_map(|key| own(window, child, key));
        let address = get([key::NETWORK_PEER_ADDRESS, key::CLIENT_ADDRESS, key::NET_PEER_NAME]);
        let port = get([key::NETWORK_PEER_PORT, key::CLIENT_PORT, key::NET_PEER_PORT]);
        let found = address.zip(port).and_then(|end| by_end.get(&end)).into_iter().flatten().copied();
        let calls: Vec<u32> = found.filter(|&call| ends.may_join(window, call, child)).collect();
        if !calls.is_empty() {
            let value = port.and_then(|port| window.texts.find(port)).unwrap_or_default();
            hints.push(Hint { child, calls, rule: Rule::Connection, value, names_call: false });
        }
    }
    hints
}
