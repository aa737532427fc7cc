//! What the fields of log records are called, and what they mean.

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

fn of_plain(name: &[u8]) -> Role {
    match name {
        b"timestamp" => Role::Time(0),
        b"time" | b"ts" | b"datetime" | b"asctime" | b"timemillis" | b"logtimestamp" | b"eventtime" => Role::Time(1),
        b"t" | b"tdate" | b"timedate" | b"timestampdate" | b"realtimetimestamp" | b"timeunixnano" | b"startlocal" => {
            Role::Time(2)
        }
        b"date" | b"timeiso8601" | b"timelocal" | b"logtime" | b"loggedat" | b"startutc" | b"starttime" => {
            Role::Time(3)
        }
        b"msec" | b"created" | b"createdat" | b"timestampms" | b"timestampmillis" | b"epochmillis" | b"epoch" => {
            Role::Time(4)
        }
        b"sourcerealtimetimestamp" => Role::Time(5),
        b"instantepochsecond" | b"timestampseconds" => Role::Seconds,
        b"instantnanoofsecond" | b"timestampnanos" => Role::Nanos,
        b"level" | b"severity" | b"lvl" | b"loglevel" | b"levelname" | b"severitytext" | b"l" | b"s"
        | b"logseverity" | b"loglevelname" | b"lev" => Role::Level(Scale::Any),
        b"levelno" => Role::Level(Scale::Python),
        b"priority" | b"syslogseverity" => Role::Level(Scale::Syslog),
        b"severitynumber" => Role::Level(Scale::Otlp),
        b"message" | b"msg" => Role::Body(0),
        b"body" | b"m" | b"shortmessage" | b"logmessage" | b"logmsg" => Role::Body(1),
        b"event" | b"log" | b"text" | b"mt" | b"messagetemplate" | b"textpayload" => Role::Body(2),
        _ => of_origin(name),
    }
}

/// Where a record comes from.
fn of_origin(name: &[u8]) -> Role {
    match name {
        b"traceid"
        | b"traceparent"
        | b"oteltraceid"
        | b"xb3traceid"
        | b"b3"
        | b"xtraceid"
        | b"xamzntraceid"
        | b"amazontraceid"
        | b"awsxraytraceid"
        | b"xraytraceid"
        | b"ubertraceid"
        | b"logginggoogleapiscom/trace"
        | b"xcloudtracecontext"
        | b"trace"
        | b"ddtraceid"
        | b"opentelemetrytraceid"
        | b"jaegertraceid"
        | b"httptraceid"
        | b"currenttraceid" => Role::Trace,
        b"spanid"
        | b"otelspanid"
        | b"xb3spanid"
        | b"tracespan"
        | b"tracespanid"
        | b"logginggoogleapiscom/spanid"
        | b"span"
        | b"ddspanid"
        | b"opentelemetryspanid"
        | b"httpspanid" => Role::Span,
        b"traceflags" | b"oteltraceflags" | b"tracetraceflags" => Role::Flags,
        b"servicename" | b"otelservicename" | b"resourceservicename" => Role::Service(0),
        b"service" | b"ddservice" | b"svc" => Role::Service(1),
        b"app"
        | b"application"
        | b"appname"
        | b"applicationname"
        | b"springapplicationname"
        | b"syslogidentifier"
        | b"systemdunit" => Role::Service(2),
        b"hostname" | b"host" | b"hosthostname" => Role::Host,
        b"pid" | b"processid" | b"processpid" => Role::Pid,
        b"name" => Role::Name,
        b"fields" => Role::Members,
        _ => Role::Attribute,
    }
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
