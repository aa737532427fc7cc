//! One forwarded link: where it listens, where it leads, what is armed on it, and who is connected.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use clap::ValueEnum;
use serde::{Deserialize, Serialize};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::chaos::faults::Level;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::tls::Ends;

/// What a link is to be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LinkSpec {
    /// Unique among the links of a proxy.
    pub name: String,
    /// `127.0.0.1:8080`; port 0 takes any free one (see [`Link::address`]) and keeps it as long as this stays the same.
    pub listen: String,
    /// `host:port`; a name is looked up for every connection.
    pub upstream: String,
    #[serde(default)]
    pub protocol: Protocol,
    #[serde(default = "yes")]
    pub enabled: bool,
    /// Certificate and key to show to clients, so that requests inside of TLS can be read. Without it TLS passes through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tls: Option<Identity>,
    /// Talks TLS to the upstream.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream_tls: Option<UpstreamTls>,
}

fn yes() -> bool {
    true
}

impl LinkSpec {
    /// Makes an enabled link that finds out by itself what is spoken.
    #[must_use]
    pub fn new(name: &str, listen: &str, upstream: &str) -> Self {
        Self {
            name: name.to_owned(),
            listen: listen.to_owned(),
            upstream: upstream.to_owned(),
            protocol: Protocol::Auto,
            enabled: true,
            tls: None,
            upstream_tls: None,
        }
    }
}

/// What is spoken on a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Protocol {
    /// Found out from the first bytes of each connection: HTTP/1, HTTP/2, or anything else as raw bytes.
    #[default]
    Auto,
    /// HTTP/1 or HTTP/2, gRPC among it.
    Http,
    /// Raw bytes, whatever they mean.
    Tcp,
}

/// A certificate (chain) and its key, both PEM files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    pub certificate: PathBuf,
    pub key: PathBuf,
}

/// How the upstream is known.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UpstreamTls {
    /// PEM file of the authorities that may have signed the upstream's certificate.
    pub ca: PathBuf,
    /// The name in the upstream's certificate; its host where nothing is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_name: Option<String>,
}

/// Everything armed on a link at one moment.
pub type Faults = Arc<[Arc<Armed>]>;

/// A link that exists.
pub struct Link {
    /// As in its [`LinkSpec`].
    pub name: String,
    /// Bytes and connections so far.
    pub traffic: Traffic,
    spec: Mutex<Arc<LinkSpec>>,
    ends: Mutex<Ends>,
    armed: watch::Sender<Faults>,
    orders: watch::Sender<Orders>,
    listening: Mutex<Option<Listening>>,
    /// Where it listened last, and what `listen` was then.
    place: Mutex<Option<(String, SocketAddr)>>,
    connections: Mutex<BTreeMap<u64, ConnectionInfo>>,
    next_connection: AtomicU64,
}

/// The socket that accepts.
pub(super) struct Listening {
    pub(super) address: SocketAddr,
    pub(super) task: JoinHandle<()>,
}

/// What connections up to a number are to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Orders {
    /// Connections below finish what they do, and close.
    pub(super) drain: u64,
    /// The same, but only for those whose bytes no fault can see.
    pub(super) renew: u64,
    /// Connections below close now.
    pub(super) close: u64,
}

/// A live connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ConnectionInfo {
    /// The client's address.
    pub peer: SocketAddr,
    pub since: Instant,
    /// Whether requests on it are readable; nothing while that is not known yet.
    pub is_http: Option<bool>,
}

/// Running counts of a link.
#[derive(Debug, Default)]
pub struct Traffic {
    /// Bytes from clients.
    pub from_client: AtomicU64,
    /// Bytes to clients.
    pub to_client: AtomicU64,
    /// Bytes from the upstream.
    pub from_upstream: AtomicU64,
    /// Bytes to the upstream.
    pub to_upstream: AtomicU64,
    /// Connections that were accepted.
    pub accepted: AtomicU64,
    /// Connections that were refused for want of room.
    pub refused: AtomicU64,
    /// Connections on which no requests could be read.
    pub raw: AtomicU64,
    /// Of those, the ones in TLS that passed through.
    pub passed_tls: AtomicU64,
    /// Requests that were forwarded or answered.
    pub requests: AtomicU64,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Link {
    pub(super) fn new(spec: LinkSpec) -> Self {
        Self {
            name: spec.name.clone(),
            traffic: Traffic::default(),
            spec: Mutex::new(Arc::new(spec)),
            ends: Mutex::default(),
            armed: watch::Sender::new(Arc::new([])),
            orders: watch::Sender::default(),
            listening: Mutex::default(),
            place: Mutex::default(),
            connections: Mutex::default(),
            next_connection: AtomicU64::new(0),
        }
    }

    /// Returns what it is to be now.
    #[must_use]
    pub fn spec(&self) -> Arc<LinkSpec> {
        lock(&self.spec).clone()
    }

    /// Returns where it really listens; nothing while it is disabled.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        lock(&self.listening).as_ref().map(|listening| listening.address)
    }

