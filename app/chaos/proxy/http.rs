//! HTTP/1 and HTTP/2 on one connection of a client: each has an upstream connection of its own, of the same version, so that what a
//! client sees of connections is what it would see without the proxy.

mod body;
mod exchange;
mod forward;
mod hop;
mod letters;
mod plan;

use std::collections::HashMap;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::body::Incoming;
use hyper::http::{Request, Response};
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::sync::Notify;

use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::Cut;
use crate::chaos::proxy::io::AnyIo;
use crate::chaos::proxy::pump;
use crate::chaos::proxy::registry::House;
use crate::chaos::proxy::sniff::Spoken;
use crate::chaos::proxy::subject::Subject;
use crate::chaos::proxy::tether::Side;
use crate::chaos::proxy::upstream::Way;
use body::Body;
pub(super) use exchange::FOR_EVER;
use exchange::Gone;
use forward::Sender;
pub(super) use plan::Hit;

/// How long a client may take to its next request, its head included. Long, since it is the upstream that decides how long a
/// connection may be idle; bounded, since nobody may hold a connection for ever.
const HEAD_PATIENCE: Duration = Duration::from_mins(15);
const MAX_HEAD_BYTES: usize = 64 << 10;
const MAX_STREAMS: u32 = 1_000;

/// Drives a connection to the upstream.
type Driver = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A client's connection while requests come on it.
pub(super) struct Visit {
    way: Way,
    house: Arc<House>,
    spoken: Spoken,
    upstream: tokio::sync::Mutex<Option<Sender>>,
    /// More than one where the upstream has left a connection of HTTP/2 on which answers are still to come.
    drivers: Mutex<Vec<Driver>>,
    /// There is one driver more.
    driver_added: Notify,
    /// What faults that choose connections have decided about this one.
    chosen: Mutex<HashMap<u64, Option<Dice>>>,
    upgraded: Mutex<Option<(OnUpgrade, OnUpgrade)>>,
    /// Finish what is begun, and close.
    leave: Notify,
    /// Close at once.
    cut: Notify,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Visit {
    pub(super) fn new(way: Way, house: Arc<House>, spoken: Spoken) -> Self {
        Self {
            way,
            house,
            spoken,

            upstream: tokio::sync::Mutex::default(),
            drivers: Mutex::default(),
            driver_added: Notify::new(),
            chosen: Mutex::default(),
            upgraded: Mutex::default(),
            leave: Notify::new(),
            cut: Notify::new(),
        }
    }

    /// Cuts the connection, or of HTTP/2 what `how` says of it. The request itself must fail in addition.
    fn cut(&self, how: Cut) {
        match (how, self.spoken) {
            (Cut::Reset, Spoken::Http2) => {}
            (Cut::GoAway, Spoken::Http2) => self.leave.notify_one(),
            (Cut::Close, _) => self.cut.notify_one(),
            (Cut::Reset | Cut::GoAway, _) => {
                self.way.tether.reset_side(Side::Client);
                self.cut.notify_one();
            }
        }
    }

    /// Polls connections to the upstream in the client's own task: no other task is woken for an answer. Once the upstream leaves,
    /// so does the client.
    fn drive(&self, context: &mut Context<'_>) {
        let mut drivers = std::mem::take(&mut *lock(&self.drivers));
        let num_before = drivers.len();
        drivers.retain_mut(|driver| driver.as_mut().poll(context).is_pending());
        if drivers.len() < num_before {
            self.leave.notify_one();
        }
        lock(&self.drivers).append(&mut drivers);
    }

    fn add_driver(&self, driver: Driver) {
        lock(&self.drivers).push(driver);
        self.driver_added.notify_one();
    }
}

/// Answers requests until the connection ends. `subject` is there where its faults do not see the bytes otherwise.
pub(super) async fn serve(
    client: AnyIo,
    upstream: Option<AnyIo>,
    visit: Arc<Visit>,
    drained: impl Future<Output = ()> + Send,
    subject: Option<&mut Subject>,
) {
    if let Some(upstream) = upstream {
        visit.adopt(upstream).await;
    }
    match visit.spoken {
        // Connections are many: what few of them need takes no room in the others.
        Spoken::Http2 => Box::pin(serve_h2(client, &visit, drained)).await,
        _ => serve_h1(client, &visit, drained).await,
    }
    let upgraded = lock(&visit.upgraded).take();
    if let Some((client, upstream)) = upgraded {
        Box::pin(tunnel(client, upstream, &visit, subject)).await;
    }
}

async fn serve_h1(client: AnyIo, visit: &Arc<Visit>, drained: impl Future<Output = ()>) {
    let asked = visit.clone();
    let service = service_fn(move |request| Box::pin(answer(asked.clone(), request)));
    let mut builder = http1::Builder::new();
    builder.preserve_header_case(true).auto_date_header(false).max_buf_size(MAX_HEAD_BYTES);
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_PATIENCE);
    let connection = builder.serve_connection(TokioIo::new(client), service).with_upgrades();
    let connection = pin!(connection);
    run(connection, http1::UpgradeableConnection::graceful_shutdown, visit, drained).await;
}

