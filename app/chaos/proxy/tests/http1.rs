//! HTTP/1 through a link: what must stay as it is, and faults as they look on the wire.

use std::io::ErrorKind;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use riftline_queries::replay::fault::{Fault, Place, Unit, When};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::time::Instant;

use super::peer::{Bench, GET, OK, fault, head, latency, rest};
use crate::chaos::faults::FAULTS;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::{LinkSpec, Protocol};
use crate::chaos::proxy::registry::{Limits, Registry, RegistryError};

const PARENT: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

fn traced(path: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: shop\r\ntraceparent: {PARENT}\r\nX-B3-TraceId: 0af7651916cd43dd8448eb211c80319c\r\n\
             Baggage: userId=1\r\nX-Other: 1\r\n\r\n"
    )
}

#[tokio::test]
async fn letters_order_and_lengths_stay() {
    let bench = Bench::new(Protocol::Auto).await;
    let request = "POST /a?b=%20c HTTP/1.1\r\nHost: shop\r\nX-TraceID: 1\r\nx-lower: 2\r\nContent-Length: 3\r\n\r\nabc";
    let answer = "HTTP/1.1 404 Not Found\r\nX-Zulu: 1\r\nETag: \"x\"\r\nX-Alpha: 2\r\nContent-Length: 2\r\n\r\nno";
    let mut client = bench.connect().await;
    client.write_all(request.as_bytes()).await.unwrap();
    let mut server = bench.accept().await;
    let mut heard = head(&mut server).await;
    let mut body = [0; 3];
    server.read_exact(&mut body).await.unwrap();
    heard.push_str(std::str::from_utf8(&body).unwrap());
    server.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(heard, request);
    let mut got = vec![0; answer.len()];
    client.read_exact(&mut got).await.unwrap();
    assert_eq!(String::from_utf8(got).unwrap(), answer);
}

#[tokio::test]
async fn a_connection_is_kept_and_the_upstream_closes_it() {
    let bench = Bench::new(Protocol::Http).await;
    let (mut client, answer) = (bench.connect().await, "HTTP/1.1 204 No Content\r\n\r\n");
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut server = bench.accept().await;
    for _ in 0..2 {
        head(&mut server).await;
        server.write_all(answer.as_bytes()).await.unwrap();
        assert_eq!(head(&mut client).await, answer);
        client.write_all(GET.as_bytes()).await.unwrap();
    }
    head(&mut server).await;
    server.write_all(answer.as_bytes()).await.unwrap();
    assert_eq!(head(&mut client).await, answer);
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), "");
}

#[tokio::test]
async fn a_head_request_has_a_length_and_no_body() {
    let bench = Bench::new(Protocol::Auto).await;
    let answer = "HTTP/1.1 200 OK\r\nContent-Length: 12345\r\nConnection: close\r\n\r\n";
    let (heard, got) = bench.exchange("HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n", answer).await;
    assert_eq!(heard, "HEAD / HTTP/1.1\r\nHost: shop\r\n\r\n");
    assert!(got.unwrap().contains("12345"));
}

#[tokio::test]
async fn chunks_and_trailers_pass() {
    let bench = Bench::new(Protocol::Auto).await;
    let request = "GET / HTTP/1.1\r\nHost: shop\r\nTE: trailers\r\nConnection: TE\r\n\r\n";
    let answer = "HTTP/1.1 200 OK\r\nTrailer: x-sum\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n\
                  3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n";
    let got = bench.exchange(request, answer).await.1.unwrap();
    assert!(got.ends_with("3\r\nabc\r\n0\r\nx-sum: 7\r\n\r\n"), "{got}");
}

#[tokio::test]
async fn a_client_that_waits_for_100_is_told_to_go_on() {
    let bench = Bench::new(Protocol::Auto).await;
    let mut client = bench.connect().await;
    client.write_all(b"POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n").await.unwrap();
    let mut server = bench.accept().await;
    assert!(head(&mut server).await.contains("100-continue"));
    assert_eq!(head(&mut client).await, "HTTP/1.1 100 Continue\r\n\r\n");
    client.write_all(b"ok").await.unwrap();
    let mut body = [0; 2];
    server.read_exact(&mut body).await.unwrap();
    server.write_all(OK.as_bytes()).await.unwrap();
    assert!(rest(&mut client).await.unwrap().ends_with("0123456789"));
}

