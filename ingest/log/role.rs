//! What the fields of log records are called, and what they mean.

use std::sync::LazyLock;

use hashbrown::HashMap;

use crate::log::level::Scale;

/// Longest name of a field that means something.
const MAX_NAME: usize = 40;

/// What a field means. Of several fields of one meaning the one with the lowest rank counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    Attribute,
    Time(u8),
    /// Seconds and nanoseconds of a time in two fields.
    Seconds,
    Nanos,
    Level(Scale),
    Body(u8),
    Trace,
    Span,
    /// Flags of the trace as text of two hexadecimal digits.
    Flags,
    Service(u8),
    Host,
    Pid,
    /// `name`: the service in the logs of bunyan and pino.
    Name,
    /// An object whose members stand for themselves.
    Members,
}

/// Returns what a field means by its name in any spelling: `trace_id`, `traceId`, `trace.id`, `Trace-Id`.
pub(crate) fn of(name: &[u8]) -> Role {
    // What stands in most lines costs no look-up.
    match name {
        b"trace_id" | b"traceId" => return Role::Trace,
        b"span_id" | b"spanId" => return Role::Span,
        b"trace_flags" => return Role::Flags,
        b"service" => return Role::Service(1),
        b"service.name" | b"resource.service.name" => return Role::Service(0),
        b"time" | b"ts" => return Role::Time(1),
        b"level" => return Role::Level(Scale::Any),
        b"msg" | b"message" => return Role::Body(0),
        b"trace_sampled" => return Role::Attribute,
        _ => {}
    }
    let mut plain = [0_u8; MAX_NAME];
    match plain_name(name, &mut plain) {
        Some(plain) => of_plain(plain),
        None => Role::Attribute,
    }
}

/// Returns what a member of an object means: by both names, and by its own in objects that hold a context.
pub(crate) fn of_member(object: &[u8], member: &[u8]) -> Role {
    let mut plain = [0_u8; MAX_NAME];
    let holds_context = plain_name(object, &mut plain).is_some_and(|name| {
        matches!(
            name,
            b"mdc"
                | b"contextmap"
                | b"context"
                | b"attributes"
                | b"extra"
                | b"labels"
                | b"tags"
                | b"properties"
                | b"span"
                | b"data"
                | b"contextdata"
        )
    });
    let both = [object, b".", member].concat();
    match of(&both) {
        Role::Attribute if holds_context => match of(member) {
            role @ (Role::Trace | Role::Span | Role::Flags) => role,
            _ => Role::Attribute,
        },
        role => role,
    }
}

/// Writes the name in lower case without `_`, `-`, `.`, `@` and `$`.
fn plain_name<'a>(name: &[u8], place: &'a mut [u8; MAX_NAME]) -> Option<&'a [u8]> {
    let mut len = 0;
    for &byte in name.iter().filter(|byte| !matches!(byte, b'_' | b'-' | b'.' | b'@' | b'$' | b' ')) {
        *place.get_mut(len)? = byte.to_ascii_lowercase();
        len += 1;
    }
    place.get(..len)
}

