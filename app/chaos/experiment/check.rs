//! What is wrong with an experiment beside its form: everything in one go, without touching the network.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::{AbortRule, Experiment, MAX_DURATION_S};
use crate::chaos::faults;
use riftline_queries::replay::assertions::validate;
use riftline_queries::replay::fault::Unit;

/// Most that an experiment may ask for (chaos.md, section 4).
const MAX_DELAY_MS: f64 = 60_000.0;
const MAX_RPS: f64 = 1_000.0;
const MAX_REQUESTS: u32 = 10_000;
/// Methods that change nothing on the server (RFC 9110, section 9.2.1).
pub const SAFE_METHODS: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Returns every mistake, each with the place in the file.
#[must_use]
pub fn check(experiment: &Experiment) -> Vec<String> {
    let mut mistakes = Vec::new();
    let plan = &experiment.plan;
    let mut say = |is_wrong: bool, text: String| mistakes.extend(is_wrong.then_some(text));
    let limits = &plan.limits;
    say(
        !(limits.duration_s > 0.0 && limits.duration_s <= MAX_DURATION_S),
        format!("limits.duration_s: {} is not between 0 and {MAX_DURATION_S}", limits.duration_s),
    );
    let rps = plan.traffic.rps;
    say(!(rps > 0.0 && rps <= MAX_RPS), format!("traffic.rps: {rps} is not between 0 and {MAX_RPS}"));
    let requests = plan.traffic.requests;
    say(
        requests == 0 || requests > MAX_REQUESTS,
        format!("traffic.requests: {requests} is not between 1 and {MAX_REQUESTS}"),
    );
    say(plan.traffic.list.is_empty(), "traffic.list: no request to send: name at least one".to_owned());
    say(
        plan.target.environment.trim().is_empty(),
        "target.environment: has no name: it is typed to confirm a run".to_owned(),
    );
    let share = plan.fault.when.share;
    say(!(0.0..=1.0).contains(&share), format!("fault.when.share: {share} is not between 0 and 1"));
    let longest = plan.fault.magnitude.as_ref().map_or(0.0, |magnitude| magnitude.quantile(1.0));
    say(longest > MAX_DELAY_MS, format!("fault.magnitude: {longest:.0} ms is more than a minute"));
    say(
        plan.fault.when.unit == Unit::Connection && plan.fault.when.method.is_some(),
        "fault.when: a connection has no method: use `unit: request`".to_owned(),
    );
    mistakes.extend(faults::compile(&plan.fault).err().map(|error| format!("fault: {error}")));
    mistakes.extend(plan.assertions.iter().filter_map(|asked| Some(format!("assertions: {}", validate(asked).err()?))));
    mistakes.extend(probes(experiment));
    mistakes.extend(variables(experiment));
    mistakes
}

/// Probes that riftline cannot ask, and rules about probes that are not there.
fn probes(experiment: &Experiment) -> Vec<String> {
    let probes = experiment.steady_state_hypothesis.as_ref().map_or(&[][..], |state| &state.probes);
    let mut mistakes: Vec<String> = probes
        .iter()
        .filter(|probe| probe["provider"]["type"] != "http")
        .map(|probe| format!("steady-state-hypothesis: probe {}: riftline asks by http only", probe["name"]))
        .collect();
    for rule in &experiment.plan.abort {
        if let AbortRule::Probe { probe, .. } = rule
            && !probes.iter().any(|one| one["name"] == probe.as_str())
        {
            mistakes.push(format!("abort: no probe is named {probe}"));
        }
    }
    mistakes
}

/// Variables that `configuration` does not name or the environment does not have.
fn variables(experiment: &Experiment) -> Vec<String> {
    let text = experiment.to_value().to_string();
    let Some(regex) = variable() else { return Vec::new() };
    let mut names: Vec<&str> = regex.captures_iter(&text).filter_map(|found| Some(found.get(1)?.as_str())).collect();
    names.sort_unstable();
    names.dedup();
    names.into_iter().filter_map(|name| experiment.variable(name).err()).collect()
}

fn variable() -> Option<&'static Regex> {
    static VARIABLE: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"\$\{([^}]*)\}").ok());
    VARIABLE.as_ref()
}

impl Experiment {
    /// Puts the values of `configuration` in place of `${name}`.
    pub fn fill(&self, text: &str) -> Result<String, String> {
        let Some(regex) = variable() else { return Ok(text.to_owned()) };
        let mut filled = text.to_owned();
        for found in regex.captures_iter(text) {
            let (whole, name) = (&found[0], &found[1]);
            filled = filled.replace(whole, &self.variable(name)?);
        }
        Ok(filled)
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        match self.configuration.get(name) {
            None => Err(format!("configuration: ${{{name}}} is used, but not there")),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(Value::Object(from)) if from.get("type").is_some_and(|kind| kind == "env") => {
                let key = from.get("key").and_then(Value::as_str).unwrap_or_default();
                let default = || from.get("default").and_then(Value::as_str).map(str::to_owned);
                std::env::var(key)
                    .ok()
                    .or_else(default)
                    .ok_or_else(|| format!("configuration.{name}: the environment has no {key}"))
            }
            Some(other) => Ok(other.to_string()),
        }
    }
}
