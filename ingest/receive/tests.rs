//! Receivers on loopback, spoken to by a real gRPC client and by hand-written HTTP.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use flate2::Compression;
use flate2::write::GzEncoder;
use tempfile::TempDir;
use tonic::Code;
use tonic::codec::CompressionEncoding;

use super::kind::{Kind, Payload, Protocol};
use super::spool::{Position, Spool, SpoolLimits};
use super::*;
use crate::format::Settings;
use crate::read::tests::options;
use crate::testing::{Blocking, Template};

/// Receivers with a spool and no store behind it.
struct House {
    receivers: Receivers,
    spool: Arc<Spool>,
    _folder: TempDir,
}

impl House {
    fn open(limits: SpoolLimits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let spool = Arc::new(Spool::open(folder.path(), Position::default(), limits).unwrap());
        let anywhere = || Some("127.0.0.1:0".to_owned());
        let doors =
            ListenOptions { grpc: anywhere(), http: anywhere(), zipkin: anywhere(), ..ListenOptions::default() };
        let read = options(1);
        let settings = Settings { conventions: read.conventions, limits: read.limits, patterns: read.patterns };
        let receivers = Doors::bind(&doors).unwrap().open(spool.clone(), settings).unwrap();
        Self { receivers, spool, _folder: folder }
    }

    fn address(&self, protocol: Protocol) -> SocketAddr {
        self.receivers.bound().iter().find(|bound| bound.protocol == protocol).unwrap().address
    }

    fn grpc(&self) -> Blocking {
        Blocking::connect(&self.address(Protocol::Grpc).to_string()).unwrap()
    }

    /// Returns what was kept.
    fn kept(&self) -> Vec<(Kind, Vec<u8>)> {
        let end = self.spool.wait_beyond(Position::default(), Duration::ZERO);
        let mut reader = self.spool.reader(Position::default());
        std::iter::from_fn(|| reader.next(end).unwrap()).map(|(record, _)| (record.kind, record.bytes)).collect()
    }

    /// Sends a request to the HTTP door and returns the whole answer.
    fn post(&self, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        self.ask(Protocol::Http, "POST", path, headers, body)
    }

    fn ask(&self, protocol: Protocol, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> String {
        let mut stream = TcpStream::connect(self.address(protocol)).unwrap();
        let host = if headers.iter().any(|(name, _)| *name == "host") { "" } else { "host: localhost\r\n" };
        let headers = headers.iter().flat_map(|(name, value)| [*name, ": ", *value, "\r\n"]).collect::<String>();
        let head = format!(
            "{method} {path} HTTP/1.1\r\n{host}{headers}content-length: {}\r\nconnection: close\r\n\r\n",
            body.len()
        );
        stream.write_all(head.as_bytes()).unwrap();
        // A receiver may answer before it has read everything.
        let _ = stream.write_all(body);
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    }
}

const JSON: (&str, &str) = ("content-type", "application/json");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const SPAN: &str = r#"{"resourceSpans":[{"scopeSpans":[{"spans":[{"traceId":"0102030405060708090a0b0c0d0e0f10","spanId":"0102030405060708","name":"a"}]}]}]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_is_acknowledged_is_in_the_spool_byte_for_byte() {
    let house = House::open(SpoolLimits::default());
    let mut template = Template::new(16);
    let requests: Vec<Bytes> = (0..4).map(|number| template.request(number)).collect();
    assert_eq!(house.grpc().send_traces(requests[0].clone()).unwrap(), 0);
    for (encoding, request) in [(CompressionEncoding::Gzip, &requests[1]), (CompressionEncoding::Zstd, &requests[2])] {
        assert!(house.grpc().compressed(encoding).send_traces(request.clone()).is_ok());
    }
    let answer = house.post("/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], &gzip(&requests[3]));
    assert!(answer.starts_with("HTTP/1.1 200") && answer.contains("content-type: application/x-protobuf"), "{answer}");
    let answer = house.post("/v1/traces", &[JSON], SPAN.as_bytes());
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("\r\n\r\n{}"), "{answer}");
    let grpc = Kind { protocol: Protocol::Grpc, payload: Payload::Traces };
    let (http, json) =
        (Kind { protocol: Protocol::Http, ..grpc }, Kind { protocol: Protocol::Http, payload: Payload::Json });
    let mut expected: Vec<_> = requests[..3].iter().map(|request| (grpc, request.to_vec())).collect();
    expected.extend([(http, requests[3].to_vec()), (json, SPAN.as_bytes().to_vec())]);
    assert_eq!(house.kept(), expected);
}

