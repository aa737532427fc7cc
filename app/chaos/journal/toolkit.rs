//! A journal in the shape of the Chaos Toolkit's `journal.json`: <https://chaostoolkit.org/reference/api/journal/>.

use serde_json::{Value, json};

use super::{Event, Record, Told, host};
use crate::chaos::experiment::Experiment;

/// Returns what `chaos run` would have written. `deviated`: whether the steady state, or the verdict, was not as expected.
#[must_use]
pub fn toolkit(experiment: &Experiment, told: &Told, deviated: bool) -> Value {
    let of =
        |events: &[Event]| told.records.iter().filter(|record| events.contains(&record.event)).map(activity).collect();
    let (run, rollbacks): (Vec<Value>, Vec<Value>) =
        (of(&[Event::Armed, Event::Injected, Event::Abort]), of(&[Event::Disarm, Event::Verified, Event::Residue]));
    let ends = told.interval();
    json!({
        "chaoslib-version": "1.44.0",
        "platform": std::env::consts::OS,
        "node": host(),
        "experiment": experiment.to_value(),
        "start": ends.map(|(start, _)| start.to_rfc3339()),
        "end": ends.map(|(_, end)| end.to_rfc3339()),
        "duration": ends.map(|(start, end)| (end - start).as_seconds_f64()),
        "status": status(told),
        "deviated": deviated,
        "steady_states": {"before": {}, "after": {}, "during": []},
        "run": run,
        "rollbacks": rollbacks,
    })
}

fn status(told: &Told) -> &'static str {
    match told.last(Event::Abort).map(|record| record.details["signal"].is_number()) {
        Some(true) => "interrupted",
        Some(false) => "aborted",
        None if told.first(Event::End).is_some() => "completed",
        None => "failed",
    }
}

fn activity(record: &Record) -> Value {
    let status = if record.event == Event::Residue { "failed" } else { "succeeded" };
    json!({
        "activity": {"type": "action", "name": record.event, "provider": {"type": "process", "path": "riftline"}},
        "status": status,
        "start": record.ts,
        "end": record.ts,
        "output": record.details,
    })
}
