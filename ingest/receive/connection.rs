//! One connection: HTTP/1 or HTTP/2, bounded in what it may hold and how long it may say nothing.

use std::convert::Infallible;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::task::Poll;
use std::time::Duration;

use hyper::Response;
use hyper::body::Incoming;
use hyper::header::CONTENT_TYPE;
use hyper::http::Request;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use tokio::net::TcpStream;
use tokio::sync::{Notify, watch};
use tokio::time::{Instant, interval};
use tonic::Status;
use tonic::body::Body;

use crate::receive::admission::Share;
use crate::receive::body::Timed;
use crate::receive::desk::Desk;
use crate::receive::doors::Bound;
use crate::receive::kind::Protocol;
use crate::receive::{grpc, host, http};

/// How long a connection may take to its first request, and to have none.
const FIRST_REQUEST: Duration = Duration::from_secs(10);
const IDLE: Duration = Duration::from_mins(5);

/// How long requests that are being answered may keep a connection that is to close.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often a connection looks at the clock.
const TICK: Duration = Duration::from_secs(1);

const MAX_HEADER_BYTES: u32 = 32 << 10;
const MAX_STREAMS: u32 = 128;

/// What is known of a connection from outside.
#[derive(Debug, Default)]
pub(super) struct Guest {
    num_open: AtomicUsize,
    has_asked: AtomicBool,
    /// Its place is needed for another.
    pub(super) leave: Notify,
}

impl Guest {
    /// Tells whether it has sent no request yet.
    pub(super) fn is_silent(&self) -> bool {
        !self.has_asked.load(Ordering::Relaxed)
    }

    fn is_busy(&self) -> bool {
        self.num_open.load(Ordering::Relaxed) > 0
    }
}

/// Counts a request for as long as it is answered.
struct Visit(Arc<Guest>);

impl Visit {
    fn begin(guest: &Arc<Guest>) -> Self {
        guest.has_asked.store(true, Ordering::Relaxed);
        guest.num_open.fetch_add(1, Ordering::Relaxed);
        Self(guest.clone())
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.0.num_open.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Serves a connection until either side ends it.
pub(super) async fn serve(
    stream: TcpStream,
    desk: Arc<Desk>,
    bound: Bound,
    guest: Arc<Guest>,
    mut closing: watch::Receiver<bool>,
) {
    // Answers are small and are waited for.
    let _ = stream.set_nodelay(true);
    let builder = builder();
    let asked = guest.clone();
    let service = service_fn(move |request| {
        let (desk, visit) = (desk.clone(), Visit::begin(&asked));
        async move {
            let response = answer(desk, request, bound).await;
            drop(visit);
            Ok::<_, Infallible>(response)
        }
    });
    let mut connection = pin!(builder.serve_connection(TokioIo::new(stream), service));
    let mut leave = pin!(async {
        let _ = closing.wait_for(|closes| *closes).await;
    });
    let mut evicted = pin!(guest.leave.notified());
    let mut ticks = pin!(interval(TICK));
    let mut last_busy = Instant::now();
    let mut farewell: Option<Instant> = None;
    poll_fn(|context| {
        // Whatever became of it, it is over.
        if connection.as_mut().poll(context).is_ready() || evicted.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        let mut is_over = farewell.is_none() && leave.as_mut().poll(context).is_ready();
        while ticks.as_mut().poll_tick(context).is_ready() {
            let patience = if guest.is_silent() { FIRST_REQUEST } else { IDLE };
            last_busy = if guest.is_busy() { Instant::now() } else { last_busy };
            is_over |= last_busy.elapsed() > patience;
        }
        if is_over && farewell.is_none() {
            farewell = Some(Instant::now() + FAREWELL);
            connection.as_mut().graceful_shutdown();
            if connection.as_mut().poll(context).is_ready() {
                return Poll::Ready(());
            }
        }
        let is_late = farewell.is_some_and(|end| Instant::now() >= end || guest.is_silent());
        if is_late { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
}

fn builder() -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    builder.http1().timer(TokioTimer::new()).header_read_timeout(IDLE).max_buf_size(64 << 10);
    // Streams that are reset before they are accepted, or for errors of their own, end the connection (rapid reset).
    builder
        .http2()
        .timer(TokioTimer::new())
        .max_concurrent_streams(MAX_STREAMS)
        .max_header_list_size(MAX_HEADER_BYTES)
        .max_pending_accept_reset_streams(32)
        .max_local_error_reset_streams(256)
        .initial_stream_window_size(1 << 20)
        .initial_connection_window_size(4 << 20)
        .max_frame_size(64 << 10)
        .keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(20));
    builder
}

async fn answer(desk: Arc<Desk>, request: Request<Incoming>, bound: Bound) -> Response<Body> {
    let content = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let is_grpc = content.starts_with("application/grpc");
    let is_json = !content.contains("protobuf");
    if let Err(trouble) = host::check(&request, bound.address) {
        return if is_grpc { Status::from(trouble).into_http() } else { http::refuse(&trouble, is_json) };
    }
    let share = Share::new(desk.load.clone());
    let request = request.map(|body| Timed::new(body, share));
    match bound.protocol {
        Protocol::Grpc | Protocol::Http if is_grpc => grpc::answer(desk, request).await,
        protocol => http::answer(desk, request, protocol).await,
    }
}
