//! Which call does what.

use bytes::Bytes;
use hyper::body::Incoming;
use hyper::{Method, Request, StatusCode};
use serde::de::DeserializeOwned;

use super::answer::{self, Answer, Answered, ApiError};
use super::{Api, counters, gate, leases, metrics, proxies, toxics};

/// Answers one request.
pub async fn answer(api: &Api, request: Request<Incoming>) -> Answer {
    if let Some(refusal) = gate::refuse(request.headers()) {
        return refusal;
    }
    let (head, incoming) = request.into_parts();
    let answered = match gate::body(incoming).await {
        Ok(body) => dispatch(api, &head.method, head.uri.path(), &body).await,
        Err(error) => Err(error),
    };
    answered.unwrap_or_else(|error| error.answer())
}

async fn dispatch(api: &Api, method: &Method, path: &str, body: &Bytes) -> Answered {
    let decoded: Vec<String> = path.split('/').skip(1).map(decode).collect();
    let parts: Vec<&str> = decoded.iter().map(String::as_str).collect();
    match (method.as_str(), parts.as_slice()) {
        ("GET", ["version"]) => Ok(answer::version()),
        ("GET", ["metrics"]) => Ok(metrics::show(api)),
        ("POST", ["reset"]) => proxies::reset(api).await,
        ("POST", ["populate"]) => Ok(proxies::populate(api, body).await),
        ("GET", ["proxies"]) => Ok(proxies::list(api)),
        ("POST", ["proxies"]) => proxies::create(api, body).await,
        ("GET", ["proxies", link]) => proxies::show(api, link),
        ("POST" | "PATCH", ["proxies", link]) => proxies::update(api, link, body).await,
        ("DELETE", ["proxies", link]) => proxies::delete(api, link).await,
        ("GET", ["proxies", link, "toxics"]) => toxics::list(api, link),
        ("POST", ["proxies", link, "toxics"]) => toxics::create(api, link, body),
        ("GET", ["proxies", link, "toxics", toxic]) => toxics::show(api, link, toxic),
        ("POST" | "PATCH", ["proxies", link, "toxics", toxic]) => toxics::update(api, link, toxic, body),
        ("DELETE", ["proxies", link, "toxics", toxic]) => toxics::delete(api, link, toxic),
        ("GET", ["riftline", "counters"]) => Ok(counters::show(api)),
        ("GET", ["riftline", "leases"]) => Ok(leases::list(api)),
        ("PUT", ["riftline", "leases", run]) => leases::renew(api, run, body),
        ("DELETE", ["riftline", "leases", run]) => leases::release(api, run),
        (_, parts) => Ok(unknown(parts)),
    }
}

/// Tells a path that exists for other methods from one that does not exist.
fn unknown(parts: &[&str]) -> Answer {
    let exists = matches!(
        parts,
        ["version" | "metrics" | "reset" | "populate" | "proxies"]
            | ["proxies", _]
            | ["proxies", _, "toxics"]
            | ["proxies", _, "toxics", _]
            | ["riftline", "counters" | "leases"]
            | ["riftline", "leases", _]
    );
    if exists {
        return answer::nothing(StatusCode::METHOD_NOT_ALLOWED);
    }
    answer::text(StatusCode::NOT_FOUND, "404 page not found\n")
}

/// Decodes `%41` in a part of a path; what is not UTF-8 then is replaced.
fn decode(part: &str) -> String {
    let mut bytes = Vec::with_capacity(part.len());
    let mut rest = part.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|_| *first == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { after.get(2..).unwrap_or_default() } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Reads the first JSON value of a body; what follows it is left alone, as in Toxiproxy.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, ApiError> {
    match serde_json::Deserializer::from_slice(body).into_iter().next() {
        Some(Ok(value)) => Ok(value),
        Some(Err(error)) => Err(ApiError::bad_body(error)),
        None => Err(ApiError::bad_body("EOF")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_paths_are_decoded() {
        assert_eq!(decode("a%20b%2Fc"), "a b/c");
        assert_eq!(decode("100%"), "100%");
        assert_eq!(decode("%zz%4"), "%zz%4");
        assert_eq!(decode("%ff"), "\u{fffd}");
    }
}
