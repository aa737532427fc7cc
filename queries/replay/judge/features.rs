//! What is compared of each request: calls, failures, tears, findings and times, as numbers that both sides share.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use hashbrown::HashMap;

use super::errors::{Exceptions, Failed, failure, failures};
use super::keys::{AtEdge, KeyOf, Keys};
use super::rows::Rows;
use super::units::{Request, parent, start_ns};
use crate::detect::Finding;
use crate::replay::path_key::Names;
use crate::trace::window::{NONE, Window};

/// Things, each known by a number in the order of their coming.
#[derive(Debug)]
pub(super) struct Numbers<T> {
    things: Vec<T>,
    known: BTreeMap<T, u32>,
}

impl<T> Default for Numbers<T> {
    fn default() -> Self {
        Self { things: Vec::new(), known: BTreeMap::new() }
    }
}

impl<T: Ord + Clone> Numbers<T> {
    pub(super) fn number(&mut self, thing: T) -> u32 {
        let next = self.things.len() as u32;
        let number = *self.known.entry(thing.clone()).or_insert(next);
        if number == next {
            self.things.push(thing);
        }
        number
    }

    pub(super) fn things(&self) -> &[T] {
        &self.things
    }
}

/// A finding by rule and subject, by the names that keys have.
pub(super) type Found = (String, String);

/// What is known of all requests of all arms; a request is an index.
#[derive(Debug, Default)]
pub(super) struct Features {
    /// By request: the keys of its spans.
    pub(super) calls: Rows,
    /// By request: keys of calls that were made again after they failed, and of equal calls below one span of which none failed;
    /// as often as there are more than one.
    pub(super) retries: Rows,
    pub(super) fan_out: Rows,
    /// By request: its failures, and those with which they began.
    pub(super) failures: Rows,
    pub(super) first_failures: Rows,
    /// The same without their messages.
    pub(super) failures_in_short: Rows,
    pub(super) first_in_short: Rows,
    pub(super) failed: Numbers<Failed>,
    /// By request: the operations at which it was torn.
    pub(super) tears: Rows,
    pub(super) torn: Numbers<String>,
    /// By request: the findings that touch it.
    pub(super) findings: Rows,
    pub(super) found: Numbers<Found>,
    /// By request: milliseconds of its first span, and whether that failed.
    pub(super) root_ms: Vec<f64>,
    pub(super) is_failed: Vec<bool>,
    /// By request: when it began, in nanoseconds since 1970.
    pub(super) begin_ns: Vec<i64>,
    /// By request: the services that its own trace passes.
    pub(super) services: Vec<BTreeSet<String>>,
    /// By key: request and milliseconds, one a span.
    pub(super) durations: Vec<Vec<(usize, f64)>>,
}

/// The requests of one arm.
pub(super) type Group = Range<usize>;

/// One side, ready to be read.
#[derive(Debug)]
pub(super) struct Reader<'a> {
    pub(super) window: &'a Window,
    pub(super) of: &'a KeyOf,
    pub(super) keys: &'a Keys,
    pub(super) edge: &'a AtEdge,
    exceptions: Exceptions<'a>,
    names: &'a Names,
    /// By trace: the findings that touch it.
    found: HashMap<u128, Vec<Found>>,
}

impl<'a> Reader<'a> {
    /// Reads a side whose services are called as in `names`.
    pub(super) fn new(
        window: &'a Window,
        (of, keys, edge): (&'a KeyOf, &'a Keys, &'a AtEdge),
        names: &'a Names,
    ) -> Self {
        let exceptions = Exceptions::of(window, names);
        Self { window, of, keys, edge, exceptions, names, found: HashMap::new() }
    }

    /// Looks at findings too.
    pub(super) fn with(mut self, findings: &[Finding]) -> Self {
        for finding in findings {
            let found = (finding.rule.clone(), subject(&finding.subject, self.names));
            finding.traces.iter().for_each(|&trace| self.found.entry(trace).or_default().push(found.clone()));
        }
        self
    }
}

impl Reader<'_> {
    /// A driver or a proxy that is looked through is not what the request begins with.
    fn head(&self, request: &Request) -> Option<u32> {
        request.head(self.window, |span| self.of.get(span).is_some())
    }
}

/// Returns a subject (`service`, or `client -> server`) by other names.
pub(super) fn subject(subject: &str, names: &Names) -> String {
    let name = |service: &str| names.get(service).map_or(service, String::as_str).to_owned();
    subject.split(" -> ").map(name).collect::<Vec<_>>().join(" -> ")
}

