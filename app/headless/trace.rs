//! `riftline trace`: one trace, as people or programs want it.

pub mod html;
pub mod nested;
pub mod otlp;
pub mod rows;
pub mod tree;
pub mod typed;

use riftline_queries::desk::Question;
use riftline_queries::table::Table;

use super::source;
use super::{Context, answer};
use crate::cli::TraceArgs;
use crate::cli::TraceFormat;
use crate::error::Failure;
use crate::format::{Format, PrintError};
use rows::Trace;

/// Prints one trace.
pub fn run(args: &TraceArgs, context: &Context) -> Result<(), Failure> {
    let id = args.id.trim().to_ascii_lowercase();
    let question = if args.healed { Question::HealedTrace { id } } else { Question::Trace { id } };
    let (table, read) = source::ask(&args.from, &question, None, context)?;
    give(table, args.format, context)?;
    read
}

/// Prints the rows of one trace in the format that was asked for.
pub fn give(table: Table, format: Option<TraceFormat>, context: &Context) -> Result<(), Failure> {
    let default = if context.face.is_terminal { TraceFormat::Tree } else { TraceFormat::Json };
    let format = format.unwrap_or(default);
    if let Some(format) = as_rows(format) {
        return answer::give_as(&table, format, context);
    }
    let trace = Trace::new(table);
    answer::write_out(|out| {
        let printed = match format {
            TraceFormat::Otlp => otlp::print(&trace, out),
            TraceFormat::Html => html::print(&trace, out),
            TraceFormat::Json => nested::print(&trace, out),
            _ => tree::print(&trace, &context.face, out),
        };
        printed.map_err(PrintError::from)
    })
}

/// Returns the format for rows, nothing for those that need the tree.
fn as_rows(format: TraceFormat) -> Option<Format> {
    match format {
        TraceFormat::Tree | TraceFormat::Json | TraceFormat::Otlp | TraceFormat::Html => None,
        TraceFormat::Table => Some(Format::Table),
        TraceFormat::Ndjson => Some(Format::Ndjson),
        TraceFormat::Csv => Some(Format::Csv),
        TraceFormat::Markdown => Some(Format::Markdown),
        TraceFormat::Parquet => Some(Format::Parquet),
        TraceFormat::Arrow => Some(Format::Arrow),
    }
}

#[cfg(test)]
mod tests;
