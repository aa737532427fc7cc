//! Looks every second whether a run may go on.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::traffic::{Arm, Live, Sent};
use super::word;
use crate::chaos::driver::{Driver, Injected};
use crate::chaos::experiment::{AbortRule, Limits, Metric, Plan};
use riftline_queries::cancel::Cancel;

/// How far the wall clock may go apart from the steady one between two looks.
const CLOCK_SLACK: Duration = Duration::from_secs(2);
/// How long no spans may come while requests are sent, once some came.
const SILENCE: Duration = Duration::from_secs(15);
/// Answers of the same arm that a rate or a percentile needs.
const ENOUGH: usize = 10;

/// Why a run ends early.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Stop {
    #[error("stopped by signal {0}")]
    Signal(i32),
    #[error("stopped by `riftline chaos stop`")]
    Asked,
    #[error("{} is there: nothing may be armed", .0.display())]
    Halt(PathBuf),
    #[error("{0}")]
    Rule(String),
    #[error("the driver failed: {0}")]
    Driver(String),
    #[error("the fault hit {0} requests that do not belong to this run")]
    Unmarked(u64),
    #[error("the fault hit {hit} times, more than limits.max_faults ({limit})")]
    TooMany { hit: u64, limit: u64 },
    #[error("the fault was armed longer than limits.duration_s ({0} s)")]
    TooLong(f64),
    #[error("no spans came for {} s: staging does not send them to this run any more", SILENCE.as_secs())]
    Silence,
    #[error("the clock of this machine jumped")]
    Clock,
    #[error("{0}")]
    Journal(String),
    #[error("{0}")]
    Target(String),
    #[error("the process that undoes the fault if this one dies is gone")]
    NoReaper,
}

/// Rates of the moment, for the journal and the screen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sample {
    pub arm: String,
    /// Of this arm.
    pub planned: u64,
    pub answered: u64,
    pub failed: u64,
    /// Answers a second since the last sample.
    pub rate: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub in_flight: u64,
    pub dropped: u64,
    /// Requests or connections that were hit; nothing where the driver cannot tell, or nothing is armed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub injected: Option<u64>,
    /// Of the requests beside the fault: the share that failed, 0 to 1.
    pub control_error_rate: f64,
    /// As a multiple of the baseline's.
    pub control_p95_ratio: f64,
}

/// What is looked at besides the requests.
pub struct Watch {
    limits: Limits,
    rules: Vec<AbortRule>,
    planned: u32,
    halt: PathBuf,
    stop: PathBuf,
    cancel: Cancel,
    /// Set by steady-state probes: failures in a row.
    pub probe_failures: Vec<(String, Arc<AtomicU32>)>,
    /// Milliseconds since `began` at which spans came last; negative while none came.
    pub last_spans_ms: Arc<AtomicI64>,
    began: Instant,
    wall: SystemTime,
    steady: Instant,
    pub armed: Option<Instant>,
    baseline_p95: f64,
    /// Since when each rule is broken.
    broken: Vec<Option<Instant>>,
    last: (Instant, usize),
}

impl Watch {
    /// Begins to look. `stop` and `halt`: files that end the run by being there.
    #[must_use]
    pub fn new(plan: &Plan, halt: PathBuf, stop: PathBuf, cancel: Cancel) -> Self {
        let rules = plan.rules();
        let now = Instant::now();
        Self {
            limits: plan.limits.clone(),
            broken: vec![None; rules.len()],
            rules,
            planned: plan.traffic.requests,
            halt,
            stop,
            cancel,
            probe_failures: Vec::new(),
            last_spans_ms: Arc::new(AtomicI64::new(-1)),
            began: now,
            wall: SystemTime::now(),
            steady: now,
            armed: None,
            baseline_p95: 0.0,
            last: (now, 0),
        }
    }

    /// Returns when it began to look: what [`Self::last_spans_ms`] counts from.
    #[must_use]
    pub fn began(&self) -> Instant {
        self.began
    }

    /// Takes the baseline that control requests are held against.
    pub fn set_baseline(&mut self, sent: &[Sent]) {
        self.baseline_p95 = percentile(sent.iter().filter(|one| one.arm == Arm::Baseline), 0.95);
    }

    /// Tells at once whether somebody asked to stop.
    pub fn asked(&self) -> Result<(), Stop> {
        if self.cancel.is_stopped() {
            return Err(Stop::Signal(crate::signals::received().unwrap_or(2)));
        }
        if self.stop.exists() {
            return Err(Stop::Asked);
        }
        if self.halt.exists() {
            return Err(Stop::Halt(self.halt.clone()));
        }
        Ok(())
    }

    /// Looks at everything. `arm`: the one under way.
    pub fn look(&mut self, arm: Arm, live: &Live, driver: &mut dyn Driver) -> (Sample, Result<(), Stop>) {
        let sent = live.since(0);
        let mut sample = self.sample(arm, &sent, live);
        let verdict = self.asked().and_then(|()| self.clock()).and_then(|()| self.silence()).and_then(|()| {
            if self.armed.is_some() {
                let injected = keep(driver)?;
                sample.injected = injected.faults;
                self.armed_for_too_long(injected)?;
            }
            self.rules(&sent, &sample)
        });
        (sample, verdict)
    }

