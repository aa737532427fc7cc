//! `riftline findings`: what is wrong, the first to fix first.

mod dry_run;
mod explain;

use riftline_queries::desk::{Chosen, Question};
use riftline_queries::table::{Cell, Column, Table, Values};

use super::source::{self, Asked};
use super::{Context, answer};
use crate::cli::{FindingsArgs, Level};
use crate::error::Failure;
use crate::format::Format;

/// What people see of a finding in a list, in this order; the rest is for programs, and for `--explain`.
const SHOWN: [&str; 8] = ["severity", "rule", "subject", "occurrences", "out_of", "confidence", "why", "id"];

/// Prints the findings that were asked for.
pub fn run(args: &FindingsArgs, context: &Context) -> Result<(), Failure> {
    if let Some(folder) = &args.dry_run {
        return dry_run::run(args, folder, context);
    }
    let asked = source::open(&args.from, context)?;
    if let Some(id) = &args.explain {
        return explain::run(id, args, &asked, context);
    }
    let table = asked.ask(&Question::Findings(chosen(args)), None, context)?;
    let is_no = fails(args, &asked, context)?;
    let read = asked.read;
    let table = if answer::format(args.print, context) == Format::Table { for_people(&table) } else { table };
    answer::give(&table, args.print, context)?;
    read?;
    if is_no { Err(Failure::No) } else { Ok(()) }
}

fn chosen(args: &FindingsArgs) -> Chosen {
    Chosen {
        id: None,
        rule: args.rule.clone(),
        groups: args.group.clone(),
        severity: args.severity.map(|level| level as u8),
    }
}

/// Tells whether there is a finding that the answer "no" was asked for.
fn fails(args: &FindingsArgs, asked: &Asked, context: &Context) -> Result<bool, Failure> {
    let Some(level) = args.fail_on else { return Ok(false) };
    let chosen = Chosen { severity: Some(level as u8), ..chosen(args) };
    Ok(asked.ask(&Question::Findings(chosen), None, context)?.num_rows() > 0)
}

/// Returns the columns that fit a terminal, with the sentence that the evidence begins with.
fn for_people(table: &Table) -> Table {
    let why = |row: usize| evidence(table, row)["why"].as_str().map(Into::into);
    let why = Column { name: "why".to_owned(), values: Values::Text((0..table.num_rows()).map(why).collect()) };
    let column = |name: &str| if name == "why" { Some(why.clone()) } else { named(table, name) };
    Table { columns: SHOWN.iter().filter_map(|name| column(name)).collect(), is_cut: table.is_cut }
}

fn named(table: &Table, name: &str) -> Option<Column> {
    table.columns.iter().find(|column| column.name == name).cloned()
}

/// Returns the evidence of a finding; null where it cannot be read.
fn evidence(table: &Table, row: usize) -> serde_json::Value {
    json(table.get(row, "evidence"))
}

fn json(cell: Cell<'_>) -> serde_json::Value {
    match cell {
        Cell::Json(text) | Cell::Text(text) => serde_json::from_str(text).unwrap_or_default(),
        _ => serde_json::Value::Null,
    }
}

impl Level {
    /// Returns the name as the view `findings` has it.
    #[must_use]
    pub fn name(self) -> &'static str {
        riftline_queries::detect::Severity::ALL[self as usize].name()
    }
}
