//! The requests of a run: those of the incident, at a steady rate, each with a trace id that tells which arm it belongs to.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use crate::chaos::experiment::read::sha256;
use crate::chaos::experiment::{self, Request};
use crate::chaos::http::{Exchange, RequestSpec, Traffic};

/// Which part of a run a request belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Arm {
    /// Before anything is armed.
    Baseline,
    /// With the fault.
    Fault,
    /// At the same time as the fault, without it.
    Control,
    /// After everything is undone.
    Recovery,
}

/// One request that was sent, and what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sent {
    pub arm: Arm,
    /// 32 hexadecimal digits.
    pub trace_id: String,
    /// Of the span that we claim to be: nobody recorded it.
    pub span_id: String,
    pub method: String,
    pub path: String,
    /// Nanoseconds since 1970.
    pub at_ns: i64,
    pub duration_ns: i64,
    /// Nothing where no answer came.
    pub status: Option<u16>,
    /// One word for why no answer came: `refused`, `reset`, `late`…
    pub error: Option<String>,
}

impl Sent {
    /// Tells whether a user would call it failed.
    #[must_use]
    pub fn is_failed(&self) -> bool {
        self.status.is_none_or(|status| status >= 500)
    }
}

/// What tells this run's requests from all others, and those with the fault from those without: eight hexadecimal digits each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marks {
    pub fault: String,
    pub control: String,
}

impl Marks {
    /// Returns the marks of a run.
    #[must_use]
    pub fn of(run: &str) -> Self {
        let mark = |what: &str| sha256(format!("{run} {what}").as_bytes())[..8].to_owned();
        Self { fault: mark("fault"), control: mark("control") }
    }

    fn of_arm(&self, arm: Arm) -> &str {
        if arm == Arm::Fault { &self.fault } else { &self.control }
    }
}

/// What was sent so far; anyone may look.
#[derive(Debug, Default)]
pub struct Live {
    sent: Mutex<Vec<Sent>>,
    in_flight: AtomicU32,
    /// Requests that were due while too many waited for their answer: they were not sent.
    dropped: AtomicU32,
}

impl Live {
    /// Returns what was answered or failed so far, in the order of answers, from the `from`th on.
    #[must_use]
    pub fn since(&self, from: usize) -> Vec<Sent> {
        let sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.get(from..).unwrap_or_default().to_vec()
    }

    /// Adds what came of requests.
    pub(super) fn push(&self, sent: impl IntoIterator<Item = Sent>) {
        self.sent.lock().unwrap_or_else(PoisonError::into_inner).extend(sent);
    }

    /// Returns how many wait for an answer, and how many were dropped.
    #[must_use]
    pub fn counts(&self) -> (u32, u32) {
        (self.in_flight.load(Ordering::Relaxed), self.dropped.load(Ordering::Relaxed))
    }
}

/// Sends the requests of arms.
pub struct Sender {
    http: Arc<Traffic>,
    plan: experiment::Traffic,
    base: String,
    marks: Marks,
    seed: u64,
    /// Headers of every request: staging's own credentials.
    headers: Vec<(String, String)>,
    /// Headers of requests with the fault.
    fault_headers: Vec<Vec<(String, String)>>,
    pub live: Arc<Live>,
    /// Breaks off: requests under way are given up.
    pub stop: Arc<AtomicBool>,
    numbered: AtomicU32,
}

impl Sender {
    /// Makes the sender of a run. `base`: where requests go, without a path; `addresses`: where that was found.
    #[must_use]
    pub fn new(plan: &experiment::Traffic, base: &str, addresses: Vec<SocketAddr>, marks: Marks, seed: u64) -> Self {
        let mut http = Traffic::new(addresses);
        http.timeout = Duration::from_secs_f64(plan.timeout_s.clamp(0.001, 600.0));
        http.keep = 0;
        Self {
            http: Arc::new(http),
            plan: plan.clone(),
            base: base.trim_end_matches('/').to_owned(),
            marks,
            seed,
            headers: headers_of(plan),
            fault_headers: Vec::new(),
            live: Arc::default(),
            stop: Arc::default(),
            numbered: AtomicU32::new(0),
        }
    }

    /// Sets headers that requests with the fault carry: one list a request, taken in turn.
    pub fn set_fault_headers(&mut self, headers: Vec<Vec<(String, String)>>) {
        self.fault_headers = headers;
    }

    /// Opens a connection for each request from now on, where a fault hits connections.
    pub fn use_fresh_connections(&mut self, fresh: bool) {
        if let Some(http) = Arc::get_mut(&mut self.http) {
            http.is_fresh = fresh;
        }
    }

    /// Sends `requests` of one arm, or of two that take turns, and comes back when each was answered, failed, or given up.
    pub fn send(&self, arms: &[Arm]) {
        let Ok(runtime) = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() else {
            return;
        };
        runtime.block_on(self.send_all(arms));
        runtime.shutdown_background();
    }

    async fn send_all(&self, arms: &[Arm]) {
        let places = Arc::new(Semaphore::new(self.plan.in_flight.max(1) as usize));
        let every = Duration::from_secs_f64(1.0 / self.plan.rps.clamp(0.001, 10_000.0));
        let mut clock = tokio::time::interval(every);
        clock.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut under_way = Vec::new();
        for number in 0..self.plan.requests {
            for &arm in arms {
                clock.tick().await;
                if self.stop.load(Ordering::Relaxed) {
                    break;
                }
                match places.clone().try_acquire_owned() {
                    Ok(place) => under_way.push(self.start(arm, number, place)),
                    Err(_) => {
                        self.live.dropped.fetch_add(1, Ordering::Relaxed);
                    }
                }
            }
        }
        for task in under_way {
            self.wait(task).await;
        }
    }

