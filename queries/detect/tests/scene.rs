//! Small worlds to try detectors on: services, spans and logs, written as a test reads.
//!
//! ```ignore
//! let mut scene = Scene::new();
//! let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
//! let request = scene.put(server(gateway, "POST /checkout", 0.0, 20.0));
//! let (call, served) = scene.call(request, orders, "POST /orders", 2.0, 10.0);
//! let (call, root) = scene.broken_call(request, orders, "POST /orders", 13.0, 5.0);
//! let stage = scene.finish();
//! let drafts = stage.drafts("context-not-injected");
//! ```
#![allow(dead_code, reason = "a vocabulary: not every test needs every word")]
#![expect(clippy::needless_pass_by_value, reason = "a part is written where it is put")]

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::detect::{Case, DETECTORS, Draft, Finding, Rules, Subject, detect};
use crate::stitch::{self, Evidence, Rule, State, Stitch};
use crate::trace::window::{Builder, LogRecord, NONE, SpanRecord, Symbol, Window};

/// A process of a service, as [`Scene::service`] and [`Scene::process`] return it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Process(u32);

/// A span that was put into a scene.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Put {
    pub trace_id: u128,
    pub span_id: u64,
    process: u32,
}

impl Put {
    /// Names a span that is put with ids of one's own choice.
    pub(crate) fn of(process: Process, trace_id: u128, span_id: u64) -> Self {
        Self { trace_id, span_id, process: process.0 }
    }

    /// Returns the process that it was put in.
    pub(crate) fn process(self) -> Process {
        Process(self.process)
    }

    /// Returns a span of another trace, to name as one that is not there.
    pub(crate) fn in_trace(self, trace_id: u128) -> Self {
        Self { trace_id, ..self }
    }
}

/// A span to put. Times are milliseconds since the scene began.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    process: Process,
    name: String,
    kind: u8,
    from: f64,
    lasts: f64,
    status: u8,
    flags: u32,
    scope: &'static str,
    /// Trace and parent; nothing: a trace of its own.
    under: Option<(u128, u64)>,
    ids: Option<(u128, u64)>,
    attributes: Vec<(String, String)>,
    links: Vec<Put>,
}

fn part(process: Process, kind: u8, name: &str, from: f64, lasts: f64) -> Part {
    let (under, ids, attributes, links) = (None, None, Vec::new(), Vec::new());
    let name = name.to_owned();
    Part { process, name, kind, from, lasts, status: 0, flags: 0x101, scope: "test", under, ids, attributes, links }
}

/// A request comes in.
pub(crate) fn server(process: Process, name: &str, from: f64, lasts: f64) -> Part {
    part(process, 2, name, from, lasts)
}

/// A request goes out.
pub(crate) fn client(process: Process, name: &str, from: f64, lasts: f64) -> Part {
    part(process, 3, name, from, lasts)
}

/// Work inside a service.
pub(crate) fn internal(process: Process, name: &str, from: f64, lasts: f64) -> Part {
    part(process, 1, name, from, lasts)
}

/// A message goes out.
pub(crate) fn producer(process: Process, destination: &str, from: f64, lasts: f64) -> Part {
    message(part(process, 4, &format!("publish {destination}"), from, lasts), destination)
}

/// A message comes in.
pub(crate) fn consumer(process: Process, destination: &str, from: f64, lasts: f64) -> Part {
    message(part(process, 5, &format!("process {destination}"), from, lasts), destination)
}

fn message(part: Part, destination: &str) -> Part {
    part.with("messaging.system", "kafka").with("messaging.destination.name", destination)
}

impl Part {
    /// Makes it a child of a span that is there.
    pub(crate) fn under(mut self, parent: Put) -> Self {
        self.under = Some((parent.trace_id, parent.span_id));
        self
    }

    /// Names a trace and a parent, there or not.
    pub(crate) fn under_ids(mut self, trace_id: u128, parent_span_id: u64) -> Self {
        self.under = Some((trace_id, parent_span_id));
        self
    }

    /// Puts it into the trace of another span, below a parent that is not there.
    pub(crate) fn under_missing(mut self, of: Put, parent_span_id: u64) -> Self {
        self.under = Some((of.trace_id, parent_span_id));
        self
    }

    /// Gives it ids of one's own choice: trace and span.
    pub(crate) fn ids(mut self, trace_id: u128, span_id: u64) -> Self {
        self.ids = Some((trace_id, span_id));
        self
    }

    /// Adds an attribute, by canonical key.
    pub(crate) fn with(mut self, key: &str, value: &str) -> Self {
        self.attributes.push((key.to_owned(), value.to_owned()));
        self
    }

