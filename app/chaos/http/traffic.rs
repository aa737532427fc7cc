//! Requests as traffic: timed, with headers of their own, over connections that are kept or fresh each time.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::{http1, http2};
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue};
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use super::address::Endpoint;
use super::connect;
use super::error::{Ending, HttpError};

/// A request to send.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSpec {
    pub method: String,
    /// Whole: `http://127.0.0.1:8080/orders/1`.
    pub url: String,
    /// In this order; a name may come more than once.
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

/// An answer that was read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    pub status: u16,
    /// Names in lower case, in the order of arrival; bytes that are not text are replaced.
    pub headers: Vec<(String, String)>,
    /// Where gRPC says how it went.
    pub trailers: Vec<(String, String)>,
    /// The first bytes of the body, at most as many as [`Traffic::keep`].
    pub body: Vec<u8>,
    /// Bytes of the whole body.
    pub body_len: u64,
}

impl Reply {
    /// Returns the first value of a header, or of a trailer where there is no such header.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let named = |(key, _): &&(String, String)| key.eq_ignore_ascii_case(name);
        self.headers.iter().chain(&self.trailers).find(named).map(|(_, value)| value.as_str())
    }
}

/// One request and what came of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exchange {
    /// From before connecting to the last byte or to the failure.
    pub duration: Duration,
    /// Whether a kept connection carried it.
    pub is_reused: bool,
    pub outcome: Result<Reply, HttpError>,
}

/// Sends requests to one host, at addresses that somebody checked.
#[derive(Debug)]
pub struct Traffic {
    /// Where to connect; the host of a URL is never looked up here.
    pub addresses: Vec<SocketAddr>,
    /// PEM file of the authority to trust instead of the system's.
    pub authority: Option<PathBuf>,
    /// Speaks HTTP/2 (over plain TCP with prior knowledge), as gRPC needs.
    pub is_http2: bool,
    /// Opens a connection for each request, and closes it after.
    pub is_fresh: bool,
    /// How long one request may take in all.
    pub timeout: Duration,
    /// How many bytes of a body are kept; the rest is read and counted.
    pub keep: usize,
    /// A body of more bytes than this is an error.
    pub longest: u64,
    idle: Mutex<Vec<Sender>>,
}

#[derive(Debug)]
enum Sender {
    Http1(http1::SendRequest<Full<Bytes>>),
    Http2(http2::SendRequest<Full<Bytes>>),
}

/// A connection, and what was answered on it.
type Asked = (Sender, Result<Response<Incoming>, hyper::Error>);

impl Traffic {
    /// Makes traffic to `addresses` over HTTP/1.1 on kept connections, with ten seconds for each request.
    #[must_use]
    pub fn new(addresses: Vec<SocketAddr>) -> Self {
        Self {
            addresses,
            authority: None,
            is_http2: false,
            is_fresh: false,
            timeout: Duration::from_secs(10),
            keep: 64 << 10,
            longest: u64::MAX,
            idle: Mutex::default(),
        }
    }

    /// Sends one request and reads its answer to the end. Any number may be under way at once.
    pub async fn send(&self, spec: &RequestSpec) -> Exchange {
        let began = Instant::now();
        let mut is_reused = false;
        let outcome = match tokio::time::timeout(self.timeout, self.exchange(spec, &mut is_reused)).await {
            Ok(outcome) => outcome,
            Err(_) => Err(HttpError::Late { target: target_of(&spec.url), within: self.timeout }),
        };
        Exchange { duration: began.elapsed(), is_reused, outcome }
    }

    async fn exchange(&self, spec: &RequestSpec, is_reused: &mut bool) -> Result<Reply, HttpError> {
        let endpoint = Endpoint::parse(&spec.url)?;
        let cut = |error: hyper::Error| cut(&endpoint, &error);
        let (mut sender, response) = self.ask(spec, &endpoint, is_reused).await?;
        let reply = read(response.map_err(cut)?, self.keep, self.longest).await.map_err(cut)?;
        if reply.body_len > self.longest {
            return Err(HttpError::TooLong { url: spec.url.clone(), limit: self.longest });
        }
        if sender.is_open() {
            self.give_back(sender);
        }
        Ok(reply)
    }

    /// Sends on a kept connection if there is one. Where that turns out to be closed before the request was sent, another is taken:
    /// nobody has seen the request yet.
    async fn ask(&self, spec: &RequestSpec, endpoint: &Endpoint, is_reused: &mut bool) -> Result<Asked, HttpError> {
        let request = self.request(spec, endpoint)?;
        while let Some(mut sender) = self.take_idle().await {
            *is_reused = true;
            match sender.send(request.clone()).await {
                Err(error) if error.is_canceled() => {}
                response => return Ok((sender, response)),
            }
        }
        *is_reused = false;
        let mut sender = self.connect(endpoint).await?;
        let response = sender.send(request).await;
        Ok((sender, response))
    }

