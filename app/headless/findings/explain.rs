//! `riftline findings --explain`: one finding in full, for people: what it means, what proves it, who has to change what.

use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::desk::{Chosen, Question};
use riftline_queries::table::{Cell, Table};
use serde_json::Value;

use super::super::source::Asked;
use super::super::trace::rows::Trace;
use super::super::trace::tree;
use super::super::{Context, answer};
use super::{chosen, evidence, json};
use crate::cli::FindingsArgs;
use crate::error::Failure;
use crate::format::{Format, PrintError};

/// Keys of the evidence that have a place of their own.
const PLACED: [&str; 5] = ["definition", "why", "side", "symptoms", "rule_version"];
/// Lines of an example that are shown.
const EXAMPLE_LINES: usize = 16;

/// One example: the traces before and after the break.
struct Example {
    before: Option<Trace>,
    /// Nothing where it is the same trace.
    after: Option<Trace>,
}

/// Explains the findings that `id` names.
pub(super) fn run(id: &str, args: &FindingsArgs, asked: &Asked, context: &Context) -> Result<(), Failure> {
    let question = Question::Findings(Chosen { id: Some(id.to_owned()), ..chosen(args) });
    let table = asked.ask(&question, None, context)?;
    if table.num_rows() == 0 {
        return Err(Failure::Absent(format!("no finding has the id {id}, and none is of a rule of that name")));
    }
    if args.print.format.is_some_and(|format| format != Format::Table) {
        return answer::give(&table, args.print, context);
    }
    let examples: Vec<Vec<Example>> = (0..table.num_rows()).map(|row| examples(&table, row, asked, context)).collect();
    answer::write_out(|out| {
        for (row, examples) in examples.iter().enumerate() {
            print(&table, row, examples, context, out).map_err(PrintError::from)?;
        }
        Ok(())
    })
}

/// Reads the first example's traces; one that is gone is left out.
fn examples(table: &Table, row: usize, asked: &Asked, context: &Context) -> Vec<Example> {
    let list = json(table.get(row, "examples"));
    let read = |id: &Value| {
        let question = Question::Trace { id: id["trace_id"].as_str()?.to_owned() };
        asked.ask(&question, None, context).ok().map(Trace::new)
    };
    let first = list.as_array().into_iter().flatten().take(1);
    let example = |pair: &Value| {
        let is_one = pair["before"]["trace_id"] == pair["after"]["trace_id"];
        Example { before: read(&pair["before"]), after: if is_one { None } else { read(&pair["after"]) } }
    };
    first.map(example).collect()
}

fn print(table: &Table, row: usize, examples: &[Example], context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let text = |name: &str| match table.get(row, name) {
        Cell::Text(text) => inert(text).into_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Double(number) => format!("{number:.2}"),
        _ => String::new(),
    };
    let evidence = evidence(table, row);
    let said = |name: &str| inert(evidence[name].as_str().unwrap_or_default()).into_owned();
    writeln!(out, "{}  {}  {}", text("severity"), text("rule"), text("subject"))?;
    writeln!(
        out,
        "  {} of {}, confidence {}, id {}\n",
        text("occurrences"),
        text("out_of"),
        text("confidence"),
        text("id")
    )?;
    writeln!(out, "{}\n{}\n", said("definition"), said("why"))?;
    writeln!(out, "Who has to change: {}", said("side"))?;
    text("fix").lines().try_for_each(|line| writeln!(out, "  {line}"))?;
    print_proof(&evidence, out)?;
    print_symptoms(&evidence, out)?;
    examples.iter().try_for_each(|example| print_example(example, context, out))?;
    writeln!(out)
}

fn print_proof(evidence: &Value, out: &mut dyn Write) -> io::Result<()> {
    let members = evidence.as_object().into_iter().flatten().filter(|(name, _)| !PLACED.contains(&name.as_str()));
    for (at, (name, value)) in members.enumerate() {
        if at == 0 {
            writeln!(out, "\nEvidence")?;
        }
        let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        writeln!(out, "  {}: {}", inert(&name.replace('_', " ")), inert(&value))?;
    }
    Ok(())
}

fn print_symptoms(evidence: &Value, out: &mut dyn Write) -> io::Result<()> {
    let symptoms = evidence["symptoms"].as_array().map(Vec::as_slice).unwrap_or_default();
    for (at, symptom) in symptoms.iter().enumerate() {
        if at == 0 {
            writeln!(out, "\nExplains also")?;
        }
        let said = |name: &str| inert(symptom[name].as_str().unwrap_or_default()).into_owned();
        writeln!(out, "  {} {}: {}", said("rule"), said("subject"), said("why"))?;
    }
    Ok(())
}

fn print_example(example: &Example, context: &Context, out: &mut dyn Write) -> io::Result<()> {
    let titles = if example.after.is_some() { ["\nOn one side", "\nOn the other side"] } else { ["\nFor example", ""] };
    for (title, trace) in titles.iter().zip([&example.before, &example.after]) {
        let Some(trace) = trace else { continue };
        writeln!(out, "{title}")?;
        let mut drawn = Vec::new();
        tree::print(trace, &context.face, &mut drawn)?;
        let drawn = String::from_utf8_lossy(&drawn);
        drawn.lines().take(EXAMPLE_LINES).try_for_each(|line| writeln!(out, "  {line}"))?;
    }
    Ok(())
}
