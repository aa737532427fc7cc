//! A Zipkin span, read from JSON or protobuf, and what becomes of it.
//!
//! | Zipkin | here |
//! | --- | --- |
//! | `localEndpoint.serviceName` | the resource's `service.name` |
//! | tags that OpenTelemetry gives to resources (`telemetry.sdk.*`, `host.*`, …) | the resource |
//! | tags `otel.scope.*`, `otel.library.*` | the scope |
//! | `localEndpoint` address and port | `network.local.address`, `network.local.port` |
//! | `remoteEndpoint` | `peer.service`, `network.peer.address`, `network.peer.port` |
//! | tag `error` (not `false`), `otel.status_code` | the status; the tags stay |
//! | annotations | events |
//! | `debug` | attribute `zipkin.debug`, and the flag `sampled` |

use crate::id::Written;
use crate::json::Text;
use crate::marks::Mark;
use crate::otlp::attribute::Scalar;
use crate::otlp::draft::{IdField, Recorded};
use crate::span_writer::{SpanWriter, text};
use crate::zipkin::share::Place;

/// A host or service at one end of a call.
#[derive(Debug, Default, Clone)]
pub(crate) struct Endpoint<'a> {
    pub service: Text<'a>,
    pub ipv4: Text<'a>,
    pub ipv6: Text<'a>,
    pub port: u64,
}

/// The fields of a span.
#[derive(Debug, Default)]
pub(crate) struct ZipkinSpan<'a> {
    pub trace_id: Written<'a>,
    pub id: Written<'a>,
    pub parent_id: Written<'a>,
    pub kind: Text<'a>,
    pub name: Text<'a>,
    /// Microseconds since 1970; 0 where it is missing.
    pub timestamp: u64,
    /// Microseconds.
    pub duration: Option<u64>,
    pub local: Endpoint<'a>,
    pub remote: Endpoint<'a>,
    pub annotations: Vec<(u64, Text<'a>)>,
    pub tags: Vec<(Text<'a>, Text<'a>)>,
    pub is_shared: bool,
    pub is_debug: bool,
    /// Marks of its texts.
    pub marks: u32,
}

/// Beginnings of the keys that OpenTelemetry gives to resources; exporters to Zipkin write them as tags of each span.
const RESOURCE_KEYS: [&[u8]; 9] =
    [b"telemetry.", b"service.", b"deployment.", b"host.", b"os.", b"process.", b"container.", b"k8s.", b"cloud."];

const SAMPLED: u32 = 1;

