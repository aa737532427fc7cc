//! All links of a proxy, what is armed on them, and the leases of runs. Everything that tells the proxy what to do comes through here.

use std::collections::BTreeMap;
use std::io;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::chaos::faults::FaultError;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::lease::Leases;
use crate::chaos::proxy::link::{Link, LinkSpec, Protocol};
use crate::chaos::proxy::listener;
use crate::chaos::proxy::otlp::Reporter;

/// What a proxy may take and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How many connections at a time, over all links.
    pub max_connections: usize,
    /// Whether links may listen on addresses that other machines reach.
    pub allows_remote: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self { max_connections: 10_000, allows_remote: false }
    }
}

/// Says what happened, in a line, to whoever watches the proxy.
pub type Say = Arc<dyn Fn(&str) + Send + Sync>;

/// All links. Cheap to share; used from any task of the proxy's runtime.
pub struct Registry {
    links: Mutex<BTreeMap<String, Arc<Link>>>,
    leases: Mutex<Leases>,
    leases_changed: Notify,
    /// Serialises what opens and closes sockets, so that two updates of a link do not mix.
    changing: tokio::sync::Mutex<()>,
    pub(super) house: Arc<House>,
}

/// What all links share.
pub(super) struct House {
    pub(super) limits: Limits,
    pub(super) num_connections: AtomicUsize,
    pub(super) say: Say,
    pub(super) reporter: Option<Reporter>,
}

