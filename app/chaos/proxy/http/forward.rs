//! Sends a request to the upstream and brings the answer back, both as they are.

use std::error::Error;
use std::io;

use hyper::client::conn::{http1, http2};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo};

use crate::chaos::proxy::effect::Letters;
use crate::chaos::proxy::http::body::Body;
use crate::chaos::proxy::http::exchange::Gone;
use crate::chaos::proxy::http::letters::{Lettering, Rewriting};
use crate::chaos::proxy::http::{Driver, MAX_HEAD_BYTES, Visit, hop, lock};
use crate::chaos::proxy::io::AnyIo;
use crate::chaos::proxy::sniff::Spoken;
use crate::chaos::proxy::tether::Side;
use crate::chaos::proxy::tls;

/// Says, in answers that the proxy makes itself, why.
pub(super) const OWN: HeaderName = HeaderName::from_static("x-riftline-proxy");

/// The connection to the upstream.
pub(super) enum Sender {
    One(http1::SendRequest<Body>, Lettering),
    Two(http2::SendRequest<Body>),
}

/// Why there is no answer.
enum Failure {
    /// Nobody there.
    Connect(io::Error),
    /// Broken off. The request is given back if none of it was sent.
    Send(hyper::Error, Option<Box<Request<Body>>>),
}

impl Visit {
    /// Uses `upstream` for the requests of this connection.
    pub(super) async fn adopt(&self, upstream: AnyIo) {
        if let Ok(sender) = self.shake_hands(upstream).await {
            *self.upstream.lock().await = Some(sender);
        }
    }

    async fn shake_hands(&self, upstream: AnyIo) -> io::Result<Sender> {
        let (sender, driver) = match self.spoken {
            Spoken::Http2 => shake_hands_h2(upstream).await,
            _ => shake_hands_h1(upstream).await,
        }
        .map_err(io::Error::other)?;
        self.add_driver(driver);
        Ok(sender)
    }

    async fn connect(&self) -> Result<Sender, Failure> {
        let offered = if self.spoken == Spoken::Http2 { tls::H2 } else { tls::HTTP1 };
        let upstream = self.way.connect(Some(offered)).await.map_err(Failure::Connect)?;
        self.shake_hands(upstream).await.map_err(Failure::Connect)
    }
}

async fn shake_hands_h1(upstream: AnyIo) -> hyper::Result<(Sender, Driver)> {
    let lettering = Lettering::default();
    let io = TokioIo::new(Rewriting::new(upstream, lettering.clone()));
    let mut builder = http1::Builder::new();
    builder.preserve_header_case(true).max_buf_size(MAX_HEAD_BYTES);
    let (sender, connection) = builder.handshake(io).await?;
    let driver = Box::pin(async move {
        // Whatever became of it, it is over; requests on it have been told.
        let _ = connection.with_upgrades().await;
    });
    Ok((Sender::One(sender, lettering), driver))
}

async fn shake_hands_h2(upstream: AnyIo) -> hyper::Result<(Sender, Driver)> {
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.initial_stream_window_size(1 << 20).initial_connection_window_size(4 << 20);
    builder.max_header_list_size(MAX_HEAD_BYTES as u32);
    let (sender, connection) = builder.handshake(TokioIo::new(upstream)).await?;
    let driver = Box::pin(async move {
        let _ = connection.await;
    });
    Ok((Sender::Two(sender), driver))
}

/// Forwards `request`, with names of headers in other letters if so wanted.
pub(super) async fn forward(
    visit: &Visit,
    mut request: Request<Body>,
    letters: &[(HeaderName, Letters)],
) -> Result<Response<Body>, Gone> {
    let said = hop::strip(request.headers_mut());
    let is_connect = request.method() == Method::CONNECT;
    if is_connect && visit.spoken == Spoken::Http2 {
        return Ok(own(StatusCode::NOT_IMPLEMENTED, "CONNECT is not forwarded on HTTP/2"));
    }
    let upgrade = (said.upgrades || is_connect).then(|| hyper::upgrade::on(&mut request));
    if visit.spoken == Spoken::Http2 {
        complete(&mut request, &visit.way.spec.upstream);
    }
    match send(visit, request, letters).await {
        Ok(response) => Ok(bring_back(visit, response, upgrade, is_connect)),
        Err(failure) => fail(visit, failure),
    }
}

