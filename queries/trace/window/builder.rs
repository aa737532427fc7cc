//! Gathers spans in any order and puts them into the window's.

use std::cmp::Ordering;

use hashbrown::HashMap;

use super::metrics::{self, MetricRecord};
use super::renumber::Renumber;
use super::{Link, Logs, NONE, Resource, Role, Rows, Scope, Symbol, Texts, Window, json, key};
use crate::chance::Chance;

/// One span, as it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpanRecord {
    pub row: i64,
    pub trace_id: u128,
    pub span_id: u64,
    /// 0 where there is none.
    pub parent_span_id: u64,
    pub start_ns: i64,
    /// Negative where the span ends before it starts.
    pub duration_ns: i64,
    pub kind: u8,
    pub status: u8,
    pub flags: u32,
    /// What [`Builder::resource`] returned.
    pub resource: u32,
    /// What [`Builder::scope`] returned.
    pub scope: u32,
    pub name: Symbol,
    pub trace_state: Symbol,
    /// See [`Window::message`].
    pub message: Symbol,
}

/// One log record, as it is read.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogRecord {
    pub time_ns: i64,
    pub resource: u32,
    pub trace_id: u128,
    pub span_id: u64,
    pub body: Symbol,
}

/// Evidence that is not looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Without {
    pub urls: bool,
    pub logs: bool,
    pub links: bool,
}

impl Without {
    fn drops(self, key: Symbol) -> bool {
        const URLS: [Symbol; 4] = [key::URL_FULL, key::URL_PATH, key::URL_QUERY, key::HTTP_TARGET];
        self.urls && URLS.contains(&key)
    }
}

/// Builds a [`Window`]: first resources and scopes, then spans and logs in any order.
#[derive(Debug, Default)]
pub struct Builder {
    pub texts: Texts,
    /// What is left out, to measure how much it is worth.
    pub without: Without,
    resources: Vec<Resource>,
    scopes: Vec<Scope>,
    spans: Vec<SpanRecord>,
    attributes: Rows<(Symbol, Symbol)>,
    links: Vec<Link>,
    logs: Vec<LogRecord>,
    log_attributes: Rows<(Symbol, Symbol)>,
    metrics: Vec<MetricRecord>,
    metric_attributes: Rows<(Symbol, Symbol)>,
    scratch: Vec<(Symbol, Symbol)>,
}

impl Builder {
    /// Adds a process. `service` is its name, `attributes` the typed JSON of the resource.
    pub fn resource(&mut self, service: &str, attributes: &str) -> u32 {
        let texts = &mut self.texts;
        let mut list = Vec::new();
        json::members(attributes, &mut |key, value| list.push((texts.intern(key), texts.intern(value))));
        let resource = resource(texts, service, list);
        self.resources.push(resource);
        self.resources.len() as u32 - 1
    }

    /// Adds a process that the store knows as `id`.
    pub fn stored_resource(&mut self, id: u32, service: &str, attributes: &str) -> u32 {
        let number = self.resource(service, attributes);
        self.resources[number as usize].id = id;
        number
    }

    /// Adds an instrumentation scope.
    pub fn scope(&mut self, name: &str, version: &str) -> u32 {
        let scope = Scope { name: self.texts.intern(name), version: self.texts.intern(version) };
        self.scopes.push(scope);
        self.scopes.len() as u32 - 1
    }

    /// Adds an attribute of the span that is pushed next.
    pub fn attribute(&mut self, key: Symbol, value: &str) {
        let value = self.texts.intern(value);
        self.scratch.push((key, value));
    }

    /// Adds all attributes of a typed JSON object to the span or log that is pushed next.
    pub fn attributes(&mut self, json: &str) {
        let (texts, scratch) = (&mut self.texts, &mut self.scratch);
        json::members(json, &mut |key, value| scratch.push((texts.intern(key), texts.intern(value))));
    }

