//! Whether a fault hits: [`When`] as a decision that is made for each request or connection.
//!
//! `method`, `path` and `mark` say which ones match. Of the matching ones, counted from 1, `nth`, `first`, `window` and `share` choose:
//! all of them must hold.

use std::sync::atomic::{AtomicU64, Ordering};

use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Cycle, Unit, When};
use tokio::time::Instant;

use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::mark;

/// The decision of one armed fault.
#[derive(Debug)]
pub struct Decision {
    when: When,
    path: Option<Template>,
    seed: u64,
    armed_at: Instant,
    num_matched: AtomicU64,
}

impl Decision {
    /// Makes the decision; turns of `window` begin now.
    #[must_use]
    pub fn new(when: When, seed: u64) -> Self {
        let path = when.path.as_deref().map(Template::new);
        Self { when, path, seed, armed_at: Instant::now(), num_matched: AtomicU64::new(0) }
    }

    /// Returns what is chosen by share: requests or connections.
    #[must_use]
    pub fn unit(&self) -> Unit {
        self.when.unit
    }

    /// Tells whether only requests with a mark match.
    #[must_use]
    pub fn asks_for_mark(&self) -> bool {
        self.when.mark.is_some()
    }

    /// Returns how many matched so far.
    #[must_use]
    pub fn matched(&self) -> u64 {
        self.num_matched.load(Ordering::Relaxed)
    }

    /// Tells whether a request is one of those that are counted.
    #[must_use]
    pub fn matches(&self, request: &Parts) -> bool {
        self.when.method.as_ref().is_none_or(|method| request.method.as_str().eq_ignore_ascii_case(method))
            && self.path.as_ref().is_none_or(|path| path.matches(request.uri.path()))
            && self.when.mark.as_ref().is_none_or(|mark| mark::carries(&request.headers, mark))
    }

    /// Counts one that matches and returns its luck if it is to be hit.
    pub fn choose(&self, now: Instant) -> Option<Dice> {
        let ordinal = self.num_matched.fetch_add(1, Ordering::Relaxed) + 1;
        let mut dice = Dice::new(&[self.seed, ordinal]);
        let is_hit = self.when.nth.is_none_or(|nth| ordinal == nth)
            && self.when.first.is_none_or(|first| ordinal <= first)
            && self.when.window.is_none_or(|cycle| self.is_on(cycle, now))
            && dice.share() < self.when.share;
        is_hit.then_some(dice)
    }

    fn is_on(&self, cycle: Cycle, now: Instant) -> bool {
        let (on, off) = (cycle.on_ms.max(0.0), cycle.off_ms.max(0.0));
        let since = now.saturating_duration_since(self.armed_at).as_secs_f64() * 1e3;
        off == 0.0 || since % (on + off) < on
    }
}

/// A path with places for anything: `/orders/{id}/items`, `/static/*`.
#[derive(Debug)]
struct Template {
    segments: Vec<Option<String>>,
    takes_rest: bool,
}

impl Template {
    fn new(text: &str) -> Self {
        let takes_rest = text.ends_with('*');
        let text = text.trim_end_matches('*').trim_matches('/');
        let segments = text.split('/').filter(|segment| !(takes_rest && segment.is_empty()));
        Self { segments: segments.map(Self::segment).collect(), takes_rest }
    }

    fn segment(text: &str) -> Option<String> {
        let is_any = text.starts_with('{') && text.ends_with('}');
        (!is_any).then(|| text.to_owned())
    }

    fn matches(&self, path: &str) -> bool {
        let mut actual = path.trim_matches('/').split('/');
        let holds = self.segments.iter().all(|wanted| match (wanted, actual.next()) {
            (Some(wanted), Some(actual)) => wanted == actual,
            (None, Some(actual)) => !actual.is_empty(),
            (_, None) => false,
        });
        holds && (self.takes_rest || actual.next().is_none())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn hits(when: When, of: u64) -> Vec<u64> {
        let decision = Decision::new(when, 42);
        let now = Instant::now();
        (1..=of).filter(|_| decision.choose(now).is_some()).collect()
    }

    #[test]
    fn nth_and_first_count_from_one() {
        assert_eq!(hits(When { nth: Some(3), ..When::default() }, 5), [3]);
        assert_eq!(hits(When { first: Some(2), ..When::default() }, 5), [1, 2]);
        assert_eq!(hits(When { first: Some(2), nth: Some(3), ..When::default() }, 5), [0_u64; 0]);
    }

    #[test]
    fn a_share_is_kept_and_repeats() {
        let some = || hits(When { share: 0.25, ..When::default() }, 4_000);
        assert!((900..1_100).contains(&some().len()), "{}", some().len());
        assert_eq!(some(), some());
        assert_eq!(hits(When { share: 0.0, ..When::default() }, 100).len(), 0);
        assert_eq!(hits(When::default(), 100).len(), 100);
    }

    #[test]
    fn a_window_turns_on_and_off() {
        let window = Some(Cycle { on_ms: 100.0, off_ms: 300.0 });
        let decision = Decision::new(When { window, ..When::default() }, 1);
        let at = |ms| decision.choose(decision.armed_at + Duration::from_millis(ms)).is_some();
        assert_eq!([0, 99, 100, 399, 400, 499, 500].map(at), [true, true, false, false, true, true, false]);
    }

    #[test]
    fn paths_have_places() {
        let matches = |template: &str, path: &str| Template::new(template).matches(path);
        assert!(matches("/orders/{id}", "/orders/12"));
        assert!(!matches("/orders/{id}", "/orders"));
        assert!(!matches("/orders/{id}", "/orders/12/items"));
        assert!(matches("/orders/*", "/orders/12/items"));
        assert!(matches("/*", "/") && matches("*", "/a/b") && matches("/", "/"));
        assert!(matches("/shop.Cart/Get", "/shop.Cart/Get") && !matches("/shop.Cart/Get", "/shop.Cart/Put"));
    }
}
