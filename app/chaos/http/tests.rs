use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use serde_json::json;

use super::*;

/// Serves one connection with `serve`, after the head of its request was read; returns the port, and the head when joined.
fn once(serve: impl FnOnce(&mut TcpStream) + Send + 'static) -> (u16, thread::JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let thread = thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        drop(listener);
        let head = read_head(&mut stream);
        serve(&mut stream);
        head
    });
    (port, thread)
}

/// Reads until the head, and the body that it announces, is there.
fn read_head(stream: &mut TcpStream) -> String {
    let mut text = String::new();
    let mut bytes = [0; 1024];
    loop {
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or((&text, ""));
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap_or("0");
        if text.contains("\r\n\r\n") && body.len() >= length.parse().unwrap() {
            return text;
        }
        let count = stream.read(&mut bytes).unwrap();
        if count == 0 {
            return text;
        }
        text.push_str(&String::from_utf8_lossy(&bytes[..count]));
    }
}

fn answer(text: &'static str) -> (u16, thread::JoinHandle<String>) {
    once(move |stream| stream.write_all(text.as_bytes()).unwrap())
}

fn call(method: &str, port: u16, body: Option<serde_json::Value>) -> Call {
    Call { method: method.to_owned(), url: format!("http://127.0.0.1:{port}/a?b"), body, accept: Vec::new() }
}

#[test]
fn a_call_sends_json_and_gets_status_and_text() {
    let (port, server) = answer("HTTP/1.1 201 Created\r\ncontent-length: 5\r\n\r\nhello");
    let answer = Client::default().send(&call("POST", port, Some(json!({"a": 1})))).unwrap();
    assert_eq!(answer, Answer { status: 201, body: "hello".to_owned() });
    let request = server.join().unwrap();
    assert!(request.starts_with("POST /a?b HTTP/1.1\r\n"), "{request}");
    assert!(request.contains("content-type: application/json") && request.ends_with("{\"a\":1}"), "{request}");
    assert!(
        request.contains(&format!("host: 127.0.0.1:{port}")) && request.contains("user-agent: riftline/"),
        "{request}"
    );
}

#[test]
fn accepted_is_any_2xx_or_what_the_call_says() {
    let mut call = call("DELETE", 1, None);
    let answer = |status| Answer { status, body: String::new() };
    assert!(answer(204).is_accepted(&call) && !answer(404).is_accepted(&call));
    call.accept = vec![404];
    assert!(answer(404).is_accepted(&call) && !answer(204).is_accepted(&call));
}

#[test]
fn a_redirect_is_an_error_that_names_where_it_leads() {
    let (port, _server) = answer("HTTP/1.1 302 Found\r\nlocation: http://10.0.0.1/\r\ncontent-length: 0\r\n\r\n");
    let error = Client::default().send(&call("GET", port, None)).unwrap_err();
    assert!(matches!(&error, HttpError::Redirect { to, status: 302, .. } if to == "http://10.0.0.1/"), "{error}");
}

#[test]
fn a_long_answer_is_refused() {
    let (port, _server) = once(|stream| {
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 3000000\r\n\r\n");
        let _ = stream.write_all(&vec![b'a'; 3_000_000]);
    });
    let error = Client::default().send(&call("GET", port, None)).unwrap_err();
    assert_eq!(error.word(), "too-long", "{error}");
}

#[test]
fn what_went_wrong_has_a_word() {
    let word = |port| Client::default().send(&call("GET", port, None)).unwrap_err().word();
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    assert_eq!(word(nobody), "connect-refused");
    assert_eq!(word(once(|_| ()).0), "closed");
    assert_eq!(word(answer("HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf").0), "closed");
    assert_eq!(word(answer("who is there\r\n\r\n").0), "garbled");
    let reset = once(|stream| rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO)).unwrap());
    assert_eq!(word(reset.0), "reset");
}

#[test]
fn silence_ends_with_the_time_of_the_call() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let silent = call("GET", listener.local_addr().unwrap().port(), None);
    let error = Client::new(Duration::from_millis(30)).send(&silent).unwrap_err();
    assert!(matches!(error, HttpError::Late { .. }), "{error}");
}

#[test]
fn a_pinned_host_is_called_where_it_was_pinned() {
    let (port, _server) = answer("HTTP/1.1 204 No Content\r\n\r\n");
    let client = Client::default().only_pinned();
    let call = Call { url: "http://staging.invalid:9/".to_owned(), ..call("GET", 0, None) };
    assert_eq!(client.send(&call).unwrap_err().word(), "unresolved");
    client.clone().pin("staging.invalid:9", vec![SocketAddr::from(([127, 0, 0, 1], port))]);
    assert_eq!(client.send(&call).unwrap().status, 204);
}

