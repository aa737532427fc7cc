//! Sentences about what is lost, which several drivers say.

use riftline_queries::replay::fault::{Fault, Unit};

use crate::chaos::faults;

/// Returns the share in percent: `18`, `0.5`.
pub fn percent(share: f64) -> f64 {
    (share.clamp(0.0, 1.0) * 10_000.0).round() / 100.0
}

/// Says what becomes of conditions on requests where an injector sees only bytes.
pub fn unread_requests(fault: &Fault) -> Vec<String> {
    let when = &fault.when;
    let mut losses = Vec::new();
    if when.unit == Unit::Request && when.share < 1.0 {
        let share = percent(when.share);
        losses.push(format!(
            "{share} % per request becomes {share} % per connection: all or nothing for what shares a kept connection"
        ));
    }
    let conditions =
        [("method", when.method.is_some()), ("path", when.path.is_some()), ("the run's mark", when.mark.is_some())];
    let lost: Vec<&str> = conditions.iter().filter(|(_, is_asked)| *is_asked).map(|(name, _)| *name).collect();
    if !lost.is_empty() {
        losses.push(format!("{} cannot be looked at: everything on the link is hit", lost.join(", ")));
    }
    losses
}

/// Says what is wrong with a fault, whoever injects it.
pub fn mistake(fault: &Fault) -> Option<String> {
    faults::compile(fault).err().map(|error| error.to_string())
}

/// Says why requests that must be counted or timed are out of reach.
pub fn uncounted(fault: &Fault, who: &str) -> Option<String> {
    if fault.when.nth.is_some() || fault.when.first.is_some() {
        return Some(format!("{who} does not count requests (nth, first): use the built-in proxy"));
    }
    let has_window = fault.when.window.is_some();
    has_window.then(|| format!("{who} does not come and go by itself (window): use the built-in proxy"))
}
