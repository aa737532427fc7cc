//! Which services lose spans of their own: inside a process a parent is missing only where it was not delivered.

use std::collections::{BTreeMap, BTreeSet};

use crate::trace::window::{Symbol, Window};

/// Returns the services of which more than this share of local spans have lost their parent.
#[must_use]
pub fn services(window: &Window, max_share: f64) -> BTreeSet<Symbol> {
    let mut counts: BTreeMap<Symbol, (u64, u64)> = BTreeMap::new();
    for span in window.spans().filter(|&span| is_local(window, span)) {
        let (all, orphans) = counts.entry(window.service(span)).or_default();
        *all += 1;
        *orphans += u64::from(window.is_orphan(span));
    }
    let is_lossy = |(all, orphans): &(u64, u64)| *orphans as f64 > max_share * *all as f64;
    counts.into_iter().filter(|(_, count)| is_lossy(count)).map(|(service, _)| service).collect()
}

/// The parent lies in the same process, as flags or the kind say.
fn is_local(window: &Window, span: u32) -> bool {
    !window.is_root(span) && !window.is_entry(span) && window.is_remote(span) != Some(true)
}