    /// Adds the links of a typed JSON array to the span that is pushed next.
    pub fn links(&mut self, json: &str) {
        if self.without.links {
            return;
        }
        let (from, links) = (self.spans.len() as u32, &mut self.links);
        let mut last = None;
        json::objects(json, &mut |at, key, value| {
            if last != Some(at) {
                links.push(Link { from, trace_id: 0, span_id: 0 });
                last = Some(at);
            }
            let Some(link) = links.last_mut() else { return };
            match key {
                "trace_id" => link.trace_id = u128::from_str_radix(value, 16).unwrap_or(0),
                "span_id" => link.span_id = u64::from_str_radix(value, 16).unwrap_or(0),
                _ => {}
            }
        });
    }

    /// Adds a span with the attributes and links that were added since the last.
    pub fn push(&mut self, span: SpanRecord) {
        self.scratch.retain(|&(key, _)| !self.without.drops(key));
        self.scratch.sort_unstable();
        self.attributes.push(self.scratch.drain(..));
        self.spans.push(span);
    }

    /// Adds a log record with the attributes that were added since the last span or log.
    pub fn push_log(&mut self, log: LogRecord) {
        if self.without.logs {
            return self.scratch.clear();
        }
        self.log_attributes.push(self.scratch.drain(..));
        self.logs.push(log);
    }

    /// Returns a builder with the texts, processes and scopes of `window`, for spans that are made of its spans.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        let mut builder = Self::default();
        for number in 0..window.texts.len() as u32 {
            builder.texts.intern(window.text(Symbol(number)));
        }
        builder.resources.clone_from(&window.resources);
        builder.scopes.clone_from(&window.scopes);
        builder
    }

    /// Adds a span with the attributes and links that `span` has in `window`.
    pub fn copy(&mut self, window: &Window, span: u32, record: SpanRecord) {
        let from = self.spans.len() as u32;
        self.links.extend(window.links_of(span).iter().map(|link| Link { from, ..*link }));
        self.scratch.extend_from_slice(window.attributes(span));
        self.push(record);
    }

    /// Adds a log record with the attributes that `log` has in `window`.
    pub fn copy_log(&mut self, window: &Window, log: usize, record: LogRecord) {
        self.scratch.extend_from_slice(window.log_attributes(log));
        self.push_log(record);
    }

    /// Adds a point of a metric with the attributes that were added since the last span, log or point. Metrics that say nothing
    /// of spans are not kept.
    pub fn push_metric(&mut self, point: MetricRecord) {
        if !metrics::is_kept(self.texts.get(point.name)) {
            return self.scratch.clear();
        }
        self.scratch.sort_unstable();
        self.metric_attributes.push(self.scratch.drain(..));
        self.metrics.push(point);
    }

    /// Returns how many spans were pushed.
    #[must_use]
    pub fn num_spans(&self) -> usize {
        self.spans.len()
    }

    /// Puts everything in order.
    #[must_use]
    pub fn finish(mut self) -> Window {
        name_apart(&mut self.texts, &mut self.resources);
        let mut order: Vec<u32> = (0..self.spans.len() as u32).collect();
        order.sort_unstable_by(|&left, &right| self.compare(left as usize, right as usize));
        order.dedup_by(|next, first| is_repeat(&self.spans[*first as usize], &self.spans[*next as usize]));
        let mut numbers = Renumber::new(&self.texts, &self.resources, &self.scopes);
        let mut window = Window::default();
        let mut traces = HashMap::new();
        for &at in &order {
            let span = &self.spans[at as usize];
            let next = window.traces.len() as u32;
            let trace = *traces.entry(span.trace_id).or_insert(next);
            if trace == next {
                window.traces.push(span.trace_id);
            }
            window.push(span, trace, self.attributes.get(at as usize), &mut numbers);
        }
        window.links = ordered_links(self.links, &order, self.spans.len());
        window.logs = ordered_logs(&self.texts, &self.logs, &self.log_attributes, &mut numbers);
        window.metrics = metrics::ordered(&self.texts, &self.metrics, &self.metric_attributes, &mut numbers);
        window.texts = numbers.new_texts;
        window.resources = numbers.new_resources;
        window.scopes = numbers.new_scopes;
        find_parents(&mut window);
        window
    }

    /// Orders spans by start, then by chance, then by all that they hold, so that only equal ones stand as they came.
    fn compare(&self, left: usize, right: usize) -> Ordering {
        let (first, second) = (&self.spans[left], &self.spans[right]);
        let place = |span: &SpanRecord| {
            (
                span.start_ns,
                by_chance(span.trace_id as u64 ^ span.span_id),
                span.trace_id,
                span.span_id,
                span.duration_ns,
            )
        };
        let numbers = |span: &SpanRecord| (span.parent_span_id, span.kind, span.status, span.flags);
        place(first)
            .cmp(&place(second))
            .then_with(|| numbers(first).cmp(&numbers(second)))
            .then_with(|| self.texts_of(left).cmp(&self.texts_of(right)))
            .then_with(|| first.row.cmp(&second.row))
    }

    /// The texts of a span, whatever the order of its attributes.
    fn texts_of(&self, at: usize) -> Vec<&str> {
        let span = &self.spans[at];
        let service = self.resources.get(span.resource as usize).map_or(Symbol::EMPTY, |resource| resource.service);
        let mut texts: Vec<&str> =
            [service, span.name, span.trace_state, span.message].map(|own| self.texts.get(own)).to_vec();
        let mut attributes: Vec<(&str, &str)> =
            self.attributes.get(at).iter().map(|&(key, value)| (self.texts.get(key), self.texts.get(value))).collect();
        attributes.sort_unstable();
        texts.extend(attributes.into_iter().flat_map(|(key, value)| [key, value]));
        texts
    }
}

