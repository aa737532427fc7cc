//! `riftline chaos judge`: a verdict about what a run did, once more.

use std::path::{Path, PathBuf};

use riftline_queries::store::{Access, Store};

use super::data_folder;
use crate::chaos::experiment::{Experiment, read};
use crate::chaos::folder::Runs;
use crate::chaos::run::compare::{Incident, Injection, compare};
use crate::chaos::run::receive::store_of;
use crate::chaos::run::requests_of;
use crate::chaos::run::traffic::Sent;
use crate::cli::chaos::JudgeArgs;
use crate::error::Failure;
use crate::headless::answer;

/// Prints the verdict; fails with "no" where it is not the expected one.
pub fn run(args: &JudgeArgs) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    let folder = runs.folder(&runs.find(&args.run)?);
    let (store, sent) = recorded(&folder)?;
    let (experiment, incident) = incident(args, &runs, &folder)?;
    let compared = compare(&experiment.plan, &incident, &store, &sent, &Injection::read(&folder)?)?;
    let text = if args.json { compared.json() + "\n" } else { compared.text() };
    answer::write_out(|out| Ok(out.write_all(text.as_bytes())?))?;
    if compared.passed() { Ok(()) } else { Err(Failure::No) }
}

/// Returns what the run is held against, and the experiment that says what of it should be the same.
fn incident(args: &JudgeArgs, runs: &Runs, folder: &Path) -> Result<(Experiment, Incident), Failure> {
    if let Some(other) = &args.incident {
        let other = runs.folder(&runs.find(other)?);
        let (store, sent) = recorded(&other)?;
        return Ok((read::read(&other.join("experiment.yaml"))?, Incident::of_run(&store, &sent)?));
    }
    let path = args.experiment.clone().unwrap_or_else(|| folder.join("experiment.yaml"));
    let experiment = read::read(&path)?;
    let incident = Incident::of_plan(&experiment.plan, &path.parent().map_or_else(PathBuf::new, Path::to_owned))?;
    Ok((experiment, incident))
}

fn recorded(folder: &Path) -> Result<(Store, Vec<Sent>), Failure> {
    let sent = requests_of(folder);
    let sent = sent.map_err(|error| Failure::Input(format!("read the requests of {}: {error}", folder.display())))?;
    Ok((Store::open(&store_of(folder), Access::ReadWrite)?, sent))
}
