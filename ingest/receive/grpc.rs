//! OTLP over gRPC: the three export services. Messages pass through as bytes.

use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes};
use hyper::http::{HeaderValue, Request, Response};
use tonic::body::Body;
use tonic::codec::{Codec, CompressionEncoding, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::BoxFuture;
use tonic::server::{Grpc, UnaryService};
use tonic::{Code, Status};

use crate::receive::MAX_REQUEST_BYTES;
use crate::receive::answer;
use crate::receive::body::Timed;
use crate::receive::desk::Desk;
use crate::receive::kind::{Kind, Payload, Protocol};

/// Answers one call.
pub(super) async fn answer(desk: Arc<Desk>, request: Request<Timed>) -> Response<Body> {
    let Some(payload) = payload(request.uri().path()) else {
        return Status::unimplemented("only the export services of OTLP are here").into_http();
    };
    let mut grpc = Grpc::new(Raw)
        .accept_compressed(CompressionEncoding::Gzip)
        .accept_compressed(CompressionEncoding::Zstd)
        .max_decoding_message_size(MAX_REQUEST_BYTES);
    let kind = Kind { protocol: Protocol::Grpc, payload };
    let mut response = grpc.unary(Export { desk, kind }, request).await;
    // What the specification asks for where a message is too large.
    if let Some(code) = response.headers_mut().get_mut(Status::GRPC_STATUS)
        && code.as_bytes() == (Code::OutOfRange as i32).to_string().as_bytes()
    {
        *code = HeaderValue::from(Code::ResourceExhausted as i32);
    }
    response
}

fn payload(path: &str) -> Option<Payload> {
    match path {
        "/opentelemetry.proto.collector.trace.v1.TraceService/Export" => Some(Payload::Traces),
        "/opentelemetry.proto.collector.logs.v1.LogsService/Export" => Some(Payload::Logs),
        "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export" => Some(Payload::Metrics),
        _ => None,
    }
}

/// One of the services.
struct Export {
    desk: Arc<Desk>,
    kind: Kind,
}

impl UnaryService<Bytes> for Export {
    type Response = Bytes;
    type Future = BoxFuture<tonic::Response<Bytes>, Status>;

    fn call(&mut self, request: tonic::Request<Bytes>) -> Self::Future {
        let (desk, kind) = (self.desk.clone(), self.kind);
        Box::pin(async move {
            let checked = desk.take(kind, request.into_inner()).await?;
            Ok(tonic::Response::new(answer::export(&checked)))
        })
    }
}

/// Messages as bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raw;

impl Codec for Raw {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Self;
    type Decoder = Self;

    fn encoder(&mut self) -> Self {
        Self
    }

    fn decoder(&mut self) -> Self {
        Self
    }
}

impl Encoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn encode(&mut self, message: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(message);
        Ok(())
    }
}

impl Decoder for Raw {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        Ok(Some(from.copy_to_bytes(from.remaining())))
    }
}
