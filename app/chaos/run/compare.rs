//! Holds what staging did against the incident: reads both, and asks the judge.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;

use riftline_ingest::read::Input;
use riftline_queries::cancel::Cancel;
use riftline_queries::detect::{Case, Finding, Rules, detect};
use riftline_queries::lab::read;
use riftline_queries::replay::edge::Class;
use riftline_queries::replay::fault::Fault;
use riftline_queries::replay::judge::{self, Judged, Options, Outcome, Primary, Side, Staging, Verdict};
use riftline_queries::stitch::{Stitch, stitch};
use riftline_queries::store::Store;
use riftline_queries::store::runs::{RunEvent, RunRecord};
use riftline_queries::trace::window::{NONE, Window, Without};
use serde_json::{Value, json};

use super::RunError;
use super::receive::Receiver;
use super::traffic::{Arm, Sent};
use super::word;
use crate::chaos::experiment::read::sha256;
use crate::chaos::experiment::{Expect, Experiment, Plan};
use crate::chaos::journal::{self, Event, JournalError, Told};
use crate::rules;

/// Service name of the spans of our own proxy.
const PROXY: &str = "riftline-proxy";

/// What belongs to an arm may go on for so long after its last answer, in nanoseconds.
const AFTERMATH_NS: i64 = 500_000_000;

/// A verdict, and how it is shown.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub verdict: Verdict,
}

impl Compared {
    /// Tells whether it came out as the experiment expects.
    #[must_use]
    pub fn passed(&self) -> bool {
        self.verdict.passed == Some(true)
    }

    /// Returns the verdict in a word.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        self.verdict.outcome
    }

    /// Returns the verdict as people read it.
    #[must_use]
    pub fn text(&self) -> String {
        judge::report(&self.verdict)
    }

    /// Returns the verdict with all its figures.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string_pretty(&self.verdict).unwrap_or_default()
    }

    /// Returns what the journal keeps.
    #[must_use]
    pub fn summary(&self) -> Value {
        json!({"outcome": self.verdict.outcome.name(), "passed": self.verdict.passed, "score": self.verdict.score})
    }
}

/// Spans with what was joined and found in them.
struct Recording {
    window: Window,
    stitches: Vec<Stitch>,
    findings: Vec<Finding>,
}

impl Recording {
    fn of(window: Window, rules: &Rules) -> Self {
        let stitches = stitch(&window);
        let mut findings = detect(&Case::new(&window, &stitches), rules);
        // The spans by which our own proxy proves what it did are no part of staging.
        findings.retain(|finding| !finding.services.iter().any(|service| service == PROXY));
        Self { window, stitches, findings }
    }
}

/// Spans of an incident, and which of their traces show it.
pub struct Incident {
    recording: Recording,
    faulty: Vec<u128>,
    healthy: Vec<u128>,
}

impl Incident {
    /// Reads the incident of an experiment. `beside`: the folder of its file.
    pub fn of_plan(plan: &Plan, beside: &Path) -> Result<Self, RunError> {
        let ids = |list: &[String]| list.iter().filter_map(|id| u128::from_str_radix(id, 16).ok()).collect();
        let recording = recorded(plan, beside, &rules::load().0)?;
        Ok(Self { recording, faulty: ids(&plan.incident.traces), healthy: ids(&plan.incident.baseline) })
    }

    /// Returns the services that most of its requests pass where nothing is wrong, by staging's names.
    fn services(&self, names: &BTreeMap<String, String>) -> Vec<String> {
        let window = &self.recording.window;
        let whole: HashSet<u128> = self.healthy.iter().copied().collect();
        let mut traces: BTreeMap<&str, HashSet<u128>> = BTreeMap::new();
        for span in window.spans().filter(|&span| whole.contains(&window.trace_id(span))) {
            traces.entry(window.text(window.service(span))).or_default().insert(window.trace_id(span));
        }
        let usual = traces.into_iter().filter(|(_, seen)| seen.len() * 2 > whole.len()).map(|(service, _)| service);
        usual.map(|service| names.get(service).map_or(service, String::as_str).to_owned()).collect()
    }

    /// Takes what an earlier run did for the incident: its fault arm against its baseline.
    pub fn of_run(store: &Store, sent: &[Sent]) -> Result<Self, RunError> {
        let recording = staging(store, sent, &rules::load().0)?;
        Ok(Self { recording, faulty: traces_of(sent, Arm::Fault), healthy: traces_of(sent, Arm::Baseline) })
    }
}

