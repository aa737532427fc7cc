//! The few metrics that tell what became of spans: those that SDKs, Collectors and HTTP clients count.

use super::renumber::Renumber;
use super::{Rows, Symbol, Texts};

/// One point of a counter or histogram, as it is read.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct MetricRecord {
    pub name: Symbol,
    /// What [`super::Builder::resource`] returned.
    pub resource: u32,
    /// Nanoseconds since 1970, UTC; `start_ns` is 0 where there is none.
    pub start_ns: i64,
    pub time_ns: i64,
    /// The value of a sum, the count of a histogram.
    pub value: f64,
    pub is_delta: bool,
}

/// Points ordered by time.
#[derive(Debug, Default)]
pub struct Metrics {
    pub points: Vec<MetricRecord>,
    pub(super) attributes: Rows<(Symbol, Symbol)>,
}

impl Metrics {
    /// Returns the attributes of a point, sorted by key.
    #[must_use]
    pub fn attributes(&self, point: usize) -> &[(Symbol, Symbol)] {
        self.attributes.get(point)
    }
}

/// Counters of spans that did not make it, by the beginnings of their names.
const SDK: [&str; 2] = ["otel.sdk.processor.span.processed", "otel.sdk.exporter.span.exported"];
const CALLS: [&str; 2] = ["http.client.request.duration", "http.client.duration"];

/// Tells whether a metric is kept.
#[must_use]
pub fn is_kept(name: &str) -> bool {
    SDK.contains(&name) || is_calls(name) || is_collector_loss(name)
}

/// Tells whether a metric counts what a Collector refused, dropped or could not send.
#[must_use]
pub fn is_collector_loss(name: &str) -> bool {
    let is_loss = || ["dropped", "failed", "refused"].iter().any(|what| name.contains(what));
    name.starts_with("otelcol_") && name.contains("span") && is_loss() || is_tail_sampling_loss(name)
}

/// Tells whether a metric counts traces that tail sampling gave up, or spans that came after its decision.
#[must_use]
pub fn is_tail_sampling_loss(name: &str) -> bool {
    let is_loss = || ["dropped_too_early", "late_span"].iter().any(|what| name.contains(what));
    name.starts_with("otelcol_processor_tail_sampling") && is_loss()
}

/// Tells whether a metric counts what an SDK did with its spans: those with `error.type` were lost.
#[must_use]
pub fn is_sdk(name: &str) -> bool {
    SDK.contains(&name)
}

/// Tells whether a metric counts calls of an HTTP client.
#[must_use]
pub fn is_calls(name: &str) -> bool {
    CALLS.contains(&name)
}

pub(super) fn ordered(
    texts: &Texts,
    records: &[MetricRecord],
    attributes: &Rows<(Symbol, Symbol)>,
    numbers: &mut Renumber<'_>,
) -> Metrics {
    let mut order: Vec<usize> = (0..records.len()).collect();
    order.sort_by(|&left, &right| {
        let (one, other) = (&records[left], &records[right]);
        (one.time_ns, texts.get(one.name), one.resource)
            .cmp(&(other.time_ns, texts.get(other.name), other.resource))
            .then_with(|| attributes.get(left).cmp(attributes.get(right)))
            .then_with(|| one.value.total_cmp(&other.value))
    });
    let mut metrics = Metrics::default();
    for at in order {
        let record = records[at];
        let (name, resource) = (numbers.symbol(record.name), numbers.resource(record.resource));
        metrics.points.push(MetricRecord { name, resource, ..record });
        metrics.attributes.push(numbers.pairs(attributes.get(at)));
    }
    metrics
}
