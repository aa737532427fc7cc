//! Answers: what an export answers, and `google.rpc.Status` for errors, as protobuf and as JSON.
//!
//! Specification: <https://opentelemetry.io/docs/specs/otlp/#otlphttp-response>.

use bytes::Bytes;
use opentelemetry_proto::tonic::collector::trace::v1::{ExportTracePartialSuccess, ExportTraceServiceResponse};
use prost::Message;
use serde_json::json;
use tonic::{Code, Status};

use crate::receive::check::Checked;
use crate::receive::kind::Payload;
use crate::receive::trouble::Trouble;

const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

#[derive(Clone, PartialEq, Message)]
struct RpcStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<Any>,
}

#[derive(Clone, PartialEq, Message)]
struct Any {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct RetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<Delay>,
}

#[derive(Clone, PartialEq, Message)]
struct Delay {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}

/// Returns the answer to an export. The answers to traces, logs and metrics look the same as bytes.
pub(super) fn export(checked: &Checked) -> Bytes {
    let partial_success = (checked.rejects > 0).then(|| ExportTracePartialSuccess {
        rejected_spans: i64::try_from(checked.rejects).unwrap_or(i64::MAX),
        error_message: checked.first_reason.clone().unwrap_or_default(),
    });
    ExportTraceServiceResponse { partial_success }.encode_to_vec().into()
}

/// Returns the answer to an export as JSON.
pub(super) fn export_json(payload: Payload, checked: &Checked) -> Bytes {
    if checked.rejects == 0 {
        return Bytes::from_static(b"{}");
    }
    let rejected = match payload {
        Payload::Logs => "rejectedLogRecords",
        Payload::Metrics => "rejectedDataPoints",
        _ => "rejectedSpans",
    };
    let reason = checked.first_reason.clone().unwrap_or_default();
    json!({"partialSuccess": {rejected: checked.rejects.to_string(), "errorMessage": reason}}).to_string().into()
}

/// Returns the `google.rpc.Status` of a refusal.
pub(super) fn status(trouble: &Trouble) -> Bytes {
    let details = trouble.retry_after().map(|delay| {
        let delay = Delay { seconds: delay.as_secs() as i64, nanos: delay.subsec_nanos() as i32 };
        Any { type_url: RETRY_INFO.to_owned(), value: RetryInfo { retry_delay: Some(delay) }.encode_to_vec() }
    });
    let details = details.into_iter().collect();
    RpcStatus { code: trouble.code(), message: trouble.to_string(), details }.encode_to_vec().into()
}

/// Returns the `google.rpc.Status` of a refusal as JSON.
pub(super) fn status_json(trouble: &Trouble) -> Bytes {
    let details: Vec<_> = trouble
        .retry_after()
        .map(|delay| json!({"@type": RETRY_INFO, "retryDelay": format!("{}s", delay.as_secs_f64())}))
        .into_iter()
        .collect();
    json!({"code": trouble.code(), "message": trouble.to_string(), "details": details}).to_string().into()
}

impl From<Trouble> for Status {
    fn from(trouble: Trouble) -> Self {
        let code = Code::from_i32(trouble.code());
        match trouble.retry_after() {
            Some(_) => Self::with_details(code, trouble.to_string(), status(&trouble)),
            None => Self::new(code, trouble.to_string()),
        }
    }
}