/// What the driver of a run did.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Injection {
    /// How often the fault was injected; nothing where the driver cannot tell.
    pub faults: Option<u64>,
    /// What of the fault the driver could not represent.
    pub losses: Vec<String>,
}

impl Injection {
    /// Reads it from the journal in the folder of a run.
    pub fn read(folder: &Path) -> Result<Self, JournalError> {
        let told = Told::read(&folder.join(journal::FILE))?;
        let faults = told.last(Event::Injected).and_then(|record| record.details["faults"].as_u64());
        let plan = told.first(Event::Plan);
        let losses = plan.and_then(|record| record.details["loses"].as_array()).into_iter().flatten();
        let losses = losses.filter_map(Value::as_str).map(str::to_owned).collect();
        Ok(Self { faults, losses })
    }
}

/// Judges what a run did against an incident. `plan`: what was to happen; `injection`: what did.
pub fn compare(
    plan: &Plan,
    incident: &Incident,
    store: &Store,
    sent: &[Sent],
    injection: &Injection,
) -> Result<Compared, RunError> {
    let staging = staging(store, sent, &rules::load().0)?;
    let side = Side {
        window: &incident.recording.window,
        stitches: &incident.recording.stitches,
        findings: &incident.recording.findings,
        faulty: &incident.faulty,
        healthy: &incident.healthy,
    };
    let services = incident.services(&plan.target.services);
    let traces: Vec<Vec<u128>> = ARMS.iter().map(|&arm| traces_of(sent, arm)).collect();
    let arm = |at: usize| arm(sent, ARMS[at], &traces[at]);
    let staging = Staging {
        window: &staging.window,
        stitches: &staging.stitches,
        findings: &staging.findings,
        baseline: arm(0),
        fault: arm(1),
        control: arm(2),
        recovery: arm(3),
        injected: injection.faults,
        planned: planned(plan),
        services: &services,
    };
    let judged = judged(plan, injection.faults);
    let mut verdict = judge::judge(&side, &staging, &judged, &Options { seed: plan.seed, ..Options::default() });
    let losses = injection.losses.iter().map(|loss| format!("not as planned: {loss}"));
    verdict.remarks.splice(0..0, losses);
    Ok(Compared { verdict })
}

const ARMS: [Arm; 4] = [Arm::Baseline, Arm::Fault, Arm::Control, Arm::Recovery];

/// Reads the incident's spans from beside the experiment.
fn recorded(plan: &Plan, beside: &Path, rules: &Arc<Rules>) -> Result<Recording, RunError> {
    let Some(evidence) = &plan.incident.evidence else {
        return Ok(Recording::of(Window::default(), rules));
    };
    let path = beside.join(evidence);
    let failed = |error: &dyn std::fmt::Display| RunError::Incident(format!("read {}: {error}", path.display()));
    let bytes = fs::read(&path).map_err(|error| failed(&error))?;
    if plan.incident.evidence_sha256.as_ref().is_some_and(|hash| *hash != sha256(&bytes)) {
        return Err(failed(&"it is not the file that the experiment was planned with"));
    }
    let input = Input::Path(path.to_string_lossy().into_owned());
    let window = read::window(&[input], Without::default()).map_err(|error| failed(&error))?;
    Ok(Recording::of(window, rules))
}

/// Reads what staging sent. The spans that we claimed to be were never recorded: what has one as its parent is a root.
fn staging(store: &Store, sent: &[Sent], rules: &Arc<Rules>) -> Result<Recording, RunError> {
    let mut window = everything(store)?;
    let ours: BTreeSet<u64> = sent.iter().filter_map(|one| u64::from_str_radix(&one.span_id, 16).ok()).collect();
    for (parent_id, parent) in window.parent_span_id.iter_mut().zip(&window.parent) {
        if *parent == NONE && ours.contains(parent_id) {
            *parent_id = 0;
        }
    }
    Ok(Recording::of(window, rules))
}

fn everything(store: &Store) -> Result<Window, RunError> {
    store.window(i64::MIN, i64::MAX, &Cancel::default()).map_err(|error| RunError::Store(error.to_string()))
}

