//! All spans of a stretch of time as columns, with what stitching and detectors look at.

mod builder;
pub mod from_batch;
mod json;
pub mod key;
pub mod metrics;
mod renumber;
pub mod texts;
pub mod url;

pub(crate) use builder::children as children_of;
pub use builder::{Builder, LogRecord, SpanRecord, Without};
pub use metrics::{MetricRecord, Metrics};
use serde::{Deserialize, Serialize};
pub use texts::{Symbol, Texts};

/// Stands for "no span".
pub const NONE: u32 = u32::MAX;

/// What a span does at the boundary of its service: its kind as recorded, or as its attributes tell where none was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    #[default]
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

/// The process that spans come from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Resource {
    /// The id that the store gave it; 0 where it comes from elsewhere.
    pub id: u32,
    /// `service.name`; `service.namespace/service.name` where several namespaces have one of that name.
    pub service: Symbol,
    /// The first of service.instance.id, k8s.pod.uid, container.id, host and process.pid; the service and host where there is none.
    pub instance: Symbol,
    /// The first of host.id, host.ip, host.name, k8s.node.name; empty where there is none.
    pub host: Symbol,
    /// `telemetry.sdk.language`; empty where there is none.
    pub language: Symbol,
    /// All attributes: key and value as text.
    pub attributes: Vec<(Symbol, Symbol)>,
}

/// An instrumentation scope.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Scope {
    pub name: Symbol,
    pub version: Symbol,
}

/// A span that another one links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The span that has the link.
    pub from: u32,
    pub trace_id: u128,
    pub span_id: u64,
}

/// Spans, ordered by start; spans that start together stand in an order that their ids decide by chance, so that nothing can be
/// read from the order of arrival. "Span" means an index into the columns. All columns have the same length.
#[derive(Debug, Default)]
pub struct Window {
    pub texts: Texts,
    pub resources: Vec<Resource>,
    pub scopes: Vec<Scope>,
    /// Ids of traces; the column `trace` counts into it.
    pub traces: Vec<u128>,
    /// Row in the store; 0 where the spans come from elsewhere.
    pub row: Vec<i64>,
    pub trace: Vec<u32>,
    pub span_id: Vec<u64>,
    /// 0 where there is none.
    pub parent_span_id: Vec<u64>,
    /// Nanoseconds since 1970, UTC, as recorded.
    pub start_ns: Vec<i64>,
    /// Never before the start.
    pub end_ns: Vec<i64>,
    /// Spans that were recorded to end before they start, in order.
    pub reversed: Vec<u32>,
    /// As in OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: Vec<u8>,
    pub role: Vec<Role>,
    /// As in OTLP: 0 unset, 1 ok, 2 error.
    pub status: Vec<u8>,
    /// As in OTLP.
    pub flags: Vec<u32>,
    pub resource: Vec<u32>,
    pub scope: Vec<u32>,
    pub name: Vec<Symbol>,
    pub trace_state: Vec<Symbol>,
    /// What a failed span says of why: its status message, else its exception. Empty where it says nothing.
    pub message: Vec<Symbol>,
    /// The recorded parent, where it is there: an index, or [`NONE`]. Cycles are cut.
    pub parent: Vec<u32>,
    /// Sorted by `from`.
    pub links: Vec<Link>,
    pub logs: Logs,
    pub metrics: Metrics,
    attributes: Rows<(Symbol, Symbol)>,
    children: Rows<u32>,
}

/// Log records, ordered by time. Only those of the window's stretch of time.
#[derive(Debug, Default)]
pub struct Logs {
    pub time_ns: Vec<i64>,
    pub resource: Vec<u32>,
    /// 0 where there is none.
    pub trace_id: Vec<u128>,
    /// 0 where there is none.
    pub span_id: Vec<u64>,
    pub body: Vec<Symbol>,
    attributes: Rows<(Symbol, Symbol)>,
}

/// A list a row, one after the other.
#[derive(Debug)]
pub(crate) struct Rows<T> {
    ends: Vec<u32>,
    values: Vec<T>,
}

impl<T> Default for Rows<T> {
    fn default() -> Self {
        Self { ends: Vec::new(), values: Vec::new() }
    }
}

impl<T> Rows<T> {
    pub(crate) fn push(&mut self, values: impl IntoIterator<Item = T>) {
        self.values.extend(values);
        self.ends.push(self.values.len() as u32);
    }

    pub(crate) fn get(&self, row: usize) -> &[T] {
        let from = if row == 0 { 0 } else { self.ends.get(row - 1).copied().unwrap_or(0) };
        let to = self.ends.get(row).copied().unwrap_or(from);
        self.values.get(from as usize..to as usize).unwrap_or_default()
    }
}

