//! A sender for tests and measurements: OTLP over gRPC, with spans that can be told apart.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue, any_value::Value};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tonic::client::Grpc;
use tonic::codec::CompressionEncoding;
use tonic::codegen::http::uri::PathAndQuery;
use tonic::transport::{Channel, Endpoint};
use tonic::{Request, Status};

use crate::receive::MAX_REQUEST_BYTES;
use crate::receive::grpc::Raw;

/// Spans of one trace.
pub const TRACE_SPANS: usize = 8;

/// A request that is encoded once and sent many times, each time with other ids.
#[derive(Debug, Clone)]
pub struct Template {
    bytes: Vec<u8>,
    /// Where the trace id and the span id of each span stand.
    places: Vec<(usize, usize)>,
    /// Where the ids of parents stand, and the span that each is.
    parents: Vec<(usize, usize)>,
}

impl Template {
    /// Makes a request of `num_spans` spans as a web service records them: traces of [`TRACE_SPANS`] spans.
    #[must_use]
    pub fn new(num_spans: usize) -> Self {
        let spans = (0..num_spans).map(span).collect();
        let scope =
            InstrumentationScope { name: "shop.http".to_owned(), version: "1.4.0".to_owned(), ..Default::default() };
        let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..Default::default() }];
        let attributes = [("service.name", "shop"), ("service.version", "2.1.0"), ("host.name", "web-1")];
        let resource =
            Resource { attributes: attributes.map(|(key, value)| text(key, value)).into(), ..Default::default() };
        let resource_spans = vec![ResourceSpans { resource: Some(resource), scope_spans, ..Default::default() }];
        let bytes = ExportTraceServiceRequest { resource_spans }.encode_to_vec();
        let find = |id: &[u8], from: usize| {
            memchr::memmem::find(bytes.get(from..).unwrap_or_default(), id).map(|at| at + from)
        };
        let (mut places, mut parents, mut from) = (Vec::new(), Vec::new(), 0);
        for number in 0..num_spans {
            let trace = find(&trace_mark(number), from).unwrap_or_default();
            let own = find(&span_mark(number), trace).unwrap_or_default();
            places.push((trace, own));
            from = own + 8;
            if !number.is_multiple_of(TRACE_SPANS) {
                let parent = number - number % TRACE_SPANS;
                parents.push((find(&span_mark(parent), from).unwrap_or_default(), parent));
            }
        }
        Self { bytes, places, parents }
    }

    /// Returns the request with ids made of `number`: its spans have the ids that [`Template::span_ids`] tells.
    #[must_use]
    pub fn request(&mut self, number: u64) -> Bytes {
        let first = self.span_ids(number).start;
        for (index, (trace, own)) in self.places.iter().enumerate() {
            let id = first + index as u64;
            put(&mut self.bytes, *trace + 8, first + (index - index % TRACE_SPANS) as u64);
            put(&mut self.bytes, *own, id);
        }
        for (place, parent) in &self.parents {
            put(&mut self.bytes, *place, first + *parent as u64);
        }
        Bytes::copy_from_slice(&self.bytes)
    }

    /// Returns the span ids of request `number`.
    #[must_use]
    pub fn span_ids(&self, number: u64) -> std::ops::Range<u64> {
        let len = self.places.len() as u64;
        number * len + 1..(number + 1) * len + 1
    }
}

fn put(bytes: &mut [u8], at: usize, id: u64) {
    if let Some(place) = bytes.get_mut(at..at + 8) {
        place.copy_from_slice(&id.to_be_bytes());
    }
}

fn trace_mark(number: usize) -> [u8; 16] {
    (0xaaaa_bbbb_cccc_0000_0000_0000_0000_0000_u128 + number as u128).to_be_bytes()
}

fn span_mark(number: usize) -> [u8; 8] {
    (0xdddd_eeee_0000_0000_u64 + number as u64).to_be_bytes()
}