impl Window {
    /// Returns a span as it was pushed.
    #[must_use]
    pub fn record(&self, span: u32) -> SpanRecord {
        let at = span as usize;
        SpanRecord {
            row: self.row[at],
            trace_id: self.trace_id(span),
            span_id: self.span_id[at],
            parent_span_id: self.parent_span_id[at],
            start_ns: self.start_ns[at],
            duration_ns: self.duration_ns(span),
            kind: self.kind[at],
            status: self.status[at],
            flags: self.flags[at],
            resource: self.resource[at],
            scope: self.scope[at],
            name: self.name[at],
            trace_state: self.trace_state[at],
            message: self.message[at],
        }
    }

    /// Returns a log record as it was pushed.
    #[must_use]
    pub fn log_record(&self, log: usize) -> LogRecord {
        LogRecord {
            time_ns: self.logs.time_ns[log],
            resource: self.logs.resource[log],
            trace_id: self.logs.trace_id[log],
            span_id: self.logs.span_id[log],
            body: self.logs.body[log],
        }
    }

    fn push(&mut self, span: &SpanRecord, trace: u32, attributes: &[(Symbol, Symbol)], numbers: &mut Renumber<'_>) {
        if span.duration_ns < 0 {
            self.reversed.push(self.row.len() as u32);
        }
        self.row.push(span.row);
        self.trace.push(trace);
        self.span_id.push(span.span_id);
        self.parent_span_id.push(span.parent_span_id);
        self.start_ns.push(span.start_ns);
        self.end_ns.push(span.start_ns.saturating_add(span.duration_ns.max(0)));
        self.kind.push(span.kind);
        self.status.push(span.status);
        self.flags.push(span.flags);
        self.resource.push(numbers.resource(span.resource));
        self.scope.push(numbers.scope(span.scope));
        self.name.push(numbers.symbol(span.name));
        self.trace_state.push(numbers.symbol(span.trace_state));
        self.message.push(numbers.symbol(span.message));
        let attributes = numbers.pairs(attributes);
        self.role.push(role(&numbers.new_texts, span.kind, &attributes));
        self.attributes.push(attributes);
    }
}

