//! What the API answers, and its errors in Toxiproxy's words.

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::{Map, Value, json};

use crate::chaos::proxy::registry::RegistryError;

pub type Answer = Response<Full<Bytes>>;

const JSON: &str = "application/json";
const TEXT: &str = "text/plain; charset=utf-8";

/// An error that a client is told: `{"error": …, "status": …}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    pub status: StatusCode,
    pub message: String,
}

pub type Answered = Result<Answer, ApiError>;

impl ApiError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }

    pub fn bad_body(reason: impl std::fmt::Display) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("bad request body: {reason}"))
    }

    pub fn missing_field(field: &str) -> Self {
        Self::new(StatusCode::BAD_REQUEST, format!("missing required field: {field}"))
    }

    pub fn no_toxic() -> Self {
        Self::new(StatusCode::NOT_FOUND, "toxic not found")
    }

    /// Returns the members of the error's body.
    pub fn members(&self) -> Map<String, Value> {
        let status = Value::from(self.status.as_u16());
        Map::from_iter([("error".to_owned(), self.message.clone().into()), ("status".to_owned(), status)])
    }

    /// Toxiproxy sends its errors as text, with a line end.
    pub fn answer(&self) -> Answer {
        reply(self.status, TEXT, format!("{}\n", Value::Object(self.members())))
    }
}

/// What Toxiproxy has a word for is said in its words, the rest in ours.
impl From<RegistryError> for ApiError {
    fn from(error: RegistryError) -> Self {
        match &error {
            RegistryError::NoLink(_) => Self::new(StatusCode::NOT_FOUND, "proxy not found"),
            RegistryError::LinkExists(_) => Self::new(StatusCode::CONFLICT, "proxy already exists"),
            RegistryError::NoFault { .. } => Self::no_toxic(),
            RegistryError::FaultExists { .. } => Self::new(StatusCode::CONFLICT, "toxic already exists"),
            RegistryError::Listen { .. } => Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string()),
            _ => Self::new(StatusCode::BAD_REQUEST, error.to_string()),
        }
    }
}

pub fn json(status: StatusCode, body: &Value) -> Answer {
    reply(status, JSON, body.to_string())
}

pub fn text(status: StatusCode, body: impl Into<Bytes>) -> Answer {
    reply(status, TEXT, body)
}

pub fn nothing(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

/// As Toxiproxy: with its version, so that clients that ask for features by version find them, and ours beside it.
pub fn version() -> Answer {
    let body = json!({ "version": "2.12.0", "server": concat!("riftline/", env!("CARGO_PKG_VERSION")) });
    json(StatusCode::OK, &body)
}

fn reply(status: StatusCode, kind: &'static str, body: impl Into<Bytes>) -> Answer {
    let mut answer = Response::new(Full::new(body.into()));
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    answer
}
