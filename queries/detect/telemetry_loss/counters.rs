//! What SDKs, Collectors and logs say of dropped spans.

use std::collections::BTreeMap;

use super::super::Rule;
use crate::trace::window::{MetricRecord, Role, Symbol, Window, key, metrics};

type Counted = BTreeMap<Symbol, BTreeMap<String, u64>>;
/// Resource, name and attributes: what tells one counter from another.
type SeriesId<'w> = (u32, Symbol, &'w [(Symbol, Symbol)]);

/// Returns what was dropped, by service and by what says so.
pub(super) fn counted(window: &Window, rule: &Rule) -> Counted {
    let mut counted = Counted::new();
    let increases = increases(window);
    let spans = if increases.is_empty() { BTreeMap::new() } else { call_spans(window) };
    for (service, source, value) in increases {
        let name = window.text(source);
        let lost = match spans.get(&service) {
            of_service if metrics::is_calls(name) => missing_calls(rule, value, of_service.copied().unwrap_or(0)),
            _ => (value >= 1.0).then_some(value as u64),
        };
        if let Some(lost) = lost {
            *counted.entry(service).or_default().entry(name.to_owned()).or_default() += lost;
        }
    }
    log_lines(window, &mut counted);
    counted
}

/// Returns how much each kept counter of a service rose. Counters of SDKs count only with `error.type`: without it, they count
/// what went well.
fn increases(window: &Window) -> Vec<(Symbol, Symbol, f64)> {
    let mut series: BTreeMap<SeriesId<'_>, Series> = BTreeMap::new();
    let begin = window.start_ns.first().copied().unwrap_or(0);
    for (at, point) in window.metrics.points.iter().enumerate() {
        let attributes = window.metrics.attributes(at);
        let is_failure = attributes.iter().any(|&(name, value)| name == key::ERROR_TYPE && !value.is_empty());
        if !metrics::is_sdk(window.text(point.name)) || is_failure {
            series.entry((point.resource, point.name, attributes)).or_default().add(point, begin);
        }
    }
    let mut sums: BTreeMap<(Symbol, Symbol), f64> = BTreeMap::new();
    for ((resource, name, _), series) in series {
        let service = window.resources.get(resource as usize).map(|resource| resource.service).unwrap_or_default();
        *sums.entry((service, name)).or_default() += series.increase;
    }
    sums.into_iter().map(|((service, name), sum)| (service, name, sum)).collect()
}

#[derive(Debug, Default)]
struct Series {
    last: Option<f64>,
    increase: f64,
}

impl Series {
    /// Points come by time. The first point of a cumulative series counts where the series is no older than the window; a value
    /// that falls began anew.
    fn add(&mut self, point: &MetricRecord, begin: i64) {
        let is_own = point.is_delta || point.start_ns >= begin;
        let rise = match self.last.replace(point.value) {
            Some(last) if !point.is_delta => if point.value >= last { point.value - last } else { point.value },
            _ => if is_own { point.value } else { 0.0 },
        };
        self.increase += if rise.is_finite() { rise.max(0.0) } else { 0.0 };
    }
}

/// Spans of HTTP calls, by service.
fn call_spans(window: &Window) -> BTreeMap<Symbol, u64> {
    let is_http = |span: u32| window.attributes(span).iter().any(|&(name, _)| name == key::HTTP_REQUEST_METHOD);
    let mut services = BTreeMap::new();
    for span in window.spans().filter(|&span| window.role[span as usize] == Role::Client && is_http(span)) {
        *services.entry(window.service(span)).or_default() += 1;
    }
    services
}

/// Returns how many of the calls that an HTTP client counted have no span. A service without any such span is not traced here.
fn missing_calls(rule: &Rule, calls: f64, spans: u64) -> Option<u64> {
    let missing = calls - spans as f64;
    let is_much = calls >= rule.threshold("min_calls") && missing > rule.threshold("max_missing_calls") * calls;
    (spans > 0 && is_much).then_some(missing as u64)
}

/// "Dropped 512 spans because maxQueueSize reached" and its kin. A line without a number counts for one span.
fn log_lines(window: &Window, counted: &mut Counted) {
    for (at, &body) in window.logs.body.iter().enumerate() {
        let Some(dropped) = dropped(window.text(body)) else { continue };
        let service = window.resources.get(window.logs.resource[at] as usize).map(|one| one.service).unwrap_or_default();
        *counted.entry(service).or_default().entry("log lines".to_owned()).or_default() += dropped;
    }
}

/// Returns how many spans a log line says were dropped.
fn dropped(line: &str) -> Option<u64> {
    /// Words of one kind each that must be there.
    const SPANS: [&str; 3] = ["span", "Span", "telemetry data"];
    const DROPPED: [&str; 4] = ["dropped", "Dropped", "dropping", "Dropping"];
    const CAUSES: [&str; 7] =
        ["maxQueueSize", "queue is full", "queue full", "Queue is full", "buffer is full", "already shut", "export"];
    let has = |words: &[&str]| words.iter().any(|word| line.contains(word));
    if !has(&DROPPED) || !has(&SPANS) || !has(&CAUSES) {
        return None;
    }
    let mut numbers = line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    Some(numbers.next().unwrap_or(1).max(1))
}

#[cfg(test)]
mod tests {
    use super::dropped;

    #[test]
    fn lines_of_sdks_are_told_from_others() {
        assert_eq!(dropped("Dropped 512 spans because maxQueueSize reached"), Some(512));
        assert_eq!(dropped("Queue is full, likely spans will be dropped."), Some(1));
        assert_eq!(dropped("dropped 3 orders because the warehouse queue is full"), None);
        assert_eq!(dropped("span of the bridge is 12 m"), None);
    }
}