impl Window {
    /// Returns how many spans there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Tells whether there are no spans.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }

    /// Returns all spans, by start.
    pub fn spans(&self) -> impl Iterator<Item = u32> + use<> {
        0..self.len() as u32
    }

    /// Returns the text of a symbol.
    #[must_use]
    pub fn text(&self, symbol: Symbol) -> &str {
        self.texts.get(symbol)
    }

    #[must_use]
    pub fn resource_of(&self, span: u32) -> &Resource {
        &self.resources[self.resource[span as usize] as usize]
    }

    #[must_use]
    pub fn service(&self, span: u32) -> Symbol {
        self.resource_of(span).service
    }

    #[must_use]
    pub fn instance(&self, span: u32) -> Symbol {
        self.resource_of(span).instance
    }

    #[must_use]
    pub fn trace_id(&self, span: u32) -> u128 {
        self.traces[self.trace[span as usize] as usize]
    }

    #[must_use]
    pub fn duration_ns(&self, span: u32) -> i64 {
        self.end_ns[span as usize].saturating_sub(self.start_ns[span as usize])
    }

    /// Tells whether the span was recorded to end before it starts.
    #[must_use]
    pub fn ends_before_start(&self, span: u32) -> bool {
        self.reversed.binary_search(&span).is_ok()
    }

    /// Returns the attributes of a span, by canonical key (`queries/sql/semconv.toml`), values as text, sorted by key.
    #[must_use]
    pub fn attributes(&self, span: u32) -> &[(Symbol, Symbol)] {
        self.attributes.get(span as usize)
    }

    /// Returns an attribute of a span, or of its resource where the span has none.
    #[must_use]
    pub fn attribute(&self, span: u32, key: Symbol) -> Option<Symbol> {
        let find = |list: &[(Symbol, Symbol)]| list.iter().find(|(name, _)| *name == key).map(|&(_, value)| value);
        find(self.attributes(span)).or_else(|| find(&self.resource_of(span).attributes))
    }

    /// Returns an attribute as text.
    #[must_use]
    pub fn attribute_text(&self, span: u32, key: Symbol) -> Option<&str> {
        self.attribute(span, key).map(|value| self.text(value))
    }

    /// Returns the attributes of a log record.
    #[must_use]
    pub fn log_attributes(&self, log: usize) -> &[(Symbol, Symbol)] {
        self.logs.attributes.get(log)
    }

    /// Returns the spans whose recorded parent is `span`, by start.
    #[must_use]
    pub fn children(&self, span: u32) -> &[u32] {
        self.children.get(span as usize)
    }

    /// Returns the links that `span` has.
    #[must_use]
    pub fn links_of(&self, span: u32) -> &[Link] {
        let from = self.links.partition_point(|link| link.from < span);
        let to = self.links.partition_point(|link| link.from <= span);
        &self.links[from..to]
    }

    /// Tells whether the span was recorded without a parent.
    #[must_use]
    pub fn is_root(&self, span: u32) -> bool {
        self.parent_span_id[span as usize] == 0
    }

    /// Tells whether the span names a parent that is not there.
    #[must_use]
    pub fn is_orphan(&self, span: u32) -> bool {
        !self.is_root(span) && self.parent[span as usize] == NONE
    }

    /// Tells whether a request or message comes in here.
    #[must_use]
    pub fn is_entry(&self, span: u32) -> bool {
        matches!(self.role[span as usize], Role::Server | Role::Consumer)
    }

    /// Tells whether a request or message goes out here.
    #[must_use]
    pub fn is_exit(&self, span: u32) -> bool {
        matches!(self.role[span as usize], Role::Client | Role::Producer)
    }

    /// Tells whether a span of another process has this one as its recorded parent.
    #[must_use]
    pub fn is_served(&self, span: u32) -> bool {
        let instance = self.instance(span);
        self.children(span).iter().any(|&child| self.is_entry(child) || self.instance(child) != instance)
    }

    /// Tells whether the parent lies in another process: by OTLP's flags, else by whether the parent is of another instance.
    /// Nothing where neither is known.
    #[must_use]
    pub fn is_remote(&self, span: u32) -> Option<bool> {
        const HAS_IS_REMOTE: u32 = 0x100;
        const IS_REMOTE: u32 = 0x200;
        let flags = self.flags[span as usize];
        if flags & HAS_IS_REMOTE != 0 {
            return Some(flags & IS_REMOTE != 0);
        }
        let parent = self.parent[span as usize];
        (parent != NONE).then(|| self.instance(parent) != self.instance(span))
    }
}

#[cfg(test)]
mod tests;
