use super::{Format, Headers, decode};
use crate::detect::tests::scene::{Scene, server};

/// Headers, and the format and trace id that they hold.
type Read<'a> = (&'a [(&'a str, &'a str)], Format, u128);

const TRACE: u128 = 0x4bf9_2f35_77b3_4da6_a3ce_929d_0e0e_4736;
const SPAN: u64 = 0x00f0_67aa_0ba9_02b7;

#[test]
fn each_format_is_read() {
    let low = u128::from(TRACE as u64);
    let bytes: Vec<u8> = [&[0, 0], &TRACE.to_be_bytes()[..], &[1], &SPAN.to_be_bytes(), &[2, 1]].concat();
    let binary = base64::Engine::encode(&base64::engine::general_purpose::STANDARD, bytes);
    let cases: [Read<'_>; 10] = [
        (&[("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")], Format::W3c, TRACE),
        (&[("b3", "a3ce929d0e0e4736-00f067aa0ba902b7-1-05e3ac9a4f6e3b90")], Format::B3Single, low),
        (
            &[
                ("x-b3-traceid", "4bf92f3577b34da6a3ce929d0e0e4736"),
                ("x-b3-spanid", "00f067aa0ba902b7"),
                ("x-b3-sampled", "1"),
            ],
            Format::B3Multi,
            TRACE,
        ),
        (&[("uber-trace-id", "4bf92f3577b34da6a3ce929d0e0e4736%3A00f067aa0ba902b7%3A0%3A1")], Format::Jaeger, TRACE),
        (
            &[("x-amzn-trace-id", "Root=1-4bf92f35-77b34da6a3ce929d0e0e4736;Parent=00f067aa0ba902b7;Sampled=1")],
            Format::XRay,
            TRACE,
        ),
        (
            &[("x-cloud-trace-context", "4bf92f3577b34da6a3ce929d0e0e4736/67667974448284343;o=1")],
            Format::GoogleCloud,
            TRACE,
        ),
        (
            &[
                ("x-datadog-trace-id", "11803532876627986230"),
                ("x-datadog-parent-id", "67667974448284343"),
                ("x-datadog-sampling-priority", "1"),
                ("x-datadog-tags", "_dd.p.dm=-0,_dd.p.tid=4bf92f3577b34da6"),
            ],
            Format::Datadog,
            TRACE,
        ),
        (&[("sw8", "1-YQ==-Yg==-3-Yw==-ZA==-ZQ==-Zg==")], Format::SkyWalking, 0),
        (&[("grpc-trace-bin", &binary)], Format::GrpcBinary, TRACE),
        (
            &[
                ("ot-tracer-traceid", "a3ce929d0e0e4736"),
                ("ot-tracer-spanid", "00f067aa0ba902b7"),
                ("ot-tracer-sampled", "true"),
            ],
            Format::OpenTracing,
            low,
        ),
    ];
    for (headers, format, trace_id) in cases {
        let read = decode::contexts(headers);
        let span_id = if trace_id == 0 { 0 } else { SPAN };
        assert_eq!(read.len(), 1, "{format:?}");
        assert_eq!((read[0].format, read[0].trace_id, read[0].span_id), (format, trace_id, span_id));
        assert_eq!(read[0].sampled, Some(true), "{format:?}");
    }
}

#[test]
fn a_sampling_decision_alone_has_no_ids() {
    let read = decode::contexts(&[("b3", "0")]);
    assert_eq!((read[0].has_ids(), read[0].sampled), (false, Some(false)));
}

#[test]
fn what_is_broken_is_read_as_far_as_it_goes() {
    for value in ["", "-", "00", "00-xyz-+1-01", "00-4bf92f3577b34da6a3ce929d0e0e473600-1-01", "é-é-é-é"] {
        let all = ["traceparent", "b3", "uber-trace-id", "x-amzn-trace-id", "x-cloud-trace-context", "grpc-trace-bin"];
        for name in all {
            let read = decode::contexts(&[(name, value)]);
            assert!(!read[0].has_ids(), "{name}: {value}");
        }
    }
}

#[test]
fn headers_are_found_under_their_old_and_new_keys() {
    let mut scene = Scene::new();
    let orders = scene.service("orders");
    let part = server(orders, "POST /orders", 0.0, 1.0)
        .with("http.request.header.x_b3_traceid", "0a")
        .with("rpc.grpc.request.metadata.x-b3-spanid", "0b")
        .with("rpc.request.metadata.Baggage", "a=b")
        .with("http.request.headers", "no");
    let put = scene.put(part);
    let stage = scene.finish();
    let (headers, span) = (Headers::of(&stage.window), stage.span(put));
    let contexts = headers.contexts(&stage.window, span);
    assert_eq!(contexts.iter().map(|one| (one.trace_id, one.span_id)).collect::<Vec<_>>(), [(10, 11)]);
    assert!(contexts[0].is_of(10) && contexts[0].is_of((7 << 64) + 10) && !contexts[0].is_of(11));
    assert_eq!(headers.get(&stage.window, span, "baggage"), Some("a=b"));
    assert_eq!(headers.all(&stage.window, span).count(), 3);
}
