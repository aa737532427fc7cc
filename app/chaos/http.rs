//! HTTP calls: short ones that control something ([`Client`]), and requests as traffic ([`Traffic`]).
//!
//! Neither looks up a name behind the back of the rails: an address that was checked can be pinned, and is then the one that is
//! called. Redirects are not followed, since where they lead was not checked.

mod address;
mod connect;
mod error;
mod roots;
mod traffic;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

pub use self::address::{Endpoint, parts, resolve, target};
pub use self::error::{Ending, HttpError, Refusal};
pub use self::traffic::{Exchange, Reply, RequestSpec, Traffic};
use crate::chaos::driver::Call;

/// How long a control call may take where nothing else is said.
pub const TIMEOUT: Duration = Duration::from_secs(5);
/// Longest answer to a control call, in bytes.
pub const LONGEST_ANSWER: u64 = 1 << 20;
/// How riftline names itself; Toxiproxy refuses whoever looks like a browser.
const USER_AGENT: &str = concat!("riftline/", env!("CARGO_PKG_VERSION"));

/// What a control call was answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    pub status: u16,
    /// Bytes that are not text are replaced.
    pub body: String,
}

impl Answer {
    /// Says whether `call` counts this answer as done.
    #[must_use]
    pub fn is_accepted(&self, call: &Call) -> bool {
        if call.accept.is_empty() { (200..300).contains(&self.status) } else { call.accept.contains(&self.status) }
    }
}

/// Makes control calls, one connection each. Clones share the pinned addresses.
#[derive(Debug, Clone)]
pub struct Client {
    timeout: Duration,
    authority: Option<PathBuf>,
    pinned: Arc<Mutex<BTreeMap<String, Vec<SocketAddr>>>>,
    only_pinned: bool,
}

impl Default for Client {
    fn default() -> Self {
        Self::new(TIMEOUT)
    }
}

impl Client {
    /// Makes a client whose calls take at most `timeout` each.
    #[must_use]
    pub fn new(timeout: Duration) -> Self {
        Self { timeout, authority: None, pinned: Arc::default(), only_pinned: false }
    }

    /// Returns the same client with another time for each call.
    #[must_use]
    pub fn within(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// Trusts the certificates of this PEM file instead of the system's.
    #[must_use]
    pub fn trusting(self, authority: PathBuf) -> Self {
        Self { authority: Some(authority), ..self }
    }

    /// Calls only hosts whose addresses are pinned.
    #[must_use]
    pub fn only_pinned(self) -> Self {
        Self { only_pinned: true, ..self }
    }

    /// From now on `host:port`, as [`Endpoint::target`] writes it, is called at these addresses and nowhere else.
    pub fn pin(&self, target: &str, addresses: Vec<SocketAddr>) {
        self.pinned.lock().unwrap_or_else(PoisonError::into_inner).insert(target.to_owned(), addresses);
    }

    /// Makes one call. Any status is an answer, except a redirect.
    ///
    /// May be called on any thread, also on one that runs tasks; it blocks that thread.
    pub fn send(&self, call: &Call) -> Result<Answer, HttpError> {
        judge(call, &self.request(&request(call))?)
    }

    /// Sends one request with headers of its own, as [`Self::send`] does; any status is a reply, redirects among them.
    pub fn request(&self, spec: &RequestSpec) -> Result<Reply, HttpError> {
        let endpoint = Endpoint::parse(&spec.url)?;
        on_a_thread(&self.traffic(self.addresses(&endpoint)?), spec)
    }

    fn traffic(&self, addresses: Vec<SocketAddr>) -> Traffic {
        let mut traffic = Traffic::new(addresses);
        traffic.authority.clone_from(&self.authority);
        traffic.is_fresh = true;
        traffic.timeout = self.timeout;
        traffic.longest = LONGEST_ANSWER;
        traffic.keep = LONGEST_ANSWER as usize;
        traffic
    }

    fn addresses(&self, endpoint: &Endpoint) -> Result<Vec<SocketAddr>, HttpError> {
        let pinned = self.pinned.lock().unwrap_or_else(PoisonError::into_inner).get(&endpoint.target()).cloned();
        match pinned {
            Some(addresses) => Ok(addresses),
            None if self.only_pinned => Err(HttpError::Resolve {
                host: endpoint.host.clone(),
                reason: "none of its addresses was checked".to_owned(),
            }),
            None => address::resolve_within(&endpoint.host, endpoint.port, self.timeout),
        }
    }
}

fn request(call: &Call) -> RequestSpec {
    let mut headers = vec![("user-agent".to_owned(), USER_AGENT.to_owned())];
    if call.body.is_some() {
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
    }
    let body = call.body.as_ref().map(|body| body.to_string().into_bytes()).unwrap_or_default();
    RequestSpec { method: call.method.clone(), url: call.url.clone(), headers, body }
}

fn judge(call: &Call, reply: &Reply) -> Result<Answer, HttpError> {
    if (300..400).contains(&reply.status) && reply.status != 304 {
        let to = reply.header("location").unwrap_or("nowhere").to_owned();
        return Err(HttpError::Redirect { url: call.url.clone(), status: reply.status, to });
    }
    Ok(Answer { status: reply.status, body: String::from_utf8_lossy(&reply.body).into_owned() })
}

/// Waits for `spec` on a thread of its own, so that a caller who runs tasks on this one is not in the way.
fn on_a_thread(traffic: &Traffic, spec: &RequestSpec) -> Result<Reply, HttpError> {
    let unable = |reason: String| HttpError::Unable(reason);
    let run = || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        runtime.map_err(|error| unable(error.to_string()))?.block_on(traffic.send(spec)).outcome
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("http call".to_owned()).spawn_scoped(scope, run);
        let thread = thread.map_err(|error| unable(error.to_string()))?;
        thread.join().unwrap_or_else(|_| Err(unable("the thread of the call ended early".to_owned())))
    })
}