/// Tells whether a span is the same as another that was delivered before.
fn is_repeat(first: &SpanRecord, next: &SpanRecord) -> bool {
    let what = |span: &SpanRecord| (span.trace_id, span.span_id, span.parent_span_id, span.start_ns, span.duration_ns);
    what(first) == what(next) && (first.kind, first.status, first.name) == (next.kind, next.status, next.name)
}

/// Spreads ids that count up over all numbers, so that ties are broken by chance, yet always alike.
fn by_chance(id: u64) -> u64 {
    Chance::new(id).number()
}

/// What a span does at the boundary of its service. A recorded kind other than internal is believed; otherwise a boundary
/// shows in the attributes that only one side of a call has (semantic conventions, "Span kind").
fn role(texts: &Texts, kind: u8, attributes: &[(Symbol, Symbol)]) -> Role {
    match kind {
        2 => return Role::Server,
        3 => return Role::Client,
        4 => return Role::Producer,
        5 => return Role::Consumer,
        _ => {}
    }
    inferred_role(texts, attributes).unwrap_or_default()
}

/// Returns the role that attributes prove, whatever was recorded.
pub(crate) fn inferred_role(texts: &Texts, attributes: &[(Symbol, Symbol)]) -> Option<Role> {
    let get = |key: Symbol| attributes.iter().find(|(name, _)| *name == key).map(|&(_, value)| texts.get(value));
    if let Some(operation) = get(key::MESSAGING_OPERATION_TYPE) {
        return match operation {
            "process" | "deliver" => Some(Role::Consumer),
            "send" | "publish" | "create" => Some(Role::Producer),
            "receive" | "settle" => Some(Role::Client),
            _ => None,
        };
    }
    let is_incoming = get(key::CLIENT_ADDRESS).is_some() || get(key::HTTP_TARGET).is_some();
    if is_incoming
        && (get(key::HTTP_ROUTE).is_some() || get(key::URL_PATH).is_some() || get(key::HTTP_TARGET).is_some())
    {
        return Some(Role::Server);
    }
    let is_outgoing = get(key::DB_SYSTEM_NAME).is_some() || get(key::URL_FULL).is_some();
    is_outgoing.then_some(Role::Client)
}

fn resource(texts: &mut Texts, service: &str, attributes: Vec<(Symbol, Symbol)>) -> Resource {
    let get = |key: Symbol| attributes.iter().find(|(name, _)| *name == key).map(|&(_, value)| value);
    let host = [key::HOST_ID, key::HOST_IP, key::HOST_NAME, key::K8S_NODE_NAME].into_iter().find_map(get);
    let host = host.unwrap_or_default();
    let known = [key::SERVICE_INSTANCE_ID, key::K8S_POD_UID, key::CONTAINER_ID].into_iter().find_map(get);
    let language = get(key::TELEMETRY_SDK_LANGUAGE).unwrap_or_default();
    let instance = known.unwrap_or_else(|| {
        let process = get(key::PROCESS_PID).unwrap_or_default();
        let name = format!("{service}@{}:{}", texts.get(host), texts.get(process));
        texts.intern(&name)
    });
    Resource { id: 0, service: texts.intern(service), instance, host, language, attributes }
}

/// Puts the namespace before the names of services where several namespaces have one of that name.
fn name_apart(texts: &mut Texts, resources: &mut [Resource]) {
    let namespace =
        |one: &Resource| one.attributes.iter().find(|(key, _)| *key == key::SERVICE_NAMESPACE).map(|&(_, name)| name);
    let mut seen: HashMap<Symbol, Option<Symbol>> = HashMap::new();
    let twice: Vec<Symbol> = resources
        .iter()
        .filter(|one| *seen.entry(one.service).or_insert_with(|| namespace(one)) != namespace(one))
        .map(|one| one.service)
        .collect();
    for resource in resources.iter_mut().filter(|one| twice.contains(&one.service)) {
        let Some(space) = namespace(resource) else { continue };
        let name = format!("{}/{}", texts.get(space), texts.get(resource.service));
        resource.service = texts.intern(&name);
    }
}

