//! What each armed fault did so far.

use hyper::StatusCode;
use serde_json::{Value, json};

use super::Api;
use super::answer::{Answer, json as answer};
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::Link;

/// Answers with a list of `{proxy, name, run, kind, matched, hit, unmarked, planned_ms, actual_ms}`.
pub fn show(api: &Api) -> Answer {
    let mut all = Vec::new();
    for link in api.registry.links() {
        all.extend(link.armed().iter().map(|armed| count(&link, armed)));
    }
    answer(StatusCode::OK, &Value::Array(all))
}

fn count(link: &Link, armed: &Armed) -> Value {
    let tally = armed.tally();
    json!({
        "proxy": link.name,
        "name": armed.name,
        "run": armed.run,
        "kind": armed.fault.as_ref().map(|fault| &fault.kind),
        "matched": tally.matched,
        "hit": tally.hit,
        "unmarked": tally.unmarked,
        "planned_ms": tally.planned_ms,
        "actual_ms": tally.actual_ms,
    })
}
