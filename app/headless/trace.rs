//! `riftline trace`: one trace, as people or programs want it.

pub mod html;
pub mod nested;
pub mod otlp;
pub mod rows;
pub mod tree;

use riftline_queries::table::Table;

use super::{Context, answer};
use crate::cli::TraceFormat;
use crate::error::Failure;
use crate::format::Format;
use rows::Trace;

/// Prints the rows of one trace in the format that was asked for.
pub fn give(table: Table, format: Option<TraceFormat>, context: &Context) -> Result<(), Failure> {
    let default = if context.face.is_terminal { TraceFormat::Tree } else { TraceFormat::Json };
    let format = format.unwrap_or(default);
    if let Some(format) = as_rows(format) {
        return answer::give_as(&table, format, context);
    }
    let trace = Trace::new(table);
    answer::write_out(|out| {
        Ok(match format {
            TraceFormat::Otlp => otlp::print(&trace, out)?,
            TraceFormat::Html => html::print(&trace, out)?,
            TraceFormat::Json => nested::print(&trace, out)?,
            _ => tree::print(&trace, &context.face, out)?,
        })
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
