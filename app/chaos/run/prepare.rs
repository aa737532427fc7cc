//! From an experiment to all that a run needs, checked against the rails. Nothing is changed anywhere; this is the dry run.

use std::fmt::Write as _;
use std::net::SocketAddr;

use serde_json::{Map, Value};

use super::RunError;
use super::probes::Probes;
use super::traffic::{Arm, Marks};
use crate::chaos::driver::{Driver, Fidelity};
use crate::chaos::drivers::{self, Order};
use crate::chaos::experiment::Experiment;
use crate::chaos::experiment::check::{SAFE_METHODS, check};
use crate::chaos::http::{self, Client, Endpoint};
use crate::chaos::rails::{Permissions, RailError, Rails};
use crate::chaos::undo::manual;
use riftline_queries::replay::fault::{Fault, Place};

/// What the user allows beyond the usual.
#[derive(Debug, Clone, Default)]
pub struct Allowance {
    pub permissions: Permissions,
    /// The exact name of something that looks like production.
    pub production: Option<String>,
    /// Whether methods that change something may be sent.
    pub unsafe_methods: bool,
}

/// All that a run needs.
pub struct Prepared {
    pub run: String,
    pub marks: Marks,
    pub rails: Rails,
    pub driver: Box<dyn Driver>,
    /// As it is armed: with the mark of this run.
    pub fault: Fault,
    pub fidelity: Fidelity,
    /// Where requests are sent, without a path.
    pub url: String,
    pub addresses: Vec<SocketAddr>,
    /// Every host that is reached, and where it was found.
    pub targets: Vec<(String, Vec<SocketAddr>)>,
    pub probes: Probes,
    pub found: Vec<String>,
    pub hash: String,
}

/// Checks everything and looks, without changing anything, whether it would work.
pub fn prepare(experiment: &Experiment, run: &str, allowance: &Allowance) -> Result<Prepared, RunError> {
    let mistakes = check(experiment);
    if !mistakes.is_empty() {
        return Err(RunError::Experiment(mistakes));
    }
    let plan = &experiment.plan;
    methods(experiment, allowance)?;
    let rails = Rails::new(&allowance.permissions, plan, allowance.production.as_deref())?;
    let fill = |text: &str| experiment.fill(text).map_err(|mistake| RunError::Experiment(vec![mistake]));
    let url = fill(&plan.target.url)?;
    let mut targets = Vec::new();
    let addresses = reach(&rails, &url, &mut targets)?;
    let client = Client::default().only_pinned();
    let order = Order { run: run.to_owned(), number: 1, seed: plan.seed, client: client.clone() };
    let options = filled(&plan.driver.options, &fill)?;
    let mut driver = drivers::make(&plan.driver.name, &options, &order)?;
    for target in driver.targets() {
        pin(&rails, &client, &target, &mut targets)?;
    }
    let probes = Probes::of(experiment, &client)?;
    for url in probes.urls() {
        let endpoint = Endpoint::parse(url).map_err(|error| RunError::Experiment(vec![error.to_string()]))?;
        pin(&rails, &client, &endpoint.target(), &mut targets)?;
    }
    let marks = Marks::of(run);
    let mut fault = plan.fault.clone();
    // Bytes of a connection carry no mark.
    let is_marked = driver.spares_unmarked() && fault.place != Place::Connection;
    fault.when.mark = is_marked.then(|| marks.fault.clone());
    let fidelity = driver.fidelity(&fault);
    if let Some(reason) = &fidelity.refusal {
        return Err(RunError::Unable(reason.clone()));
    }
    let found = driver.preflight()?;
    Ok(Prepared {
        run: run.to_owned(),
        marks,
        rails,
        driver,
        fault,
        fidelity,
        url,
        addresses,
        targets,
        probes,
        found,
        hash: experiment.hash(),
    })
}

/// Fails for methods that change something, unless they are allowed.
fn methods(experiment: &Experiment, allowance: &Allowance) -> Result<(), RunError> {
    let traffic = &experiment.plan.traffic;
    let method = traffic.list.iter().map(|request| request.method.as_str()).find(|&method| {
        let is_listed = traffic.methods.iter().any(|one| one.eq_ignore_ascii_case(method));
        !is_listed || !(allowance.unsafe_methods || SAFE_METHODS.contains(&method))
    });
    method.map_or(Ok(()), |method| {
        Err(RunError::Refused(format!(
            "traffic.list sends {method}, which may change something: list it in traffic.methods and give --allow-unsafe-methods"
        )))
    })
}

fn reach(rails: &Rails, url: &str, targets: &mut Vec<(String, Vec<SocketAddr>)>) -> Result<Vec<SocketAddr>, RunError> {
    let endpoint = Endpoint::parse(url).map_err(|error| RunError::Experiment(vec![format!("target.url: {error}")]))?;
    let addresses = rails.resolve(&endpoint.host, endpoint.port)?;
    targets.push((endpoint.target(), addresses.clone()));
    Ok(addresses)
}