fn traces_of(sent: &[Sent], arm: Arm) -> Vec<u128> {
    sent.iter().filter(|one| one.arm == arm).filter_map(|one| u128::from_str_radix(&one.trace_id, 16).ok()).collect()
}

fn arm<'t>(sent: &[Sent], which: Arm, traces: &'t [u128]) -> judge::Arm<'t> {
    let of = || sent.iter().filter(|one| one.arm == which);
    judge::Arm {
        traces,
        sent: traces.len() as u64,
        from_ns: of().map(|one| one.at_ns).min().unwrap_or(0),
        to_ns: of()
            .map(|one| one.at_ns.saturating_add(one.duration_ns).saturating_add(AFTERMATH_NS))
            .max()
            .unwrap_or(0),
    }
}

/// Returns how many requests were to be hit, where that can be told beforehand.
fn planned(plan: &Plan) -> Option<u64> {
    let when = &plan.fault.when;
    let is_plain = when.nth.is_none()
        && when.first.is_none()
        && when.window.is_none()
        && when.method.is_none()
        && when.path.is_none();
    is_plain.then(|| (f64::from(plan.traffic.requests) * when.share).round() as u64)
}

/// Returns which share of the fault arm's requests the fault hit: where calls are counted or timed, that shows only afterwards.
fn share(plan: &Plan, injected: Option<u64>) -> f64 {
    let when = &plan.fault.when;
    let is_counted = when.nth.is_some() || when.first.is_some() || when.window.is_some();
    let hit = injected.filter(|_| is_counted).map(|hit| hit as f64 / f64::from(plan.traffic.requests.max(1)));
    hit.map_or(when.share, |share| share.min(1.0))
}

fn judged(plan: &Plan, injected: Option<u64>) -> Judged {
    Judged {
        class: class(&plan.fault),
        edge: plan.target.edge.clone(),
        primary: plan.incident.finding.clone().map(|(rule, subject)| Primary { rule, subject }),
        expect: match plan.expect {
            Expect::Reproduced => judge::Expect::Reproduced,
            Expect::Tolerated => judge::Expect::Tolerated,
        },
        names: plan.target.services.clone().into_iter().collect(),
        share: share(plan, injected),
        assertions: plan.assertions.clone(),
    }
}

/// Returns what a fault changes first.
fn class(fault: &Fault) -> Class {
    match fault.kind.as_str() {
        "latency" | "drip" | "bandwidth" => Class::Latency,
        kind if kind.starts_with("context-") => Class::Context,
        _ => Class::Error,
    }
}

/// Returns what spans that came so far say of their environment: `deployment.environment.name`.
#[must_use]
pub fn environments(receiver: &Receiver) -> Vec<String> {
    let Ok(window) = everything(receiver.store()) else { return Vec::new() };
    let says = |key: &str| matches!(key, "deployment.environment" | "deployment.environment.name");
    let attributes = window.resources.iter().flat_map(|resource| &resource.attributes);
    let names = attributes.filter(|(key, _)| says(window.texts.get(*key)));
    let names: BTreeSet<String> = names.map(|(_, value)| window.texts.get(*value).to_owned()).collect();
    names.into_iter().collect()
}

/// Returns a run as the store keeps it.
#[must_use]
pub fn record(experiment: &Experiment, told: &Told, state: &str, compared: Option<&Compared>) -> RunRecord {
    let ns = |ts: &str| {
        ts.parse::<chrono::DateTime<chrono::Utc>>().ok().and_then(|at| at.timestamp_nanos_opt()).unwrap_or(0)
    };
    let events = told.records.iter().map(|record| RunEvent {
        time_ns: ns(&record.ts),
        kind: word(record.event),
        fault: experiment.plan.fault.kind.clone(),
        details: record.details.to_string(),
    });
    let ends = told.records.first().zip(told.records.last());
    RunRecord {
        run_id: ends.map(|(first, _)| first.run.clone()).unwrap_or_default(),
        name: experiment.title.clone(),
        started_ns: ends.map_or(0, |(first, _)| ns(&first.ts)),
        ended_ns: ends.map_or(0, |(_, last)| ns(&last.ts)),
        state: state.to_owned(),
        plan: experiment.to_value().to_string(),
        verdict: compared.map(|compared| compared.verdict.outcome.name().to_owned()),
        events: events.collect(),
    }
}
