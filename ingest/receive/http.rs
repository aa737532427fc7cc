//! OTLP, Zipkin and Jaeger over HTTP.
//!
//! ```text
//! POST /v1/traces  /v1/logs  /v1/metrics     application/x-protobuf or application/json
//! POST /api/v2/spans                         Zipkin: application/json or application/x-protobuf
//! POST /api/traces                           Jaeger: application/x-thrift
//! ```

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use flate2::read::{MultiGzDecoder, ZlibDecoder};
use http_body_util::{BodyExt, Full};
use hyper::header::{ALLOW, CONTENT_ENCODING, CONTENT_TYPE, RETRY_AFTER};
use hyper::http::{HeaderValue, Method, Request, Response, StatusCode};
use tonic::body::Body;

use crate::receive::MAX_REQUEST_BYTES;
use crate::receive::answer;
use crate::receive::body::Timed;
use crate::receive::check::Checked;
use crate::receive::desk::Desk;
use crate::receive::kind::{Kind, Payload, Protocol};
use crate::receive::trouble::Trouble;

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// What a request is, and how its answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    kind: Kind,
    /// What is counted in the answer: traces, logs or metrics.
    signal: Payload,
}

/// Answers one request that came in through the door of `protocol`.
pub(super) async fn answer(desk: Arc<Desk>, request: Request<Timed>, protocol: Protocol) -> Response<Body> {
    let is_json = !content_type(&request).is_some_and(|name| name.contains("protobuf"));
    let route = match route(&request, protocol) {
        Ok(route) => route,
        Err(trouble) => return refuse(&trouble, is_json),
    };
    match take(&desk, route, request).await {
        Ok(checked) => accept(route, &checked),
        Err(trouble) => refuse(&trouble, is_json),
    }
}

fn content_type<B>(request: &Request<B>) -> Option<String> {
    let value = request.headers().get(CONTENT_TYPE)?.to_str().ok()?;
    Some(value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
}

fn route<B>(request: &Request<B>, protocol: Protocol) -> Result<Route, Trouble> {
    let signal = match (protocol, request.uri().path().trim_end_matches('/')) {
        (Protocol::Http | Protocol::Grpc, "/v1/traces") => Payload::Traces,
        (Protocol::Http | Protocol::Grpc, "/v1/logs") => Payload::Logs,
        (Protocol::Http | Protocol::Grpc, "/v1/metrics") => Payload::Metrics,
        (Protocol::Zipkin, "/api/v2/spans") => Payload::ZipkinJson,
        (Protocol::Jaeger, "/api/traces") => Payload::JaegerThrift,
        (Protocol::Zipkin, _) => return Err(Trouble::NotFound("spans are taken at /api/v2/spans".to_owned())),
        (Protocol::Jaeger, _) => return Err(Trouble::NotFound("spans are taken at /api/traces".to_owned())),
        _ => return Err(Trouble::NotFound("OTLP is taken at /v1/traces, /v1/logs and /v1/metrics".to_owned())),
    };
    if request.method() != Method::POST {
        return Err(Trouble::Method);
    }
    let name = content_type(request);
    let payload = match (signal, name.as_deref()) {
        (Payload::ZipkinJson, Some(PROTOBUF | "application/protobuf")) => Payload::ZipkinProto,
        (Payload::ZipkinJson, Some(JSON) | None) => Payload::ZipkinJson,
        (Payload::JaegerThrift, Some("application/x-thrift" | "application/vnd.apache.thrift.binary") | None) => signal,
        (Payload::ZipkinJson | Payload::JaegerThrift, name) => return Err(unknown_type(name)),
        (signal, Some(PROTOBUF | "application/protobuf")) => signal,
        (_, Some(JSON)) => Payload::Json,
        (_, name) => return Err(unknown_type(name)),
    };
    let protocol = if protocol == Protocol::Grpc { Protocol::Http } else { protocol };
    Ok(Route { kind: Kind { protocol, payload }, signal })
}

fn unknown_type(name: Option<&str>) -> Trouble {
    let name = name.unwrap_or("nothing");
    Trouble::Unsupported(format!("content of type {name} is not read here: send {PROTOBUF} or {JSON}"))
}

async fn take(desk: &Desk, route: Route, request: Request<Timed>) -> Result<Checked, Trouble> {
    let encoding = encoding(&request)?;
    let body = request.into_body().collect().await.map_err(|error| error.trouble)?;
    let bytes = decompress(encoding, body.to_bytes())?;
    desk.take(route.kind, bytes).await
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Plain,
    Gzip,
    Deflate,
    Zstd,
}

fn encoding<B>(request: &Request<B>) -> Result<Encoding, Trouble> {
    let Some(value) = request.headers().get(CONTENT_ENCODING) else { return Ok(Encoding::Plain) };
    match value.to_str().unwrap_or_default().trim() {
        "" | "identity" | "none" => Ok(Encoding::Plain),
        "gzip" | "x-gzip" => Ok(Encoding::Gzip),
        "deflate" => Ok(Encoding::Deflate),
        "zstd" => Ok(Encoding::Zstd),
        _ => Err(Trouble::Unsupported("content is read as it is, or in gzip, deflate or zstd".to_owned())),
    }
}

fn decompress(encoding: Encoding, bytes: Bytes) -> Result<Bytes, Trouble> {
    let from = bytes.as_ref();
    match encoding {
        Encoding::Plain if bytes.len() > MAX_REQUEST_BYTES => Err(Trouble::TooLarge),
        Encoding::Plain => Ok(bytes),
        Encoding::Gzip => read_bounded(MultiGzDecoder::new(from)),
        Encoding::Deflate => read_bounded(ZlibDecoder::new(from)),
        Encoding::Zstd => read_bounded(zstd::Decoder::with_buffer(from).map_err(|error| broken(&error))?),
    }
}

fn read_bounded(from: impl Read) -> Result<Bytes, Trouble> {
    let mut bytes = Vec::new();
    from.take(MAX_REQUEST_BYTES as u64 + 1).read_to_end(&mut bytes).map_err(|error| broken(&error))?;
    if bytes.len() > MAX_REQUEST_BYTES { Err(Trouble::TooLarge) } else { Ok(bytes.into()) }
}

fn broken(error: &std::io::Error) -> Trouble {
    Trouble::Malformed(format!("the content cannot be decompressed: {error}"))
}

fn accept(route: Route, checked: &Checked) -> Response<Body> {
    match route.kind.payload {
        Payload::Json => respond(StatusCode::OK, JSON, answer::export_json(route.signal, checked)),
        Payload::Traces | Payload::Logs | Payload::Metrics => {
            respond(StatusCode::OK, PROTOBUF, answer::export(checked))
        }
        _ => respond(StatusCode::ACCEPTED, JSON, Bytes::new()),
    }
}

/// Returns an error as the sender reads it.
pub(super) fn refuse(trouble: &Trouble, is_json: bool) -> Response<Body> {
    let status = StatusCode::from_u16(trouble.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = if is_json {
        respond(status, JSON, answer::status_json(trouble))
    } else {
        respond(status, PROTOBUF, answer::status(trouble))
    };
    if let Some(delay) = trouble.retry_after() {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(delay.as_secs()));
    }
    if *trouble == Trouble::Method {
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    }
    response
}

fn respond(status: StatusCode, content: &'static str, bytes: Bytes) -> Response<Body> {
    let mut response = Response::new(Body::new(Full::new(bytes)));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content));
    response
}
