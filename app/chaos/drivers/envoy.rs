//! Lets an Envoy with the HTTP fault filter inject, by headers that the run's own requests carry: nothing to undo, and nobody else's
//! requests are hit.
//!
//! Headers: <https://www.envoyproxy.io/docs/envoy/v1.36.0/configuration/http/http_filters/fault_filter>. The filter must declare
//! `delay.header_delay`, `abort.header_abort` and `response_rate_limit.header_limit`, each with a percentage of 100.

pub mod header;

#[cfg(test)]
mod tests;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use riftline_queries::replay::fault::Fault;

use super::{Entry, Order, Setting, Settings, ask, call, get, refuse, target};
use crate::chaos::driver::{Driver, DriverError, Fidelity, Injected, Undo};
use crate::chaos::http::{Client, HttpError, RequestSpec};

pub(super) const ENTRY: Entry = Entry {
    name: "envoy",
    about: "headers that ask an Envoy with the HTTP fault filter for delays, errors and slow answers, request by request",
    settings: &[
        Setting {
            name: "admin",
            about: "address of Envoy's admin interface",
            is_required: false,
            default: Some("http://127.0.0.1:9901"),
        },
        Setting {
            name: "probe",
            about: "a URL behind that Envoy that may be asked at any time, to see whether the filter is there",
            is_required: false,
            default: None,
        },
    ],
    make: |settings, order| Ok(Box::new(Envoy::new(settings, order)?)),
};

/// What Envoy's fault filters count, of what we ask for.
const COUNTERS: [&str; 3] = ["delays_injected", "aborts_injected", "response_rl_injected"];

/// The key of Envoy's runtime that limits faults; at 0 there are none.
const LIMIT: &str = "fault.http.max_active_faults";

struct Envoy {
    admin: String,
    probe: Option<String>,
    client: Client,
    seed: u64,
    /// Requests that were given headers, or none because of the share.
    num_asked: AtomicU64,
    armed_at: Mutex<Option<Instant>>,
    injected_before: u64,
}

impl Envoy {
    fn new(settings: &Settings, order: &Order) -> Result<Self, DriverError> {
        let probe = settings.text_opt("probe").map(|_| settings.url("probe")).transpose()?;
        Ok(Self {
            admin: settings.url("admin")?,
            probe,
            client: order.client.clone(),
            seed: order.seed,
            num_asked: AtomicU64::new(0),
            armed_at: Mutex::new(None),
            injected_before: 0,
        })
    }

    /// Returns how many faults all filters of this Envoy have injected since it started.
    fn count(&self) -> Result<u64, DriverError> {
        let answer = ask(&self.client, &get(format!("{}/stats?filter=fault", self.admin)))?;
        Ok(sum_of_counters(&answer.body))
    }

    /// Asks for a delay of one millisecond, and looks whether Envoy counted it.
    fn probe(&self, url: &str) -> Result<String, DriverError> {
        let before = self.count()?;
        self.send_probe(url)?;
        match self.count()?.saturating_sub(before) {
            0 => Err(DriverError::Missing(format!(
                "the Envoy of {} injected nothing on {url}: no envoy.filters.http.fault with header_delay on that way",
                self.admin
            ))),
            1 => Ok(format!("the fault filter answers on {url}")),
            more => Ok(format!(
                "{more} fault filters answer on {url}: every one that the headers reach injects, the fault comes {more} times"
            )),
        }
    }

    fn send_probe(&self, url: &str) -> Result<(), DriverError> {
        let headers = vec![(header::DELAY.to_owned(), "1".to_owned())];
        let spec = RequestSpec { method: "GET".to_owned(), url: url.to_owned(), headers, body: Vec::new() };
        let unreachable =
            |error: HttpError| DriverError::Unreachable { target: target(url), reason: error.to_string() };
        self.client.request(&spec).map(drop).map_err(unreachable)
    }

    fn is_armed_for(&self) -> Option<f64> {
        let armed_at = *self.armed_at.lock().unwrap_or_else(PoisonError::into_inner);
        armed_at.map(|at| at.elapsed().as_secs_f64() * 1e3)
    }
}

/// Adds up what `/stats` says of fault filters: lines of `http.<prefix>.fault.delays_injected: 3`.
fn sum_of_counters(stats: &str) -> u64 {
    let lines = stats.lines().filter_map(|line| line.split_once(": "));
    let ours = lines.filter(|(name, _)| {
        // Per cluster the same faults are counted once more, below the filter's own count.
        name.rsplit_once(".fault.").is_some_and(|(_, counter)| COUNTERS.contains(&counter))
    });
    ours.filter_map(|(_, count)| count.trim().parse::<u64>().ok()).sum()
}

/// Stops every fault of every fault filter of an Envoy at once, whoever asked for it, until [`allow_faults`]. Needs a
/// `layered_runtime` with an admin layer.
pub fn stop_faults(admin: &str, client: &Client) -> Result<(), DriverError> {
    modify_runtime(admin, "0", client)
}

/// Takes back [`stop_faults`].
pub fn allow_faults(admin: &str, client: &Client) -> Result<(), DriverError> {
    modify_runtime(admin, "", client)
}

fn modify_runtime(admin: &str, value: &str, client: &Client) -> Result<(), DriverError> {
    let url = format!("{}/runtime_modify?{LIMIT}={value}", admin.trim_end_matches('/'));
    ask(client, &call("POST", url, None, &[])).map(drop)
}

impl Driver for Envoy {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        header::fidelity(fault)
    }

    fn spares_unmarked(&self) -> bool {
        true
    }

    fn targets(&self) -> Vec<String> {
        [Some(&self.admin), self.probe.as_ref()].into_iter().flatten().map(|url| target(url)).collect()
    }

    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        let mut found = vec![format!("Envoy at {}: {} faults injected so far", self.admin, self.count()?)];
        found.push(match &self.probe {
            Some(url) => self.probe(url)?,
            None => "whether the fault filter is there was not tried: no option `probe`".to_owned(),
        });
        let further = "the headers travel on where services forward them: a second Envoy with the filter injects again";
        found.push(further.to_owned());
        Ok(found)
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        let mut shown = header::examples(fault);
        shown.push(format!("to stop all faults of this Envoy: curl -X POST '{}/runtime_modify?{LIMIT}=0'", self.admin));
        shown
    }

    fn undo(&self) -> Undo {
        Undo::Nothing
    }

    /// Draws anew for each request, by the seed: Envoy gets the outcome, so that any distribution is kept as it is.
    fn request_headers(&self, fault: &Fault) -> Vec<(String, String)> {
        let Some(armed_ms) = self.is_armed_for() else { return Vec::new() };
        let ordinal = self.num_asked.fetch_add(1, Ordering::Relaxed) + 1;
        header::draw(fault, header::Draw { seed: self.seed, ordinal, armed_ms })
    }

    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError> {
        refuse(fault, header::fidelity(fault).refusal)?;
        self.injected_before = self.count()?;
        self.num_asked.store(0, Ordering::Relaxed);
        *self.armed_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
        Ok(())
    }

    fn keep(&mut self) -> Result<(), DriverError> {
        self.count().map(drop)
    }

    /// All faults of this Envoy since arming; which requests they hit, Envoy does not say.
    fn injected(&mut self) -> Result<Injected, DriverError> {
        let faults = self.count()?.saturating_sub(self.injected_before);
        Ok(Injected { faults: Some(faults), unmarked: None })
    }
}