/// Sends on the connection that is there, or on a new one if that one took nothing any more.
async fn send(
    visit: &Visit,
    request: Request<Body>,
    letters: &[(HeaderName, Letters)],
) -> Result<Response<hyper::body::Incoming>, Failure> {
    match send_once(visit, request, letters).await {
        Err(Failure::Send(_, Some(request))) => send_once(visit, *request, letters).await,
        done => done,
    }
}

async fn send_once(
    visit: &Visit,
    request: Request<Body>,
    letters: &[(HeaderName, Letters)],
) -> Result<Response<hyper::body::Incoming>, Failure> {
    let mut slot = visit.upstream.lock().await;
    if !is_usable(&mut slot).await {
        *slot = Some(visit.connect().await?);
    }
    let sent = match slot.as_mut() {
        Some(Sender::One(sender, lettering)) => {
            lettering.set(letters);
            sender.try_send_request(request).await
        }
        Some(Sender::Two(sender)) => {
            let mut sender = sender.clone();
            drop(slot);
            sender.try_send_request(request).await
        }
        None => return Err(Failure::Connect(io::ErrorKind::NotConnected.into())),
    };
    sent.map_err(|mut error| {
        let request = error.take_message().map(Box::new);
        Failure::Send(error.into_error(), request)
    })
}

async fn is_usable(slot: &mut Option<Sender>) -> bool {
    match slot {
        Some(Sender::One(sender, _)) => sender.ready().await.is_ok(),
        Some(Sender::Two(sender)) => sender.ready().await.is_ok(),
        None => false,
    }
}

/// HTTP/2 sends scheme and authority by themselves; a client may have left the latter to `Host`.
fn complete(request: &mut Request<Body>, upstream: &str) {
    if request.uri().authority().is_some() && request.uri().scheme().is_some() {
        return;
    }
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or(upstream);
    let authority = request.uri().authority().cloned().or_else(|| host.parse::<Authority>().ok());
    let mut parts = request.uri().clone().into_parts();
    parts.scheme = Some(parts.scheme.unwrap_or(Scheme::HTTP));
    parts.authority = authority;
    parts.path_and_query = Some(parts.path_and_query.unwrap_or_else(|| PathAndQuery::from_static("/")));
    if let Ok(uri) = Uri::from_parts(parts) {
        *request.uri_mut() = uri;
    }
}

fn bring_back(
    visit: &Visit,
    mut response: Response<hyper::body::Incoming>,
    upgrade: Option<OnUpgrade>,
    is_connect: bool,
) -> Response<Body> {
    let said = hop::strip(response.headers_mut());
    let agrees = response.status() == StatusCode::SWITCHING_PROTOCOLS || is_connect && response.status().is_success();
    if let (Some(client), true) = (upgrade, agrees) {
        *lock(&visit.upgraded) = Some((client, hyper::upgrade::on(&mut response)));
    }
    if said.closes && visit.spoken != Spoken::Http2 {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response.map(Body::Passed)
}

/// An upstream that is not there is told; one that breaks off is passed on: the client sees what it would see without the proxy.
fn fail(visit: &Visit, failure: Failure) -> Result<Response<Body>, Gone> {
    let upstream = &visit.way.spec.upstream;
    match failure {
        Failure::Connect(error) => Ok(own(StatusCode::BAD_GATEWAY, &format!("upstream {upstream}: {error}"))),
        Failure::Send(error, _) if error.is_parse() => {
            Ok(own(StatusCode::BAD_GATEWAY, &format!("upstream {upstream}: no HTTP: {error}")))
        }
        Failure::Send(error, _) => {
            if visit.spoken != Spoken::Http2 && is_reset(&error) {
                visit.way.tether.reset_side(Side::Client);
            }
            Err(Gone::Upstream(error))
        }
    }
}

fn is_reset(error: &hyper::Error) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

fn own(status: StatusCode, reason: &str) -> Response<Body> {
    let mut response = Response::new(Body::given(format!("riftline proxy: {reason}\n"), None));
    *response.status_mut() = status;
    if let Ok(value) = HeaderValue::from_str(reason) {
        response.headers_mut().insert(OWN, value);
    }
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    response
}