    /// Waits for one request; gives it up once the run is to stop.
    async fn wait(&self, mut task: tokio::task::JoinHandle<()>) {
        const LOOK: Duration = Duration::from_millis(100);
        while tokio::time::timeout(LOOK, &mut task).await.is_err() {
            if self.stop.load(Ordering::Relaxed) {
                return task.abort();
            }
        }
    }

    fn start(&self, arm: Arm, number: u32, place: tokio::sync::OwnedSemaphorePermit) -> tokio::task::JoinHandle<()> {
        let Some(request) = chosen(&self.plan.list, self.seed, number) else { return tokio::spawn(async {}) };
        let (mut sent, spec) = self.prepare(arm, number, request);
        let (http, live) = (self.http.clone(), self.live.clone());
        live.in_flight.fetch_add(1, Ordering::Relaxed);
        tokio::spawn(async move {
            let exchange = http.send(&spec).await;
            note(&mut sent, &exchange);
            live.in_flight.fetch_sub(1, Ordering::Relaxed);
            live.push([sent]);
            drop(place);
        })
    }

    fn prepare(&self, arm: Arm, number: u32, request: &Request) -> (Sent, RequestSpec) {
        let mark = self.marks.of_arm(arm);
        let unique = self.numbered.fetch_add(1, Ordering::Relaxed).wrapping_add(1);
        let trace_id = format!("{mark}{unique:08x}{mark}{:08x}", !unique);
        let span_id = format!("{mark}{unique:08x}");
        let mut headers = self.headers.clone();
        headers.push(("traceparent".to_owned(), format!("00-{trace_id}-{span_id}-01")));
        headers.push(("tracestate".to_owned(), format!("riftline={mark}")));
        headers.push(("user-agent".to_owned(), concat!("riftline/", env!("CARGO_PKG_VERSION")).to_owned()));
        if arm == Arm::Fault && !self.fault_headers.is_empty() {
            headers.extend_from_slice(&self.fault_headers[number as usize % self.fault_headers.len()]);
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64);
        let spec = RequestSpec {
            method: request.method.clone(),
            url: format!("{}{}", self.base, request.path),
            headers,
            body: Vec::new(),
        };
        let (method, path) = (request.method.clone(), request.path.clone());
        (Sent { arm, trace_id, span_id, method, path, at_ns: now, duration_ns: 0, status: None, error: None }, spec)
    }
}

fn note(sent: &mut Sent, exchange: &Exchange) {
    sent.duration_ns = exchange.duration.as_nanos() as i64;
    match &exchange.outcome {
        Ok(reply) => sent.status = Some(reply.status),
        Err(error) => sent.error = Some(error.word().to_owned()),
    }
}

/// Returns the request that is sent as the `number`th of each arm: the same for the same seed, as often as each was in the incident.
fn chosen(list: &[Request], seed: u64, number: u32) -> Option<&Request> {
    let total: u64 = list.iter().map(|request| u64::from(request.times.max(1))).sum();
    let word = sha256(format!("{seed} {number}").as_bytes());
    let mut at = u64::from_str_radix(&word[..15], 16).unwrap_or(0).checked_rem(total)?;
    list.iter().find(|request| {
        let times = u64::from(request.times.max(1));
        let is_it = at < times;
        at = at.saturating_sub(times);
        is_it
    })
}

/// Returns the headers of every request. Values that the environment should hold and does not are left out.
fn headers_of(plan: &experiment::Traffic) -> Vec<(String, String)> {
    let value = |(header, variable): (&String, &String)| Some((header.clone(), std::env::var(variable).ok()?));
    let given = plan.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    given.chain(plan.headers_from_env.iter().filter_map(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str, times: u32) -> Request {
        Request { method: "GET".to_owned(), path: path.to_owned(), times }
    }

    #[test]
    fn each_arm_sends_the_same_requests_as_often_as_the_incident() {
        let list = [request("/a", 3), request("/b", 1)];
        let paths =
            |seed| (0..400).filter_map(|number| Some(chosen(&list, seed, number)?.path.clone())).collect::<Vec<_>>();
        assert_eq!(paths(7), paths(7));
        assert_ne!(paths(7), paths(8));
        let a = paths(7).iter().filter(|path| *path == "/a").count();
        assert!((260..=340).contains(&a), "{a}");
        assert_eq!(chosen(&[], 1, 1), None);
    }

    #[test]
    fn every_request_says_which_arm_it_belongs_to() {
        let plan = experiment::Traffic { list: vec![request("/a", 1)], ..experiment::Traffic::default() };
        let marks = Marks::of("r1");
        let sender = Sender::new(&plan, "http://127.0.0.1:1/", Vec::new(), marks.clone(), 0);
        let (fault, spec) = sender.prepare(Arm::Fault, 0, &plan.list[0]);
        let (control, _) = sender.prepare(Arm::Control, 0, &plan.list[0]);
        assert!(fault.trace_id.starts_with(&marks.fault) && fault.trace_id[16..].starts_with(&marks.fault));
        assert!(control.trace_id.starts_with(&marks.control));
        assert_eq!(spec.url, "http://127.0.0.1:1/a");
        assert!(spec.headers.contains(&("tracestate".to_owned(), format!("riftline={}", marks.fault))));
        assert_eq!(fault.trace_id.len(), 32);
    }
}