/// Looks up a `host:port` and has the client call it there and nowhere else. Names without a port (of clusters, namespaces) are
/// only held against what looks like production.
fn pin(
    rails: &Rails,
    client: &Client,
    target: &str,
    targets: &mut Vec<(String, Vec<SocketAddr>)>,
) -> Result<(), RunError> {
    let Some((host, port)) = http::parts(target) else { return Ok(rails.check_name(target)?) };
    let addresses = rails.resolve(host, port)?;
    client.pin(target, addresses.clone());
    targets.push((target.to_owned(), addresses));
    Ok(())
}

fn filled(
    options: &Map<String, Value>,
    fill: &dyn Fn(&str) -> Result<String, RunError>,
) -> Result<Map<String, Value>, RunError> {
    let one = |(key, value): (&String, &Value)| match value {
        Value::String(text) => Ok((key.clone(), Value::from(fill(text)?))),
        other => Ok((key.clone(), other.clone())),
    };
    options.iter().map(one).collect()
}

impl Prepared {
    /// Tells whether requests without the mark are left alone, so that they are a control group.
    #[must_use]
    pub fn spares_control(&self) -> bool {
        self.fault.when.mark.is_some()
    }

    /// Returns the arms of this run in order; those that stand together take turns.
    #[must_use]
    pub fn arms(&self) -> [&'static [Arm]; 3] {
        let fault: &[Arm] = if self.spares_control() { &[Arm::Fault, Arm::Control] } else { &[Arm::Fault] };
        [&[Arm::Baseline], fault, &[Arm::Recovery]]
    }

    /// Looks up every host again; fails where one went elsewhere or is off limits by now.
    pub fn hold(&self) -> Result<(), RailError> {
        for (target, before) in &self.targets {
            if let Some((host, port)) = http::parts(target) {
                self.rails.check_again(host, port, before)?;
            }
        }
        Ok(())
    }

    /// Says what a run would do, for people to read before they confirm it.
    #[must_use]
    pub fn describe(&self, experiment: &Experiment) -> String {
        let plan = &experiment.plan;
        let mut text = format!("{}\n{}\n\n", experiment.title, experiment.description);
        let edge = &plan.target.edge;
        let _ = writeln!(text, "environment  {}", plan.target.environment);
        let _ = writeln!(text, "edge         {} -> {}  {}", edge.client, edge.server, edge.operation);
        let _ = writeln!(text, "fault        {}", sentence(&self.fault));
        let _ = writeln!(text, "driver       {}", self.driver.name());
        for (target, addresses) in &self.targets {
            let shown: Vec<String> = addresses.iter().map(ToString::to_string).collect();
            let _ = writeln!(text, "reaches      {target} ({})", shown.join(", "));
        }
        let per_arm: usize = self.arms().iter().map(|arms| arms.len()).sum();
        let traffic = &plan.traffic;
        let _ = writeln!(
            text,
            "traffic      {} requests in each of {per_arm} arms, {} a second, to {}",
            traffic.requests, traffic.rps, self.url
        );
        let _ = writeln!(text, "hits         {}", self.radius(experiment));
        let _ = writeln!(text, "at most      {} s armed, {} faults", plan.limits.duration_s, plan.limits.max_faults);
        for found in &self.found {
            let _ = writeln!(text, "found        {found}");
        }
        for loss in &self.fidelity.losses {
            let _ = writeln!(text, "loses        {loss}");
        }
        for call in self.driver.preview(&self.fault) {
            let _ = writeln!(text, "arms by      {call}");
        }
        let _ = writeln!(text, "undone by    {}", manual(&self.driver.undo()));
        let _ = writeln!(text, "hash         {}", self.hash);
        text
    }

    /// Says who is hit.
    fn radius(&self, experiment: &Experiment) -> String {
        let traffic = &experiment.plan.traffic;
        let share = self.fault.when.share;
        if self.spares_control() {
            format!(
                "about {:.0} of the run's own requests ({:.0} %); nobody else's",
                f64::from(traffic.requests) * share,
                share * 100.0
            )
        } else {
            format!("{:.0} % of ALL traffic on this edge while it is armed: there is no control arm", share * 100.0)
        }
    }
}

/// Says in one line what a fault does.
#[must_use]
pub fn sentence(fault: &Fault) -> String {
    let mut text = fault.kind.clone();
    if let Some(magnitude) = &fault.magnitude {
        let at = |share| magnitude.quantile(share);
        let _ = write!(text, " of {:.0} ms ({:.0} to {:.0})", at(0.5), at(0.01), at(0.99));
    }
    for (name, value) in &fault.with {
        let _ = write!(text, " {name}={value}");
    }
    let _ = write!(text, ", {:.0} %", fault.when.share * 100.0);
    if let Some(path) = &fault.when.path {
        let _ = write!(text, " of {path}");
    }
    if let Some(cycle) = &fault.when.window {
        let _ = write!(text, ", {:.0} s on and {:.0} s off", cycle.on_ms / 1e3, cycle.off_ms / 1e3);
    }
    text
}
