//! The steady state: probes that must hold before, during and after a fault.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use serde_json::{Map, Value};

use super::RunError;
use crate::chaos::driver::Call;
use crate::chaos::experiment::Experiment;
use crate::chaos::http::Client;

/// How often probes are asked while something is armed, and how long one may take.
const EVERY: Duration = Duration::from_secs(2);
const LONGEST: f64 = 5.0;

/// One question to staging over HTTP, and the statuses that are right.
#[derive(Debug, Clone)]
struct Probe {
    name: String,
    call: Call,
    timeout: Duration,
}

/// All probes of an experiment.
#[derive(Debug, Clone)]
pub struct Probes {
    probes: Vec<Probe>,
    client: Client,
}

impl Probes {
    /// Takes the HTTP probes of an experiment.
    pub fn of(experiment: &Experiment, client: &Client) -> Result<Self, RunError> {
        let list = experiment.steady_state_hypothesis.as_ref().map_or(&[][..], |state| &state.probes);
        let probes: Result<Vec<Probe>, String> = list.iter().map(|probe| read(probe, experiment)).collect();
        let probes = probes.map_err(|mistake| RunError::Experiment(vec![mistake]))?;
        Ok(Self { probes, client: client.clone() })
    }

    /// Returns where probes go.
    pub fn urls(&self) -> impl Iterator<Item = &str> {
        self.probes.iter().map(|probe| probe.call.url.as_str())
    }

    /// Asks all once; returns what is not as it must be.
    #[must_use]
    pub fn ask(&self) -> Vec<String> {
        self.probes
            .iter()
            .filter_map(|probe| self.ask_one(probe).err().map(|reason| format!("{}: {reason}", probe.name)))
            .collect()
    }

    fn ask_one(&self, probe: &Probe) -> Result<(), String> {
        let answer = self.client.within(probe.timeout).send(&probe.call).map_err(|error| error.to_string())?;
        if answer.is_accepted(&probe.call) { Ok(()) } else { Err(format!("answered {}", answer.status)) }
    }

    /// Asks again and again on a thread of its own, and counts the failures in a row of each.
    #[must_use]
    pub fn keep_asking(&self) -> Asking {
        let counts: Vec<(String, Arc<AtomicU32>)> =
            self.probes.iter().map(|probe| (probe.name.clone(), Arc::default())).collect();
        let (stop, stopped) = mpsc::sync_channel::<()>(1);
        let (probes, shared) = (self.clone(), counts.clone());
        let ask = move || {
            while !probes.probes.is_empty() {
                for (probe, (_, count)) in probes.probes.iter().zip(&shared) {
                    let before = count.load(Ordering::Relaxed);
                    count.store(
                        if probes.ask_one(probe).is_ok() { 0 } else { before.saturating_add(1) },
                        Ordering::Relaxed,
                    );
                }
                if stopped.recv_timeout(EVERY) != Err(RecvTimeoutError::Timeout) {
                    return;
                }
            }
        };
        Asking { counts, stop: Some(stop), thread: thread::Builder::new().name("probes".to_owned()).spawn(ask).ok() }
    }
}

/// Probes that are asked again and again, until dropped.
#[derive(Debug)]
pub struct Asking {
    /// Failures in a row, by name.
    pub counts: Vec<(String, Arc<AtomicU32>)>,
    /// Dropped to end the thread.
    stop: Option<mpsc::SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Asking {
    fn drop(&mut self) {
        drop(self.stop.take());
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn read(probe: &Value, experiment: &Experiment) -> Result<Probe, String> {
    let name = probe["name"].as_str().unwrap_or("probe").to_owned();
    let provider = &probe["provider"];
    let url = provider["url"].as_str().ok_or_else(|| format!("steady-state-hypothesis: probe {name} has no url"))?;
    let call = Call {
        method: provider["method"].as_str().unwrap_or("GET").to_owned(),
        url: experiment.fill(url)?,
        body: provider.get("arguments").filter(|body| **body != Value::Object(Map::new())).cloned(),
        accept: statuses(&probe["tolerance"]).ok_or_else(|| {
            format!("steady-state-hypothesis: probe {name}: tolerance must be a status or a list of statuses")
        })?,
    };
    let timeout = provider["timeout"].as_f64().unwrap_or(3.0).clamp(0.1, LONGEST);
    Ok(Probe { name, call, timeout: Duration::from_secs_f64(timeout) })
}

fn statuses(tolerance: &Value) -> Option<Vec<u16>> {
    let one = |value: &Value| value.as_u64().and_then(|status| u16::try_from(status).ok());
    match tolerance {
        Value::Array(list) => list.iter().map(one).collect(),
        single => Some(vec![one(single)?]),
    }
}
