//! One run of an experiment: baseline, fault beside control, recovery; watched all the time, undone whatever happens, and judged.
//!
//! ```text
//! rails ─► dry run ─► confirm ─► baseline ─► intent ─► arm ─► fault + control ─► disarm ─► verify ─► recovery ─► spans ─► verdict
//!                                             └── from here on: reaper, lease, and the journal on disk first
//! ```

pub mod compare;
pub mod prepare;
pub mod probes;
pub mod receive;
pub mod traffic;
pub mod watch;

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use riftline_queries::cancel::Cancel;
use riftline_queries::replay::fault::Unit;
use riftline_queries::store::Store;
use serde::Serialize;
use serde_json::{Value, json};

use super::driver::DriverError;
use super::experiment::Experiment;
use super::folder::{FolderError, Runs, private};
use super::journal::{Event, Journal, JournalError, Told};
use super::rails::{RailError, production};
use super::reaper::Reaper;
use super::undo;
use compare::{Compared, Incident, Injection};
use prepare::Prepared;
use probes::Asking;
use receive::Receiver;
use traffic::{Arm, Sender, Sent};
use watch::{Sample, Stop, Watch};

/// How often a run looks around.
const SECOND: Duration = Duration::from_secs(1);
/// Requests after undoing that must go through as before.
const CLEAN_PROBES: u32 = 5;

/// Why a run does not begin, or has no verdict.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    #[error("the experiment has mistakes:\n  {}", .0.join("\n  "))]
    Experiment(Vec<String>),
    #[error(transparent)]
    Rail(#[from] RailError),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    Unable(String),
    #[error(transparent)]
    Driver(#[from] DriverError),
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error(transparent)]
    Journal(#[from] JournalError),
    #[error("store of the run: {0}")]
    Store(String),
    #[error("{0}")]
    Receive(String),
    #[error("steady state: {}", .0.join("; "))]
    Unsteady(Vec<String>),
    #[error("start the process that undoes the fault if this one dies: {0}")]
    Reaper(io::Error),
    #[error("incident: {0}")]
    Incident(String),
}

/// What is known while a run goes on.
#[derive(Debug, Clone, PartialEq)]
pub enum Progress {
    /// Something new begins.
    Step(String),
    /// Rates of the moment.
    Rates(Sample),
}

/// Where and by whom a run is done.
pub struct Site<'a> {
    pub runs: &'a Runs,
    pub data_folder: &'a Path,
    /// riftline itself, for the process that outlives the run.
    pub program: &'a Path,
    /// Folder of the experiment file: what it names is beside it.
    pub beside: &'a Path,
    pub cancel: &'a Cancel,
    pub say: &'a mut dyn FnMut(Progress),
}

/// How a run ended.
#[derive(Debug)]
pub struct Outcome {
    pub run: String,
    /// Why it ended early.
    pub stop: Option<Stop>,
    /// What is left of the fault.
    pub residue: Vec<String>,
    /// Nothing where it ended too early to judge.
    pub compared: Option<Compared>,
}

/// Runs what was prepared and confirmed. Whatever happens after arming, the fault is undone before this returns.
pub fn run(experiment: &Experiment, prepared: Prepared, site: &mut Site<'_>) -> Result<Outcome, RunError> {
    let _turn = site.runs.take_turn()?;
    if let Some(orphan) = undo::cut_off(site.runs).into_iter().find(|orphan| !orphan.open.is_empty()) {
        return Err(RunError::Refused(orphan.sentence()));
    }
    let mut run = Run::begin(experiment, prepared, site)?;
    let stop = run.arms().err();
    run.end(stop)
}

struct Run<'a, 's> {
    experiment: &'a Experiment,
    prepared: Prepared,
    site: &'a mut Site<'s>,
    folder: PathBuf,
    journal: Journal,
    receiver: Receiver,
    sender: Sender,
    watch: Watch,
    residue: Vec<String>,
    reaper: Option<Reaper>,
    /// Whether something may be armed.
    is_open: bool,
    injected: Option<u64>,
}

