//! The proxy as a process: makes its links, says where they listen, and ends when it is told to or when nobody needs it.

use std::future::pending;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::time::{Instant, sleep};

use crate::chaos::proxy::api;
use crate::chaos::proxy::link::LinkSpec;
use crate::chaos::proxy::otlp::{Endpoint, Reporter};
use crate::chaos::proxy::registry::{Limits, Registry, RegistryError, Say};

/// How long connections may take to finish what they do once the proxy is told to end.
const FAREWELL: Duration = Duration::from_secs(5);

/// How often is looked whether connections remain.
const LOOK: Duration = Duration::from_millis(50);

/// What a proxy is to do.
#[derive(Clone)]
pub struct Options {
    /// Links that are there from the beginning.
    pub links: Vec<LinkSpec>,
    /// Where the HTTP API listens; loopback only, port 0 takes any free one.
    pub api: Option<SocketAddr>,
    /// Where spans of faulted requests go.
    pub otlp: Option<Endpoint>,
    /// Ends once no run has a lease any more and no connections remain; for a proxy that a run has started for itself.
    pub exit_with_lease: bool,
    pub limits: Limits,
    /// Gets a line for whatever a person should know.
    pub say: Say,
}

impl Default for Options {
    fn default() -> Self {
        let say: Say = Arc::new(|_| ());
        Self { links: Vec::new(), api: None, otlp: None, exit_with_lease: false, limits: Limits::default(), say }
    }
}

/// Why a proxy cannot run.
#[derive(Debug, thiserror::Error)]
pub enum ProxyError {
    #[error("cannot start threads: {0}")]
    Threads(io::Error),
    #[error("the API cannot listen on {address}: {source}")]
    Api { address: SocketAddr, source: io::Error },
    #[error(transparent)]
    Link(#[from] RegistryError),
}

/// A proxy that runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Running {
    /// Links that listen: name and address.
    pub links: Vec<(String, SocketAddr)>,
    /// Where the HTTP API listens.
    pub api: Option<SocketAddr>,
}

/// Runs a proxy on threads of its own until `stop`; `started` is called once all links listen.
pub fn run(options: Options, started: impl FnOnce(&Running), stop: impl Future<Output = ()>) -> Result<(), ProxyError> {
    let runtime = Builder::new_multi_thread().enable_all().thread_name("proxy").build().map_err(ProxyError::Threads)?;
    let done = runtime.block_on(serve(options, started, stop));
    runtime.shutdown_timeout(LOOK);
    done
}

/// Runs a proxy on the runtime of the caller until `stop`; `started` is called once all links listen.
pub async fn serve(
    options: Options,
    started: impl FnOnce(&Running),
    stop: impl Future<Output = ()>,
) -> Result<(), ProxyError> {
    let reporter = options.otlp.map(|endpoint| Reporter::start(endpoint, options.say.clone()));
    let registry = Arc::new(Registry::new(options.limits, options.say, reporter));
    for link in options.links {
        registry.create(link).await?;
    }
    let (api, listener) = listen(options.api).await?.unzip();
    started(&Running { links: addresses(&registry), api });
    tokio::select! {
        () = stop => {}
        error = answer(listener, &registry) => return Err(error),
        () = registry.keep_leases() => {}
        () = abandoned(&registry), if options.exit_with_lease => {}
    }
    farewell(&registry).await;
    Ok(())
}

/// Binds where the API is to listen.
async fn listen(address: Option<SocketAddr>) -> Result<Option<(SocketAddr, TcpListener)>, ProxyError> {
    let Some(address) = address else { return Ok(None) };
    let failed = |source| ProxyError::Api { address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    Ok(Some((listener.local_addr().map_err(failed)?, listener)))
}

/// Answers on the API; returns only if that is not possible.
async fn answer(listener: Option<TcpListener>, registry: &Arc<Registry>) -> ProxyError {
    let Some(listener) = listener else { return pending().await };
    let address = listener.local_addr().unwrap_or_else(|_| SocketAddr::from(([127, 0, 0, 1], 0)));
    match api::serve(registry.clone(), listener).await {
        Err(source) => ProxyError::Api { address, source },
        Ok(()) => pending().await,
    }
}

/// Waits until no run has a lease and no connections remain. Links forward all the while: nobody is cut off.
async fn abandoned(registry: &Registry) {
    registry.lost().await;
    registry.links().iter().for_each(|link| link.drain());
    while registry.num_connections() > 0 {
        sleep(LOOK).await;
    }
}

async fn farewell(registry: &Registry) {
    registry.disarm_where(|_| true);
    for link in registry.links() {
        link.stop_listening().await;
        link.drain();
    }
    let end = Instant::now() + FAREWELL;
    while registry.num_connections() > 0 && Instant::now() < end {
        sleep(LOOK).await;
    }
    registry.links().iter().for_each(|link| link.close_connections());
}

fn addresses(registry: &Registry) -> Vec<(String, SocketAddr)> {
    let links = registry.links();
    links.iter().filter_map(|link| Some((link.name.clone(), link.address()?))).collect()
}