/// What fields are called, as [`plain_name`] writes it.
const NAMES: &[(Role, &[&str])] = &[
    (Role::Time(0), &["timestamp"]),
    (Role::Time(1), &["time", "ts", "datetime", "asctime", "timemillis", "logtimestamp", "eventtime"]),
    (Role::Time(2), &["t", "tdate", "timedate", "timestampdate", "realtimetimestamp", "timeunixnano", "startlocal"]),
    (Role::Time(3), &["date", "timeiso8601", "timelocal", "logtime", "loggedat", "startutc", "starttime"]),
    (Role::Time(4), &["msec", "created", "createdat", "timestampms", "timestampmillis", "epochmillis", "epoch"]),
    (Role::Time(5), &["sourcerealtimetimestamp"]),
    (Role::Seconds, &["instantepochsecond", "timestampseconds"]),
    (Role::Nanos, &["instantnanoofsecond", "timestampnanos"]),
    (
        Role::Level(Scale::Any),
        &[
            "level",
            "severity",
            "lvl",
            "loglevel",
            "levelname",
            "severitytext",
            "l",
            "s",
            "logseverity",
            "loglevelname",
            "lev",
        ],
    ),
    (Role::Level(Scale::Python), &["levelno"]),
    (Role::Level(Scale::Syslog), &["priority", "syslogseverity"]),
    (Role::Level(Scale::Otlp), &["severitynumber"]),
    (Role::Body(0), &["message", "msg"]),
    (Role::Body(1), &["body", "m", "shortmessage", "logmessage", "logmsg"]),
    (Role::Body(2), &["event", "log", "text", "mt", "messagetemplate", "textpayload"]),
    (
        Role::Trace,
        &[
            "traceid",
            "traceparent",
            "oteltraceid",
            "xb3traceid",
            "b3",
            "xtraceid",
            "xamzntraceid",
            "amazontraceid",
            "awsxraytraceid",
            "xraytraceid",
            "ubertraceid",
            "logginggoogleapiscom/trace",
            "xcloudtracecontext",
            "trace",
            "ddtraceid",
            "opentelemetrytraceid",
            "jaegertraceid",
            "httptraceid",
            "currenttraceid",
        ],
    ),
    (
        Role::Span,
        &[
            "spanid",
            "otelspanid",
            "xb3spanid",
            "tracespan",
            "tracespanid",
            "logginggoogleapiscom/spanid",
            "span",
            "ddspanid",
            "opentelemetryspanid",
            "httpspanid",
        ],
    ),
    (Role::Flags, &["traceflags", "oteltraceflags", "tracetraceflags"]),
    (Role::Service(0), &["servicename", "otelservicename", "resourceservicename"]),
    (Role::Service(1), &["service", "ddservice", "svc"]),
    (
        Role::Service(2),
        &[
            "app",
            "application",
            "appname",
            "applicationname",
            "springapplicationname",
            "syslogidentifier",
            "systemdunit",
        ],
    ),
    (Role::Host, &["hostname", "host", "hosthostname"]),
    (Role::Pid, &["pid", "processid", "processpid"]),
    (Role::Name, &["name"]),
    (Role::Members, &["fields"]),
];

static ROLES: LazyLock<HashMap<&[u8], Role>> = LazyLock::new(|| {
    NAMES.iter().flat_map(|(role, names)| names.iter().map(|name| (name.as_bytes(), *role))).collect()
});

fn of_plain(name: &[u8]) -> Role {
    ROLES.get(name).copied().unwrap_or(Role::Attribute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_fields_in_any_spelling() {
        for name in
            ["trace_id", "traceId", "trace.id", "TraceId", "X-B3-TraceId", "otelTraceID", "dd.trace_id", "traceparent"]
        {
            assert_eq!(of(name.as_bytes()), Role::Trace, "{name}");
        }
        for (role, names) in NAMES {
            assert!(names.iter().all(|name| of(name.as_bytes()) == *role), "{role:?}");
        }
        for (name, role) in [
            ("@timestamp", Role::Time(0)),
            ("log.level", Role::Level(Scale::Any)),
            ("service.name", Role::Service(0)),
            ("@m", Role::Body(1)),
            ("order", Role::Attribute),
            ("__REALTIME_TIMESTAMP", Role::Time(2)),
        ] {
            assert_eq!(of(name.as_bytes()), role, "{name}");
        }
        assert_eq!(of_member(b"trace", b"id"), Role::Trace);
        assert_eq!(of_member(b"mdc", b"spanId"), Role::Span);
        assert_eq!(of_member(b"mdc", b"level"), Role::Attribute);
        assert_eq!(of_member(b"source", b"line"), Role::Attribute);
    }
}
