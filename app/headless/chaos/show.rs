//! `riftline chaos list`, `show` and `faults`.

use riftline_queries::table::{Column, Table, Values};

use super::{data_folder, report_orphans};
use crate::chaos::experiment::read;
use crate::chaos::faults::FAULTS;
use crate::chaos::folder::Runs;
use crate::chaos::journal::{self, Event, Told};
use crate::cli::PrintArgs;
use crate::cli::chaos::{ListRunsArgs, ShowArgs};
use crate::error::Failure;
use crate::headless::{Context, answer, say};

/// Lists all runs, the newest first.
pub fn list(args: &ListRunsArgs, context: &Context) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    report_orphans(&runs);
    let rows: Vec<[String; 5]> = runs.list().into_iter().map(|run| row(&runs, run)).collect();
    let names = ["run", "title", "fault", "state", "verdict"];
    answer::give(&texts(&names, &rows), args.print, context)
}

fn row(runs: &Runs, run: String) -> [String; 5] {
    let folder = runs.folder(&run);
    let experiment = read::read(&folder.join("experiment.yaml")).ok();
    let told = Told::read(&folder.join(journal::FILE)).ok();
    let title = experiment.as_ref().map(|experiment| experiment.title.clone()).unwrap_or_default();
    let fault = experiment.map(|experiment| experiment.plan.fault.kind).unwrap_or_default();
    let verdict = told.as_ref().and_then(|told| Some(told.last(Event::Score)?.details["outcome"].as_str()?.to_owned()));
    [run, title, fault, told.as_ref().map_or_else(String::new, state), verdict.unwrap_or_default()]
}

/// Returns how a run stands, in a word.
#[must_use]
pub fn state(told: &Told) -> String {
    let is_open = !told.open_undos().is_empty();
    let word = match (told.last(Event::Abort), told.first(Event::End)) {
        _ if told.changed_from.is_some() => "journal was changed",
        (Some(_), _) if is_open => "left a fault",
        (Some(_), _) => "ended early",
        (None, Some(_)) => "completed",
        (None, None) if is_open => "armed",
        (None, None) => "cut off or under way",
    };
    word.to_owned()
}

/// Prints what one run was and how it came out.
pub fn show(args: &ShowArgs) -> Result<(), Failure> {
    let runs = Runs::of(&data_folder(&args.data)?);
    report_orphans(&runs);
    let run = runs.find(&args.run)?;
    let folder = runs.folder(&run);
    let told = Told::read(&folder.join(journal::FILE))?;
    if let Some(line) = told.changed_from {
        say::always(&format!("the journal was changed behind our back from line {line} on"));
    }
    let verdict = std::fs::read_to_string(folder.join("verdict.txt")).unwrap_or_else(|_| "no verdict\n".to_owned());
    answer::write_out(|out| {
        writeln!(out, "run {run}: {}\n{}", state(&told), folder.display())?;
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
