//! A run in words: how it stands, its rates against the limits while it goes on, its verdict, its steps, its journal.

use serde_json::Value;

use super::line::Lines;
use super::live;
use super::report::Report;
use super::standing;
use crate::chaos::journal::{Event, Record, Told};
use crate::chaos::standing::Standing;
use crate::chaos::undo::manual;
use crate::humane::{self, Zone};
use crate::theme::Role;
use crate::tui::state::Shared;

/// Longer details of the journal are cut.
const MAX_DETAILS: usize = 2_000;

/// What of a run is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sight {
    pub is_live: bool,
    pub shows_journal: bool,
}

/// Says everything about a run.
pub fn say(lines: &mut Lines, report: &Report, sight: Sight, shared: &Shared) {
    let title = report.experiment.as_ref().map(|experiment| experiment.title.as_str()).unwrap_or_default();
    lines.say("run", &report.run, Role::Strong);
    lines.say("title", title, Role::Text);
    match &report.told {
        Ok(told) => told_of(lines, report, told, sight, shared),
        Err(error) => lines.say("journal", &format!("{} {error}", shared.symbols.error), Role::Error),
    }
}

fn told_of(lines: &mut Lines, report: &Report, told: &Told, sight: Sight, shared: &Shared) {
    if let Some(line) = told.changed_from {
        let text = format!("{} was changed behind our back from line {line} on", shared.symbols.error);
        lines.say("journal", &text, Role::Error);
    }
    let standing = Standing::of(told, sight.is_live);
    let (sign, role) = standing::sign(&standing, &shared.symbols);
    lines.say("state", &format!("{sign} {}", standing.words()), role);
    lines.say("ended by", &reason(told), Role::Warn);
    by_hand(lines, told, sight.is_live);
    if sight.shows_journal {
        return journal(lines, told, shared.zone);
    }
    if sight.is_live {
        live::say(lines, report, shared);
    }
    if let Some(verdict) = &report.verdict {
        lines.head("verdict");
        lines.laid_out(verdict, Role::Text);
    }
    steps(lines, told, shared);
}

/// Says why a run ended early, where it did.
fn reason(told: &Told) -> String {
    let reason = told.last(Event::Abort).and_then(|record| record.details["reason"].as_str());
    reason.unwrap_or_default().to_owned()
}

/// Says how to undo by hand what a run left.
fn by_hand(lines: &mut Lines, told: &Told, is_live: bool) {
    if is_live {
        return;
    }
    let commands: Vec<String> = told.open_undos().iter().map(|(_, undo)| manual(undo)).collect();
    lines.say_all("by hand", &commands, Role::Error);
}

/// Says what was done, without the rates in between.
fn steps(lines: &mut Lines, told: &Told, shared: &Shared) {
    lines.head("steps");
    for record in told.records.iter().filter(|record| record.event != Event::Sample) {
        let role = if record.event == Event::Residue { Role::Error } else { Role::Text };
        lines.say(&time(record, shared.zone), &step(record), role);
    }
}

fn step(record: &Record) -> String {
    let said = |name: &str| record.details[name].as_str().unwrap_or_default().to_owned();
    match record.event {
        Event::Plan => format!("planned, injected by {}", record.driver),
        Event::Confirm => format!("confirmed for {}", said("environment")),
        Event::Arm => format!("{} begins", said("arm")),
        Event::Intent => format!("{} is told how to undo it", record.driver),
        Event::Armed => "the fault is armed".to_owned(),
        Event::Injected => match record.details["faults"].as_u64() {
            Some(count) => format!("it hit {} times", humane::count(count)),
            None => "nobody can tell how often it hit".to_owned(),
        },
        Event::Disarm => format!("disarming: {}", said("reason")),
        Event::Verified => "nothing is left of it".to_owned(),
        Event::Residue => format!("something is left: {}", listed(&record.details["residue"])),
        Event::Abort => format!("ending early: {}", said("reason")),
        Event::Score => format!("judged: {}", said("outcome")),
        Event::End => "the end".to_owned(),
        Event::Sample => "rates".to_owned(),
    }
    .trim_end_matches([':', ' '])
    .to_owned()
        + &by(record)
}

/// Says who did it where it was not the run itself.
fn by(record: &Record) -> String {
    if record.actor == "run" { String::new() } else { format!(", by {}", record.actor) }
}

fn listed(value: &Value) -> String {
    let texts = value.as_array().into_iter().flatten().filter_map(Value::as_str);
    texts.collect::<Vec<_>>().join("; ")
}

/// Says the journal, record by record.
fn journal(lines: &mut Lines, told: &Told, zone: Zone) {
    lines.head("journal");
    for record in &told.records {
        let event = serde_json::to_value(record.event).unwrap_or_default();
        let details = if record.details.is_null() { String::new() } else { record.details.to_string() };
        let details: String = details.chars().take(MAX_DETAILS).collect();
        let text = format!("{:>4} {} {} {details}", record.seq, event.as_str().unwrap_or_default(), record.actor);
        lines.say(&time(record, zone), text.trim_end(), Role::Text);
    }
}

/// Returns the time of day of a record; as it stands there where that is no time.
fn time(record: &Record, zone: Zone) -> String {
    let time = record.ts.parse::<chrono::DateTime<chrono::Utc>>().ok().and_then(|time| time.timestamp_nanos_opt());
    time.map_or_else(|| record.ts.clone(), |time_ns| humane::time_of_day(time_ns, zone))
}