    fn request(&self, spec: &RequestSpec, endpoint: &Endpoint) -> Result<Request<Full<Bytes>>, HttpError> {
        let unable = |what: &str| HttpError::Unable(format!("{what} of the request to {} cannot be sent", spec.url));
        let uri = if self.is_http2 { &spec.url } else { &endpoint.path };
        let mut request = Request::builder()
            .method(spec.method.as_str())
            .uri(uri)
            .body(Full::new(Bytes::from(spec.body.clone())))
            .map_err(|_| unable("the method"))?;
        for (name, value) in &spec.headers {
            let value = HeaderValue::from_str(value).map_err(|_| unable(&format!("header `{name}`")))?;
            let name: HeaderName = name.parse().map_err(|_| unable(&format!("header `{name}`")))?;
            request.headers_mut().append(name, value);
        }
        if !self.is_http2 && !request.headers().contains_key(HOST) {
            let host = HeaderValue::from_str(&endpoint.target()).map_err(|_| unable("the host"))?;
            request.headers_mut().insert(HOST, host);
        }
        Ok(request)
    }

    /// Takes a kept connection that is still good.
    async fn take_idle(&self) -> Option<Sender> {
        if self.is_fresh {
            return None;
        }
        loop {
            let mut sender = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop()?;
            if sender.is_good().await {
                return Some(sender);
            }
        }
    }

    fn give_back(&self, sender: Sender) {
        if !self.is_fresh {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(sender);
        }
    }

    /// Opens a connection; a task of its own moves its bytes until it ends.
    async fn connect(&self, endpoint: &Endpoint) -> Result<Sender, HttpError> {
        let protocol = if self.is_http2 { "h2" } else { "http/1.1" };
        let io = connect::open(endpoint, &self.addresses, self.authority.as_deref(), protocol).await?;
        let cut = |error: hyper::Error| cut(endpoint, &error);
        if self.is_http2 {
            let builder = http2::Builder::new(TokioExecutor::new()).timer(TokioTimer::new()).clone();
            let (sender, connection) = builder.handshake(io).await.map_err(cut)?;
            tokio::spawn(connection);
            return Ok(Sender::Http2(sender));
        }
        let (sender, connection) = http1::Builder::new().preserve_header_case(true).handshake(io).await.map_err(cut)?;
        tokio::spawn(connection);
        Ok(Sender::Http1(sender))
    }
}

impl Sender {
    async fn is_good(&mut self) -> bool {
        match self {
            Self::Http1(sender) => sender.ready().await.is_ok(),
            Self::Http2(sender) => sender.ready().await.is_ok(),
        }
    }

    fn is_open(&mut self) -> bool {
        match self {
            Self::Http1(sender) => !sender.is_closed(),
            Self::Http2(sender) => !sender.is_closed(),
        }
    }

    async fn send(&mut self, request: Request<Full<Bytes>>) -> Result<Response<Incoming>, hyper::Error> {
        match self {
            Self::Http1(sender) => sender.send_request(request).await,
            Self::Http2(sender) => sender.send_request(request).await,
        }
    }
}

fn cut(endpoint: &Endpoint, error: &hyper::Error) -> HttpError {
    let reason =
        std::error::Error::source(error).map_or_else(|| error.to_string(), |cause| format!("{error}: {cause}"));
    HttpError::Cut { target: endpoint.target(), ending: Ending::of(error), reason }
}

fn target_of(url: &str) -> String {
    Endpoint::parse(url).map_or_else(|_| url.to_owned(), |endpoint| endpoint.target())
}

/// Reads an answer to its end, or until it is longer than `longest`, and keeps the first `keep` bytes of it.
async fn read(response: Response<Incoming>, keep: usize, longest: u64) -> Result<Reply, hyper::Error> {
    let (head, mut incoming) = response.into_parts();
    let (mut body, mut body_len, mut trailers) = (BytesMut::new(), 0_u64, Vec::new());
    while let Some(frame) = incoming.frame().await
        && body_len <= longest
    {
        match frame?.into_data() {
            Ok(data) => {
                body_len += data.len() as u64;
                body.extend_from_slice(data.get(..keep.saturating_sub(body.len())).unwrap_or(&data));
            }
            Err(frame) => trailers = frame.trailers_ref().map(texts).unwrap_or_default(),
        }
    }
    let headers = texts(&head.headers);
    Ok(Reply { status: head.status.as_u16(), headers, trailers, body: body.to_vec(), body_len })
}

fn texts(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Answers one request on each connection and closes it.
    fn forgetful() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n");
            }
        });
        address
    }

    #[tokio::test]
    async fn a_kept_connection_that_was_closed_meanwhile_is_not_used() {
        let traffic = Traffic::new(vec![forgetful()]);
        let url = format!("http://{}/", traffic.addresses[0]);
        let spec = RequestSpec { method: "GET".to_owned(), url, headers: Vec::new(), body: Vec::new() };
        assert!(traffic.send(&spec).await.outcome.is_ok());
        let is_kept = || traffic.idle.lock().unwrap().iter_mut().any(Sender::is_open);
        while is_kept() {
            tokio::task::yield_now().await;
        }
        let second = traffic.send(&spec).await;
        assert!(second.outcome.is_ok() && !second.is_reused);
    }
}