impl<'a, 's> Run<'a, 's> {
    /// Makes everything ready; nothing is armed yet.
    fn begin(experiment: &'a Experiment, prepared: Prepared, site: &'a mut Site<'s>) -> Result<Self, RunError> {
        let folder = site.runs.folder(&prepared.run);
        let mut journal = Journal::open(&folder, &prepared.run, "run")?;
        let plan = &experiment.plan;
        journal.write(Event::Plan, prepared.driver.name(), None, plan_details(experiment, &prepared))?;
        journal.note(Event::Confirm, json!({"hash": prepared.hash, "environment": plan.target.environment}))?;
        keep_experiment(experiment, site.beside, &folder);
        let (halt, stop) = (site.runs.halt_file(), site.runs.stop_file(&prepared.run));
        let watch = Watch::new(plan, halt, stop, site.cancel.clone());
        let receiver = Receiver::start(&folder, &plan.traffic, watch.began(), watch.last_spans_ms.clone())?;
        let mut sender =
            Sender::new(&plan.traffic, &prepared.url, prepared.addresses.clone(), prepared.marks.clone(), plan.seed);
        sender.use_fresh_connections(!prepared.spares_control() || prepared.fault.when.unit == Unit::Connection);
        let failing = prepared.probes.ask();
        if !failing.is_empty() {
            journal.note(Event::Abort, json!({ "reason": failing.join("; ") }))?;
            journal.note(Event::End, json!(null))?;
            return Err(RunError::Unsteady(failing));
        }
        Ok(Self {
            experiment,
            prepared,
            site,
            folder,
            journal,
            receiver,
            sender,
            watch,
            residue: Vec::new(),
            reaper: None,
            is_open: false,
            injected: None,
        })
    }

    /// Does the three arms. Fails with why it ended early; then something may still be armed.
    fn arms(&mut self) -> Result<(), Stop> {
        let [baseline, fault, recovery] = self.prepared.arms();
        self.arm(baseline)?;
        self.receiver.wait(&self.experiment.plan.limits, &|| self.watch.asked())?;
        self.watch.set_baseline(&self.sender.live.since(0));
        self.refuse_production()?;
        self.prepared.hold().map_err(|error| Stop::Target(error.to_string()))?;
        let asking = self.prepared.probes.keep_asking();
        self.watch.probe_failures.clone_from(&asking.counts);
        self.inject()?;
        self.arm(fault)?;
        self.disarm("the arm is over")?;
        self.verify(&asking);
        drop(asking);
        self.arm(recovery)?;
        self.receiver.wait(&self.experiment.plan.limits, &|| self.watch.asked())
    }

    /// Sends the requests of one arm and looks around every second meanwhile.
    fn arm(&mut self, arms: &'static [Arm]) -> Result<(), Stop> {
        let Some(&first) = arms.first() else { return Ok(()) };
        self.step(&format!(
            "{}: {} requests at {} a second",
            names(arms),
            self.experiment.plan.traffic.requests * arms.len() as u32,
            self.experiment.plan.traffic.rps
        ));
        self.note(Event::Arm, json!({ "arm": first }))?;
        let (sender, watch, driver) = (&self.sender, &mut self.watch, self.prepared.driver.as_mut());
        let (journal, say, reaper) = (&mut self.journal, &mut *self.site.say, &mut self.reaper);
        thread::scope(|scope| {
            let sending = scope.spawn(|| sender.send(arms));
            let result = look_around(&sending, || {
                let (sample, verdict) = watch.look(first, &sender.live, driver);
                let kept = journal.note(Event::Sample, json!(sample)).map_err(|error| Stop::Journal(error.to_string()));
                say(Progress::Rates(sample));
                let watched = if reaper.as_mut().is_none_or(Reaper::is_alive) { Ok(()) } else { Err(Stop::NoReaper) };
                verdict.and(kept).and(watched)
            });
            if result.is_err() {
                sender.stop.store(true, Ordering::Relaxed);
            }
            result
        })
    }