    fn sample(&mut self, arm: Arm, sent: &[Sent], live: &Live) -> Sample {
        let of = |which: Arm| sent.iter().filter(move |one| one.arm == which);
        let (in_flight, dropped) = live.counts();
        let now = Instant::now();
        let rate = (sent.len() - self.last.1.min(sent.len())) as f64 / (now - self.last.0).as_secs_f64().max(0.001);
        self.last = (now, sent.len());
        let control: Vec<&Sent> = of(Arm::Control).collect();
        let control_p95 = if control.len() < ENOUGH { 0.0 } else { percentile(control.iter().copied(), 0.95) };
        Sample {
            arm: word(arm),
            planned: self.planned.into(),
            answered: of(arm).count() as u64,
            failed: of(arm).filter(|one| one.is_failed()).count() as u64,
            rate,
            p50_ms: percentile(of(arm), 0.5),
            p99_ms: percentile(of(arm), 0.99),
            in_flight: in_flight.into(),
            dropped: dropped.into(),
            injected: None,
            control_error_rate: error_rate(&control),
            control_p95_ratio: if self.baseline_p95 > 0.0 { control_p95 / self.baseline_p95 } else { 0.0 },
        }
    }

    fn clock(&mut self) -> Result<(), Stop> {
        let (wall, steady) = (SystemTime::now(), Instant::now());
        let passed = steady - self.steady;
        let shown = wall.duration_since(self.wall);
        (self.wall, self.steady) = (wall, steady);
        let is_right = shown.is_ok_and(|shown| shown.abs_diff(passed) < CLOCK_SLACK);
        if is_right { Ok(()) } else { Err(Stop::Clock) }
    }

    fn silence(&self) -> Result<(), Stop> {
        let last = self.last_spans_ms.load(Ordering::Relaxed);
        let Ok(last) = u64::try_from(last) else { return Ok(()) };
        let is_silent = self.began.elapsed() > Duration::from_millis(last) + SILENCE;
        if is_silent && self.armed.is_some() { Err(Stop::Silence) } else { Ok(()) }
    }

    fn armed_for_too_long(&self, injected: Injected) -> Result<(), Stop> {
        if let Some(unmarked) = injected.unmarked.filter(|&count| count > 0) {
            return Err(Stop::Unmarked(unmarked));
        }
        let (hit, limit) = (injected.faults.unwrap_or(0), self.limits.max_faults);
        if hit > limit {
            return Err(Stop::TooMany { hit, limit });
        }
        let is_over = self.armed.is_some_and(|since| since.elapsed().as_secs_f64() > self.limits.duration_s);
        if is_over { Err(Stop::TooLong(self.limits.duration_s)) } else { Ok(()) }
    }

    fn rules(&mut self, sent: &[Sent], sample: &Sample) -> Result<(), Stop> {
        for (rule, broken) in self.rules.iter().zip(&mut self.broken) {
            match rule {
                AbortRule::Metric { metric, gt, for_s } => {
                    let value = value(*metric, sent, sample);
                    if value <= *gt {
                        *broken = None;
                    } else if broken.get_or_insert_with(Instant::now).elapsed().as_secs_f64() >= *for_s {
                        return Err(Stop::Rule(format!(
                            "{} was {value:.2} for {for_s} s, more than {gt}",
                            word(metric)
                        )));
                    }
                }
                AbortRule::Probe { probe, fails } => {
                    let failures = self.probe_failures.iter().find(|(name, _)| name == probe);
                    let failures = failures.map_or(0, |(_, count)| count.load(Ordering::Relaxed));
                    if failures >= *fails {
                        return Err(Stop::Rule(format!("probe {probe} failed {failures} times in a row")));
                    }
                }
            }
        }
        Ok(())
    }
}

fn keep(driver: &mut dyn Driver) -> Result<Injected, Stop> {
    driver.keep().and_then(|()| driver.injected()).map_err(|error| Stop::Driver(error.to_string()))
}

fn value(metric: Metric, sent: &[Sent], sample: &Sample) -> f64 {
    match metric {
        Metric::ControlErrorRate => sample.control_error_rate,
        Metric::ControlP95Ratio => sample.control_p95_ratio,
        Metric::FaultErrorRate => error_rate(&sent.iter().filter(|one| one.arm == Arm::Fault).collect::<Vec<_>>()),
    }
}

fn error_rate(sent: &[&Sent]) -> f64 {
    if sent.len() < ENOUGH {
        return 0.0;
    }
    sent.iter().filter(|one| one.is_failed()).count() as f64 / sent.len() as f64
}

/// Returns a percentile of durations in milliseconds; 0 where there are none.
fn percentile<'s>(sent: impl Iterator<Item = &'s Sent>, share: f64) -> f64 {
    let mut durations: Vec<i64> = sent.map(|one| one.duration_ns).collect();
    durations.sort_unstable();
    let at = ((durations.len() as f64 * share).ceil() as usize).saturating_sub(1);
    durations.get(at).map_or(0.0, |&ns| ns as f64 / 1e6)
}

impl Stop {
    /// Returns what the journal keeps of it.
    #[must_use]
    pub fn details(&self) -> Value {
        match self {
            Self::Signal(signal) => json!({"reason": self.to_string(), "signal": signal}),
            _ => json!({"reason": self.to_string()}),
        }
    }
}

#[cfg(test)]
mod tests;