#[tokio::test]
async fn after_an_upgrade_bytes_pass_both_ways() {
    let bench = Bench::new(Protocol::Auto).await;
    let mut client = bench.connect().await;
    let request = "GET /chat HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    let agreed = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n";
    client.write_all(request.as_bytes()).await.unwrap();
    let mut server = bench.accept().await;
    assert!(head(&mut server).await.to_lowercase().contains("upgrade: websocket"));
    server.write_all(agreed.as_bytes()).await.unwrap();
    assert!(head(&mut client).await.starts_with("HTTP/1.1 101"));
    let mut buffer = [0; 4];
    for (from, to) in [(0, 1), (1, 0)] {
        let ends = [&mut client, &mut server];
        let [a, b] = ends;
        let (from, to) = if from < to { (a, b) } else { (b, a) };
        from.write_all(b"\x00ab\xff").await.unwrap();
        to.read_exact(&mut buffer).await.unwrap();
        assert_eq!(&buffer, b"\x00ab\xff");
    }
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap(), "");
}

#[tokio::test]
async fn a_server_may_speak_first() {
    let bench = Bench::new(Protocol::Auto).await;
    let mut client = bench.connect().await;
    let mut server = bench.accept().await;
    server.write_all(b"220 mail\r\n\r\n").await.unwrap();
    assert_eq!(head(&mut client).await, "220 mail\r\n\r\n");
    client.write_all(b"GET no HTTP\r\n\r\n").await.unwrap();
    assert_eq!(head(&mut server).await, "GET no HTTP\r\n\r\n");
}

