//! Which requests were hit: who injects a fault tells so by a span of its own in the trace of the request.

use std::collections::BTreeSet;

use crate::trace::window::{Symbol, Window};

/// Attributes of such a span: the kind of the fault, and the run that it belongs to.
const KIND: &str = "fault.kind";
const RUN: &str = "fault.experiment";

/// Returns the ids of the traces in which a fault of this run was told, of any run where none is named. Where a fault hits only a
/// share of its arm, these are the requests to judge by.
#[must_use]
pub fn hit(window: &Window, run: Option<&str>) -> BTreeSet<u128> {
    let is_of_run = |span: u32| {
        let told = window.texts.find(RUN).and_then(|key| own(window, span, key));
        run.is_none_or(|run| told == Some(run))
    };
    injections(window).filter(|&span| is_of_run(span)).map(|span| window.trace_id(span)).collect()
}

/// Returns the spans that tell of an injected fault.
pub(super) fn injections(window: &Window) -> impl Iterator<Item = u32> + '_ {
    let keys: Vec<Symbol> = [KIND, RUN].iter().filter_map(|key| window.texts.find(key)).collect();
    window.spans().filter(move |&span| keys.iter().any(|&key| own(window, span, key).is_some()))
}

fn own(window: &Window, span: u32, key: Symbol) -> Option<&str> {
    let found = window.attributes(span).iter().find(|(name, _)| *name == key);
    found.map(|&(_, value)| window.text(value))
}
