//! A proxy with its API for tests: runs until it is dropped.

use std::net::Ipv4Addr;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::runtime::Runtime;

use crate::chaos::proxy::registry::Registry;

/// A proxy of this program, and where its API is.
pub(in crate::chaos) struct Ours {
    _runtime: Runtime,
    pub registry: Arc<Registry>,
    /// `http://127.0.0.1:…`
    pub api: String,
}

pub(in crate::chaos) fn start() -> Ours {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let registry = Arc::new(Registry::default());
    let listener = runtime.block_on(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))).unwrap();
    let api = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(super::serve(registry.clone(), listener));
    let keeper = registry.clone();
    runtime.spawn(async move { keeper.keep_leases().await });
    Ours { _runtime: runtime, registry, api }
}
