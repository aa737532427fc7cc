//! Leases of runs: said by whoever runs, or else the run's faults go.

use std::time::Duration;

use hyper::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, Answered, ApiError, json as answer, nothing};
use super::route::read;
use crate::chaos::proxy::lease::TTL;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Input {
    ttl_ms: Option<u64>,
}

pub fn list(api: &Api) -> Answer {
    let shown = |(run, left): (String, Duration)| json!({ "run": run, "left_ms": left.as_millis() as u64 });
    answer(StatusCode::OK, &api.registry.leases().into_iter().map(shown).collect::<Value>())
}

/// Says that the run goes on. `renewed` is false where it had no lease: its faults, if it had any, are gone.
pub fn renew(api: &Api, run: &str, body: &[u8]) -> Answered {
    let input = if body.is_empty() { Input { ttl_ms: None } } else { read(body)? };
    let ttl = input.ttl_ms.map_or(TTL, Duration::from_millis);
    if run.is_empty() || ttl.is_zero() {
        return Err(ApiError::new(StatusCode::BAD_REQUEST, "a lease needs a run and a ttl_ms above 0"));
    }
    let renewed = api.registry.lease(run, ttl);
    Ok(answer(StatusCode::OK, &json!({ "run": run, "ttl_ms": ttl.as_millis() as u64, "renewed": renewed })))
}

/// Ends a run's lease and takes its faults away.
pub fn release(api: &Api, run: &str) -> Answered {
    if api.registry.release(run) {
        return Ok(nothing(StatusCode::NO_CONTENT));
    }
    Err(ApiError::new(StatusCode::NOT_FOUND, "lease not found"))
}
