//! An experiment in words: what must hold, what is injected where, how far it may go, and the incident that it came from.

use serde_json::Value;

use super::line::Lines;
use super::shelf::{Card, Draft};
use crate::chaos::experiment::{AbortRule, Expect, Experiment, Incident, Metric};
use crate::chaos::run::prepare::sentence;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use riftline_queries::replay::fault::Unit;

/// Traces that are named, at most.
const MAX_TRACES: usize = 20;

/// Says everything about an experiment file.
pub fn say(lines: &mut Lines, card: &Card, shared: &Shared) {
    match &card.read {
        Ok(draft) => draft_of(lines, card, draft, shared),
        Err(error) => {
            lines.say("file", &card.name(), Role::Dim);
            lines.say("broken", &format!("{} {error}", shared.symbols.error), Role::Error);
        }
    }
}

fn draft_of(lines: &mut Lines, card: &Card, draft: &Draft, shared: &Shared) {
    let experiment = &draft.experiment;
    lines.say("title", &experiment.title, Role::Strong);
    lines.say("file", &card.name(), Role::Dim);
    for mistake in &draft.mistakes {
        lines.say("mistake", &format!("{} {mistake}", shared.symbols.error), Role::Error);
    }
    lines.say("why", &experiment.description, Role::Text);
    lines.empty();
    steady_state(lines, experiment);
    fault(lines, experiment);
    lines.empty();
    limits(lines, experiment);
    lines.empty();
    incident(lines, &experiment.plan.incident, shared);
    lines.say("hash", &draft.hash, Role::Dim);
}

fn steady_state(lines: &mut Lines, experiment: &Experiment) {
    let Some(state) = &experiment.steady_state_hypothesis else {
        return lines.say("must hold", "nothing is asked before a fault is armed", Role::Warn);
    };
    lines.say("must hold", &state.title, Role::Text);
    state.probes.iter().for_each(|probe| lines.say("", &probe_words(experiment, probe), Role::Dim));
}

fn probe_words(experiment: &Experiment, probe: &Value) -> String {
    let name = probe["name"].as_str().unwrap_or("a probe");
    let url = probe["provider"]["url"].as_str().unwrap_or_default();
    let url = experiment.fill(url).unwrap_or_else(|_| url.to_owned());
    match &probe["tolerance"] {
        Value::Null => format!("{name}: {url}"),
        Value::Array(list) => {
            let statuses: Vec<String> = list.iter().map(ToString::to_string).collect();
            format!("{name}: {url} answers {}", statuses.join(", "))
        }
        tolerance => format!("{name}: {url} answers {tolerance}"),
    }
}

fn fault(lines: &mut Lines, experiment: &Experiment) {
    let plan = &experiment.plan;
    let edge = &plan.target.edge;
    lines.say("fault", &sentence(&plan.fault), Role::Accent);
    lines.say("edge", &format!("{} -> {}  {}", edge.client, edge.server, edge.operation), Role::Text);
    lines.say("environment", &plan.target.environment, Role::Strong);
    let url = experiment.fill(&plan.target.url);
    match url {
        Ok(url) => lines.say("target", &url, Role::Text),
        Err(mistake) => lines.say("target", &mistake, Role::Error),
    }
    let services: Vec<String> =
        plan.target.services.iter().map(|(theirs, staging)| format!("{theirs} is {staging} there")).collect();
    lines.say_all("services", &services, Role::Text);
    lines.say("injected by", &plan.driver.name, Role::Text);
}

fn limits(lines: &mut Lines, experiment: &Experiment) {
    let plan = &experiment.plan;
    let traffic = &plan.traffic;
    let sent = format!("{} requests in each arm, {} a second", traffic.requests, traffic.rps);
    lines.say("traffic", &sent, Role::Text);
    let unit = match plan.fault.when.unit {
        Unit::Request => "requests",
        Unit::Connection => "connections",
    };
    let share = humane::percent(plan.fault.when.share);
    let hits = format!("{share} of the {unit} on this edge that it fits; d says whose they are");
    lines.say("hits", &hits, Role::Warn);
    let limits = &plan.limits;
    let most = format!("{} s armed, {} faults", limits.duration_s, limits.max_faults);
    lines.say("at most", &most, Role::Text);
    if !plan.target.allow.is_empty() {
        lines.say("reaches only", &plan.target.allow.join(", "), Role::Text);
    }
    let rules: Vec<String> = plan.rules().iter().map(rule_words).collect();
    lines.say_all("aborts when", &rules, Role::Text);
    let expected = match plan.expect {
        Expect::Reproduced => "staging fails the same way",
        Expect::Tolerated => "staging stands it: the fix holds",
    };
    lines.say("expected", expected, Role::Text);
}

/// Says when a rule ends a run.
fn rule_words(rule: &AbortRule) -> String {
    match rule {
        AbortRule::Metric { metric: Metric::ControlErrorRate, gt, for_s } => {
            format!("requests beside the fault fail more often than {} for {for_s} s", humane::percent(*gt))
        }
        AbortRule::Metric { metric: Metric::ControlP95Ratio, gt, for_s } => {
            format!("their p95 is above {gt} times the baseline's for {for_s} s")
        }
        AbortRule::Metric { metric: Metric::FaultErrorRate, gt, for_s } => {
            format!("requests with the fault fail more often than {} for {for_s} s", humane::percent(*gt))
        }
        AbortRule::Probe { probe, fails } => format!("probe {probe} fails {fails} times in a row"),
    }
}

fn incident(lines: &mut Lines, incident: &Incident, shared: &Shared) {
    lines.say("incident", &incident.about, Role::Text);
    for warning in &incident.warnings {
        lines.say("mind", &format!("{} {warning}", shared.symbols.warning), Role::Warn);
    }
    if let Some((rule, subject)) = &incident.finding {
        lines.say("must return", &format!("{rule} {subject}"), Role::Text);
    }
    for (at, trace) in incident.traces.iter().take(MAX_TRACES).enumerate() {
        lines.trace(if at == 0 { "traces" } else { "" }, trace);
    }
    let hidden = incident.traces.len().saturating_sub(MAX_TRACES);
    if hidden > 0 {
        lines.say("", &format!("and {hidden} more"), Role::Dim);
    }
    let what = if incident.baseline.len() == 1 { "trace" } else { "traces" };
    lines.say("baseline", &format!("{} {what} without it", incident.baseline.len()), Role::Dim);
}
