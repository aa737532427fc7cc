//! From a recorded trace or finding to an experiment file, and the incident's spans beside it.

mod evidence;

use std::path::{Path, PathBuf};

use riftline_queries::detect::{Case, Rules, detect};
use riftline_queries::replay::derive::{About, Candidate, Derived, Options, Refusal, derive};
use riftline_queries::stitch::stitch;
use riftline_queries::trace::window::Window;
use serde_json::{Map, Value, json};

use super::driver::Driver;
use super::drivers::{self, Order};
use super::experiment::read::sha256;
use super::experiment::{
    self, DriverChoice, Expect, Experiment, Incident, Plan, Request, SteadyState, Target, Traffic,
};
use super::export::{self, Export, Step};
use super::http::Client;

/// What the user chooses.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    pub environment: String,
    pub url: String,
    pub driver: DriverChoice,
    /// Production's names of services to staging's.
    pub services: Vec<(String, String)>,
    /// Counted from 0.
    pub candidate: usize,
    pub requests: u32,
    pub rps: f64,
    pub expect: Expect,
}

impl Default for Choice {
    fn default() -> Self {
        let traffic = Traffic::default();
        Self {
            environment: "staging".to_owned(),
            url: "http://127.0.0.1:18080".to_owned(),
            driver: DriverChoice { name: "builtin".to_owned(), options: Map::new() },
            services: Vec::new(),
            candidate: 0,
            requests: traffic.requests,
            rps: traffic.rps,
            expect: Expect::Reproduced,
        }
    }
}

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    #[error(transparent)]
    Refused(#[from] Refusal),
    #[error("only {0} candidates were derived")]
    NoSuchCandidate(usize),
    #[error("none of the incident's requests can be sent again: {0}")]
    NothingToSend(String),
    #[error("write {path}: {source}")]
    Write { path: PathBuf, source: std::io::Error },
}

/// An experiment with the spans that it will be judged by.
#[derive(Debug, Clone, PartialEq)]
pub struct Planned {
    pub experiment: Experiment,
    pub derived: Derived,
    /// OTLP in JSON, one request a line, packed with gzip.
    pub evidence: Vec<u8>,
}

/// Derives faults from what was recorded.
pub fn derived(window: &Window, rules: &Rules, about: &About) -> Result<Derived, Refusal> {
    let stitches = stitch(window);
    let findings = detect(&Case::new(window, &stitches), rules);
    derive(window, &stitches, &findings, about, &Options::default())
}

/// Makes an experiment of what was derived.
pub fn plan(window: &Window, derived: Derived, choice: &Choice) -> Result<Planned, PlanError> {
    let count = derived.candidates.len();
    let candidate = derived.candidates.get(choice.candidate).ok_or(PlanError::NoSuchCandidate(count))?.clone();
    let list = requests(&derived)?;
    let evidence = evidence::of(window, derived.incident.iter().chain(&derived.baseline).map(|id| id.0));
    let plan = Plan {
        name: experiment::EXTENSION.to_owned(),
        incident: incident(&derived, &evidence),
        target: target(&candidate, choice),
        driver: driver(&candidate, choice),
        fault: candidate.fault.clone(),
        traffic: Traffic { requests: choice.requests, rps: choice.rps, list, ..Traffic::default() },
        expect: choice.expect,
        seed: 42,
        ..Plan::default()
    };
    let experiment = Experiment {
        title: title(&candidate),
        description: description(&derived, &candidate),
        tags: vec!["replay".to_owned(), candidate.fault.kind.clone()],
        configuration: Map::from_iter([("staging".to_owned(), json!(choice.url))]),
        steady_state_hypothesis: Some(steady_state(&plan)),
        method: Vec::new(),
        rollbacks: Vec::new(),
        runtime: Map::from_iter([("rollbacks".to_owned(), json!({"strategy": "always"}))]),
        extensions: Vec::new(),
        plan,
    };
    Ok(Planned { experiment: with_stock_steps(experiment, "experiment.yaml"), derived, evidence })
}

impl Planned {
    /// Writes the experiment to `path`, and the incident's spans beside it. `about`: what the incident is, in words.
    pub fn write(&mut self, path: &Path, about: &str) -> Result<(), PlanError> {
        let name = path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default();
        let evidence = PathBuf::from(format!("{name}.incident.jsonl.gz"));
        let failed = |path: &Path| {
            let path = path.to_owned();
            move |source| PlanError::Write { path, source }
        };
        let beside = path.with_file_name(&evidence);
        std::fs::write(&beside, &self.evidence).map_err(failed(&beside))?;
        let incident = &mut self.experiment.plan.incident;
        incident.evidence = Some(evidence);
        about.clone_into(&mut incident.about);
        self.experiment = with_stock_steps(self.experiment.clone(), &path.to_string_lossy());
        let is_json = path.extension().is_some_and(|extension| extension == "json");
        let text = if is_json { format!("{:#}\n", self.experiment.to_value()) } else { self.experiment.to_yaml() };
        std::fs::write(path, text).map_err(failed(path))
    }
}

