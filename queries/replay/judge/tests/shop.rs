//! A shop of four services, simulated: gateway calls orders, orders calls stock and then payments, payments asks its database.
//!
//! Each request is drawn by chance from a seed; a fault changes what happens at one edge, and all above it follow.

use serde_json::json;

use crate::chance::Chance;
use crate::detect::{Case, Finding, Rules, detect};
use crate::replay::edge::{Class, Edge};
use crate::replay::judge::{Arm, Expect, Judged, Options, Side, Staging, Verdict, judge};
use crate::replay::path_key::Names;
use crate::stitch::{Stitch, stitch};
use crate::trace::window::{Builder, SpanRecord, Window};

const MS: i64 = 1_000_000;
pub(crate) const SECOND: i64 = 1_000 * MS;
const BEGIN: i64 = 1_700_000_000 * SECOND;

/// What goes wrong at a call to `stock` or `payments`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Fault {
    None,
    /// So many milliseconds more on the wire, give or take a tenth.
    Latency(&'static str, f64),
    /// The server answers with this status.
    Error(&'static str, u16),
    /// A proxy answers with this status; the server is never asked.
    Refused(&'static str, u16),
    Grpc(&'static str, u16),
    /// The connection is cut; the server is never asked.
    Abort(&'static str),
    /// The server begins a trace of its own.
    Drop(&'static str),
    /// As an error, and the client tries twice more.
    Retried(&'static str, u16),
}

impl Fault {
    fn at(self, server: &str) -> Self {
        let place = match self {
            Self::None => return self,
            Self::Latency(place, _)
            | Self::Abort(place)
            | Self::Drop(place)
            | Self::Error(place, _)
            | Self::Refused(place, _)
            | Self::Grpc(place, _)
            | Self::Retried(place, _) => place,
        };
        if place == server { self } else { Self::None }
    }
}

/// How a side is set up.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Site {
    pub(crate) seed: u64,
    /// How many times as long everything takes.
    pub(crate) slowness: f64,
    /// Put behind the names of services.
    pub(crate) suffix: &'static str,
    /// Whether a mesh stands before payments.
    pub(crate) has_mesh: bool,
    /// Whether a proxy before the gateway tells of each fault that it injects.
    pub(crate) has_proxy: bool,
    /// Whether stitches and findings are looked for: it takes time.
    pub(crate) is_examined: bool,
}

pub(crate) const PRODUCTION: Site =
    Site { seed: 1, slowness: 1.0, suffix: "", has_mesh: false, has_proxy: false, is_examined: false };
pub(crate) const STAGING: Site = Site { seed: 2, ..PRODUCTION };

/// One arm to be simulated.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Phase {
    pub(crate) fault: Fault,
    pub(crate) requests: usize,
    /// The share of requests that meet the fault.
    pub(crate) share: f64,
}

pub(crate) fn phase(fault: Fault, requests: usize) -> Phase {
    Phase { fault, requests, share: 1.0 }
}

/// A window with the trace ids of each arm.
pub(crate) struct World {
    pub(crate) window: Window,
    pub(crate) stitches: Vec<Stitch>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) arms: Vec<Vec<u128>>,
    /// By arm: from, to.
    pub(crate) times: Vec<(i64, i64)>,
}

struct Simulator {
    builder: Builder,
    chance: Chance,
    site: Site,
    resources: Vec<(String, u32)>,
    /// The order in which spans arrive is not that in which they happen.
    records: Vec<(SpanRecord, String)>,
    span_id: u64,
}

/// Lets a site live through some phases. The last two are interleaved when `interleaved`.
pub(crate) fn live(site: Site, phases: &[Phase]) -> World {
    let mut simulator = Simulator::new(site);
    let (mut arms, mut times, mut at) = (Vec::new(), Vec::new(), BEGIN);
    for phase in phases {
        let from = at;
        let mut traces = Vec::new();
        for _ in 0..phase.requests {
            let is_hit = simulator.chance.share() < phase.share;
            traces.push(simulator.request(at, if is_hit { phase.fault } else { Fault::None }));
            at += 200 * MS;
        }
        arms.push(traces);
        times.push((from, at));
        at += 20 * SECOND;
    }
    simulator.finish(arms, times)
}

impl Simulator {
    fn new(site: Site) -> Self {
        let mut builder = Builder::default();
        let names = ["gateway", "orders", "stock", "payments", "mesh", "proxy"];
        let resource = |name: &str| {
            let name = format!("{name}{}", site.suffix);
            let attributes = format!(r#"{{"service.instance.id":"{name}-1","telemetry.sdk.language":"java"}}"#);
            (name.clone(), builder.resource(&name, &attributes))
        };
        let resources = names.into_iter().map(resource).collect();
        builder.scope("tests", "1");
        Self { builder, chance: Chance::new(site.seed), site, resources, records: Vec::new(), span_id: 0 }
    }

    fn resource(&self, service: &str) -> u32 {
        let name = format!("{service}{}", self.site.suffix);
        self.resources.iter().find(|(known, _)| *known == name).map(|(_, number)| *number).unwrap()
    }

    /// Draws a time around some milliseconds, a quarter more or less.
    fn time(&mut self, ms: f64) -> i64 {
        let spread: f64 = (0..4).map(|_| self.chance.share() - 0.5).sum::<f64>() / 2.0;
        (ms * self.site.slowness * (1.0 + spread * 0.8) * MS as f64) as i64
    }

    fn span(&mut self, place: (u128, u64), service: &str, kind: u8, name: &str) -> Draft {
        self.span_id += 1;
        let record = SpanRecord {
            trace_id: place.0,
            parent_span_id: place.1,
            span_id: self.span_id | 0x1000_0000,
            kind,
            resource: self.resource(service),
            name: self.builder.texts.intern(name),
            ..SpanRecord::default()
        };
        Draft { record, attributes: json!({}) }
    }

    fn put(&mut self, draft: &Draft, start_ns: i64, duration_ns: i64) {
        let record = SpanRecord { start_ns, duration_ns, ..draft.record };
        self.records.push((record, draft.attributes.to_string()));
    }

    fn request(&mut self, at: i64, fault: Fault) -> u128 {
        let trace = self.chance.trace_id();
        self.proxy(trace, at, fault);
        let mut gateway = self.span((trace, 0), "gateway", 2, "GET /checkout");
        gateway.http("/checkout");
        let before = self.time(2.0);
        let ends = ("gateway", "orders", "POST /orders");
        let (took, failed) = self.call((trace, gateway.id()), ends, at + before, Fault::None, Some(fault));
        let after = self.time(1.0);
        gateway.end(failed);
        self.put(&gateway, at, before + took + after);
        trace
    }

    fn proxy(&mut self, trace: u128, at: i64, fault: Fault) {
        if self.site.has_proxy && fault != Fault::None {
            let mut span = self.span((trace, 0x99), "proxy", 1, "fault");
            span.set("fault.kind", "any");
            span.set("fault.experiment", "exp42");
            self.put(&span, at - 1, MS);
        }
    }

    /// Makes a call and returns how long it took, and whether it failed.
    fn call(
        &mut self,
        place: (u128, u64),
        ends: (&str, &str, &str),
        at: i64,
        fault: Fault,
        inner: Option<Fault>,
    ) -> (i64, Option<u16>) {
        let tries = if matches!(fault, Fault::Retried(..)) { 3 } else { 1 };
        let (mut took, mut failed) = (0, None);
        for number in 0..tries {
            let (one, answer) = self.try_call(place, ends, at + took, fault, inner);
            took += one;
            failed = answer;
            if answer.is_none() {
                break;
            }
            took += if number + 1 < tries { (50 * MS) << number } else { 0 };
        }
        (took, failed)
    }

    fn try_call(
        &mut self,
        place: (u128, u64),
        (from, to, name): (&str, &str, &str),
        at: i64,
        fault: Fault,
        inner: Option<Fault>,
    ) -> (i64, Option<u16>) {
        let path = name.split(' ').nth(1).unwrap();
        let mut client = self.span(place, from, 3, name.split(' ').next().unwrap());
        client.set("http.request.method", name.split(' ').next().unwrap());
        client.set("url.full", &format!("http://{to}{}:80{path}", self.site.suffix));
        client.set("server.address", &format!("{to}{}", self.site.suffix));
        let wire = self.time(0.5);
        let (added, reached, answer) = self.effect(fault);
        let mut took = wire + added;
        let mut failed = answer;
        if reached {
            let parent = self.mesh((place.0, client.id()), to, at + wire, 5 * MS);
            let parent = if matches!(fault, Fault::Drop(_)) { (self.chance.trace_id(), 0) } else { parent };
            let (inside, inner_failed) = self.serve(parent, (to, name), at + took, (answer, inner));
            took += inside + wire;
            failed = answer.or(inner_failed);
        }
        client.end(failed);
        if let Fault::Abort(_) = fault {
            client.fail("ConnectionReset");
            failed = Some(502);
        }
        if failed.is_some() {
            client.record.message =
                self.builder.texts.intern(&format!("{to}{} said no to order {at}", self.site.suffix));
        }
        self.put(&client, at, took);
        (took, failed)
    }

    fn mesh(&mut self, place: (u128, u64), to: &str, at: i64, took: i64) -> (u128, u64) {
        if to != "payments" || !self.site.has_mesh {
            return place;
        }
        let span = self.span(place, "mesh", 2, "ingress");
        let id = span.id();
        self.put(&span, at, took);
        (place.0, id)
    }

    /// What a fault adds in nanoseconds, whether the server is asked, and what comes back.
    fn effect(&mut self, fault: Fault) -> (i64, bool, Option<u16>) {
        match fault {
            Fault::None | Fault::Drop(_) => (0, true, None),
            Fault::Latency(_, ms) => ((ms * (0.9 + 0.2 * self.chance.share()) * MS as f64) as i64, true, None),
            Fault::Error(_, status) | Fault::Retried(_, status) => (0, true, Some(status)),
            Fault::Refused(_, status) => (MS, false, Some(status)),
            Fault::Grpc(_, code) => (0, true, Some(code)),
            Fault::Abort(_) => (MS, false, None),
        }
    }

    fn serve(
        &mut self,
        place: (u128, u64),
        (service, name): (&str, &str),
        at: i64,
        (answer, inner): (Option<u16>, Option<Fault>),
    ) -> (i64, Option<u16>) {
        let mut server = self.span(place, service, 2, name);
        server.http(name.split(' ').nth(1).unwrap());
        let here = (server.record.trace_id, server.id());
        let mut took = self.time(if service == "payments" { 8.0 } else { 4.0 });
        let mut failed = answer;
        if service == "payments" && answer.is_none() {
            took += self.database(here, at + took);
        }
        for (next, path) in inner.into_iter().flat_map(|_| [("stock", "GET /items"), ("payments", "POST /charge")]) {
            let fault = inner.unwrap().at(next);
            let (one, broken) = self.call(here, (service, next, path), at + took, fault, None);
            took += one + self.time(1.0);
            if broken.is_some() {
                failed = Some(500);
                break;
            }
        }
        server.end(failed);
        self.put(&server, at, took);
        (took, failed)
    }

    fn database(&mut self, place: (u128, u64), at: i64) -> i64 {
        let mut query = self.span(place, "payments", 3, "INSERT charges");
        query.set("db.system.name", "postgresql");
        let took = self.time(3.0);
        self.put(&query, at, took);
        took
    }

    fn finish(mut self, arms: Vec<Vec<u128>>, times: Vec<(i64, i64)>) -> World {
        for at in (1..self.records.len()).rev() {
            let other = self.chance.below(at + 1);
            self.records.swap(at, other);
        }
        for (record, attributes) in std::mem::take(&mut self.records) {
            self.builder.attributes(&attributes);
            self.builder.push(record);
        }
        let window = self.builder.finish();
        let stitches = if self.site.is_examined { stitch(&window) } else { Vec::new() };
        let is_examined = self.site.is_examined;
        let findings = if is_examined { detect(&Case::new(&window, &stitches), &Rules::bundled()) } else { Vec::new() };
        World { window, stitches, findings, arms, times }
    }
}

struct Draft {
    record: SpanRecord,
    attributes: serde_json::Value,
}

impl Draft {
    fn id(&self) -> u64 {
        self.record.span_id
    }

    fn set(&mut self, key: &str, value: &str) {
        self.attributes[key] = json!(value);
    }

    fn http(&mut self, route: &str) {
        self.set("http.request.method", if route == "/items" || route == "/checkout" { "GET" } else { "POST" });
        self.set("http.route", route);
        self.set("http.target", route);
    }

    fn end(&mut self, answer: Option<u16>) {
        match answer {
            None => self.attributes["http.response.status_code"] = json!(200),
            Some(code) if code < 17 => {
                self.attributes["rpc.grpc.status_code"] = json!(code);
                self.record.status = 2;
            }
            Some(code) => {
                self.attributes["http.response.status_code"] = json!(code);
                self.record.status = 2;
            }
        }
    }

    fn fail(&mut self, exception: &str) {
        self.set("exception.type", exception);
        self.attributes.as_object_mut().unwrap().remove("http.response.status_code");
        self.record.status = 2;
    }
}

/// Production: faulty requests, then healthy ones.
pub(crate) fn incident(site: Site, fault: Fault) -> World {
    live(site, &[phase(fault, 80), phase(Fault::None, 80)])
}

/// Staging: baseline, fault, control, recovery.
pub(crate) fn staging(site: Site, fault: Fault) -> World {
    live(site, &[phase(Fault::None, 60), phase(fault, 60), phase(Fault::None, 60), phase(Fault::None, 40)])
}

pub(crate) fn side(world: &World) -> Side<'_> {
    let World { window, stitches, findings, arms, .. } = world;
    Side { window, stitches, findings, faulty: &arms[0], healthy: &arms[1] }
}

pub(crate) fn arms(world: &World) -> Staging<'_> {
    let arm = |at: usize| Arm {
        traces: &world.arms[at],
        sent: world.arms[at].len() as u64,
        from_ns: world.times[at].0,
        to_ns: world.times[at].1,
    };
    Staging {
        window: &world.window,
        stitches: &world.stitches,
        findings: &world.findings,
        baseline: arm(0),
        fault: arm(1),
        control: arm(2),
        recovery: arm(3),
        injected: Some(60),
        planned: Some(60),
        services: &[],
    }
}

pub(crate) fn plan(class: Class, server: &str) -> Judged {
    Judged {
        class,
        edge: Edge { client: "orders".to_owned(), server: server.to_owned(), operation: String::new() },
        primary: None,
        expect: Expect::Reproduced,
        names: Names::new(),
        share: 1.0,
        assertions: Vec::new(),
    }
}

/// Fewer draws than usual: tests look at scores, not at intervals.
pub(crate) fn quick() -> Options {
    Options { num_resamples: 50, ..Options::default() }
}

pub(crate) fn judged(incident: &World, staging: &World, plan: &Judged) -> Verdict {
    judge(&side(incident), &arms(staging), plan, &quick())
}
