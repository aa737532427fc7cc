//! `riftline chaos run` and `drive`: a dry run, a confirmation, and then the run.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use chrono::Utc;

use super::{checked, data_folder, report_orphans};
use crate::chaos::experiment::Experiment;
use crate::chaos::folder::{FolderError, Runs};
use crate::chaos::rails::Permissions;
use crate::chaos::run::prepare::{Allowance, Prepared, prepare};
use crate::chaos::run::traffic::{Arm, Sender};
use crate::chaos::run::watch::{Sample, Stop};
use crate::chaos::run::{Outcome, Progress, Site, run as run_prepared};
use crate::cli::chaos::{DriveArgs, RunArgs};
use crate::error::Failure;
use crate::headless::{Context, answer, say};
use crate::signals;

/// How long a run may take to undo its fault after a signal.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(20);

/// Runs an experiment once it is confirmed.
pub fn run(args: &RunArgs, context: &Context) -> Result<(), Failure> {
    let path = &args.experiment.experiment;
    let experiment = checked(path)?;
    let data_folder = data_folder(&args.data)?;
    let runs = Runs::of(&data_folder);
    report_orphans(&runs);
    if runs.halt_file().exists() {
        return Err(Failure::Refused(format!("{} is there: remove it to let runs begin", runs.halt_file().display())));
    }
    if !args.dry_run && runs.is_busy() {
        return Err(FolderError::Busy.into());
    }
    let name = if args.dry_run { "dry-run".to_owned() } else { runs.create(Utc::now())? };
    let result = prepare(&experiment, &name, &allowance(args, context)).map_err(Failure::from).and_then(|prepared| {
        let description = prepared.describe(&experiment);
        if args.dry_run {
            return answer::write_out(|out| Ok(out.write_all(description.as_bytes())?));
        }
        confirm(args, &experiment, &prepared, &description)?;
        go(&experiment, prepared, path, &data_folder, &runs, context)
    });
    // A run that did nothing leaves nothing.
    let _ = std::fs::remove_dir(runs.folder(&name));
    result
}

fn allowance(args: &RunArgs, context: &Context) -> Allowance {
    let config = &context.settings.config;
    Allowance {
        permissions: Permissions {
            allow: config.chaos_allow.clone().unwrap_or_default(),
            allow_production: config.chaos_allow_production.unwrap_or(false),
        },
        production: args.production.clone(),
        unsafe_methods: args.allow_unsafe_methods,
    }
}

/// Has the user type the environment's name, or compares the hash that was signed off.
fn confirm(args: &RunArgs, experiment: &Experiment, prepared: &Prepared, description: &str) -> Result<(), Failure> {
    say::plain(description);
    match &args.yes {
        Some(hash) if *hash == prepared.hash => return Ok(()),
        Some(hash) => {
            return Err(Failure::Refused(format!(
                "the plan has hash {}, not {hash}: it changed since it was signed off",
                prepared.hash
            )));
        }
        None if !io::stdin().is_terminal() => {
            return Err(Failure::Refused(format!(
                "nobody can confirm: look at the plan above and give --yes {}",
                prepared.hash
            )));
        }
        None => {}
    }
    let environment = &experiment.plan.target.environment;
    say::ask(&format!("Type the name of the environment ({environment}) to run this: "));
    let mut typed = String::new();
    let read = io::stdin().lock().read_line(&mut typed);
    match read {
        Ok(_) if typed.trim() == environment => Ok(()),
        _ => Err(Failure::Refused("not confirmed; nothing was done".to_owned())),
    }
}

fn go(
    experiment: &Experiment,
    prepared: Prepared,
    path: &Path,
    data_folder: &Path,
    runs: &Runs,
    context: &Context,
) -> Result<(), Failure> {
    signals::allow_more(FAREWELL);
    let program = std::env::current_exe().map_err(|error| Failure::Input(format!("find riftline itself: {error}")))?;
    let beside = path.parent().map_or_else(PathBuf::new, Path::to_owned);
    let quiet = context.settings.is_quiet;
    let mut tell = |progress: Progress| {
        if !quiet {
            say::plain(&line(&progress));
        }
    };
    let mut site =
        Site { runs, data_folder, program: &program, beside: &beside, cancel: &context.cancel, say: &mut tell };
    let outcome = run_prepared(experiment, prepared, &mut site)?;
    close(&outcome, runs)
}

/// Prints the verdict, and says by the exit code whether it is the expected one.
fn close(outcome: &Outcome, runs: &Runs) -> Result<(), Failure> {
    outcome.residue.iter().for_each(|residue| say::always(&format!("LEFT BEHIND: {residue}")));
    say::plain(&format!("run {} is kept in {}", outcome.run, runs.folder(&outcome.run).display()));
    if let Some(Stop::Signal(signal)) = outcome.stop {
        return Err(Failure::Stopped(signal));
    }
    if let Some(stop) = &outcome.stop {
        return Err(Failure::Absent(format!(
            "the run ended early: {stop}; its fault is {}",
            if outcome.residue.is_empty() { "undone" } else { "NOT undone" }
        )));
    }
    let Some(compared) = &outcome.compared else { return Ok(()) };
    answer::write_out(|out| Ok(out.write_all(compared.text().as_bytes())?))?;
    if compared.passed() { Ok(()) } else { Err(Failure::No) }
}

/// Returns progress as one line.
fn line(progress: &Progress) -> String {
    match progress {
        Progress::Step(text) => format!("── {text}"),
        Progress::Rates(sample) => rates(sample),
    }
}

fn rates(sample: &Sample) -> String {
    let injected = sample.injected.map(|count| format!("  injected {count}")).unwrap_or_default();
    format!(
        "   {:8} {:4}/{}  {:5.1}/s  failed {}  p50 {:.0} ms  p99 {:.0} ms{injected}",
        sample.arm, sample.answered, sample.planned, sample.rate, sample.failed, sample.p50_ms, sample.p99_ms
    )
}

/// Sends the traffic of an experiment once, with nothing armed by us.
pub fn drive(args: &DriveArgs, context: &Context) -> Result<(), Failure> {
    let as_file = PathBuf::from(&args.run);
    let path = if as_file.is_file() {
        as_file
    } else {
        let runs = Runs::of(&data_folder(&args.data)?);
        runs.folder(&runs.find(&args.run)?).join("experiment.yaml")
    };
    let experiment = checked(&path)?;
    let permissions = allowance(&RunArgs::default(), context);
    let rails = crate::chaos::rails::Rails::new(&permissions.permissions, &experiment.plan, None)
        .map_err(|error| Failure::Refused(error.to_string()))?;
    let url = experiment.fill(&experiment.plan.target.url).map_err(Failure::usage)?;
    let endpoint = crate::chaos::http::Endpoint::parse(&url).map_err(|error| Failure::usage(error.to_string()))?;
    let addresses =
        rails.resolve(&endpoint.host, endpoint.port).map_err(|error| Failure::Refused(error.to_string()))?;
    let marks = crate::chaos::run::traffic::Marks::of(&args.run);
    let sender = Sender::new(&experiment.plan.traffic, &url, addresses, marks, experiment.plan.seed);
    let stop = sender.stop.clone();
    let _hook = context.cancel.on_stop(move || stop.store(true, std::sync::atomic::Ordering::Relaxed));
    sender.send(&[Arm::Fault]);
    let sent = sender.live.since(0);
    let failed = sent.iter().filter(|one| one.is_failed()).count();
    say::plain(&format!("{} requests were answered, {failed} of them failed", sent.len()));
    Ok(())
}