    /// Adds a captured request header.
    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        self.with(&format!("http.request.header.{name}"), value)
    }

    /// Links to a span that is there.
    pub(crate) fn linked_to(mut self, other: Put) -> Self {
        self.links.push(other);
        self
    }

    pub(crate) fn failed(mut self) -> Self {
        self.status = 2;
        self
    }

    /// Sets OTLP's flags; by default sampled, and the parent known to be of the same process.
    pub(crate) fn flags(mut self, flags: u32) -> Self {
        self.flags = flags;
        self
    }

    /// Names the library that wrote it.
    pub(crate) fn scope(mut self, name: &'static str) -> Self {
        self.scope = name;
        self
    }
}

/// A world under construction.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    builder: Builder,
    scopes: BTreeMap<&'static str, u32>,
    next_id: u64,
    joins: Vec<(Put, Put, State)>,
}

impl Scene {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a service with one process: instance `<name>-1` on a host of that name, no language.
    pub(crate) fn service(&mut self, name: &str) -> Process {
        self.process(name, json!({"service.instance.id": format!("{name}-1"), "host.name": format!("{name}-1")}))
    }

    /// The same with a language, as `telemetry.sdk.language` names it.
    pub(crate) fn service_in(&mut self, name: &str, language: &str) -> Process {
        let instance = format!("{name}-1");
        self.process(name, json!({"service.instance.id": instance, "telemetry.sdk.language": language}))
    }

    /// Adds a process of a service with resource attributes of its own.
    pub(crate) fn process(&mut self, service: &str, attributes: Value) -> Process {
        Process(self.builder.resource(service, &attributes.to_string()))
    }

    /// Puts a span.
    pub(crate) fn put(&mut self, part: Part) -> Put {
        let (trace_id, span_id) = part.ids.unwrap_or_else(|| self.ids(part.under.map(|(trace_id, _)| trace_id)));
        let put = Put { trace_id, span_id, process: part.process.0 };
        let builder = &mut self.builder;
        let scope = *self.scopes.entry(part.scope).or_insert_with(|| builder.scope(part.scope, "1"));
        for (key, value) in &part.attributes {
            let key = builder.texts.intern(key);
            builder.attribute(key, value);
        }
        let link = |put: &Put| json!({"trace_id": format!("{:032x}", put.trace_id), "span_id": format!("{:016x}", put.span_id)});
        builder.links(&part.links.iter().map(link).collect::<Value>().to_string());
        let name = builder.texts.intern(&part.name);
        builder.push(SpanRecord {
            trace_id,
            span_id,
            parent_span_id: part.under.map_or(0, |(_, parent)| parent),
            start_ns: BEGIN_NS + ns(part.from),
            duration_ns: ns(part.lasts),
            kind: part.kind,
            status: part.status,
            flags: part.flags,
            resource: part.process.0,
            scope,
            name,
            ..SpanRecord::default()
        });
        put
    }

    /// Puts a call from `request` to another process and what serves it, 0.5 ms later and 1 ms shorter: (client, server).
    pub(crate) fn call(&mut self, request: Put, to: Process, name: &str, from: f64, lasts: f64) -> (Put, Put) {
        let call = self.put(client(Process(request.process), name, from, lasts).under(request));
        (call, self.put(server(to, name, from + 0.5, lasts - 1.0).under(call).flags(0x301)))
    }

    /// The same where the callee begins a trace of its own; the two are stitched.
    pub(crate) fn broken_call(&mut self, request: Put, to: Process, name: &str, from: f64, lasts: f64) -> (Put, Put) {
        let call = self.put(client(Process(request.process), name, from, lasts).under(request));
        let root = self.put(server(to, name, from + 0.5, lasts - 1.0));
        self.stitch(root, call);
        (call, root)
    }

    /// Stitches a child to a parent, as accepted.
    pub(crate) fn stitch(&mut self, child: Put, parent: Put) {
        self.joins.push((child, parent, State::Accepted));
    }

    /// Stitches as [`State::Maybe`] or [`State::Candidate`].
    pub(crate) fn guess(&mut self, child: Put, parent: Put, state: State) {
        self.joins.push((child, parent, state));
    }

    /// Adds a log record; `of`: within the context of this span.
    pub(crate) fn log(&mut self, process: Process, at: f64, body: &str, of: Option<Put>) {
        let body = self.builder.texts.intern(body);
        let (trace_id, span_id) = of.map_or((0, 0), |of| (of.trace_id, of.span_id));
        self.builder.push_log(LogRecord { time_ns: BEGIN_NS + ns(at), resource: process.0, trace_id, span_id, body });
    }