/// What a registry cannot do.
#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("no link is called {0:?}")]
    NoLink(String),
    #[error("a link called {0:?} is there already")]
    LinkExists(String),
    #[error("nothing called {fault:?} is armed on link {link:?}")]
    NoFault { link: String, fault: String },
    #[error("something called {fault:?} is armed on link {link:?} already")]
    FaultExists { link: String, fault: String },
    #[error("link {link:?} cannot listen on {listen}: {source}")]
    Listen { link: String, listen: String, source: io::Error },
    #[error("link {link:?}: {reason}")]
    Spec { link: String, reason: String },
    #[error("{kind} acts on requests, but link {link:?} passes raw bytes on: {remedy}")]
    NotReadable { link: String, kind: String, remedy: &'static str },
    #[error(transparent)]
    Fault(#[from] FaultError),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Default for Registry {
    fn default() -> Self {
        Self::new(Limits::default(), Arc::new(|_| ()), None)
    }
}

impl Registry {
    /// Makes an empty one; `say` gets a line for what goes wrong, `reporter` a span for every faulted request.
    #[must_use]
    pub fn new(limits: Limits, say: Say, reporter: Option<Reporter>) -> Self {
        let house = House { limits, num_connections: AtomicUsize::new(0), say, reporter };
        Self {
            links: Mutex::default(),
            leases: Mutex::default(),
            leases_changed: Notify::new(),
            changing: tokio::sync::Mutex::default(),
            house: Arc::new(house),
        }
    }

    /// Returns all links, by name.
    #[must_use]
    pub fn links(&self) -> Vec<Arc<Link>> {
        lock(&self.links).values().cloned().collect()
    }

    /// Returns a link.
    pub fn link(&self, name: &str) -> Result<Arc<Link>, RegistryError> {
        lock(&self.links).get(name).cloned().ok_or_else(|| RegistryError::NoLink(name.to_owned()))
    }

    /// Makes a link and, if it is enabled, listens.
    pub async fn create(&self, spec: LinkSpec) -> Result<Arc<Link>, RegistryError> {
        let _changing = self.changing.lock().await;
        if lock(&self.links).contains_key(&spec.name) {
            return Err(RegistryError::LinkExists(spec.name));
        }
        let link = Arc::new(Link::new(spec));
        self.open(&link).await?;
        lock(&self.links).insert(link.name.clone(), link.clone());
        Ok(link)
    }

    /// Makes a link be what `spec` says: listens anew if that changed, closes all connections if where it leads or whether it is
    /// enabled changed. What is armed stays. `spec.name` must be that of an existing link.
    pub async fn update(&self, spec: LinkSpec) -> Result<Arc<Link>, RegistryError> {
        let _changing = self.changing.lock().await;
        let link = self.link(&spec.name)?;
        let before = link.spec();
        if *before == spec {
            return Ok(link);
        }
        listener::close(&link).await;
        link.set_spec(spec);
        if let Err(error) = self.open(&link).await {
            link.set_spec(LinkSpec { enabled: false, ..(*before).clone() });
            return Err(error);
        }
        Ok(link)
    }

    /// Switches a link on or off. Off refuses connections and closes those that exist.
    pub async fn enable(&self, name: &str, enabled: bool) -> Result<Arc<Link>, RegistryError> {
        let spec = self.link(name)?.spec();
        self.update(LinkSpec { enabled, ..(*spec).clone() }).await
    }

    /// Closes a link and forgets it.
    pub async fn remove(&self, name: &str) -> Result<(), RegistryError> {
        let _changing = self.changing.lock().await;
        let link = self.link(name)?;
        lock(&self.links).remove(name);
        listener::close(&link).await;
        Ok(())
    }

    async fn open(&self, link: &Arc<Link>) -> Result<(), RegistryError> {
        if link.spec().enabled { listener::open(link, &self.house).await } else { Ok(()) }
    }

    /// Arms a fault on a link. Requests that begin from now on are subject to it, also those on connections that exist. A fault of a
    /// run gets a lease of [`super::lease::TTL`] if the run has none.
    pub fn arm(&self, link: &str, armed: Armed) -> Result<Arc<Armed>, RegistryError> {
        let link = self.link(link)?;
        let armed = Arc::new(check(&link, armed)?);
        if find(&link, &armed.name).is_some() {
            return Err(RegistryError::FaultExists { link: link.name.clone(), fault: armed.name.clone() });
        }
        // The lease comes first and is held on to: it cannot run out between the two.
        let mut leases = lock(&self.leases);
        if let Some(run) = &armed.run {
            leases.ensure(run, Instant::now());
        }
        link.rearm(|faults| faults.push(armed.clone()));
        drop(leases);
        self.leases_changed.notify_one();
        Ok(armed)
    }

    /// Puts a fault in the place of the one of the same name.
    pub fn replace(&self, link: &str, armed: Armed) -> Result<Arc<Armed>, RegistryError> {
        let link = self.link(link)?;
        let armed = Arc::new(check(&link, armed)?);
        let missing = || RegistryError::NoFault { link: link.name.clone(), fault: armed.name.clone() };
        find(&link, &armed.name).ok_or_else(missing)?;
        link.rearm(|faults| {
            faults.iter_mut().filter(|fault| fault.name == armed.name).for_each(|fault| *fault = armed.clone());
        });
        Ok(armed)
    }

    /// Takes a fault away; requests that it holds at this moment are let go.
    pub fn disarm(&self, link: &str, fault: &str) -> Result<(), RegistryError> {
        let link = self.link(link)?;
        let missing = || RegistryError::NoFault { link: link.name.clone(), fault: fault.to_owned() };
        find(&link, fault).ok_or_else(missing)?;
        link.rearm(|faults| faults.retain(|armed| armed.name != fault));
        Ok(())
    }

    /// Takes all faults away that `is_gone` says so of, on all links.
    pub fn disarm_where(&self, is_gone: impl Fn(&Armed) -> bool) {
        for link in self.links() {
            if link.armed().iter().any(|armed| is_gone(armed)) {
                link.rearm(|faults| faults.retain(|armed| !is_gone(armed)));
            }
        }
    }

    /// Renews the lease of a run for `ttl` from now; returns whether it had one. A run that had none has no faults either any more.
    pub fn lease(&self, run: &str, ttl: Duration) -> bool {
        let was_there = lock(&self.leases).renew(run, ttl, Instant::now());
        self.leases_changed.notify_one();
        was_there
    }

    /// Ends the lease of a run and takes its faults away; returns whether it had one.
    pub fn release(&self, run: &str) -> bool {
        let was_there = lock(&self.leases).release(run);
        self.disarm_where(|armed| armed.run.as_deref() == Some(run));
        self.leases_changed.notify_one();
        was_there
    }

    /// Returns runs that have a lease, and the time that is left to them.
    #[must_use]
    pub fn leases(&self) -> Vec<(String, Duration)> {
        lock(&self.leases).list(Instant::now())
    }

    /// Returns how many connections are open on all links.
    #[must_use]
    pub fn num_connections(&self) -> usize {
        self.house.num_connections.load(Ordering::Relaxed)
    }

    /// Ends leases that are not renewed, with their faults; never returns.
    pub(super) async fn keep_leases(&self) {
        loop {
            let next = lock(&self.leases).next_end();
            tokio::select! {
                () = self.leases_changed.notified() => {}
                () = sleep_until(next.unwrap_or_else(Instant::now)), if next.is_some() => self.expire(),
            }
        }
    }

    /// Waits until there were leases and none is left, or there was none for too long.
    pub(super) async fn lost(&self) {
        // Looked at rather than told: it is asked for by nobody who is in a hurry.
        while !lock(&self.leases).is_lost(Instant::now()) {
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    fn expire(&self) {
        let mut leases = lock(&self.leases);
        let late = leases.expire(Instant::now());
        self.disarm_where(|armed| armed.run.as_ref().is_some_and(|run| late.contains(run)));
        drop(leases);
        for run in late {
            (self.house.say)(&format!("run {run} was not heard of in time: its faults are gone, links forward"));
        }
    }
}

fn find(link: &Link, name: &str) -> Option<Arc<Armed>> {
    link.armed().iter().find(|armed| armed.name == name).cloned()
}

/// Refuses faults that could never do anything on this link.
fn check(link: &Link, armed: Armed) -> Result<Armed, RegistryError> {
    if armed.level.needs_http() && !is_readable(link) {
        return Err(RegistryError::NotReadable {
            link: link.name.clone(),
            kind: armed.fault.as_ref().map_or_else(|| armed.name.clone(), |fault| fault.kind.clone()),
            remedy: "set its protocol to http or auto, and give it a certificate and key where clients talk TLS",
        });
    }
    Ok(armed)
}

/// Tells whether requests can be read on a link, as far as is known.
fn is_readable(link: &Link) -> bool {
    let (spec, read) = (link.spec(), |counter: &AtomicU64| counter.load(Ordering::Relaxed));
    let passes_tls = spec.tls.is_none() && read(&link.traffic.passed_tls) > 0 && read(&link.traffic.requests) == 0;
    spec.protocol != Protocol::Tcp && !passes_tls
}