#[test]
fn what_cannot_be_taken_is_counted_in_the_answer() {
    let house = House::open(SpoolLimits::default());
    let mut request = Template::new(16).request(0).to_vec();
    let name = memchr::memmem::find(&request, b"GET /orders/{id} 3").unwrap();
    request[name - 2] |= 7;
    assert_eq!(house.grpc().send_traces(request.into()).unwrap(), 1);
    let (good, bad) = (SPAN, SPAN.replace("\"name\":\"a\"", "\"startTimeUnixNano\":\"x\""));
    let both = good.replacen(
        "\"spans\":[",
        &format!("\"spans\":[{},", &bad[bad.find("{\"traceId").unwrap()..bad.find("]}]}]}").unwrap()]),
        1,
    );
    let answer = house.post("/v1/traces", &[JSON], both.as_bytes());
    assert!(answer.contains(r#""partialSuccess":{"#) && answer.contains(r#""rejectedSpans":"1""#), "{answer}");
    for nonsense in ["{\"resourceSpans\":[{\"scope", "nonsense"] {
        let answer = house.post("/v1/traces", &[JSON], nonsense.as_bytes());
        assert!(answer.starts_with("HTTP/1.1 400") && answer.contains("\"code\":3"), "{nonsense}: {answer}");
    }
    let status = house.grpc().send_traces(Bytes::from_static(b"no protobuf at all")).unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
}

#[test]
fn too_large_requests_are_refused_and_the_connection_lives() {
    let house = House::open(SpoolLimits::default());
    let large = vec![0; MAX_REQUEST_BYTES + 1];
    for encoding in [None, Some(CompressionEncoding::Gzip), Some(CompressionEncoding::Zstd)] {
        let sender = house.grpc();
        let mut sender = encoding.map_or_else(|| house.grpc(), |encoding| sender.compressed(encoding));
        let status = sender.send_traces(large.clone().into()).unwrap_err();
        assert_eq!(status.code(), Code::ResourceExhausted, "{encoding:?}: {status}");
        assert!(status.details().is_empty(), "to send it again would not help");
        assert!(sender.send_traces(Template::new(8).request(0)).is_ok(), "{encoding:?}");
    }
    let bomb = gzip(&large);
    assert!(bomb.len() < 200_000);
    let answer = house.post("/v1/traces", &[PROTOBUF, ("content-encoding", "gzip")], &bomb);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
    let answer = house.post("/v1/traces", &[PROTOBUF], &vec![0; MAX_REQUEST_BYTES + 4096]);
    assert!(answer.starts_with("HTTP/1.1 413"), "{answer}");
}

#[test]
fn mistakes_of_senders_are_named() {
    let house = House::open(SpoolLimits::default());
    let cases = [
        (house.post("/v1/traces", &[("content-type", "text/plain")], b"x"), "415", "text/plain"),
        (house.post("/v1/traces", &[JSON, ("content-encoding", "br")], b"x"), "415", "gzip"),
        (house.post("/v1/traces", &[JSON, ("content-encoding", "gzip")], b"x"), "400", "decompressed"),
        (house.post("/v2/traces", &[JSON], b"{}"), "404", "/v1/traces"),
        (house.ask(Protocol::Http, "GET", "/v1/traces", &[], b""), "405", "allow: POST"),
        (house.ask(Protocol::Http, "OPTIONS", "/v1/traces", &[], b""), "405", "allow: POST"),
        (house.post("/v1/traces", &[JSON, ("host", "evil.example:4318")], SPAN.as_bytes()), "403", "host"),
        (house.post("/v1/traces", &[JSON, ("origin", "http://localhost:3000")], SPAN.as_bytes()), "403", "browser"),
        (house.ask(Protocol::Zipkin, "POST", "/v1/traces", &[JSON], b"[]"), "404", "/api/v2/spans"),
    ];
    for (answer, status, text) in cases {
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")) && answer.contains(text), "{status}: {answer}");
        assert!(!answer.contains("access-control"), "{answer}");
    }
    let status = house.grpc().send("/grpc.health.v1.Health/Check", Bytes::new()).unwrap_err();
    assert_eq!(status.code(), Code::Unimplemented);
    assert_eq!(house.kept(), []);
}

#[test]
fn zipkin_is_answered_as_zipkin_answers_or_said_to_be_missing() {
    let house = House::open(SpoolLimits::default());
    let span = br#"[{"traceId":"0102030405060708","id":"0102030405060708","name":"a","timestamp":1700000000000000,"duration":5}]"#;
    let answer = house.ask(Protocol::Zipkin, "POST", "/api/v2/spans", &[JSON], span);
    let is_there = crate::format::by_name("zipkin-json").is_some();
    assert!(answer.starts_with(if is_there { "HTTP/1.1 202" } else { "HTTP/1.1 501" }), "{answer}");
    assert_eq!(house.kept().len(), usize::from(is_there));
}

#[test]
fn a_full_spool_is_said_to_be_busy_with_a_hint_when_to_come_again() {
    let house = House::open(SpoolLimits { unstored_bytes: 100, ..SpoolLimits::default() });
    let request = Template::new(8).request(0);
    let status = house.grpc().send_traces(request.clone()).unwrap_err();
    assert_eq!(status.code(), Code::Unavailable);
    assert!(memchr::memmem::find(status.details(), b"google.rpc.RetryInfo").is_some());
    let answer = house.post("/v1/traces", &[PROTOBUF], &request);
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("retry-after: 2"), "{answer}");
    let house = House::open(SpoolLimits { waiting_bytes: 100, ..SpoolLimits::default() });
    let answer = house.post("/v1/traces", &[PROTOBUF], &request);
    assert!(answer.starts_with("HTTP/1.1 429") && answer.contains("retry-after: 1"), "{answer}");
    assert_eq!(house.kept(), []);
}

#[test]
fn who_says_nothing_or_stops_in_the_middle_is_let_go_and_others_are_served() {
    let house = House::open(SpoolLimits::default());
    let silent = TcpStream::connect(house.address(Protocol::Grpc)).unwrap();
    let mut slow: Vec<TcpStream> = [
        "POST /v1/traces HT",
        "POST /v1/traces HTTP/1.1\r\nhost: localhost\r\ncontent-length: 5\r\ncontent-type: application/json\r\n\r\n{",
    ]
    .iter()
    .map(|text| {
        let mut stream = TcpStream::connect(house.address(Protocol::Http)).unwrap();
        stream.write_all(text.as_bytes()).unwrap();
        stream
    })
    .collect();
    slow.push(silent);
    let begun = Instant::now();
    assert!(house.grpc().send_traces(Template::new(8).request(0)).is_ok());
    assert!(begun.elapsed() < Duration::from_secs(2));
    for mut stream in slow {
        stream.set_read_timeout(Some(Duration::from_secs(14))).unwrap();
        let mut answer = Vec::new();
        let read = stream.read_to_end(&mut answer);
        assert!(!read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "still open");
        assert!(begun.elapsed() < Duration::from_secs(14));
    }
}

#[test]
fn silent_connections_make_room_for_others() {
    let house = House::open(SpoolLimits::default());
    let silent: Vec<TcpStream> =
        (0..600).filter_map(|_| TcpStream::connect(house.address(Protocol::Http)).ok()).collect();
    assert!(silent.len() > 512);
    assert!(house.post("/v1/traces", &[JSON], SPAN.as_bytes()).starts_with("HTTP/1.1 200"));
    assert!(house.grpc().send_traces(Template::new(8).request(0)).is_ok());
}

#[test]
fn closing_answers_what_came_and_takes_no_more() {
    let mut house = House::open(SpoolLimits::default());
    let mut sender = house.grpc();
    let mut template = Template::new(8);
    sender.send_traces(template.request(0)).unwrap();
    house.receivers.close();
    assert!(sender.send_traces(template.request(1)).is_err());
    assert_eq!(house.kept().len(), 1);
}