    /// Returns the scene with the stitches that were given by hand.
    pub(crate) fn finish(self) -> Stage {
        let window = self.builder.finish();
        let mut stage = Stage { window, stitches: Vec::new() };
        stage.stitches = self.joins.iter().map(|&(child, parent, state)| stage.join(child, parent, state)).collect();
        stage.stitches.sort_by_key(|stitch| stitch.child);
        stage
    }

    /// Returns the scene with what stitching itself finds.
    pub(crate) fn finish_stitched(self) -> Stage {
        let window = self.builder.finish();
        let stitches = stitch::stitch(&window);
        Stage { window, stitches }
    }

    fn ids(&mut self, trace_id: Option<u128>) -> (u128, u64) {
        self.next_id += 1;
        // Both halves look like those of an SDK: neither is small.
        let spread = self.next_id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (trace_id.unwrap_or_else(|| u128::from(!spread) << 64 | u128::from(spread ^ 0x55)), spread)
    }
}

/// When scenes begin: 2020.
const BEGIN_NS: i64 = 1_577_836_800_000_000_000;

fn ns(milliseconds: f64) -> i64 {
    (milliseconds * 1e6) as i64
}

/// A world that detectors can look at.
#[derive(Debug)]
pub(crate) struct Stage {
    pub window: Window,
    pub stitches: Vec<Stitch>,
}

impl Stage {
    pub(crate) fn case(&self) -> Case<'_> {
        Case::new(&self.window, &self.stitches)
    }

    /// Returns what the detector of a bundled rule says, before triage.
    pub(crate) fn drafts(&self, id: &str) -> Vec<Draft> {
        let detect = DETECTORS.iter().find(|one| one.id == id).unwrap().detect.unwrap();
        detect(&self.case(), Rules::bundled().get(id).unwrap())
    }

    /// Returns what all bundled rules find together.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        detect(&self.case(), &Rules::bundled())
    }

    /// Returns a span's place in the window.
    pub(crate) fn span(&self, put: Put) -> u32 {
        let is_it = |&span: &u32| {
            (self.window.trace_id(span), self.window.span_id[span as usize]) == (put.trace_id, put.span_id)
        };
        self.window.spans().find(is_it).unwrap()
    }

    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        self.window.text(symbol)
    }

    /// Returns (subject, occurrences, out of, side) of each draft, as text: what tests look at first.
    pub(crate) fn says(&self, id: &str) -> Vec<(String, u64, u64, String)> {
        let subject = |subject: Subject| match subject {
            Subject::Service(service) => self.text(service).to_owned(),
            Subject::Edge(caller, callee) => format!("{} -> {}", self.text(caller), self.text(callee)),
        };
        let say =
            |draft: Draft| (subject(draft.subject), draft.occurrences, draft.out_of, self.text(draft.side).to_owned());
        self.drafts(id).into_iter().map(say).collect()
    }

    fn join(&self, child: Put, parent: Put, state: State) -> Stitch {
        let evidence = Evidence {
            value: Symbol::EMPTY,
            candidates: 1,
            runner_up: NONE,
            runner_up_confidence: 0.0,
            before_ns: 0,
            after_ns: 0,
            offset_ns: 0,
            learned_from: 0,
        };
        let (child, parent) = (self.span(child), self.span(parent));
        let confidence = match state {
            State::Accepted => 0.95,
            State::Maybe => 0.7,
            State::Candidate => 0.4,
        };
        Stitch { child, parent, confidence, state, rule: Rule::CallTiming, evidence }
    }
}

#[test]
fn a_scene_holds_what_was_put() {
    let mut scene = Scene::new();
    let (gateway, orders) = (scene.service("gateway"), scene.service("orders"));
    let request = scene.put(server(gateway, "POST /checkout", 0.0, 20.0).with("tenant.id", "t-1"));
    let (call, served) = scene.call(request, orders, "POST /orders", 2.0, 10.0);
    let (_, root) = scene.broken_call(request, orders, "POST /orders", 13.0, 5.0);
    scene.log(orders, 3.0, "hello", Some(served));
    let stage = scene.finish();
    let case = stage.case();
    let edge = case.edges.edges.values().next().unwrap();
    assert_eq!((edge.linked.len(), edge.stitched.len(), case.edges.edges.len()), (1, 1, 1));
    assert_eq!(stage.window.parent[stage.span(served) as usize], stage.span(call));
    assert_eq!(case.stitch_of(stage.span(root)).map(|stitch| stitch.state), Some(State::Accepted));
    assert_eq!(stage.window.logs.span_id, [served.span_id]);
}