    /// Writes down how to undo, starts the process that does it if this one dies, and arms.
    fn inject(&mut self) -> Result<(), Stop> {
        self.watch.asked()?;
        self.step("arming");
        let run = self.prepared.run.clone();
        let undo = self.prepared.driver.undo();
        undo::mark(self.site.runs, &run)
            .map_err(|error| Stop::Journal(format!("say that something is armed: {error}")))?;
        self.is_open = true;
        let name = self.prepared.driver.name();
        let intent = self.journal.write(Event::Intent, name, Some(undo), json!(self.prepared.fault));
        intent.map_err(unwritten)?;
        let reaper = Reaper::start(self.site.program, self.site.data_folder, &run);
        self.reaper = Some(reaper.map_err(|error| Stop::Driver(RunError::Reaper(error).to_string()))?);
        self.prepared.driver.arm(&self.prepared.fault).map_err(|error| Stop::Driver(error.to_string()))?;
        let headers = |_| self.prepared.driver.request_headers(&self.prepared.fault);
        self.sender.set_fault_headers((0..self.experiment.plan.traffic.requests).map(headers).collect());
        self.watch.armed = Some(Instant::now());
        self.journal.write(Event::Armed, name, None, Value::Null).map_err(unwritten)
    }

    /// Undoes the fault, however often it takes; what stays is in `residue`.
    fn disarm(&mut self, reason: &str) -> Result<(), Stop> {
        self.step("disarming");
        if self.watch.armed.is_some() {
            self.injected = self.prepared.driver.injected().ok().and_then(|injected| injected.faults).or(self.injected);
        }
        let undo = self.prepared.driver.undo();
        let name = self.prepared.driver.name();
        // The disk may be full: what is armed is undone whether or not it can be written down.
        let _ = self.journal.write(Event::Disarm, name, Some(undo.clone()), json!({ "reason": reason }));
        if let Err(residue) = undo::gone(&undo) {
            let _ = self.journal.write(Event::Residue, name, Some(undo), json!({ "residue": residue }));
            self.residue = residue;
            return Err(Stop::Driver("the fault could not be undone".to_owned()));
        }
        (self.watch.armed, self.is_open) = (None, false);
        self.journal.write(Event::Injected, name, None, json!({ "faults": self.injected })).map_err(unwritten)?;
        self.journal.write(Event::Verified, name, Some(undo), Value::Null).map_err(unwritten)
    }

    /// Looks whether staging is as before.
    fn verify(&mut self, asking: &Asking) {
        let failing: Vec<String> = (0..CLEAN_PROBES).flat_map(|_| self.prepared.probes.ask()).collect();
        if !failing.is_empty() {
            self.step(&format!("staging is not as before: {}", failing.join("; ")));
        }
        asking.counts.iter().for_each(|(_, count)| count.store(0, Ordering::Relaxed));
    }

    /// Fails if the spans of the baseline say that this is production.
    fn refuse_production(&self) -> Result<(), Stop> {
        let said =
            compare::environments(&self.receiver).into_iter().find(|name| production(&name.to_lowercase()).is_some());
        match said {
            Some(name) => Err(Stop::Target(format!(
                "spans of the baseline say deployment.environment is {name}: nothing is armed"
            ))),
            None => Ok(()),
        }
    }

    /// Puts everything in order, judges, and writes down how it ended.
    fn end(mut self, mut stop: Option<Stop>) -> Result<Outcome, RunError> {
        self.sender.stop.store(true, Ordering::Relaxed);
        if let Some(reason) = &stop {
            let _ = self.journal.note(Event::Abort, reason.details());
            self.step(&format!("ending early: {reason}"));
        }
        if self.is_open {
            let undone = self.disarm("the run ends early");
            stop = stop.or(undone.err());
        }
        drop(self.reaper.take());
        if !self.is_open {
            undo::unmark(self.site.runs, &self.prepared.run);
        }
        let sent = self.sender.live.since(0);
        let _ = keep_requests(&self.folder, &sent);
        self.step("reading the spans that came");
        let store = self.receiver.close()?;
        let compared = match &stop {
            None => {
                let plan = &self.experiment.plan;
                let incident = Incident::of_plan(plan, self.site.beside)?;
                let injection = Injection { faults: self.injected, losses: self.prepared.fidelity.losses.clone() };
                Some(compare::compare(plan, &incident, &store, &sent, &injection)?)
            }
            Some(_) => None,
        };
        if let Some(compared) = &compared {
            self.journal.note(Event::Score, compared.summary())?;
            let _ = fs::write(self.folder.join("verdict.json"), compared.json());
            let _ = fs::write(self.folder.join("verdict.txt"), compared.text());
        }
        let end = self.journal.note(Event::End, json!({ "spans": store.num_spans().unwrap_or(0) }));
        record(&store, self.experiment, &self.folder, compared.as_ref());
        end?;
        Ok(Outcome { run: self.prepared.run, stop, residue: self.residue, compared })
    }

