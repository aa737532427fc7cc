//! Which faults hit a request, and what they make of it.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use riftline_queries::replay::fault::Unit;
use tokio::time::Instant;

use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::RequestPlan;
use crate::chaos::proxy::http::{Visit, lock};
use crate::chaos::proxy::mark;

/// A fault that hit a request, and how much time it adds.
pub(in crate::chaos::proxy) struct Hit {
    pub(in crate::chaos::proxy) armed: Arc<Armed>,
    pub(in crate::chaos::proxy) planned: Duration,
}

/// Decides for all armed faults, changes `head` as they say, and returns the rest of what they want. All decide by the request as it
/// came, before any has changed it.
pub(super) async fn decide(visit: &Visit, faults: &[Arc<Armed>], head: &mut Parts) -> (RequestPlan, Vec<Hit>) {
    let now = Instant::now();
    let of_requests = faults.iter().filter(|armed| armed.level.needs_http());
    let lucky = of_requests.filter_map(|armed| Some((armed.clone(), choose(visit, armed, head, now)?)));
    let chosen: Vec<(Arc<Armed>, Dice)> = lucky.collect();
    let is_marked = mark::is_marked(&head.headers);
    let (mut plan, mut hits) = (RequestPlan::default(), Vec::with_capacity(chosen.len()));
    for (armed, mut dice) in chosen {
        let before = plan.delay();
        let mut did = armed.effect.request(&mut plan, head, &mut dice);
        if let Some(swap) = plan.swap.take() {
            did = swap.exchange(&mut head.headers).await;
        }
        if did {
            armed.counts.hit(is_marked || armed.decision().asks_for_mark());
            hits.push(Hit { planned: plan.delay().saturating_sub(before), armed });
        }
    }
    (plan, hits)
}

fn choose(visit: &Visit, armed: &Armed, head: &Parts, now: Instant) -> Option<Dice> {
    if !armed.decision().matches(head) {
        return None;
    }
    if armed.unit() == Unit::Request {
        return armed.choose(now);
    }
    let mut chosen = lock(&visit.chosen);
    let dice = chosen.entry(armed.number).or_insert_with(|| armed.choose(now));
    dice.as_mut().map(|dice| Dice::new(&[dice.number()]))
}
