//! What W3C Trace Context and B3 allow. Names of headers are in lower case.

/// Returns what is wrong with the value of a context header. Nothing for other headers.
pub(super) fn fault(name: &str, value: &str) -> Option<&'static str> {
    match name {
        "traceparent" => traceparent(value),
        "tracestate" => tracestate(value),
        "b3" => b3(value),
        "x-b3-traceid" => (!is_hex(value, &[16, 32])).then_some("X-B3-TraceId is not 16 or 32 digits of lower-case hex"),
        "x-b3-spanid" => (!is_hex(value, &[16])).then_some("X-B3-SpanId is not 16 digits of lower-case hex"),
        "x-b3-parentspanid" => (!is_hex(value, &[16])).then_some("X-B3-ParentSpanId is not 16 digits of lower-case hex"),
        "x-b3-sampled" => (!["0", "1", "true", "false"].contains(&value)).then_some("X-B3-Sampled is neither 0 nor 1"),
        _ => None,
    }
}

/// Ids of zeros are no ids.
fn is_hex(text: &str, lengths: &[usize]) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    lengths.contains(&text.len()) && text.bytes().all(is_digit) && text.bytes().any(|byte| byte != b'0')
}

/// Later versions may have more at the end.
fn traceparent(value: &str) -> Option<&'static str> {
    let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    let is_pair = |text: &str| text.len() == 2 && text.bytes().all(is_digit);
    let mut parts = value.splitn(5, '-');
    let [version, trace, span, flags] = [(); 4].map(|()| parts.next().unwrap_or_default());
    if value.contains(char::is_control) {
        Some("traceparent has bytes that are not text")
    } else if value.bytes().any(|byte| byte.is_ascii_uppercase()) {
        Some("traceparent is in upper case")
    } else if !is_pair(version) || version == "ff" {
        Some("traceparent has no valid version")
    } else if !is_hex(trace, &[32]) {
        Some("traceparent has no valid trace id")
    } else if !is_hex(span, &[16]) {
        Some("traceparent has no valid parent id")
    } else if !is_pair(flags) {
        Some("traceparent has no valid flags")
    } else {
        (version == "00" && parts.next().is_some()).then_some("traceparent of version 00 is too long")
    }
}

fn tracestate(value: &str) -> Option<&'static str> {
    let members: Vec<&str> = value.split(',').map(str::trim).filter(|member| !member.is_empty()).collect();
    let mut keys: Vec<&str> = members.iter().filter_map(|member| Some(member.split_once('=')?.0)).collect();
    if keys.len() < members.len() {
        return Some("tracestate has a member without a value");
    }
    keys.sort_unstable();
    if members.len() > 32 {
        Some("tracestate has more than 32 members")
    } else if keys.windows(2).any(|pair| pair[0] == pair[1]) {
        Some("tracestate names a member twice")
    } else {
        members.iter().any(|member| member.starts_with("ot=") && member.len() > 259).then_some("tracestate's member ot is too long")
    }
}

/// `0`, `1` and `d` alone are decisions without ids.
fn b3(value: &str) -> Option<&'static str> {
    if ["0", "1", "d"].contains(&value) {
        return None;
    }
    let parts: Vec<&str> = value.split('-').collect();
    let is_valid = match parts.as_slice() {
        [trace, span, rest @ ..] => {
            is_hex(trace, &[16, 32])
                && is_hex(span, &[16])
                && rest.first().is_none_or(|sampled| ["0", "1", "d"].contains(sampled))
                && rest.get(1).is_none_or(|parent| is_hex(parent, &[16]))
                && rest.len() <= 2
        }
        _ => false,
    };
    (!is_valid).then_some("b3 is not trace-span-sampled-parent in lower-case hex")
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn what_the_standards_allow_is_left_alone() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        let good = [
            ("traceparent", format!("00-{id}-01")),
            ("traceparent", format!("cc-{id}-01-what-the-future-holds")),
            ("tracestate", "ot=th:8;rv:abcdef01234567, congo=t61rcWkgMzE,".to_owned()),
            ("b3", "0".to_owned()),
            ("b3", format!("{id}-1-05e3ac9a4f6e3b90")),
            ("b3", id.to_owned()),
            ("x-b3-traceid", "80f198ee56343ba8".to_owned()),
            ("x-b3-sampled", "1".to_owned()),
            ("user-agent", "00-XYZ".to_owned()),
        ];
        for (name, value) in good {
            assert_eq!(fault(name, &value), None, "{name}: {value}");
        }
    }

    #[test]
    fn what_they_forbid_is_named() {
        let id = "4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7";
        let bad = [
            ("traceparent", format!("00-{}-01", id.to_uppercase())),
            ("traceparent", format!("00-{id}-01-more")),
            ("traceparent", format!("ff-{id}-01")),
            ("traceparent", "00-00000000000000000000000000000000-00f067aa0ba902b7-01".to_owned()),
            ("traceparent", format!("00-\0{id}-01")),
            ("traceparent", String::new()),
            ("tracestate", "a=1,a=2".to_owned()),
            ("b3", format!("{id}-1--")),
            ("x-b3-parentspanid", "-".to_owned()),
            ("x-b3-sampled", "yes".to_owned()),
        ];
        for (name, value) in bad {
            assert!(fault(name, &value).is_some(), "{name}: {value}");
        }
    }
}