    /// Returns what is armed, in the order of arming.
    #[must_use]
    pub fn armed(&self) -> Faults {
        self.armed.borrow().clone()
    }

    /// Returns live connections, oldest first.
    #[must_use]
    pub fn connections(&self) -> Vec<ConnectionInfo> {
        lock(&self.connections).values().copied().collect()
    }

    /// Lets connections that exist finish the request that they are at, and close. Raw connections go on: faults reach them as they
    /// are.
    pub fn drain(&self) {
        let next = self.next_connection.load(Ordering::Relaxed);
        self.orders.send_modify(|orders| orders.drain = next);
    }

    /// Closes all connections that exist, at once.
    pub fn close_connections(&self) {
        let next = self.next_connection.load(Ordering::Relaxed);
        self.orders.send_modify(|orders| orders.close = next);
    }

    pub(super) fn watch_armed(&self) -> watch::Receiver<Faults> {
        self.armed.subscribe()
    }

    pub(super) fn watch_orders(&self) -> watch::Receiver<Orders> {
        self.orders.subscribe()
    }

    /// Replaces what is armed by what `change` makes of it. HTTP connections that exist are drained if a fault is new
    /// that acts on bytes: those act from a connection's first byte on, raw connections and those that had such a fault excepted.
    pub(super) fn rearm(&self, change: impl FnOnce(&mut Vec<Arc<Armed>>)) {
        let mut acts_on_bytes = false;
        self.armed.send_modify(|armed| {
            let before = armed.clone();
            let mut after = before.to_vec();
            change(&mut after);
            let is_new = |armed: &Arc<Armed>| !before.iter().any(|known| known.number == armed.number);
            acts_on_bytes = after.iter().any(|armed| armed.level == Level::Connection && is_new(armed));
            *armed = after.into();
        });
        if acts_on_bytes {
            let next = self.next_connection.load(Ordering::Relaxed);
            self.orders.send_modify(|orders| orders.renew = next);
        }
    }

    pub(super) fn set_spec(&self, spec: LinkSpec) {
        *lock(&self.spec) = Arc::new(spec);
    }

    pub(super) fn ends(&self) -> Ends {
        lock(&self.ends).clone()
    }

    pub(super) fn set_ends(&self, ends: Ends) {
        *lock(&self.ends) = ends;
    }

    /// Accepts no more connections; those that exist go on.
    pub(super) async fn stop_listening(&self) {
        if let Some(listening) = self.set_listening(None) {
            listening.task.abort();
            // It was aborted: that is what it says. The port is free afterwards.
            let _ = listening.task.await;
        }
    }

    /// Returns where it listened last for the same `listen`: port 0 is chosen once.
    pub(super) fn place(&self, listen: &str) -> Option<SocketAddr> {
        lock(&self.place).as_ref().filter(|(text, _)| text == listen).map(|(_, address)| *address)
    }

    pub(super) fn set_place(&self, listen: String, address: SocketAddr) {
        *lock(&self.place) = Some((listen, address));
    }

    /// Takes the socket that accepts, or gives it back.
    pub(super) fn set_listening(&self, listening: Option<Listening>) -> Option<Listening> {
        std::mem::replace(&mut *lock(&self.listening), listening)
    }

    /// Notes a new connection and returns its number; ends when the note is dropped.
    pub(super) fn note(self: &Arc<Self>, peer: SocketAddr) -> Note {
        self.traffic.accepted.fetch_add(1, Ordering::Relaxed);
        let number = self.next_connection.fetch_add(1, Ordering::Relaxed);
        let info = ConnectionInfo { peer, since: Instant::now(), is_http: None };
        lock(&self.connections).insert(number, info);
        Note { link: self.clone(), number }
    }

    /// Returns how many connections are open.
    #[must_use]
    pub fn num_open(&self) -> usize {
        lock(&self.connections).len()
    }
}

/// A connection in its link's list, for as long as it lives.
pub(super) struct Note {
    pub(super) link: Arc<Link>,
    pub(super) number: u64,
}

impl Note {
    /// Says what the connection turned out to be.
    pub(super) fn is_http(&self, is_http: bool) {
        if let Some(info) = lock(&self.link.connections).get_mut(&self.number) {
            info.is_http = Some(is_http);
        }
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        lock(&self.link.connections).remove(&self.number);
    }
}
