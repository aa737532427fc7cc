//! What is known without looking at time: a value that a torn call and one request share, and no other request has.

use hashbrown::HashMap;

use super::process::Process;
use crate::stitch::keys::Keys;
use crate::trace::window::{Symbol, Window};

/// A value that more requests have tells nothing.
const MAX_HOLDERS: usize = 8;
/// Of the values of a kind of call that one request has, at least this share is to be found where time allows.
const MIN_TRUST: f64 = 0.8;

/// The requests that have a value, by value.
type Holders = HashMap<u32, Vec<u32>>;

/// Leaves torn calls only those choices that share the rarest of their values.
pub(super) fn restrict(window: &Window, keys: &Keys, process: &mut Process) {
    let holders = holders(window, keys, process);
    if holders.is_empty() {
        return;
    }
    let is_trusted = trusted(window, keys, process, &holders);
    let mut choices: Vec<Vec<u32>> = Vec::new();
    for call in 0..process.calls.len() as u32 {
        let all = process.choices(call).to_vec();
        let of = process.calls[call as usize];
        let found = if is_trusted[of.kind] { shared(values(window, keys, of.span), &all, &holders) } else { None };
        if let Some(&Found { value, is_only: true, .. }) = found.as_ref() {
            let value = window.texts.find(keys.text(value)).unwrap_or(Symbol::EMPTY);
            process.known[call as usize] = Some(value);
        }
        choices.push(found.map_or(all, |found| found.parents));
    }
    process.set_choices(choices);
}

fn values<'k>(window: &Window, keys: &'k Keys, span: u32) -> &'k [u32] {
    keys.of_trace(window.trace[span as usize])
}

fn holders(window: &Window, keys: &Keys, process: &Process) -> Holders {
    let mut holders = Holders::new();
    for call in &process.calls {
        values(window, keys, call.span).iter().for_each(|&value| holders.entry(value).or_default().clear());
    }
    if holders.is_empty() {
        return holders;
    }
    for (parent, at) in process.parents.iter().zip(0..) {
        for value in values(window, keys, parent.span) {
            if let Some(list) = holders.get_mut(value).filter(|list| list.len() <= MAX_HOLDERS) {
                list.push(at);
            }
        }
    }
    holders.retain(|_, list| !list.is_empty() && list.len() <= MAX_HOLDERS);
    holders
}

/// Tells for each kind of call whether values that one request has lead to a request that time allows.
fn trusted(window: &Window, keys: &Keys, process: &Process, holders: &Holders) -> Vec<bool> {
    let mut counts = vec![(0_u32, 0_u32); process.num_kinds];
    for (call, at) in process.calls.iter().zip(0..) {
        for value in values(window, keys, call.span) {
            if let Some([parent]) = holders.get(value).map(Vec::as_slice) {
                counts[call.kind].0 += 1;
                counts[call.kind].1 += u32::from(process.choices(at).binary_search(parent).is_ok());
            }
        }
    }
    counts.into_iter().map(|(all, open)| f64::from(open) > MIN_TRUST * f64::from(all)).collect()
}

struct Found {
    value: u32,
    parents: Vec<u32>,
    /// No other request has the value.
    is_only: bool,
}

/// Returns the choices that share the rarest value. Nothing where no value is shared with any request, or where two values
/// that are equally rare lead to different ones.
fn shared(values: &[u32], choices: &[u32], holders: &Holders) -> Option<Found> {
    let rarest = values.iter().filter_map(|value| holders.get(value)).map(Vec::len).min()?;
    let mut found: Option<Found> = None;
    for (&value, list) in values.iter().filter_map(|value| Some((value, holders.get(value)?))) {
        let parents: Vec<u32> = list.iter().copied().filter(|parent| choices.binary_search(parent).is_ok()).collect();
        if list.len() > rarest || parents.is_empty() {
            continue;
        }
        match &found {
            Some(found) if found.parents != parents => return None,
            Some(_) => {}
            None => found = Some(Found { value, is_only: list.len() == 1, parents }),
        }
    }
    found
}
