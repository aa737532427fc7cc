//! Where riftline listens: addresses, the threads that serve them, and how they close.

use std::collections::VecDeque;
use std::net::{SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::{sleep, timeout};

use crate::format::Settings;
use crate::receive::connection::{self, Guest};
use crate::receive::desk::Desk;
use crate::receive::kind::Protocol;
use crate::receive::spool::{Spool, SpoolLimits};

/// Connections at a time, over all doors: well below the files that a process may have open.
const MAX_CONNECTIONS: usize = 512;

const NUM_THREADS: usize = 2;

/// How long closing waits for requests that are being answered.
const FAREWELL: Duration = Duration::from_secs(6);

/// Where to listen; nothing: not at all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ListenOptions {
    pub grpc: Option<String>,
    pub http: Option<String>,
    pub zipkin: Option<String>,
    pub jaeger: Option<String>,
    pub limits: SpoolLimits,
}

/// An address at which something is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bound {
    pub protocol: Protocol,
    pub address: SocketAddr,
}

/// An address could not be listened at.
#[derive(Debug, thiserror::Error)]
#[error("listen at {address} for {what}: {source}")]
pub struct ListenError {
    pub address: String,
    pub what: &'static str,
    pub source: std::io::Error,
}

/// Addresses that are taken but not served yet.
#[derive(Debug)]
pub struct Doors {
    doors: Vec<(Bound, TcpListener)>,
}

/// Receivers at work. Dropping them closes them.
pub struct Receivers {
    bound: Vec<Bound>,
    closing: watch::Sender<bool>,
    places: Arc<Semaphore>,
    runtime: Option<Runtime>,
}

impl Bound {
    /// Returns it as the name of a source, such as `grpc://127.0.0.1:4317`.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{}://{}", self.protocol.scheme(), self.address)
    }
}

impl Doors {
    /// Takes the addresses.
    pub fn bind(options: &ListenOptions) -> Result<Self, ListenError> {
        let wanted = [
            (Protocol::Grpc, &options.grpc),
            (Protocol::Http, &options.http),
            (Protocol::Zipkin, &options.zipkin),
            (Protocol::Jaeger, &options.jaeger),
        ];
        let wanted = wanted.into_iter().filter_map(|(protocol, address)| Some((protocol, address.as_ref()?)));
        let doors = wanted.map(|(protocol, address)| bind(protocol, address)).collect::<Result<_, _>>()?;
        Ok(Self { doors })
    }

    /// Returns the addresses.
    #[must_use]
    pub fn bound(&self) -> Vec<Bound> {
        self.doors.iter().map(|(bound, _)| *bound).collect()
    }

    /// Begins to take requests into the spool, on threads of their own.
    pub fn open(self, spool: Arc<Spool>, settings: Settings) -> std::io::Result<Receivers> {
        let runtime = Builder::new_multi_thread()
            .worker_threads(NUM_THREADS)
            .thread_name("receive")
            .enable_io()
            .enable_time()
            .build()?;
        let desk = Arc::new(Desk::new(spool, settings));
        let bound = self.bound();
        let (closing, closes) = watch::channel(false);
        let places = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        for (bound, listener) in self.doors {
            let _entered = runtime.enter();
            let listener = tokio::net::TcpListener::from_std(listener)?;
            let hall = Hall {
                desk: desk.clone(),
                bound,
                places: places.clone(),
                closes: closes.clone(),
                silent: VecDeque::new(),
            };
            runtime.spawn(hall.accept_all(listener));
        }
        Ok(Receivers { bound, closing, places, runtime: Some(runtime) })
    }
}

impl Receivers {
    /// Returns where they listen.
    #[must_use]
    pub fn bound(&self) -> &[Bound] {
        &self.bound
    }

    /// Takes no more requests, answers those that came, and closes every connection.
    pub fn close(&mut self) {
        let Some(runtime) = self.runtime.take() else { return };
        // Nobody listens any more where all doors are gone.
        let _ = self.closing.send(true);
        let all = self.places.acquire_many(MAX_CONNECTIONS as u32);
        let _ = runtime.block_on(async { timeout(FAREWELL, all).await.map(drop) });
        runtime.shutdown_timeout(Duration::from_millis(500));
    }
}

impl Drop for Receivers {
    fn drop(&mut self) {
        self.close();
    }
}

fn bind(protocol: Protocol, address: &str) -> Result<(Bound, TcpListener), ListenError> {
    let what = match protocol {
        Protocol::Grpc => "OTLP over gRPC",
        Protocol::Http => "OTLP over HTTP",
        Protocol::Zipkin => "Zipkin",
        Protocol::Jaeger => "Jaeger",
    };
    let failed = |source| ListenError { address: address.to_owned(), what, source };
    let is_port = address.bytes().all(|byte| byte.is_ascii_digit());
    let whole = if is_port { format!("127.0.0.1:{address}") } else { address.to_owned() };
    let listener = TcpListener::bind(&whole).map_err(failed)?;
    listener.set_nonblocking(true).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok((Bound { protocol, address }, listener))
}

/// What waits behind one door.
struct Hall {
    desk: Arc<Desk>,
    bound: Bound,
    places: Arc<Semaphore>,
    closes: watch::Receiver<bool>,
    /// Connections that have not asked anything yet, the oldest first.
    silent: VecDeque<std::sync::Weak<Guest>>,
}

impl Hall {
    async fn accept_all(mut self, listener: tokio::net::TcpListener) {
        let mut closes = self.closes.clone();
        let mut closing = std::pin::pin!(async move {
            let _ = closes.wait_for(|closes| *closes).await;
        });
        loop {
            let mut accept = std::pin::pin!(listener.accept());
            let accepted = std::future::poll_fn(|context| {
                if closing.as_mut().poll(context).is_ready() {
                    return std::task::Poll::Ready(None);
                }
                accept.as_mut().poll(context).map(Some)
            });
            match accepted.await {
                None => return,
                Some(Ok((stream, _))) => {
                    let Some(place) = self.place().await else { continue };
                    self.welcome(stream, place);
                }
                // Out of files, most likely: others may be closed in a moment.
                Some(Err(_)) => sleep(Duration::from_millis(50)).await,
            }
        }
    }

    /// Returns a place; where there is none, the connection that has been silent for the longest gives up its own.
    async fn place(&mut self) -> Option<OwnedSemaphorePermit> {
        if let Ok(place) = self.places.clone().try_acquire_owned() {
            return Some(place);
        }
        while let Some(oldest) = self.silent.pop_front() {
            if let Some(guest) = oldest.upgrade().filter(|guest| guest.is_silent()) {
                guest.leave.notify_one();
                break;
            }
        }
        timeout(Duration::from_millis(200), self.places.clone().acquire_owned()).await.ok()?.ok()
    }

    fn welcome(&mut self, stream: tokio::net::TcpStream, place: OwnedSemaphorePermit) {
        let guest = Arc::new(Guest::default());
        if self.silent.len() >= MAX_CONNECTIONS {
            self.silent.retain(|guest| guest.upgrade().is_some_and(|guest| guest.is_silent()));
        }
        self.silent.push_back(Arc::downgrade(&guest));
        let (desk, bound, closes) = (self.desk.clone(), self.bound, self.closes.clone());
        tokio::spawn(async move {
            connection::serve(stream, desk, bound, guest, closes).await;
            drop(place);
        });
    }
}
