//! Who may call the API: programs on this machine. A page in a browser on this machine may not, however it got our address.

use std::net::IpAddr;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, Limited};
use hyper::StatusCode;
use hyper::body::Incoming;
use hyper::header::{HOST, HeaderMap, HeaderName, ORIGIN, USER_AGENT};
use hyper::http::uri::Authority;
use tokio::time::timeout;

use super::answer::{Answer, ApiError, text};

/// Longest body of a request, in bytes.
const LONGEST: usize = 1 << 20;
/// How long a client may take for a body.
const PATIENCE: Duration = Duration::from_secs(15);

/// Returns the answer to whoever may not call.
pub fn refuse(headers: &HeaderMap) -> Option<Answer> {
    if value(headers, &USER_AGENT).is_some_and(|agent| agent.starts_with("Mozilla/")) {
        return Some(text(StatusCode::FORBIDDEN, "User agent not allowed\n"));
    }
    if headers.contains_key(ORIGIN) {
        return Some(ApiError::new(StatusCode::FORBIDDEN, "web pages may not call this API").answer());
    }
    // A name that somebody else's DNS leads here (rebinding) is not ours.
    let is_ours = value(headers, &HOST).is_some_and(is_loopback);
    let message = "the Host header must be localhost or a loopback address";
    (!is_ours).then(|| ApiError::new(StatusCode::FORBIDDEN, message).answer())
}

fn value<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn is_loopback(host: &str) -> bool {
    let Ok(authority) = host.parse::<Authority>() else { return false };
    let name = authority.host().trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// Reads a body that is neither too long nor too slow.
pub async fn body(incoming: Incoming) -> Result<Bytes, ApiError> {
    let whole = timeout(PATIENCE, Limited::new(incoming, LONGEST).collect()).await;
    match whole {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            Err(ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, format!("request body is longer than {LONGEST} bytes")))
        }
        Ok(Err(error)) => Err(ApiError::bad_body(error)),
        Err(_) => Err(ApiError::new(StatusCode::REQUEST_TIMEOUT, "the request body did not come in time")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_refused(name: HeaderName, value: &'static str) -> bool {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, "127.0.0.1:8474".parse().unwrap());
        headers.insert(name, value.parse().unwrap());
        refuse(&headers).is_some()
    }

    #[test]
    fn only_programs_of_this_machine_may_call() {
        for host in ["localhost", "LOCALHOST:8474", "127.0.0.1", "127.9.9.9:1", "[::1]:8474"] {
            assert!(!is_refused(HOST, host), "{host}");
        }
        for host in ["evil.example:8474", "127.0.0.1.evil.example", "10.0.0.1", "localhost.evil.example", "", "a b"] {
            assert!(is_refused(HOST, host), "{host}");
        }
        assert!(is_refused(USER_AGENT, "Mozilla/5.0") && is_refused(ORIGIN, "http://localhost"));
        assert!(!is_refused(USER_AGENT, "curl/8"));
        assert!(refuse(&HeaderMap::new()).is_some(), "no host at all");
    }
}