#[tokio::test]
async fn an_upstream_that_is_down_is_told_by_the_proxy() {
    let bench = Bench::new(Protocol::Auto).await;
    let spec = LinkSpec { upstream: "127.0.0.1:1".to_owned(), ..(*bench.link.spec()).clone() };
    bench.registry.update(spec).await.unwrap();
    let mut client = bench.connect().await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let answer = head(&mut client).await;
    assert!(answer.starts_with("HTTP/1.1 502"), "{answer}");
    assert!(answer.contains("x-riftline-proxy: upstream 127.0.0.1:1: "), "{answer}");
    let mut raw = bench.connect().await;
    raw.write_all(b"*1\r\n$4\r\nPING\r\n").await.unwrap();
    assert_eq!(rest(&mut raw).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn an_upstream_that_breaks_off_is_seen_as_it_is() {
    let bench = Bench::new(Protocol::Http).await;
    let mut client = bench.connect().await;
    client.write_all(GET.as_bytes()).await.unwrap();
    let mut server = bench.accept().await;
    head(&mut server).await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert_eq!(rest(&mut client).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    let (_, got) = bench.exchange(GET, "").await;
    assert_eq!(got.unwrap(), "", "closed without a word");
}

#[tokio::test]
async fn faults_that_are_too_weak_change_nothing() {
    let plain = Bench::new(Protocol::Http).await.exchange(&traced("/"), OK).await;
    for entry in FAULTS {
        let with = match entry.name {
            "error" => json!({"status": 503}),
            "idle-reset" => json!({"after_ms": 5}),
            "bandwidth" => json!({"kb_per_s": 0.001}),
            "truncate" => json!({"bytes": 0}),
            "connection-limit" => json!({"max": 0}),
            "context-rename" => json!({"to": "x-*"}),
            _ => Value::Null,
        };
        for place in entry.places {
            let bench = Bench::new(Protocol::Http).await;
            let base = if entry.has_magnitude { latency(*place, 1e6) } else { fault(entry.name, *place, with.clone()) };
            let armed = bench.arm(Fault { when: When { share: 0.0, ..When::default() }, ..base });
            let got = bench.exchange(&traced("/"), OK).await;
            assert_eq!((&got.0, got.1.as_ref().unwrap()), (&plain.0, plain.1.as_ref().unwrap()), "{}", entry.name);
            assert_eq!(armed.tally().hit, 0, "{}", entry.name);
        }
    }
    for weak in [
        latency(Place::Request, 0.0),
        latency(Place::Response, 0.0),
        latency(Place::Connection, 0.0),
        fault("drip", Place::Response, json!({"every_ms": 0})),
        fault("bandwidth", Place::Connection, json!({"kb_per_s": 10_000_000})),
        fault("truncate", Place::Response, json!({"bytes": 1_000_000})),
        fault("connection-limit", Place::Connection, json!({"max": 1_000_000})),
        fault("hang", Place::Request, json!({"release_ms": 0})),
    ] {
        let bench = Bench::new(Protocol::Http).await;
        let kind = weak.kind.clone();
        bench.arm(weak);
        let got = bench.exchange(&traced("/"), OK).await;
        assert_eq!((&got.0, got.1.as_ref().unwrap()), (&plain.0, plain.1.as_ref().unwrap()), "{kind}");
    }
}

#[tokio::test]
async fn latency_is_added_before_or_after_the_server_works() {
    for place in [Place::Request, Place::Response, Place::Connection] {
        let bench = Bench::new(Protocol::Http).await;
        let armed = bench.arm(latency(place, 60.0));
        let began = Instant::now();
        let (heard, got) = bench.exchange(GET, OK).await;
        assert!(began.elapsed() >= Duration::from_millis(60), "{place:?}");
        assert!(heard == GET && got.unwrap().ends_with("0123456789"));
        assert_eq!(armed.tally().hit, 1);
        if place != Place::Connection {
            assert!(armed.tally().actual_ms >= 60.0 && (armed.tally().planned_ms - 60.0).abs() < 0.1);
        }
    }
}

#[tokio::test]
async fn an_error_is_answered_with_all_its_words() {
    let bench = Bench::new(Protocol::Http).await;
    let with = json!({"status": 429, "body": "slow down", "retry_after_s": 7});
    bench.arm(fault("error", Place::Request, with));
    let got = bench.ask("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n").await.unwrap();
    assert!(got.starts_with("HTTP/1.1 429 Too Many Requests\r\n"), "{got}");
    assert!(got.contains("retry-after: 7\r\n") && got.contains("content-length: 9\r\n"), "{got}");
    assert!(got.ends_with("\r\n\r\nslow down"), "{got}");
}

#[tokio::test]
async fn an_error_at_the_response_comes_after_the_work() {
    let bench = Bench::new(Protocol::Http).await;
    bench.arm(fault("error", Place::Response, json!({"status": 500})));
    let (heard, got) = bench.exchange(GET, OK).await;
    assert_eq!(heard, GET);
    assert!(got.unwrap().starts_with("HTTP/1.1 500"));
}

#[tokio::test]
async fn an_abort_is_a_reset_or_a_close() {
    let bench = Bench::new(Protocol::Http).await;
    bench.arm(fault("abort", Place::Request, Value::Null));
    let error = bench.ask(GET).await.unwrap_err();
    assert_eq!((error.kind(), error.to_string()), (ErrorKind::ConnectionReset, String::new()));
    bench.registry.disarm("link", "fault").unwrap();
    bench.arm(fault("abort", Place::Request, json!({"how": "close"})));
    assert_eq!(bench.ask(GET).await.unwrap(), "");
}

#[tokio::test]
async fn an_abort_may_come_after_the_headers_or_in_the_body() {
    for (moment, ends) in [("headers", "\r\n\r\n"), ("body", "\r\n\r\n01234")] {
        let bench = Bench::new(Protocol::Http).await;
        bench.arm(fault("abort", Place::Request, json!({"where": moment})));
        let error = bench.exchange(GET, OK).await.1.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionReset);
        assert!(error.to_string().starts_with("HTTP/1.1 200") && error.to_string().ends_with(ends), "{error}");
    }
}

#[tokio::test]
async fn a_connection_can_be_cut_as_it_is_made() {
    let bench = Bench::new(Protocol::Tcp).await;
    bench.arm(fault("abort", Place::Connection, Value::Null));
    assert_eq!(bench.refused().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn connections_beyond_the_limit_are_reset() {
    let bench = Bench::new(Protocol::Tcp).await;
    bench.arm(fault("connection-limit", Place::Connection, json!({"max": 1})));
    let mut first = bench.connect().await;
    let mut server = bench.accept().await;
    assert_eq!(bench.refused().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    first.write_all(b"still here\r\n\r\n").await.unwrap();
    assert_eq!(head(&mut server).await, "still here\r\n\r\n");
}

#[tokio::test]
async fn a_body_drips_and_ends() {
    let bench = Bench::new(Protocol::Http).await;
    bench.arm(fault("drip", Place::Response, json!({"bytes": 4, "every_ms": 20})));
    let began = Instant::now();
    let got = bench.exchange(GET, OK).await.1.unwrap();
    assert!(got.ends_with("\r\n\r\n0123456789"));
    assert!(began.elapsed() >= Duration::from_millis(40));
}

#[tokio::test]
async fn a_narrow_link_takes_its_time() {
    for place in [Place::Response, Place::Connection] {
        let bench = Bench::new(Protocol::Http).await;
        bench.arm(fault("bandwidth", place, json!({"kb_per_s": 0.1})));
        let began = Instant::now();
        let got = bench.exchange(GET, OK).await.1.unwrap();
        assert!(got.ends_with("0123456789") && began.elapsed() >= Duration::from_millis(100), "{place:?}");
    }
}

#[tokio::test]
async fn less_comes_than_was_announced() {
    for (place, ends) in [(Place::Response, "\r\n\r\n0123"), (Place::Connection, "HTTP")] {
        let bench = Bench::new(Protocol::Http).await;
        bench.arm(fault("truncate", place, json!({"bytes": 4})));
        let got = bench.exchange(GET, OK).await.1.unwrap();
        assert!(got.ends_with(ends), "{got}");
        assert!(place == Place::Connection || got.contains("Content-Length: 10"), "{got}");
    }
}

#[tokio::test]
async fn an_idle_connection_is_reset_when_it_is_used_again() {
    let bench = Bench::new(Protocol::Tcp).await;
    bench.arm(fault("idle-reset", Place::Connection, json!({"after_ms": 30})));
    let mut client = bench.connect().await;
    let mut server = bench.accept().await;
    tokio::time::sleep(Duration::from_millis(60)).await;
    client.write_all(b"still there?").await.unwrap();
    assert_eq!(rest(&mut client).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(rest(&mut server).await.unwrap_err().to_string(), "", "nothing of it arrived");
    bench.registry.disarm("link", "fault").unwrap();
    bench.arm(fault("idle-reset", Place::Connection, json!({"after_ms": 30, "half_open": false})));
    let mut client = bench.connect().await;
    assert_eq!(rest(&mut client).await.unwrap_err().kind(), ErrorKind::ConnectionReset);
}

#[tokio::test]
async fn what_hangs_goes_on_when_the_fault_is_taken_away() {
    for place in [Place::Request, Place::Response, Place::Connection] {
        let bench = Bench::new(Protocol::Http).await;
        let armed = bench.arm(fault("hang", place, Value::Null));
        let release = async {
            while armed.tally().hit == 0 {
                tokio::task::yield_now().await;
            }
            bench.registry.disarm("link", "fault").unwrap();
        };
        let ((heard, got), ()) = tokio::join!(bench.exchange(GET, OK), release);
        assert!(heard == GET && got.unwrap().ends_with("0123456789"), "{place:?}");
    }
}

#[tokio::test]
async fn what_hangs_is_held_and_nothing_of_it_is_lost() {
    let bench = Bench::new(Protocol::Tcp).await;
    bench.arm(fault("hang", Place::Connection, Value::Null));
    let (mut client, mut server) = (bench.connect().await, bench.accept().await);
    let said = vec![7; 16 << 20];
    let speaking = async {
        client.write_all(&said).await.unwrap();
        client.shutdown().await.unwrap();
    };
    let hearing = async {
        let held = || bench.link.traffic.from_client.load(Ordering::Relaxed);
        while held() < 64 << 10 {
            tokio::task::yield_now().await;
        }
        assert!(held() < 8 << 20, "reading stops long before all is held: {}", held());
        bench.registry.disarm("link", "fault").unwrap();
        let mut heard = Vec::new();
        server.read_to_end(&mut heard).await.unwrap();
        heard
    };
    let ((), heard) = tokio::join!(speaking, hearing);
    assert!(heard == said, "{} bytes", heard.len());
}

#[tokio::test]
async fn context_faults_touch_context_and_nothing_else() {
    let other = "X-Other: 1\r\n";
    for (kind, with, wanted, unwanted) in [
        ("context-drop", Value::Null, vec!["Host: shop\r\n"], vec!["traceparent", "X-B3-TraceId", "Baggage"]),
        ("context-drop", json!({"headers": ["baggage"]}), vec![PARENT, "X-B3-TraceId: 0af"], vec!["Baggage"]),
        (
            "context-rename",
            json!({"to": "x-old-*"}),
            vec!["x-old-traceparent: 00-0af", "x-old-baggage: userId=1"],
            vec!["\r\ntraceparent"],
        ),
        (
            "context-case",
            Value::Null,
            vec!["\r\nTRACEPARENT: 00-0af", "\r\nX-B3-TRACEID: 0af", "\r\nBAGGAGE: userId"],
            vec!["X-OTHER"],
        ),
        ("context-case", json!({"of": "baggage-keys"}), vec!["USERID=1", "traceparent"], vec!["userId"]),
        ("context-corrupt", json!({"how": "bad-version"}), vec!["traceparent: ff-0af"], vec![PARENT]),
        (
            "context-corrupt",
            json!({"how": "zero-ids"}),
            vec!["traceparent: 00-00000000000000000000000000000000-0000000000000000-01"],
            vec!["0af7"],
        ),
        (
            "context-corrupt",
            json!({"how": "truncated"}),
            vec!["traceparent: 00-0af7651916cd43dd8448eb21\r\n"],
            vec![PARENT],
        ),
        ("context-corrupt", json!({"how": "garbage"}), vec!["traceparent: "], vec!["0af765"]),
        ("context-duplicate", json!({"same": true, "headers": ["traceparent"]}), vec![PARENT], vec![]),
        (
            "context-short-id",
            Value::Null,
            vec!["traceparent: 00-00000000000000008448eb211c80319c-", "X-B3-TraceId: 8448eb211c80319c\r\n"],
            vec!["0af765"],
        ),
        ("context-sampled", Value::Null, vec!["b7ad6b7169203331-00"], vec![PARENT]),
    ] {
        let bench = Bench::new(Protocol::Http).await;
        let armed = bench.arm(fault(kind, Place::Request, with));
        let heard = bench.exchange(&traced("/"), OK).await.0;
        assert!(heard.contains(other) && heard.starts_with("GET / HTTP/1.1\r\n"), "{kind}: {heard}");
        wanted.iter().for_each(|text| assert!(heard.contains(text), "{kind}: {text} in {heard}"));
        unwanted.iter().for_each(|text| assert!(!heard.contains(text), "{kind}: {text} not in {heard}"));
        assert_eq!((armed.tally().hit, armed.tally().unmarked), (1, 1), "{kind}");
        if kind == "context-duplicate" {
            assert_eq!(heard.matches(PARENT).count(), 2);
        }
    }
}

#[tokio::test]
async fn a_request_without_context_is_not_counted() {
    let bench = Bench::new(Protocol::Http).await;
    let armed = bench.arm(fault("context-drop", Place::Request, Value::Null));
    assert_eq!(bench.exchange(GET, OK).await.0, GET);
    assert_eq!((armed.tally().matched, armed.tally().hit), (1, 0));
}

#[tokio::test]
async fn two_requests_exchange_their_context() {
    let bench = Bench::new(Protocol::Http).await;
    bench.arm(fault("context-swap", Place::Request, json!({"patience_ms": 10_000})));
    let request = |path: &str, id: &str| format!("GET {path} HTTP/1.1\r\nHost: a\r\ntraceparent: {id}\r\n\r\n");
    let (mut one, mut two) = (bench.connect().await, bench.connect().await);
    one.write_all(request("/one", "first").as_bytes()).await.unwrap();
    two.write_all(request("/two", "second").as_bytes()).await.unwrap();
    for _ in 0..2 {
        let heard = head(&mut bench.accept().await).await;
        let wanted = if heard.starts_with("GET /one") { "traceparent: second" } else { "traceparent: first" };
        assert!(heard.contains(wanted), "{heard}");
    }
}

#[tokio::test]
async fn only_what_is_meant_is_hit() {
    let bench = Bench::new(Protocol::Http).await;
    let when = When {
        path: Some("/orders/{id}".into()),
        method: Some("get".into()),
        mark: Some("0af76519".into()),
        nth: Some(2),
        ..When::default()
    };
    let armed = bench.arm(Fault { when, ..fault("error", Place::Request, json!({"status": 503})) });
    for (path, is_hit) in
        [("/orders/1", false), ("/other", false), ("/orders/1/items", false), ("/orders/2", true), ("/orders/3", false)]
    {
        if is_hit {
            let answer = bench.ask(&traced(path).replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n")).await;
            assert!(answer.unwrap().contains(" 503 "));
        } else {
            assert!(bench.exchange(&traced(path), OK).await.1.unwrap().contains(" 200 "), "{path}");
        }
    }
    assert_eq!((armed.tally().matched, armed.tally().hit, armed.tally().unmarked), (3, 1, 0));
}

#[tokio::test]
async fn a_connection_can_be_chosen_with_all_its_requests() {
    let bench = Bench::new(Protocol::Http).await;
    let when = When { unit: Unit::Connection, nth: Some(2), ..When::default() };
    let armed = bench.arm(Fault { when, ..fault("error", Place::Request, json!({"status": 503})) });
    assert!(bench.exchange(GET, OK).await.1.unwrap().contains(" 200 "));
    let mut second = bench.connect().await;
    for _ in 0..3 {
        second.write_all(GET.as_bytes()).await.unwrap();
        assert!(head(&mut second).await.contains(" 503 "));
    }
    assert!(bench.exchange(GET, OK).await.1.unwrap().contains(" 200 "));
    assert_eq!((armed.tally().matched, armed.tally().hit), (3, 3));
}

#[tokio::test]
async fn a_link_that_is_full_resets_and_says_so() {
    let said = Arc::new(Mutex::new(Vec::new()));
    let notes = said.clone();
    let limits = Limits { max_connections: 1, ..Limits::default() };
    let registry = Registry::new(limits, Arc::new(move |line| notes.lock().unwrap().push(line.to_owned())), None);
    let upstream = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let to = upstream.local_addr().unwrap().to_string();
    let link = registry.create(LinkSpec::new("link", "127.0.0.1:0", &to)).await.unwrap();
    let bench = Bench { registry, link, upstream };
    let _first = bench.connect().await;
    assert_eq!(bench.refused().await.unwrap_err().kind(), ErrorKind::ConnectionReset);
    assert_eq!(*said.lock().unwrap(), ["link link: 1 connections refused: 1 are open, the most allowed"]);
}

#[tokio::test]
async fn faults_on_requests_are_refused_where_none_can_be_read() {
    let bench = Bench::new(Protocol::Tcp).await;
    let armed = Armed::new("a".into(), None, fault("context-drop", Place::Request, Value::Null), 1).unwrap();
    let error = bench.registry.arm("link", armed).unwrap_err();
    assert!(matches!(error, RegistryError::NotReadable { .. }));
    assert!(error.to_string().contains("certificate"), "{error}");
}