async fn serve_h2(client: AnyIo, visit: &Arc<Visit>, drained: impl Future<Output = ()>) {
    let asked = visit.clone();
    let service = service_fn(move |request| answer(asked.clone(), request));
    let mut builder = http2::Builder::new(TokioExecutor::new());
    builder.auto_date_header(false).max_concurrent_streams(MAX_STREAMS).max_header_list_size(MAX_HEAD_BYTES as u32);
    builder.timer(TokioTimer::new()).initial_stream_window_size(1 << 20).initial_connection_window_size(4 << 20);
    let connection = pin!(builder.serve_connection(TokioIo::new(client), service));
    run(connection, http2::Connection::graceful_shutdown, visit, drained).await;
}

/// Polls both connections until the client's is over.
async fn run<C: Future>(
    mut connection: Pin<&mut C>,
    leave: impl Fn(Pin<&mut C>),
    visit: &Visit,
    drained: impl Future<Output = ()>,
) {
    let mut drained = pin!(drained);
    let (mut told, mut cut) = (pin!(visit.leave.notified()), pin!(visit.cut.notified()));
    let mut added = pin!(visit.driver_added.notified());
    let mut is_leaving = false;
    poll_fn(|context| {
        if connection.as_mut().poll(context).is_ready() || cut.as_mut().poll(context).is_ready() {
            return Poll::Ready(());
        }
        while added.as_mut().poll(context).is_ready() {
            added.set(visit.driver_added.notified());
        }
        visit.drive(context);
        let is_told = told.as_mut().poll(context).is_ready() || drained.as_mut().poll(context).is_ready();
        if !is_leaving && is_told {
            is_leaving = true;
            leave(connection.as_mut());
            return connection.as_mut().poll(context).map(|_| ());
        }
        Poll::Pending
    })
    .await;
}

async fn answer(visit: Arc<Visit>, request: Request<Incoming>) -> Result<Response<Body>, Gone> {
    exchange::answer(&visit, request).await
}

/// Passes raw bytes after both sides have agreed on another protocol.
async fn tunnel(client: OnUpgrade, upstream: OnUpgrade, visit: &Visit, subject: Option<&mut Subject>) {
    let upstream = {
        let mut upstream = pin!(upstream);
        poll_fn(|context| {
            visit.drive(context);
            upstream.as_mut().poll(context)
        })
        .await
    };
    let (Ok(client), Ok(upstream)) = (client.await, upstream) else { return };
    let (mut client, mut upstream) = (TokioIo::new(client), TokioIo::new(upstream));
    match subject {
        Some(subject) => pump::forward(client, upstream, subject, &visit.way.tether).await,
        // Faults on bytes act outside.
        None => {
            let _ = tokio::io::copy_bidirectional(&mut client, &mut upstream).await;
        }
    }
}