#[test]
fn a_call_can_be_made_where_tasks_run() {
    let (port, _server) = answer("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let status = runtime.block_on(async { Client::default().send(&call("GET", port, None)).unwrap().status });
    assert_eq!(status, 200);
}

fn get(port: u16) -> RequestSpec {
    let headers = vec![("traceparent".to_owned(), "00-1-2-01".to_owned())];
    RequestSpec { method: "GET".to_owned(), url: format!("http://127.0.0.1:{port}/"), headers, body: Vec::new() }
}

fn traffic(port: u16) -> Traffic {
    Traffic::new(vec![SocketAddr::from(([127, 0, 0, 1], port))])
}

fn block_on<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(future)
}

#[test]
fn traffic_reuses_a_connection_unless_each_must_be_fresh() {
    let two = |stream: &mut TcpStream| {
        stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok").unwrap();
        read_head(stream);
        let _ = stream.write_all(b"HTTP/1.1 503 Busy\r\nretry-after: 1\r\ncontent-length: 0\r\n\r\n");
    };
    let (port, server) = once(two);
    let (first, second) = block_on(async {
        let traffic = traffic(port);
        (traffic.send(&get(port)).await, traffic.send(&get(port)).await)
    });
    let reply = second.outcome.unwrap();
    assert_eq!((first.is_reused, second.is_reused, reply.status), (false, true, 503));
    assert_eq!((reply.header("Retry-After"), first.outcome.unwrap().body), (Some("1"), b"ok".to_vec()));
    assert!(server.join().unwrap().contains("traceparent: 00-1-2-01"));
    let (port, _server) = once(two);
    let error = block_on(async {
        let mut traffic = traffic(port);
        traffic.is_fresh = true;
        assert!(traffic.send(&get(port)).await.outcome.is_ok());
        traffic.send(&get(port)).await.outcome.unwrap_err()
    });
    assert_eq!(error.word(), "connect-refused");
}

#[test]
fn traffic_counts_what_it_does_not_keep() {
    let (port, _server) = answer("HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello");
    let mut traffic = traffic(port);
    traffic.keep = 2;
    let exchange = block_on(traffic.send(&get(port)));
    let reply = exchange.outcome.unwrap();
    assert_eq!((reply.body, reply.body_len), (b"he".to_vec(), 5));
}

/// Serves TLS with a certificate of its own for `localhost` and answers every request; returns its port and its authority's PEM.
fn secure(protocol: &'static str) -> (u16, tempfile::NamedTempFile) {
    let signed = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let mut authority = tempfile::NamedTempFile::new().unwrap();
    authority.write_all(signed.cert.pem().as_bytes()).unwrap();
    let key = rustls::pki_types::PrivateKeyDer::try_from(signed.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut config = builder.with_no_client_auth().with_single_cert(vec![signed.cert.der().clone()], key).unwrap();
    config.alpn_protocols = vec![protocol.as_bytes().to_vec()];
    let acceptor = tokio_rustls::TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || block_on(accept(listener, acceptor)));
    (port, authority)
}

async fn accept(listener: TcpListener, acceptor: tokio_rustls::TlsAcceptor) {
    listener.set_nonblocking(true).unwrap();
    let listener = tokio::net::TcpListener::from_std(listener).unwrap();
    while let Ok((socket, _)) = listener.accept().await {
        let Ok(stream) = acceptor.accept(socket).await else { continue };
        let service = hyper::service::service_fn(async |request: hyper::Request<hyper::body::Incoming>| {
            let told = format!("{:?} {}", request.version(), request.uri().path());
            Ok::<_, std::convert::Infallible>(hyper::Response::new(told))
        });
        let io = hyper_util::rt::TokioIo::new(stream);
        let server = hyper_util::server::conn::auto::Builder::new(hyper_util::rt::TokioExecutor::new());
        let _ = server.serve_connection(io, service).await;
    }
}

#[test]
fn https_needs_an_authority_that_is_trusted() {
    let (port, authority) = secure("http/1.1");
    let call = Call { url: format!("https://localhost:{port}/a"), ..call("GET", port, None) };
    let client = |authority: &std::path::Path| {
        let client = Client::default().trusting(authority.to_owned());
        client.pin(&format!("localhost:{port}"), vec![SocketAddr::from(([127, 0, 0, 1], port))]);
        client
    };
    let trusting = client(authority.path());
    assert_eq!(trusting.send(&call).unwrap().body, "HTTP/1.1 /a");
    let (_, another) = secure("http/1.1");
    let doubting = client(another.path());
    assert_eq!(doubting.send(&call).unwrap_err().word(), "tls");
    let nothing = tempfile::NamedTempFile::new().unwrap();
    assert!(client(nothing.path()).send(&call).unwrap_err().to_string().contains("no certificate"));
}

#[test]
fn traffic_speaks_http2_inside_of_tls() {
    let (port, authority) = secure("h2");
    let spec = RequestSpec { url: format!("https://localhost:{port}/b"), ..get(port) };
    let (first, second) = block_on(async {
        let mut traffic = traffic(port);
        (traffic.is_http2, traffic.authority) = (true, Some(authority.path().to_owned()));
        (traffic.send(&spec).await, traffic.send(&spec).await)
    });
    assert_eq!((first.outcome.unwrap().body, second.is_reused), (b"HTTP/2.0 /b".to_vec(), true));
}