    fn step(&mut self, text: &str) {
        (self.site.say)(Progress::Step(text.to_owned()));
    }

    fn note(&mut self, event: Event, details: Value) -> Result<(), Stop> {
        self.journal.note(event, details).map_err(unwritten)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "for map_err")]
fn unwritten(error: JournalError) -> Stop {
    Stop::Journal(error.to_string())
}

/// Calls `look` every second until the thread is done, and once more then.
fn look_around(
    sending: &thread::ScopedJoinHandle<'_, ()>,
    mut look: impl FnMut() -> Result<(), Stop>,
) -> Result<(), Stop> {
    const STEP: Duration = Duration::from_millis(50);
    let mut next = Instant::now() + SECOND;
    while !sending.is_finished() {
        if Instant::now() >= next {
            next += SECOND;
            look()?;
        }
        thread::sleep(STEP);
    }
    look()
}

fn names(arms: &[Arm]) -> String {
    arms.iter().map(word).collect::<Vec<_>>().join(" and ")
}

/// Returns the word by which files know one of a few.
fn word(one: impl Serialize) -> String {
    json!(one).as_str().unwrap_or_default().to_owned()
}

fn plan_details(experiment: &Experiment, prepared: &Prepared) -> Value {
    let targets: Vec<String> =
        prepared.targets.iter().map(|(target, addresses)| format!("{target} {addresses:?}")).collect();
    json!({
        "title": experiment.title,
        "fault": prepared.fault,
        "target": experiment.plan.target,
        "reaches": targets,
        "arms_by": prepared.driver.preview(&prepared.fault),
        "loses": prepared.fidelity.losses,
    })
}

/// Keeps the experiment with the run, and the incident's spans, so that it can be judged again wherever the file went.
fn keep_experiment(experiment: &Experiment, beside: &Path, folder: &Path) {
    let _ = fs::write(folder.join("experiment.yaml"), experiment.to_yaml());
    if let Some(evidence) = &experiment.plan.incident.evidence {
        let _ = fs::copy(beside.join(evidence), folder.join(evidence.file_name().unwrap_or_default()));
    }
}

/// Writes what was sent, one line a request.
fn keep_requests(folder: &Path, sent: &[Sent]) -> io::Result<()> {
    let file =
        private(fs::OpenOptions::new().write(true).create(true).truncate(true)).open(folder.join("requests.jsonl"))?;
    let mut out = io::BufWriter::new(file);
    for one in sent {
        writeln!(out, "{}", json!(one))?;
    }
    out.flush()
}

/// Reads what a run sent.
pub fn requests_of(folder: &Path) -> io::Result<Vec<Sent>> {
    let text = fs::read_to_string(folder.join("requests.jsonl"))?;
    text.lines().map(|line| serde_json::from_str(line).map_err(io::Error::other)).collect()
}

/// Puts the run and its journal into its store, and beside it the journal as the Chaos Toolkit writes one.
fn record(store: &Store, experiment: &Experiment, folder: &Path, compared: Option<&Compared>) {
    let Ok(told) = Told::read(&folder.join(super::journal::FILE)) else { return };
    let deviated = compared.is_some_and(|compared| !compared.passed());
    let journal = super::journal::toolkit(experiment, &told, deviated);
    let _ = fs::write(folder.join("journal.json"), format!("{journal:#}\n"));
    let state = journal["status"].as_str().unwrap_or("failed");
    let _ = store.record_run(&compare::record(experiment, &told, state, compared));
}
