//! `riftline chaos list`, `show` and `faults`.

use riftline_queries::table::{Column, Table, Values};

use super::{data_folder, report_orphans};
use crate::chaos::experiment::read;
use crate::chaos::faults::FAULTS;
use crate::chaos::folder::Runs;
use crate::chaos::journal::{self, Event, Told};
use crate::chaos::standing::Standing;
use crate::cli::PrintArgs;
use crate::cli::chaos::{ListRunsArgs, ShowArgs};
use crate::error::Failure;
use crate::headless::{Context, answer, say};

/// Lists all runs, the newest first.
pub fn list(args: &ListRunsArgs, context: &Context) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    report_orphans(&runs);
    let is_busy = runs.is_busy();
    // One run is under way at a time, and it is the newest.
    let rows: Vec<[String; 5]> =
        runs.list().into_iter().enumerate().map(|(at, run)| row(&runs, run, is_busy && at == 0)).collect();
    let names = ["run", "title", "fault", "state", "verdict"];
    answer::give(&texts(&names, &rows), args.print, context)
}

fn row(runs: &Runs, run: String, is_live: bool) -> [String; 5] {
    let folder = runs.folder(&run);
    let experiment = read::read(&folder.join("experiment.yaml")).ok();
    let told = Told::read(&folder.join(journal::FILE)).ok();
    let title = experiment.as_ref().map(|experiment| experiment.title.clone()).unwrap_or_default();
    let fault = experiment.map(|experiment| experiment.plan.fault.kind).unwrap_or_default();
    let verdict = told.as_ref().and_then(|told| Some(told.last(Event::Score)?.details["outcome"].as_str()?.to_owned()));
    let standing = told.as_ref().map_or(Standing::Unreadable, |told| Standing::of(told, is_live));
    [run, title, fault, standing.state().to_owned(), verdict.unwrap_or_default()]
}

/// Prints what one run was and how it came out.
pub fn show(args: &ShowArgs) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    report_orphans(&runs);
    let run = runs.find(&args.run)?;
    let folder = runs.folder(&run);
    let told = Told::read(&folder.join(journal::FILE))?;
    let is_live = runs.is_busy() && runs.list().first() == Some(&run);
    let standing = Standing::of(&told, is_live);
    if let Some(line) = told.changed_from {
        say::always(&format!("the journal was changed behind our back from line {line} on"));
    }
    let verdict = std::fs::read_to_string(folder.join("verdict.txt")).unwrap_or_else(|_| "no verdict\n".to_owned());
    answer::write_out(|out| {
        writeln!(out, "run {run}: {}\n{}", standing.state(), folder.display())?;
        if args.journal {
            for record in &told.records {
                writeln!(
                    out,
                    "{}  {:?}  {} {}",
                    record.ts,
                    record.event,
                    record.actor,
                    riftline_ingest::text::inert(&record.details.to_string())
                )?;
            }
        }
        Ok(out.write_all(verdict.as_bytes())?)
    })
}

/// Lists the faults with their parameters.
pub fn faults(print: PrintArgs, context: &Context) -> Result<(), Failure> {
    let rows: Vec<[String; 4]> = FAULTS
        .iter()
        .map(|fault| {
            let level = format!("{:?}", fault.level).to_lowercase();
            let parameters: Vec<&str> = fault.parameters.iter().map(|parameter| parameter.name).collect();
            let magnitude = if fault.has_magnitude { vec!["magnitude"] } else { Vec::new() };
            [fault.name.to_owned(), level, [magnitude, parameters].concat().join(", "), fault.about.to_owned()]
        })
        .collect();
    answer::give(&texts(&["fault", "level", "parameters", "about"], &rows), print, context)
}

fn texts<const N: usize>(names: &[&str; N], rows: &[[String; N]]) -> Table {
    let column = |at: usize| Column {
        name: names[at].to_owned(),
        values: Values::Text(rows.iter().map(|row| Some(row[at].as_str().into())).collect()),
    };
    Table { columns: (0..N).map(column).collect(), is_cut: false }
}
