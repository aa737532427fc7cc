//! Maps and histograms as metric points.

use crate::batch::{Resource, Scope};
use crate::kernel::out::{Out, Stamp};
use crate::kernel::row::{put_int, put_text};
use crate::kernel::value::{Value, int};
use crate::otlp::text::{write_double, write_int, write_list, write_member, write_string, write_unsigned};

const GAUGE: u8 = 1;
const HISTOGRAM: u8 = 3;
const SUMMARY: u8 = 5;

/// What holds for a point of any kind.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Point<'a> {
    pub name: &'a str,
    pub unit: &'a str,
    /// A JSON object, or empty.
    pub attributes: &'a str,
    pub stamp: Stamp,
}

/// One bucket of a histogram; both ends belong to it. Without an end it is open there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Bucket {
    pub min: Option<i64>,
    pub max: Option<i64>,
    pub count: u64,
}

/// Appends a single number.
pub(crate) fn gauge(out: &mut Out, point: Point<'_>, value: Value<'_>) {
    let row = begin(out, point, GAUGE);
    let metrics = &mut out.batch.metrics;
    match value {
        Value::Int(value) => put_int(&mut metrics.value_int, row, value),
        Value::Double(value) => {
            metrics.value_double.pad(row);
            metrics.value_double.push(value);
        }
        _ => {}
    }
}

/// Appends how many values there were and what they add up to.
pub(crate) fn summary(out: &mut Out, point: Point<'_>, count: i64, total: Option<f64>) {
    let row = begin(out, point, SUMMARY);
    let metrics = &mut out.batch.metrics;
    put_int(&mut metrics.count, row, count);
    if let Some(total) = total {
        metrics.sum.pad(row);
        metrics.sum.push(total);
    }
    put_text(&mut metrics.buckets, row, "{\"quantiles\":[]}", usize::MAX);
}

/// Appends a histogram. Bounds are those of OTLP: a bucket holds what is above the bound before it, up to its own bound.
pub(crate) fn histogram(out: &mut Out, point: Point<'_>, buckets: &[Bucket]) {
    let row = begin(out, point, HISTOGRAM);
    let total = buckets.iter().fold(0_u64, |sum, bucket| sum.saturating_add(bucket.count));
    let metrics = &mut out.batch.metrics;
    put_int(&mut metrics.count, row, i64::try_from(total).unwrap_or(i64::MAX));
    put_text(&mut metrics.buckets, row, &bounds(buckets), usize::MAX);
}

fn bounds(buckets: &[Bucket]) -> String {
    let (mut bounds, mut counts): (Vec<i64>, Vec<u64>) = (Vec::new(), Vec::new());
    for bucket in buckets {
        // What is counted from 0 on is never negative.
        let below = bucket.min.filter(|min| *min != 0).map(|min| min.saturating_sub(1));
        if let Some(below) = below.filter(|below| bounds.last().is_none_or(|last| last < below)) {
            bounds.push(below);
            counts.push(0);
        }
        if let Some(max) = bucket.max.filter(|max| bounds.last().is_none_or(|last| last < max)) {
            bounds.push(max);
            counts.push(bucket.count);
        } else if counts.len() == bounds.len() {
            counts.push(bucket.count);
        } else if let Some(last) = counts.last_mut() {
            *last = last.saturating_add(bucket.count);
        }
    }
    if counts.len() == bounds.len() {
        counts.push(0);
    }
    let mut json = Vec::from(b"{\"bounds\":");
    write_list(&mut json, &bounds, |json, bound| write_double(json, bound as f64));
    json.extend_from_slice(b",\"counts\":");
    write_list(&mut json, &counts, write_unsigned);
    json.push(b'}');
    String::from_utf8(json).unwrap_or_default()
}

/// Appends the row of a point and returns its number.
fn begin(out: &mut Out, point: Point<'_>, kind: u8) -> usize {
    let time_ns = out.time(point.stamp);
    if out.batch.resources.is_empty() {
        let resource =
            Resource { service: "unknown_service".to_owned(), attributes: "{}".to_owned(), ..Resource::default() };
        out.batch.resources.push(resource);
    }
    if out.batch.scopes.is_empty() {
        out.batch.scopes.push(Scope { attributes: "{}".to_owned(), ..Scope::default() });
    }
    let metrics = &mut out.batch.metrics;
    let row = metrics.len();
    metrics.time_ns.push(time_ns);
    metrics.start_ns.push(0);
    metrics.kind.push(kind);
    metrics.temporality.push(0);
    metrics.is_monotonic.push(false);
    metrics.flags.push(0);
    metrics.resource.push(0);
    metrics.scope.push(0);
    metrics.marks.push(0);
    put_text(&mut metrics.name, row, point.name, usize::MAX);
    for (column, text) in [(&mut metrics.unit, point.unit), (&mut metrics.attributes, point.attributes)] {
        if !text.is_empty() {
            put_text(column, row, text, usize::MAX);
        }
    }
    row
}

/// Returns the parts of a map's key as attributes: `key`, or `key.0`, `key.1`… where there are several.
pub(crate) fn key_attributes(key: &str) -> String {
    let parts: Vec<&str> = key.split(',').map(str::trim).filter(|part| !part.is_empty()).collect();
    let mut json = Vec::from(b"{");
    for (index, part) in parts.iter().enumerate() {
        let name = if parts.len() == 1 { "key".to_owned() } else { format!("key.{index}") };
        write_member(&mut json, &name);
        match int(part) {
            Some(number) => write_int(&mut json, number),
            None => write_string(&mut json, stack(part).as_bytes()),
        }
    }
    json.push(b'}');
    String::from_utf8(json).unwrap_or_default()
}

/// Takes the indentation off the lines of a stack.
fn stack(part: &str) -> String {
    part.replace("\\n", "\n").lines().map(str::trim).filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}
