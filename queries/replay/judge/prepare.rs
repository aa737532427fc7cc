//! Reads both sides into one set of requests with features: who belongs to which arm, and what is looked through.

use std::collections::BTreeSet;

use super::asked::{Judged, Side, Staging};
use super::features::{Features, Group, Reader};
use super::keys::{AtEdge, Keys, Reading, at_edge, number};
use super::proof::injections;
use super::units::{Request, Traces, attach, parent, start_ns};
use crate::replay::path_key::Names;
use crate::trace::window::{NONE, Role, Window};

/// Both sides, ready to be compared.
#[derive(Debug)]
pub(super) struct Prepared {
    pub(super) keys: Keys,
    pub(super) edge: AtEdge,
    pub(super) features: Features,
    pub(super) arms: Arms<Group>,
    /// Services that only one side has.
    pub(super) through: BTreeSet<String>,
    /// Fragments in staging that could not be joined to any request.
    pub(super) num_loose: usize,
}

/// Something of each arm.
#[derive(Debug, Clone, Default)]
pub(super) struct Arms<T> {
    pub(super) faulty: T,
    pub(super) healthy: T,
    pub(super) baseline: T,
    pub(super) fault: T,
    pub(super) control: T,
    pub(super) recovery: T,
}

type Requests = Arms<Vec<Request>>;

impl Requests {
    /// Returns the spans of the incident's requests, and those of staging's.
    fn spans(&self) -> [BTreeSet<u32>; 2] {
        let of = |arms: &[&Vec<Request>]| -> BTreeSet<u32> {
            arms.iter().flat_map(|arm| arm.iter()).flat_map(|request| &request.spans).copied().collect()
        };
        [of(&[&self.faulty, &self.healthy]), of(&[&self.baseline, &self.fault, &self.control, &self.recovery])]
    }
}

pub(super) fn prepare(incident: &Side<'_>, staging: &Staging<'_>, plan: &Judged) -> Prepared {
    let own_names = Names::default();
    let readings = [Reading::of(incident.window, &plan.names), Reading::of(staging.window, &own_names)];
    let mut requests = Requests::default();
    read_incident(incident, &readings[0], &mut requests);
    let num_loose = read_staging(staging, &readings[1], &mut requests);
    let through = seen_through(&readings, &requests);
    let [here, there] = requests.spans();
    let (keys, of) = number([&readings[0], &readings[1]], [&here, &there], &through);
    let name = |service: &String| plan.names.get(service).unwrap_or(service).clone();
    let (client, server) = (name(&plan.edge.client), name(&plan.edge.server));
    let edge = at_edge(&keys, &client, &server, &plan.edge);
    let mut features = Features::default();
    let [here, there] = &of;
    let of_incident = Reader::new(incident.window, (here, &keys, &edge), &plan.names).with(incident.findings);
    let of_staging = Reader::new(staging.window, (there, &keys, &edge), &own_names).with(staging.findings);
    let arms = Arms {
        faulty: features.push(&of_incident, &requests.faulty),
        healthy: features.push(&of_incident, &requests.healthy),
        baseline: features.push(&of_staging, &requests.baseline),
        fault: features.push(&of_staging, &requests.fault),
        control: features.push(&of_staging, &requests.control),
        recovery: features.push(&of_staging, &requests.recovery),
    };
    Prepared { keys, edge, features, arms, through, num_loose }
}

fn read_incident(incident: &Side<'_>, reading: &Reading<'_>, requests: &mut Requests) {
    let window = incident.window;
    let traces = Traces::of(window, incident.stitches);
    requests.faulty = traces.requests(window, incident.faulty);
    requests.healthy = traces.requests(window, incident.healthy);
    let below = called(reading, &requests.healthy);
    let known = incident.faulty.iter().chain(incident.healthy).copied().collect();
    let fragments = traces.loose(window, &known, spread(window, &requests.faulty));
    let fragments: Vec<&[u32]> = fragments.into_iter().filter(|spans| is_called(reading, &below, spans)).collect();
    attach(window, &mut requests.faulty, &fragments);
}

fn read_staging(staging: &Staging<'_>, reading: &Reading<'_>, requests: &mut Requests) -> usize {
    let window = staging.window;
    let traces = Traces::of(window, staging.stitches);
    let all = [&staging.baseline, &staging.fault, &staging.control, &staging.recovery];
    let [baseline, fault, control, recovery] = all.map(|arm| traces.requests(window, arm.traces));
    let below = called(reading, &baseline);
    let known: BTreeSet<u128> = all.iter().flat_map(|arm| arm.traces).copied().collect();
    let fragments = traces.loose(window, &known, (staging.fault.from_ns, staging.fault.to_ns));
    let fragments: Vec<&[u32]> = fragments.into_iter().filter(|spans| is_called(reading, &below, spans)).collect();
    (requests.baseline, requests.fault, requests.control, requests.recovery) = (baseline, fault, control, recovery);
    attach(window, &mut requests.fault, &fragments);
    fragments.len()
}

/// A step without its place among siblings.
type Operation = (String, String, Role);

fn operation(reading: &Reading<'_>, span: u32) -> Option<Operation> {
    reading.step(span).map(|step| (step.service.clone(), step.operation.clone(), step.kind))
}

/// Returns what is usually called by others: a trace that begins with it is a fragment, not a request.
fn called(reading: &Reading<'_>, requests: &[Request]) -> BTreeSet<Operation> {
    let spans = requests.iter().flat_map(Request::own).copied();
    spans.filter(|&span| parent(reading.window, span) != NONE).filter_map(|span| operation(reading, span)).collect()
}

fn is_called(reading: &Reading<'_>, below: &BTreeSet<Operation>, spans: &[u32]) -> bool {
    let first = spans.iter().find(|&&span| parent(reading.window, span) == NONE);
    first.and_then(|&first| operation(reading, first)).is_some_and(|operation| below.contains(&operation))
}

/// Returns the time from the first to the last start of spans of any of the requests.
fn spread(window: &Window, requests: &[Request]) -> (i64, i64) {
    let starts = requests.iter().flat_map(|request| &request.spans).map(|&span| start_ns(window, span));
    starts.fold((i64::MAX, i64::MIN), |(first, last), start| (first.min(start), last.max(start)))
}

/// Returns the services that one side's baseline has and the other side never: proxies, meshes, other deployments.
fn seen_through(readings: &[Reading<'_>; 2], requests: &Requests) -> BTreeSet<String> {
    let of = |at: usize, arms: &[&Vec<Request>]| -> BTreeSet<String> {
        let spans = arms.iter().flat_map(|arm| arm.iter()).flat_map(|request| &request.spans);
        readings.get(at).map(|side| spans.map(|&span| side.service(span).to_owned()).collect()).unwrap_or_default()
    };
    let here = of(0, &[&requests.faulty, &requests.healthy]);
    let there = of(1, &[&requests.baseline, &requests.fault, &requests.control, &requests.recovery]);
    let usual = |baseline: BTreeSet<String>, all: &BTreeSet<String>| {
        if baseline.is_empty() { all.clone() } else { baseline }
    };
    let (usual_here, usual_there) =
        (usual(of(0, &[&requests.healthy]), &here), usual(of(1, &[&requests.baseline]), &there));
    let mut through: BTreeSet<String> =
        usual_here.difference(&there).chain(usual_there.difference(&here)).cloned().collect();
    let injectors = injections(readings[1].window).map(|span| readings[1].service(span));
    through.extend(injectors.filter(|service| !here.contains(*service)).map(str::to_owned));
    through
}