fn ordered_links(mut links: Vec<Link>, order: &[u32], num_pushed: usize) -> Vec<Link> {
    let mut places = vec![NONE; num_pushed];
    for (place, &at) in order.iter().enumerate() {
        places[at as usize] = place as u32;
    }
    links.retain(|link| places.get(link.from as usize).is_some_and(|&place| place != NONE));
    links.iter_mut().for_each(|link| link.from = places[link.from as usize]);
    links.sort_by_key(|link| (link.from, link.trace_id, link.span_id));
    links
}

fn ordered_logs(
    texts: &Texts,
    records: &[LogRecord],
    attributes: &Rows<(Symbol, Symbol)>,
    numbers: &mut Renumber<'_>,
) -> Logs {
    let mut order: Vec<usize> = (0..records.len()).collect();
    let place =
        |at: usize| (records[at].time_ns, records[at].trace_id, records[at].span_id, texts.get(records[at].body));
    order.sort_by(|&left, &right| place(left).cmp(&place(right)));
    let mut logs = Logs::default();
    for at in order {
        let record = &records[at];
        logs.time_ns.push(record.time_ns);
        logs.resource.push(numbers.resource(record.resource));
        logs.trace_id.push(record.trace_id);
        logs.span_id.push(record.span_id);
        logs.body.push(numbers.symbol(record.body));
        logs.attributes.push(numbers.pairs(attributes.get(at)));
    }
    logs
}

/// Finds parents and children. Of spans that share an id the first is the parent; a chain that leads back to itself is cut at
/// its first span.
fn find_parents(window: &mut Window) {
    let mut by_id: HashMap<(u32, u64), u32> = HashMap::with_capacity(window.len());
    for span in window.spans() {
        by_id.entry((window.trace[span as usize], window.span_id[span as usize])).or_insert(span);
    }
    window.parent = window
        .spans()
        .map(|span| {
            let id = window.parent_span_id[span as usize];
            let found = by_id.get(&(window.trace[span as usize], id)).copied().filter(|_| id != 0);
            found.filter(|&parent| parent != span).unwrap_or(NONE)
        })
        .collect();
    cut_cycles(&mut window.parent);
    window.children = children(&window.parent);
}

fn cut_cycles(parent: &mut [u32]) {
    // 0 not seen, else the walk that saw it.
    let mut seen = vec![0_u32; parent.len()];
    for from in 0..parent.len() as u32 {
        let (walk, mut at) = (from + 1, from);
        while at != NONE && seen[at as usize] == 0 {
            seen[at as usize] = walk;
            at = parent[at as usize];
        }
        if at != NONE && seen[at as usize] == walk {
            let mut first = at;
            let mut next = parent[at as usize];
            while next != at {
                first = first.min(next);
                next = parent[next as usize];
            }
            parent[first as usize] = NONE;
        }
    }
}

pub(crate) fn children(parent: &[u32]) -> Rows<u32> {
    let mut ends = vec![0_u32; parent.len()];
    for &parent in parent.iter().filter(|&&parent| parent != NONE) {
        ends[parent as usize] += 1;
    }
    let mut sum = 0;
    for end in &mut ends {
        sum += *end;
        *end = sum;
    }
    let mut next: Vec<u32> = std::iter::once(0).chain(ends.iter().copied()).collect();
    let mut values = vec![0; sum as usize];
    for (child, &parent) in parent.iter().enumerate().filter(|&(_, &parent)| parent != NONE) {
        values[next[parent as usize] as usize] = child as u32;
        next[parent as usize] += 1;
    }
    Rows { ends, values }
}
