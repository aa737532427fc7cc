//! What single lines become.

use super::{class, class_row, decode_text, field, flow_row, recognised, rows};

const HEADER: &str = "Attaching 1 probe...\n";

#[test]
fn traces_are_found_in_heads_of_every_form() {
    let (hi, lo, span) = (0x4bf9_2f35_77b3_4da6, 0xa3ce_929d_0e0e_4736, 0x00f0_67aa_0ba9_02b7);
    let heads = [
        r"TraceParent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\x0d\x0a",
        r"b3: 4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1\x0d\x0a",
        r"X-B3-TraceId: 4bf92f3577b34da6a3ce929d0e0e4736\x0d\x0aX-B3-SpanId: 00f067aa0ba902b7\x0d\x0a",
    ];
    for head in heads {
        let text = format!(
            r"{HEADER}2964408785135 22195 22934 Web Content sendto fd=10 len=165 buf=GET /a?x=1 HTTP/1.1\x0d\x0aHost: 10.0.0.1:80\x0d\x0a{head}\x0d\x0a"
        );
        let batch = decode_text("bpftrace-text", "heads.bt", &text);
        let sent = class(&batch, "sendto");
        assert_eq!(
            (sent.trace_hi.get(0), sent.trace_lo.get(0), sent.span_id.get(0)),
            (Some(hi), Some(lo), Some(span)),
            "{head}"
        );
        assert_eq!(
            (sent.pid.get(0), sent.tid.get(0), sent.comm.get(0)),
            (Some(22_195), Some(22_934), Some("Web Content"))
        );
        assert_eq!(field(&batch, "sendto", "http_target"), Some("\"/a?x=1\"".to_owned()));
        assert!(
            flow_row(&batch, 0).contains("data (None, None, None, None) (Some(22195), Some(165)"),
            "{}",
            flow_row(&batch, 0)
        );
    }
}