fn requests(derived: &Derived) -> Result<Vec<Request>, PlanError> {
    let fits = |one: &&riftline_queries::replay::derive::RootRequest| {
        !one.method.is_empty() && one.path.starts_with('/') && !one.path.contains('{')
    };
    let list: Vec<Request> = derived
        .requests
        .iter()
        .filter(fits)
        .map(|one| Request {
            method: one.method.clone(),
            path: one.path.clone(),
            times: u32::try_from(one.times).unwrap_or(u32::MAX),
        })
        .take(MAX_REQUESTS)
        .collect();
    if list.is_empty() {
        let why = derived.requests.iter().find_map(|one| one.why_not.clone());
        return Err(PlanError::NothingToSend(why.unwrap_or_else(|| "none was recorded with its path".to_owned())));
    }
    Ok(list)
}

/// Different requests that are sent again, the most frequent ones.
const MAX_REQUESTS: usize = 200;

fn incident(derived: &Derived, evidence: &[u8]) -> Incident {
    let ids = |list: &[riftline_queries::replay::id::TraceId]| list.iter().map(|id| format!("{:032x}", id.0)).collect();
    Incident {
        about: String::new(),
        evidence: None,
        evidence_sha256: Some(sha256(evidence)),
        traces: ids(&derived.incident),
        baseline: ids(&derived.baseline),
        hosts: derived.hosts.clone(),
        environments: derived.environments.clone(),
        finding: derived.finding.clone(),
        warnings: derived.warnings.clone(),
    }
}

fn target(candidate: &Candidate, choice: &Choice) -> Target {
    Target {
        environment: choice.environment.clone(),
        url: "${staging}".to_owned(),
        allow: Vec::new(),
        edge: candidate.edge.clone(),
        services: choice.services.iter().cloned().collect(),
    }
}

/// Names the proxy of the edge where the user did not: `orders-payments`.
fn driver(candidate: &Candidate, choice: &Choice) -> DriverChoice {
    let mut driver = choice.driver.clone();
    let in_staging = |name: &str| {
        choice
            .services
            .iter()
            .find(|(production, _)| production == name)
            .map_or_else(|| name.to_owned(), |(_, staging)| staging.clone())
    };
    if ["builtin", "toxiproxy"].contains(&driver.name.as_str()) && !driver.options.contains_key("listen") {
        driver.options.entry("api").or_insert_with(|| json!("http://127.0.0.1:8474"));
        let link = format!("{}-{}", in_staging(&candidate.edge.client), in_staging(&candidate.edge.server));
        driver.options.entry("proxy").or_insert_with(|| json!(link));
    }
    driver
}

fn title(candidate: &Candidate) -> String {
    let edge = &candidate.edge;
    format!("{} -> {}: {}", edge.client, edge.server, super::run::prepare::sentence(&candidate.fault))
}

fn description(derived: &Derived, candidate: &Candidate) -> String {
    format!(
        "{}. Derived from {} traces that show it and {} that do not.",
        candidate.why, derived.num_incident, derived.num_baseline
    )
}

/// Staging has to answer the incident's most frequent request before anything is armed.
fn steady_state(plan: &Plan) -> SteadyState {
    let path = plan.traffic.list.first().map_or("/", |request| request.path.as_str());
    SteadyState {
        title: "staging answers".to_owned(),
        probes: vec![json!({
            "type": "probe", "name": "answers", "tolerance": [200, 204, 301, 302, 401, 403, 404],
            "provider": {"type": "http", "url": format!("${{staging}}{path}"), "timeout": 5},
        })],
    }
}

/// Adds what the stock Chaos Toolkit does, where the driver's calls are plain HTTP. `file`: where the experiment will lie.
fn with_stock_steps(mut experiment: Experiment, file: &str) -> Experiment {
    let stock = export::chaostoolkit(&stock(&experiment, file));
    let list = |key: &str| stock[key].as_array().cloned().unwrap_or_default();
    (experiment.method, experiment.rollbacks) = (list("method"), list("rollbacks"));
    experiment
}

/// Returns an experiment for the stock runner. `file`: where it will lie.
#[must_use]
pub fn stock(experiment: &Experiment, file: &str) -> Export {
    let plan = &experiment.plan;
    let order = Order { run: "exported".to_owned(), number: 1, seed: plan.seed, client: Client::default() };
    let driver = drivers::make(&plan.driver.name, &plan.driver.options, &order).ok();
    let undo = driver.as_ref().map(|driver| export::undo_steps(&driver.undo())).unwrap_or_default();
    let arm = driver.map(|driver| calls(driver.as_ref(), plan)).unwrap_or_default();
    Export {
        title: experiment.title.clone(),
        description: experiment.description.clone(),
        tags: experiment.tags.clone(),
        arm,
        undo,
        health: None,
        traffic: ["riftline", "chaos", "drive", "--run", file].map(str::to_owned).to_vec(),
        traffic_timeout_s: f64::from(plan.traffic.requests) / plan.traffic.rps.max(0.001) + plan.traffic.timeout_s,
        configuration: experiment.configuration.clone(),
        extension: Some(serde_json::to_value(plan).unwrap_or(Value::Null)),
    }
}

fn calls(driver: &dyn Driver, plan: &Plan) -> Vec<Step> {
    driver.calls(&plan.fault).into_iter().map(Step::from).collect()
}