impl Features {
    /// Adds the requests of an arm and returns which they are.
    pub(super) fn push(&mut self, reader: &Reader<'_>, requests: &[Request]) -> Group {
        let from = self.root_ms.len();
        requests.iter().for_each(|request| self.push_one(reader, request));
        from..self.root_ms.len()
    }

    fn push_one(&mut self, reader: &Reader<'_>, request: &Request) {
        self.push_calls(reader, request);
        self.push_repetitions(reader, request);
        self.push_failures(reader, request);
        self.push_tears(reader, request);
        self.push_findings(reader, request);
        self.push_root(reader, request);
    }

    fn push_calls(&mut self, reader: &Reader<'_>, request: &Request) {
        let number = self.root_ms.len();
        self.durations.resize(reader.keys.len(), Vec::new());
        self.calls.push(request.spans.iter().filter_map(|&span| reader.of.get(span)));
        for &span in &request.spans {
            let slot = reader.of.get(span).and_then(|key| self.durations.get_mut(key as usize));
            slot.into_iter().for_each(|list| list.push((number, millis(reader.window, span))));
        }
    }

    fn push_repetitions(&mut self, reader: &Reader<'_>, request: &Request) {
        let mut siblings: BTreeMap<(u32, u32), (usize, usize)> = BTreeMap::new();
        for &span in request.spans.iter().filter(|&&span| parent(reader.window, span) != NONE) {
            let Some(key) = reader.of.get(span) else { continue };
            let (calls, failed) = siblings.entry((parent(reader.window, span), key)).or_default();
            *calls += 1;
            *failed += usize::from(failure(reader.window, &reader.exceptions, span).is_some());
        }
        let more = |is_meant: fn(usize) -> bool| {
            let groups = siblings.iter().filter(move |(_, (_, failed))| is_meant(*failed));
            groups.flat_map(|(&(_, key), &(calls, _))| std::iter::repeat_n(key, calls - 1))
        };
        self.retries.push(more(|failed| failed > 0));
        self.fan_out.push(more(|failed| failed == 0));
    }

    fn push_failures(&mut self, reader: &Reader<'_>, request: &Request) {
        let found = failures(reader.window, &reader.exceptions, request, reader.of, reader.edge);
        let failed = &mut self.failed;
        let mut short = |list: &[Failed]| {
            let number = |(key, failure): &Failed| failed.number((*key, failure.in_short()));
            list.iter().map(number).collect::<Vec<u32>>()
        };
        self.first_in_short.push(short(&found.first));
        self.failures_in_short.push(short(&found.all));
        self.first_failures.push(found.first.into_iter().map(|one| failed.number(one)));
        self.failures.push(found.all.into_iter().map(|one| failed.number(one)));
    }

    fn push_tears(&mut self, reader: &Reader<'_>, request: &Request) {
        let step = |span: u32| reader.keys.step(reader.of.get(span)?).map(ToString::to_string);
        let torn = &mut self.torn;
        self.tears
            .push(request.torn(reader.window, reader.head(request)).filter_map(step).map(|step| torn.number(step)));
    }

    fn push_findings(&mut self, reader: &Reader<'_>, request: &Request) {
        let traces: BTreeSet<u128> = request.spans.iter().map(|&span| reader.window.trace_id(span)).collect();
        let found: BTreeSet<&Found> = traces.iter().filter_map(|trace| reader.found.get(trace)).flatten().collect();
        let numbers: Vec<u32> = found.into_iter().map(|found| self.found.number(found.clone())).collect();
        self.findings.push(numbers);
    }

    fn push_root(&mut self, reader: &Reader<'_>, request: &Request) {
        let window = reader.window;
        let head = reader.head(request);
        let is_failed = |span: u32| failure(window, &reader.exceptions, span).is_some();
        self.root_ms.push(head.map_or(0.0, |head| millis(window, head)));
        self.is_failed.push(head.is_some_and(is_failed));
        self.begin_ns.push(request.own().first().map_or(0, |&first| start_ns(window, first)));
        let service = |&span: &u32| reader.keys.step(reader.of.get(span)?).map(|step| step.service.clone());
        self.services.push(request.own().iter().filter_map(service).collect());
    }

    /// Returns how many requests there are.
    pub(super) fn len(&self) -> usize {
        self.root_ms.len()
    }

    /// Returns how often each request counts in a sample that has each of `members` once for each time it is named.
    pub(super) fn weights(&self, members: impl IntoIterator<Item = usize>) -> Vec<f64> {
        let mut weights = vec![0.0; self.len()];
        for member in members {
            weights.get_mut(member).into_iter().for_each(|weight| *weight += 1.0);
        }
        weights
    }
}

fn millis(window: &Window, span: u32) -> f64 {
    window.duration_ns(span) as f64 / 1e6
}