fn span(number: usize) -> Span {
    let start = 1_700_000_000_000_000_000 + number as u64 * 10_000;
    let attributes = vec![
        text("http.request.method", ["GET", "POST"][number % 2]),
        text("url.path", &format!("/orders/{}", number % 97)),
        text("http.route", "/orders/{id}"),
        text("server.address", "shop.example"),
        KeyValue {
            key: "http.response.status_code".to_owned(),
            value: Some(AnyValue { value: Some(Value::IntValue(200)) }),
            ..Default::default()
        },
        text("shop.customer", &format!("customer-{}", number % 31)),
    ];
    Span {
        trace_id: trace_mark(number).to_vec(),
        span_id: span_mark(number).to_vec(),
        parent_span_id: if number.is_multiple_of(TRACE_SPANS) {
            Vec::new()
        } else {
            span_mark(number - number % TRACE_SPANS).to_vec()
        },
        name: format!("GET /orders/{{id}} {}", number % TRACE_SPANS),
        kind: 2 + (number % 2) as i32,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000 + number as u64 * 100,
        attributes,
        ..Default::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(value.to_owned())) });
    KeyValue { key: key.to_owned(), value, ..Default::default() }
}

/// A connection to a receiver.
#[derive(Debug, Clone)]
pub struct Sender {
    grpc: Grpc<Channel>,
}

impl Sender {
    /// Connects to `address`, such as `127.0.0.1:4317`.
    pub async fn connect(address: &str) -> Result<Self, tonic::transport::Error> {
        let channel = Endpoint::from_shared(format!("http://{address}"))?.connect().await?;
        Ok(Self { grpc: Grpc::new(channel).max_decoding_message_size(MAX_REQUEST_BYTES) })
    }

    /// Compresses what is sent from now on.
    #[must_use]
    pub fn compressed(self, encoding: CompressionEncoding) -> Self {
        Self { grpc: self.grpc.send_compressed(encoding) }
    }

    /// Sends a request of traces; returns how many spans the receiver rejected.
    pub async fn send_traces(&mut self, request: Bytes) -> Result<i64, Status> {
        let path = PathAndQuery::from_static("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        let answer = self.send(path, request).await?;
        let answer = ExportTraceServiceResponse::decode(answer).map_err(|error| Status::internal(error.to_string()))?;
        Ok(answer.partial_success.map_or(0, |partial| partial.rejected_spans))
    }

    /// Calls `path` with a message as bytes.
    pub async fn send(&mut self, path: PathAndQuery, request: Bytes) -> Result<Bytes, Status> {
        self.grpc.ready().await.map_err(|error| Status::unavailable(error.to_string()))?;
        self.grpc.unary(Request::new(request), path, Raw).await.map(tonic::Response::into_inner)
    }
}

/// A [`Sender`] for threads.
#[derive(Debug)]
pub struct Blocking {
    runtime: Runtime,
    sender: Sender,
}

impl Blocking {
    /// Connects to `address`; nothing where nobody listens.
    #[must_use]
    pub fn connect(address: &str) -> Option<Self> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build().ok()?;
        let sender = runtime.block_on(Sender::connect(address)).ok()?;
        Some(Self { runtime, sender })
    }

    /// Compresses what is sent from now on.
    #[must_use]
    pub fn compressed(self, encoding: CompressionEncoding) -> Self {
        Self { sender: self.sender.compressed(encoding), ..self }
    }

    /// Sends a request of traces and waits until it is acknowledged; returns how many spans the receiver rejected.
    pub fn send_traces(&mut self, request: Bytes) -> Result<i64, Status> {
        self.runtime.block_on(self.sender.send_traces(request))
    }

    /// Calls `path` with a message as bytes.
    pub fn send(&mut self, path: &'static str, request: Bytes) -> Result<Bytes, Status> {
        self.runtime.block_on(self.sender.send(PathAndQuery::from_static(path), request))
    }
}