/// A buffer may be longer than what was sent and hold what was sent before.
#[test]
fn traces_behind_the_head_are_not_taken() {
    let text = format!(
        r"{HEADER}2964408785135 1 1 a sendto fd=1 len=38 buf=HTTP/1.1 200 OK\x0d\x0a\x0d\x0a\x00traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    );
    let batch = decode_text("bpftrace-text", "heads.bt", &text);
    assert_eq!(class(&batch, "sendto").trace_lo.get(0), None);
    assert_eq!(field(&batch, "sendto", "http_status"), Some("200".to_owned()));
}

#[test]
fn lines_of_scripts_are_read_by_their_form() {
    let cases = [
        ("plain words", r#"("bpf", "printf", "written")"#, r#"text="plain words""#),
        (
            r#"{"event":"open","ts_ns":2964408785135,"path":"/x","ok":true,"n":[1]}"#,
            r#"("bpf", "open", "boottime") 2964408785135"#,
            r#"n=[1] ok=true path="/x" ts_ns=2964408785135"#,
        ),
        (
            "ts=2964408785135 pid=7 comm=a b reason=\"x y\" ratio=0.5",
            r#"("bpf", "printf", "boottime") 2964408785135 (None, Some(7), None, Some("a b"), None)"#,
            "ratio=0.5 reason=\"x y\" ts=2964408785135",
        ),
        ("12:16:58 connect pid=5 lat_us=83", r#"("bpf", "connect", "time-of-day")"#, "lat_us=83"),
        ("2026-11-20 12:16:58.5 close fd=3", r#"("bpf", "close", "realtime") 1795177018500000000"#, "fd=3"),
        (
            "2690656087824 retransmit 0 swapper/0 state=4 [::1]:49218 -> ::1:19001",
            r#"("bpf", "retransmit", "boottime")"#,
            r#"daddr="::1" dport=19001 saddr="::1" sport=49218 state=4"#,
        ),
    ];
    for (line, begin, fields) in cases {
        let batch = decode_text("bpftrace-text", "x.bt", &format!("{HEADER}{line}\n"));
        let row = rows(std::slice::from_ref(&batch)).remove(0);
        assert!(row.starts_with(begin), "{line}: {row}");
        assert!(row.ends_with(fields), "{line}: {row}");
    }
}

#[test]
fn what_was_lost_becomes_a_gap() {
    let json = "{\"type\": \"attached_probes\", \"data\": {\"probes\": 1}}\n{\"type\": \"lost_events\", \"data\": {\"events\": 12}}\n";
    let pipe = "  cat-3 [000] d..2. 10.000001: sched_wakeup: comm=a pid=1\nCPU:1 [LOST 77 EVENTS]\n  cat-3 [001] d..2. 10.000009: sched_wakeup: comm=a pid=1\n";
    let script =
        "perf 1 [000] 10.000001: sched:sched_wakeup: comm=a pid=1\nperf 1 [000] 10.000009: PERF_RECORD_LOST lost 5\n";
    let cases = [
        ("bpftrace-json", json, Some(12), "bpf"),
        ("bpftrace-text", "Attaching 1 probe...\nLost 3 events\n", Some(3), "bpf"),
        ("bcc", "PID COMM FD ERR PATH\nPossibly lost 4 samples\n", Some(4), "bpf"),
        ("ftrace", pipe, Some(77), "cpu 1"),
        ("perf-script", script, Some(5), "cpu 0"),
        (
            "perf-script",
            "Warning:\nProcessed 1200 events and lost 3 chunks!\n\nCheck IO/CPU overload!\n",
            Some(3),
            "perf",
        ),
    ];
    for (format, text, lost, stream) in cases {
        let batch = decode_text(format, "", text);
        assert_eq!(batch.gaps.len(), 1, "{format}");
        assert_eq!(
            (batch.gaps[0].lost, batch.gaps[0].stream.as_str(), batch.rejects.count),
            (lost, stream, 0),
            "{format}"
        );
    }
    let gap = &decode_text("ftrace", "", pipe).gaps[0];
    assert_eq!((gap.from_ns, gap.to_ns), (10_000_001_000, 10_000_009_000));
}

#[test]
fn the_header_of_perf_tells_the_offset() {
    let text = "# clockid: monotonic (1)\n# reference time: 2026-11-20 12:27:14.727478 = 1795177634.727478 (TOD) = 2534.199052914 (monotonic)\n#\nperf 1/2 [000] 2540.442177: 250000 cycles:u: \n\tffffffff813af60a update_se+0x1a ([kernel.kallsyms])\n\t7f0011223344 main (/bin/x)\n\n";
    assert_eq!(recognised(text.as_bytes()), Some("perf-script"));
    let batch = decode_text("perf-script", "", text);
    let row = class_row(class(&batch, "cycles"), 0);
    assert!(row.contains("1795177640970602086 (Some(0), Some(1), Some(2), Some(\"perf\"), None)"), "{row}");
    assert!(row.contains(r#"frames=["update_se+0x1a ([kernel.kallsyms])","main (/bin/x)"] period=250000"#), "{row}");
}

#[test]
fn tracepoints_of_sockets_are_flows() {
    let ends = "sport=0 dport=80 saddr=127.0.0.1 daddr=10.0.0.1 saddrv6=::ffff:127.0.0.1 daddrv6=::ffff:10.0.0.1";
    let lines = [
        ("inet_sock_set_state", "oldstate=TCP_SYN_SENT newstate=TCP_ESTABLISHED", "connect"),
        ("inet_sock_set_state", "oldstate=TCP_SYN_RECV newstate=TCP_ESTABLISHED", "accept"),
        ("inet_sock_set_state", "oldstate=TCP_LAST_ACK newstate=TCP_CLOSE", "close"),
        ("inet_sock_set_state", "oldstate=TCP_ESTABLISHED newstate=TCP_FIN_WAIT1", "state"),
        ("tcp_retransmit_skb", "state=TCP_ESTABLISHED", "retransmit"),
        ("tcp_receive_reset", "sock_cookie=1", "reset"),
        ("tcp_destroy_sock", "sock_cookie=1", "close"),
    ];
    for (name, more, kind) in lines {
        let body = format!("family=AF_INET protocol=IPPROTO_TCP {ends} {more}");
        let perf = decode_text("perf-script", "", &format!("a b 1/2 [000] 10.000001: tcp:{name}: {body}\n"));
        let ftrace = decode_text("ftrace", "", &format!("  a b-2 (   1) [000] d..2. 10.000001: {name}: {body}\n"));
        for batch in [perf, ftrace] {
            let flow = flow_row(&batch, 0);
            let expected =
                format!("10000001000 {kind} (Some(\"127.0.0.1\"), Some(0), Some(\"10.0.0.1\"), Some(80)) (Some(1)");
            assert!(flow.starts_with(&expected) && flow.contains("Some(\"a b\"), Some(\"tcp\")"), "{flow}");
            assert_eq!((class(&batch, name).tid.get(0), class(&batch, name).comm.get(0)), (Some(2), Some("a b")));
        }
    }
}

#[test]
fn tables_are_told_from_prose() {
    let text = "Demonstrations of tcpretrans, the Linux eBPF/bcc version.\n\n# ./tcpretrans\nTIME     PID    IP LADDR:LPORT          T> RADDR:RPORT          STATE\n01:55:05 0      4  10.153.223.157:22    R> 69.53.245.40:34619   ESTABLISHED\n[...]\n\nThis output shows three TCP retransmits, the first two were for an IPv4\n";
    assert_eq!(recognised(text.as_bytes()), Some("bcc"));
    let batch = decode_text("bcc", "tcpretrans_example.txt", text);
    assert_eq!((class(&batch, "tcpretrans").len(), batch.flows.len()), (1, 1));
    let flow = flow_row(&batch, 0);
    assert!(
        flow.contains(r#"retransmit (Some("10.153.223.157"), Some(22), Some("69.53.245.40"), Some(34619))"#),
        "{flow}"
    );
}

#[test]
fn scripts_are_recognised_without_their_greeting() {
    let printed = [
        "2541728048801 retransmit 0 swapper/0 state=4 127.0.0.1:1 -> 127.0.0.1:2\n",
        "1900436182668 4369 python 1->4 127.0.0.1:40640 127.0.0.1:18084\n",
        "12:16:58 connect pid=5 tid=5 comm=python fd=6\n",
    ];
    for line in printed {
        assert_eq!(recognised(line.repeat(3).as_bytes()), Some("bpftrace-text"), "{line}");
    }
}

#[test]
fn logs_are_not_claimed() {
    let logs = [
        "time=2026-11-20T12:00:00Z level=info msg=\"started\" pid=12\n",
        "{\"level\":\"info\",\"msg\":\"x\",\"type\":\"printf\"}\n",
        "{\"type\":\"time\",\"level\":\"info\"}\n",
        "Nov 20 12:00:00 host app[12]: connected to 10.0.0.1:80\n",
        "I1120 12:00:00.000001   1234 main.go:12] hello\n",
        "2026-11-20 12:00:00,123 INFO [main] app: started\n",
        "ERROR PID COMM\nfoo bar baz\n",
        "10.0.0.1 - - [20/Nov/2026:12:00:00 +0000] \"GET / HTTP/1.1\" 200 5\n",
        "[12:00:00] starting: 1 2 3\n",
        "1795177634727 12 worker key=value\n",
        "12:00:00 request pid=12 done\n",
    ];
    for log in logs {
        let name = recognised(log.repeat(3).as_bytes());
        let is_ours = name.is_some_and(|name| {
            name.starts_with("bpf") || name.starts_with("perf") || name == "bcc" || name == "ftrace"
        });
        assert!(!is_ours, "{log}: {name:?}");
    }
}
