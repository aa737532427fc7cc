//! Trace headers, and the values that stand for broken ones where an injector can only write constants.

use riftline_queries::replay::fault::Fault;
use serde_json::Value;

use super::{ManifestError, unable};

/// Headers that carry trace context or baggage, of any propagator.
const CONTEXT: [&str; 8] =
    ["traceparent", "tracestate", "baggage", "b3", "x-b3-traceid", "x-b3-spanid", "x-b3-parentspanid", "x-b3-sampled"];

/// Returns the headers that a context fault is about, in lower case: those of its parameter `headers`, or all.
pub fn of(fault: &Fault) -> Result<Vec<String>, ManifestError> {
    let wrong =
        || ManifestError::Fault { kind: fault.kind.clone(), problem: "`headers` must be a list of names".to_owned() };
    let Some(headers) = fault.with.get("headers") else {
        return Ok(CONTEXT.iter().map(|&name| name.to_owned()).collect());
    };
    let names: Option<Vec<String>> =
        headers.as_array().and_then(|names| names.iter().map(|name| name.as_str().map(str::to_lowercase)).collect());
    names.filter(|names| !names.is_empty() && names.iter().all(|name| is_token(name))).ok_or_else(wrong)
}

/// Returns whether `name` can be a header's (RFC 9110, section 5.6.2).
fn is_token(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Returns the broken value of each header for `context-corrupt`: the same one for every request.
pub fn corrupted(fault: &Fault) -> Result<Vec<(String, String)>, ManifestError> {
    let how = fault.with.get("how").and_then(Value::as_str).unwrap_or("garbage");
    let value = match how {
        "bad-version" => "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "zero-ids" => "00-00000000000000000000000000000000-0000000000000000-01",
        "garbage" => "garbage",
        "truncated" => "00-0af7651916cd43dd8448eb21",
        other => {
            return unable(format!(
                "context-corrupt cannot be `{other}` here: bad-version, zero-ids, garbage, truncated"
            ));
        }
    };
    let value = |name: &str| if name == "traceparent" { value } else { "garbage" };
    Ok(of(fault)?.into_iter().map(|name| (name.clone(), value(&name).to_owned())).collect())
}
