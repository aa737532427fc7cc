//! Whom a call that took long was really waiting for: its callee, or someone that the callee called.

use super::ground::{Call, Ground};
use super::latency::{Side, of_call};
use crate::trace::window::NONE;

/// A callee that spends less of its time itself waits for others.
const OWN_SHARE: f64 = 0.5;

/// Follows a call to the one that most of its time went by at, and says on which side of that.
pub(super) fn slowest(ground: &Ground<'_>, number: u32) -> Option<(u32, Side)> {
    let mut at = number;
    loop {
        let call = ground.call(at)?;
        let (whole, wire) = (ms(ground, call.client), of_call(ground, call, Side::Wire)?);
        if call.server == NONE || wire > OWN_SHARE * whole {
            return Some((at, Side::Wire));
        }
        let own = of_call(ground, call, Side::Inside)?;
        match longest_below(ground, call.server) {
            Some(below) if own < OWN_SHARE * ms(ground, call.server) => at = below,
            _ => return Some((at, Side::Inside)),
        }
    }
}

fn ms(ground: &Ground<'_>, span: u32) -> f64 {
    if span == NONE { 0.0 } else { ground.window.duration_ns(span) as f64 / 1e6 }
}

/// Returns the longest of the calls that a service made for a request.
fn longest_below(ground: &Ground<'_>, entry: u32) -> Option<u32> {
    let mut longest: Option<(i64, u32)> = None;
    let mut below = ground.children(entry).to_vec();
    while let Some(span) = below.pop() {
        let call = ground.call_of(span).filter(|&number| is_client(ground.call(number), span));
        match call {
            Some(number) => longest = longest.max(Some((ground.window.duration_ns(span), number))),
            None if ground.window.instance(span) == ground.window.instance(entry) => {
                below.extend_from_slice(ground.children(span));
            }
            None => {}
        }
    }
    longest.map(|(_, number)| number)
}

fn is_client(call: Option<&Call>, span: u32) -> bool {
    call.is_some_and(|call| call.client == span)
}