impl ZipkinSpan<'_> {
    /// Writes the row. `num_bytes` is what it was read from.
    pub(crate) fn write(&self, place: Place, out: &mut SpanWriter, num_bytes: usize) {
        out.begin();
        out.builder.open_resource();
        out.mark(self.marks);
        self.write_ids(place, out);
        out.name(&self.name);
        out.kind(&self.kind);
        self.write_times(out);
        self.write_status(out);
        self.write_tags(out);
        self.write_endpoints(out);
        for (time, value) in &self.annotations {
            out.event(nanos(*time), value);
        }
        if self.is_debug {
            out.flags(SAMPLED);
            out.attribute(b"zipkin.debug", Scalar::Bool(true));
        }
        out.commit(num_bytes);
    }

    fn write_ids(&self, place: Place, out: &mut SpanWriter) {
        out.id(IdField::Trace, self.trace_id);
        match place.id {
            Some(id) => out.split_id(IdField::Span, id, self.id),
            None => out.id(IdField::Span, self.id),
        }
        match place.parent {
            Some(id) => out.split_id(IdField::Parent, id, self.parent_id),
            None => out.id(IdField::Parent, self.parent_id),
        }
    }

    /// A span without a time begins with its first annotation.
    fn write_times(&self, out: &mut SpanWriter) {
        let first = self.annotations.iter().map(|(time, _)| *time).filter(|&time| time > 0).min();
        let start = if self.timestamp > 0 { self.timestamp } else { first.unwrap_or_default() };
        if start == 0 || self.timestamp == 0 {
            out.mark(Mark::TimeMissing.bit());
        }
        let end = match self.duration {
            Some(duration) if start > 0 => nanos(start.saturating_add(duration)),
            Some(duration) => {
                out.keep("duration_us", Recorded::Number(duration));
                0
            }
            None => 0,
        };
        out.times(nanos(start), end);
    }

    fn write_status(&self, out: &mut SpanWriter) {
        let error = self.tag(b"error");
        let message = self.tag(b"otel.status_description").or(error.filter(|text| !text.eq_ignore_ascii_case(b"true")));
        let is_error = error.is_some_and(|text| !text.eq_ignore_ascii_case(b"false"));
        match self.tag(b"otel.status_code") {
            Some(code) if code.eq_ignore_ascii_case(b"ok") => out.status(1, b""),
            Some(code) if code.eq_ignore_ascii_case(b"error") => out.status(2, message.unwrap_or_default()),
            _ if is_error => out.status(2, message.unwrap_or_default()),
            _ => {}
        }
    }

    fn write_tags(&self, out: &mut SpanWriter) {
        let scope = |one: &[u8], other: &[u8]| self.tag(one).or_else(|| self.tag(other)).unwrap_or_default();
        out.scope(
            scope(b"otel.scope.name", b"otel.library.name"),
            scope(b"otel.scope.version", b"otel.library.version"),
        );
        self.write_service(out);
        for (key, value) in &self.tags {
            if is_scope(key) || (&**key == b"service.name" && self.is_own_service(value)) {
                continue;
            }
            if &**key != b"service.name" && RESOURCE_KEYS.iter().any(|begin| key.starts_with(begin)) {
                out.resource_attribute(key, text(value));
            } else {
                out.attribute(key, text(value));
            }
        }
    }

    /// Exporters write `service.name` as a tag too, and Zipkin's libraries write the endpoint's in lower case.
    fn write_service(&self, out: &mut SpanWriter) {
        let tag = self.tag(b"service.name").filter(|name| self.is_own_service(name));
        let service = tag.unwrap_or(&self.local.service);
        if !service.is_empty() {
            out.resource_attribute(b"service.name", text(service));
        }
    }

    fn is_own_service(&self, name: &[u8]) -> bool {
        self.local.service.is_empty() || self.local.service.eq_ignore_ascii_case(name)
    }

    fn write_endpoints(&self, out: &mut SpanWriter) {
        self.write_address(&self.local, b"network.local.address", b"network.local.port", out);
        if !self.remote.service.is_empty() && self.tag(b"peer.service").is_none() {
            out.attribute(b"peer.service", text(&self.remote.service));
        }
        self.write_address(&self.remote, b"network.peer.address", b"network.peer.port", out);
    }

    fn write_address(&self, endpoint: &Endpoint<'_>, address: &[u8], port: &[u8], out: &mut SpanWriter) {
        let ip = if endpoint.ipv4.is_empty() { &endpoint.ipv6 } else { &endpoint.ipv4 };
        if !ip.is_empty() && self.tag(address).is_none() {
            out.attribute(address, text(ip));
        }
        if !endpoint.ipv4.is_empty() && !endpoint.ipv6.is_empty() {
            out.attribute(&[address, b".ipv6"].concat(), text(&endpoint.ipv6));
        }
        if endpoint.port != 0 && self.tag(port).is_none() {
            out.attribute(port, Scalar::Int(i64::try_from(endpoint.port).unwrap_or(i64::MAX)));
        }
    }

    fn tag(&self, wanted: &[u8]) -> Option<&[u8]> {
        self.tags.iter().find(|(key, _)| &**key == wanted).map(|(_, value)| &**value)
    }
}

fn is_scope(key: &[u8]) -> bool {
    matches!(key, b"otel.scope.name" | b"otel.library.name" | b"otel.scope.version" | b"otel.library.version")
}

fn nanos(micros: u64) -> u64 {
    micros.saturating_mul(1_000)
}
