//! What can be copied of a span: its ids, everything as JSON, and for HTTP clients a curl command that asks again.

use riftline_queries::trace::details::SpanDetails;
use serde_json::{Map, Value, json};

/// Returns everything recorded as one JSON object.
#[must_use]
pub fn as_json(recorded: &SpanDetails) -> String {
    let parsed = |json: &str| serde_json::from_str::<Value>(json).unwrap_or(Value::Null);
    let span = json!({
        "trace_id": recorded.trace_id,
        "span_id": recorded.span_id,
        "parent_span_id": recorded.parent_span_id,
        "trace_state": recorded.trace_state,
        "flags": recorded.flags,
        "service": recorded.service,
        "name": recorded.name,
        "kind": recorded.kind,
        "start_ns": recorded.start_ns,
        "duration_ns": recorded.duration_ns,
        "status": recorded.status,
        "status_message": recorded.status_message,
        "attributes": parsed(&recorded.attributes),
        "events": parsed(&recorded.events),
        "links": parsed(&recorded.links),
        "resource": parsed(&recorded.resource),
        "scope": {
            "name": recorded.scope_name,
            "version": recorded.scope_version,
            "attributes": parsed(&recorded.scope_attributes),
        },
    });
    serde_json::to_string_pretty(&span).unwrap_or_default()
}

/// Returns a curl command for the request that an HTTP span stands for; nothing for other spans.
#[must_use]
pub fn as_curl(recorded: &SpanDetails) -> Option<String> {
    let attributes: Map<String, Value> = serde_json::from_str(&recorded.attributes).ok()?;
    let text = |keys: &[&str]| keys.iter().find_map(|key| attributes.get(*key)?.as_str());
    let url = text(&["url.full", "http.url"]).map(str::to_owned).or_else(|| assembled_url(&attributes))?;
    let method = text(&["http.request.method", "http.method"]).unwrap_or("GET");
    Some(format!("curl -sS -X {} {}", quoted(method), quoted(&url)))
}

/// Returns the URL of a server span, from its parts.
fn assembled_url(attributes: &Map<String, Value>) -> Option<String> {
    let text = |keys: &[&str]| keys.iter().find_map(|key| attributes.get(*key)?.as_str());
    let number = |keys: &[&str]| keys.iter().find_map(|key| attributes.get(*key)?.as_u64());
    let path = text(&["url.path", "http.target"])?;
    let host = text(&["server.address", "net.host.name", "http.host"])?;
    let scheme = text(&["url.scheme", "http.scheme"]).unwrap_or("http");
    let port = number(&["server.port", "net.host.port"]).map_or_else(String::new, |port| format!(":{port}"));
    let query = text(&["url.query"]).filter(|query| !query.is_empty());
    let query = query.map_or_else(String::new, |query| format!("?{query}"));
    Some(format!("{scheme}://{host}{port}{path}{query}"))
}

/// Quotes a word for a POSIX shell: the text comes from data, and nothing in it must run.
fn quoted(word: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~/:=@%+,".contains(&byte);
    if !word.is_empty() && word.bytes().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curl(attributes: &str) -> Option<String> {
        as_curl(&SpanDetails { attributes: attributes.to_owned(), ..SpanDetails::default() })
    }

    #[test]
    fn http_spans_become_requests() {
        let client = r#"{"url.full":"http://orders:8080/orders?id=7","http.request.method":"POST"}"#;
        assert_eq!(curl(client).as_deref(), Some("curl -sS -X POST 'http://orders:8080/orders?id=7'"));
        let server = r#"{"http.method":"GET","http.target":"/stock","net.host.name":"stock","net.host.port":8080}"#;
        assert_eq!(curl(server).as_deref(), Some("curl -sS -X GET http://stock:8080/stock"));
        assert_eq!(curl(r#"{"db.system":"postgresql"}"#), None);
    }

    #[test]
    fn nothing_in_a_url_runs() {
        let evil = r#"{"url.full":"http://x/'; rm -rf $HOME #"}"#;
        assert_eq!(curl(evil).as_deref(), Some(r"curl -sS -X GET 'http://x/'\''; rm -rf $HOME #'"));
    }

    #[test]
    fn json_keeps_types() {
        let recorded = SpanDetails { attributes: r#"{"code":500,"text":"500"}"#.to_owned(), ..SpanDetails::default() };
        let span: Value = serde_json::from_str(&as_json(&recorded)).unwrap();
        assert_eq!(span["attributes"], json!({"code": 500, "text": "500"}));
    }
}
