//! An error in place of the server's answer: a status of HTTP, or one of gRPC.

use hyper::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, RETRY_AFTER};
use hyper::http::StatusCode;
use hyper::http::request::Parts;
use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values, unable};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{Answer, Effect, Instead, RequestPlan};

pub(super) const ENTRY: Entry = Entry {
    name: "error",
    about: "answers with an error: put at request the server is not asked, put at response it is and its answer is lost",
    level: Level::Response,
    places: &[Place::Request, Place::Response],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "status",
            kind: Kind::Whole { least: 200, most: 599 },
            about: "status of HTTP",
            ..Parameter::OPTIONAL
        },
        Parameter { name: "body", kind: Kind::Text, about: "body of the answer", ..Parameter::OPTIONAL },
        Parameter {
            name: "retry_after_s",
            kind: Kind::Whole { least: 0, most: 86_400 },
            unit: "s",
            about: "when to come again (Retry-After)",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "grpc_status",
            kind: Kind::Whole { least: 0, most: 16 },
            about: "status of gRPC, instead of one of HTTP (which stays 200)",
            ..Parameter::OPTIONAL
        },
        Parameter { name: "message", kind: Kind::Text, about: "message of gRPC", ..Parameter::OPTIONAL },
        Parameter {
            name: "trailers_only",
            kind: Kind::Flag,
            default: Some("true"),
            about: "gRPC: one block of headers that ends the answer, rather than headers and then trailers",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

fn compile(fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let (status, grpc) = (values.whole("status"), values.whole("grpc_status"));
    let answer = match (status, grpc) {
        (Some(status), None) => of_http(status, values),
        (None, Some(code)) => of_grpc(code, values),
        _ => return unable("error", "needs either status or grpc_status"),
    };
    Ok(Box::new(Failure { place: fault.place, answer }))
}

fn of_http(status: u64, values: &Values) -> Answer {
    let mut headers = HeaderMap::new();
    if let Some(seconds) = values.whole("retry_after_s") {
        headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    let status = u16::try_from(status).ok().and_then(|status| StatusCode::from_u16(status).ok());
    let status = status.unwrap_or(StatusCode::SERVICE_UNAVAILABLE);
    Answer { status, headers, body: values.text("body").to_owned(), trailers: None }
}

/// gRPC over HTTP/2, "Responses": trailers-only is one block of headers with everything in it.
fn of_grpc(code: u64, values: &Values) -> Answer {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/grpc"))]);
    let mut trailers = HeaderMap::from_iter([(HeaderName::from_static("grpc-status"), HeaderValue::from(code))]);
    if let Ok(message) = HeaderValue::from_str(&percent(values.text("message"))) {
        trailers.insert(HeaderName::from_static("grpc-message"), message);
    }
    let is_short = values.flag("trailers_only");
    let trailers = if is_short {
        headers.extend(trailers);
        None
    } else {
        Some(trailers)
    };
    Answer { status: StatusCode::OK, headers, body: String::new(), trailers }
}

/// Encodes a message as gRPC does: printable ASCII except `%` stays.
fn percent(message: &str) -> String {
    let mut text = String::with_capacity(message.len());
    for byte in message.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => text.push(byte.into()),
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

struct Failure {
    place: Place,
    answer: Answer,
}

impl Effect for Failure {
    fn request(&self, plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        plan.instead(self.place, Instead::Answer(Box::new(self.answer.clone())))
    }
}
