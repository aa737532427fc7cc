//! When each process had requests or messages in work.

use std::collections::BTreeMap;

use crate::trace::window::{Symbol, Window};

/// Starts and ends of the entry spans of one process, each sorted, in nanoseconds.
#[derive(Debug, Default)]
pub struct Activity {
    starts: Vec<i64>,
    ends: Vec<i64>,
    /// Time in which anything was in work.
    busy_ns: i64,
    /// The latest end so far.
    reach_ns: i64,
    /// How irregularly entries begin, see [`irregularity`].
    pub irregularity: f64,
}

/// Returns the activity of each instance that has entry spans.
#[must_use]
pub fn of(window: &Window) -> BTreeMap<Symbol, Activity> {
    let mut all: BTreeMap<Symbol, Activity> = BTreeMap::new();
    for span in window.spans().filter(|&span| window.is_entry(span)) {
        let activity = all.entry(window.instance(span)).or_default();
        activity.add(window.start_ns[span as usize], window.end_ns[span as usize]);
    }
    for activity in all.values_mut() {
        activity.ends.sort_unstable();
        activity.irregularity = irregularity(activity.starts.iter().copied());
    }
    all
}

impl Activity {
    /// Adds an entry that starts no earlier than those before.
    fn add(&mut self, start: i64, end: i64) {
        let from = if self.starts.is_empty() { start } else { start.max(self.reach_ns) };
        self.busy_ns = self.busy_ns.saturating_add(end.saturating_sub(from).max(0));
        self.reach_ns = if self.starts.is_empty() { end } else { end.max(self.reach_ns) };
        self.starts.push(start);
        self.ends.push(end);
    }

    /// Returns how many entries are in work at a moment.
    #[must_use]
    pub fn at(&self, time_ns: i64) -> usize {
        let begun = self.starts.partition_point(|&start| start <= time_ns);
        let over = self.ends.partition_point(|&end| end < time_ns);
        begun.saturating_sub(over)
    }

    /// Share of the time from the first start to the last end in which anything was in work: what chance alone would meet.
    #[must_use]
    pub fn coverage(&self) -> f64 {
        let whole = self.starts.first().map_or(0, |&first| self.reach_ns.saturating_sub(first));
        if whole <= 0 { 1.0 } else { self.busy_ns as f64 / whole as f64 }
    }
}

/// Spread of the pauses between moments, by their mean: 0 for a clock, about 1 for what comes by chance.
pub fn irregularity(moments: impl Iterator<Item = i64> + Clone) -> f64 {
    let pauses = moments.clone().zip(moments.skip(1)).map(|(one, next)| next.saturating_sub(one) as f64);
    let count = pauses.clone().count().max(1) as f64;
    let mean = pauses.clone().sum::<f64>() / count;
    let variance = pauses.map(|pause| (pause - mean).powi(2)).sum::<f64>() / count;
    if mean > 0.0 { variance.sqrt() / mean } else { 1.0 }
}
