//! Single lines and what is found in them.

use super::decode;
use crate::batch::Batch;

/// Format, line, and what it gives: severity, service, body, attributes.
const CASES: &[(&str, &str, &str)] = &[
    (
        "log-text",
        "2026-11-20 12:31:18.063 [main] INFO  com.shop.Pay trace_id=4bf92f3577b34da6a3ce929d0e0e4736 user=5 - done",
        r#"9 unknown_service "done" {"user":5,"logger":"com.shop.Pay","thread.name":"main"}"#,
    ),
    (
        "log-text",
        "2026-11-20T12:31:18.063Z  INFO [payments,,] 4711 --- [           main] c.s.Pay         : done",
        r#"9 payments "done" {"logger":"c.s.Pay","thread.name":"main","process.pid":4711}"#,
    ),
    (
        "log-text",
        "2026-11-20T12:31:18.063Z ERROR 1 --- [shop] [nio-8080-exec-1] [4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7] o.a.Servlet : failed",
        r#"17 shop "failed" {"logger":"o.a.Servlet","thread.name":"nio-8080-exec-1","process.pid":1}"#,
    ),
    (
        "log-text",
        "2026-11-20 12:31:18,063 - shop.pay - WARNING - slow - very",
        r#"13 unknown_service "slow - very" {"logger":"shop.pay"}"#,
    ),
    (
        "log-text",
        "[2026-11-20 12:31:18,063] ERROR in app: Exception on / [GET]",
        r#"17 unknown_service "in app: Exception on / [GET]" -"#,
    ),
    (
        "log-text",
        "[2026-11-20 12:31:18 +0000] [12] [INFO] Booting worker",
        r#"9 unknown_service "Booting worker" {"process.pid":12}"#,
    ),
    ("log-text", "[2026-11-20 12:31:18,063: INFO/MainProcess] Task done", r#"9 unknown_service "Task done" -"#),
    (
        "log-text",
        "[2026-11-20T12:31:18Z INFO  shop::pay] charging 7",
        r#"9 unknown_service "charging 7" {"logger":"shop::pay"}"#,
    ),
    (
        "log-text",
        "2026-11-20T12:31:18.063456Z  INFO request{id=7}: shop::pay: charging order=7",
        r#"9 unknown_service "charging order=7" {"spans":"request{id=7}","logger":"shop::pay"}"#,
    ),
    ("log-text", "2026/11/20 12:31:18 listening on :80", r#"0 unknown_service "listening on :80" -"#),
    (
        "log-text",
        "2026-11-20 12:31:18.063 UTC [77] LOG:  checkpoint starting: time",
        r#"9 unknown_service "checkpoint starting: time" {"process.pid":77}"#,
    ),
    (
        "log-text",
        "2026-11-20T12:31:18.063456Z 8 [Warning] [MY-010068] [Server] CA is self signed",
        r#"13 unknown_service "CA is self signed" {"logger":"MY-010068","thread.name":"Server","process.pid":8}"#,
    ),
    (
        "log-text",
        "77:M 20 Nov 2026 12:31:18.063 * Ready",
        r#"0 unknown_service "77:M 20 Nov 2026 12:31:18.063 * Ready" -"#,
    ),
    (
        "log-text",
        "11-20 12:31:18.063  1234  1240 W ActivityManager: Slow",
        r#"13 unknown_service "ActivityManager: Slow" {"process.pid":1240}"#,
    ),
    (
        "log-text",
        "2026-11-20T12:31:18.063456789Z stdout F {\"level\":\"warn\",\"msg\":\"hi\",\"order\":7}",
        r#"13 unknown_service "hi" {"log.iostream":"stdout","order":7}"#,
    ),
    ("log-text", "gateway_1  | 2026-11-20 12:31:18 INFO hi", r#"9 gateway_1 "hi" -"#),
    ("log-text", "INFO 2026-11-20 12:31:18,063 views 12 140 GET /", r#"9 unknown_service "views 12 140 GET /" -"#),
    ("log-text", "Nov 20, 2026 1:31:18 PM com.shop.Pay charge", r#"0 unknown_service "com.shop.Pay charge" -"#),
    (
        "log-text",
        "INFO:     127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK",
        r#"9 unknown_service "127.0.0.1:5000 - \"GET / HTTP/1.1\" 200 OK" -"#,
    ),
    ("log-text", "2026-11-20 12:31:18 INFO user=5 logged in", r#"9 unknown_service "user=5 logged in" -"#),
    (
        "log-json",
        r#"{"timestamp":"2026-11-20T12:31:18.063Z","level":"INFO","fields":{"message":"hi","order":7},"target":"shop::pay"}"#,
        r#"9 unknown_service "hi" {"order":7,"target":"shop::pay"}"#,
    ),
    (
        "log-json",
        r#"{"@timestamp":"2026-11-20T12:31:18.063Z","log":{"level":"warn","logger":"x"},"message":"hi","service":{"name":"pay"},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
        r#"13 pay "hi" {"log":{"level":"warn","logger":"x"},"service":{"name":"pay"},"trace":{"id":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
    ),
    (
        "log-json",
        r#"{"instant":{"epochSecond":1795177878,"nanoOfSecond":63000000},"level":"ERROR","loggerName":"x","message":"hi","contextMap":{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
        r#"17 unknown_service "hi" {"instant":{"epochSecond":1795177878,"nanoOfSecond":63000000},"loggerName":"x","contextMap":{"traceId":"4bf92f3577b34da6a3ce929d0e0e4736"}}"#,
    ),
    (
        "log-json",
        r#"{"t":{"$date":"2026-11-20T12:31:18.063+00:00"},"s":"I","c":"NETWORK","msg":"hi"}"#,
        r#"9 unknown_service "hi" {"t":{"$date":"2026-11-20T12:31:18.063+00:00"},"c":"NETWORK"}"#,
    ),
    (
        "log-json",
        r#"{"@t":"2026-11-20T12:31:18.0630000Z","@mt":"hi {Order}","@l":"Warning","Order":7}"#,
        r#"13 unknown_service "hi {Order}" {"Order":7}"#,
    ),
    (
        "log-json",
        r#"{"__REALTIME_TIMESTAMP":"1795177878063000","MESSAGE":"hi","PRIORITY":"3","SYSLOG_IDENTIFIER":"pay","_PID":"7"}"#,
        r#"17 pay "hi" {"process.pid":"7"}"#,
    ),
    (
        "log-json",
        r#"{"time":1795177878.063,"severity":"ERROR","message":"h\u00e9 \"x\"","big":18446744073709551615,"f":1e3,"n":null,"deep":[1,{"a":[]}]}"#,
        r#"17 unknown_service "hé \"x\"" {"big":"18446744073709551615","f":1000.0,"n":null,"deep":[1,{"a":[]}]}"#,
    ),
    (
        "log-json",
        r#"{"ts":1795177878,"lvl":"info","event":"hi","message":"better","dd.trace_id":"11803532876627986230","dd.span_id":"67667974448284343","dd.service":"pay"}"#,
        r#"9 pay "better" {"event":"hi"}"#,
    ),
    (
        "log-json",
        r#"{"log":"{\"level\":\"warn\",\"msg\":\"\\u001b[31mhi\\u001b[0m\",\"n\":7}\n","stream":"stdout","time":"2026-11-20T12:31:18Z"}"#,
        r#"13 unknown_service "hi" {"stream":"stdout","n":7}"#,
    ),
    (
        "log-json",
        r#"{"log":"plain\n","stream":"stderr","time":"2026-11-20T12:31:18Z"}"#,
        r#"0 unknown_service "plain" {"stream":"stderr"}"#,
    ),
    (
        "log-json",
        "{\n  \"instant\" : {\n    \"epochSecond\" : 1795177878,\n    \"nanoOfSecond\" : 5\n  },\n  \"level\" : \"INFO\",\n  \"message\" : \"hi\"\n}\n",
        r#"9 unknown_service "hi" {"instant":{"epochSecond":1795177878,"nanoOfSecond":5}}"#,
    ),
    (
        "syslog",
        r#"Nov 20 12:31:18 vm pay[77]: {"level":"warn","msg":"hi","n":7}"#,
        r#"13 pay "hi" {"process.pid":77,"n":7}"#,
    ),
    (
        "logfmt",
        "ts=2026-11-20T12:31:18.063Z caller=main.go:7 level=warn msg=\"a \\\"b\\\"\" n=7 f=0.5 s=007 on=true thread=T-1 (x y) empty= q=\"7\"",
        r#"13 unknown_service "a \"b\"" {"caller":"main.go:7","n":7,"f":0.5,"s":"007","on":true,"thread":"T-1 (x y)","empty":"","q":"7"}"#,
    ),
    (
        "klog",
        "E1120 12:31:18.063456    7 pay.go:12] \"Failed to charge\" err=\"no card\" order=7",
        r#"17 unknown_service "Failed to charge" {"process.pid":7,"code.file.path":"pay.go","code.line.number":12,"err":"no card","order":7}"#,
    ),
    ("syslog", "Nov 20 12:31:18 vm sshd[77]: Accepted key", r#"0 sshd "Accepted key" {"process.pid":77}"#),
    (
        "syslog",
        r#"<165>1 2026-11-20T12:31:18.063Z vm pay - ID47 [a@1 x="1\]" y="z"][o trace_id="4bf92f3577b34da6a3ce929d0e0e4736"] hi"#,
        r#"10 pay "hi" {"syslog.facility":20,"syslog.msgid":"ID47","a@1.x":"1]","a@1.y":"z"}"#,
    ),
    (
        "access-log",
        "shop.com 10.0.0.1 - ann [20/Nov/2026:12:31:18 +0000] \"GET /a?b=c HTTP/2.0\" 200 - \"https://x\" \"curl \\\"7\\\"\" 0.1 \"z\" rid=9",
        r#"0 unknown_service "GET /a?b=c HTTP/2.0" {"client.address":"10.0.0.1","user.name":"ann","server.address":"shop.com","http.request.method":"GET","url.path":"/a","url.query":"b=c","network.protocol.version":"2.0","http.response.status_code":200,"http.request.header.referer":"https://x","user_agent.original":"curl \\\"7\\\"","rid":9,"extra":"0.1 z"}"#,
    ),
    ("log-pattern", "20.11.2026 12:31:18 ERROR <> broken", r#"17 payments "broken" -"#),
];

/// Severity, service, body and attributes of a row, as text.
fn shown(batches: &[Batch], row: usize) -> String {
    let (batch, logs) = (&batches[0], &batches[0].logs);
    let service = &batch.resources[logs.resource[row] as usize].service;
    let (body, attributes) = (logs.body.get(row).unwrap_or("-"), logs.attributes.get(row).unwrap_or("-"));
    format!("{} {service} {body:?} {attributes}", logs.severity[row])
}

#[test]
fn what_a_line_says_is_found() {
    for &(format, line, expected) in CASES {
        let batches = decode(format, line.as_bytes(), usize::MAX);
        assert_eq!(batches[0].rejects.kept, [], "{line}");
        assert_eq!(shown(&batches, 0), expected, "{line}");
    }
}

#[test]
fn ids_are_found_wherever_they_hide() {
    const W3C: (u64, u64) = (0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736);
    const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;
    let cases = [
        ("start trace_id=4bf92f3577b34da6a3ce929d0e0e4736 span_id=00f067aa0ba902b7 end", W3C, SPAN),
        ("start TraceId: 4bf92f3577b34da6a3ce929d0e0e4736, SpanId: 00f067aa0ba902b7", W3C, SPAN),
        (r#"got {"traceId":"4bf92f3577b34da6a3ce929d0e0e4736","spanId":"00f067aa0ba902b7"}"#, W3C, SPAN),
        ("headers traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01 tracestate: x", W3C, SPAN),
        ("X-Amzn-Trace-Id: Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1 x", W3C, SPAN),
        ("segment 1-4bf92f35-77b34da6a3ce929d0e0e4736 closed", W3C, 0),
        ("[pay,4bf92f3577b34da6a3ce929d0e0e4736,00f067aa0ba902b7] x", W3C, SPAN),
        ("[pay,a3ce929d0e0e4736,00f067aa0ba902b7,true] x", (0, W3C.1), SPAN),
        ("[dd.service=pay dd.trace_id=11803532876627986230 dd.span_id=67667974448284343] x", (0, W3C.1), SPAN),
        ("TRACE_ID=4BF92F3577B34DA6A3CE929D0E0E4736 00f067aa0ba902b7 x", W3C, SPAN),
        ("uber-trace-id: 4bf92f3577b34da6a3ce929d0e0e4736:00f067aa0ba902b7:0:1", W3C, SPAN),
        ("md5 4bf92f3577b34da6a3ce929d0e0e4736 of the file", (0, 0), 0),
        ("trace the request 4bf92f3577b34da6a3ce929d0e0e4736", (0, 0), 0),
        ("request 4bf92f35-77b3-4da6-a3ce-929d0e0e4736 done", (0, 0), 0),
        ("trace_id=- span_id=-", (0, 0), 0),
        ("sha 4bf92f3577b34da6a3ce929d0e0e47364bf92f35", (0, 0), 0),
    ];
    for (message, trace, span) in cases {
        let batches = decode("log-text", format!("2026-11-20 12:31:18 INFO {message}").as_bytes(), usize::MAX);
        let logs = &batches[0].logs;
        assert_eq!(((logs.trace_hi[0], logs.trace_lo[0]), logs.span_id[0]), (trace, span), "{message}");
    }
}
