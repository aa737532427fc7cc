//! Gives an answer: a table on stdout.

use std::io::{self, BufWriter, IsTerminal, Write};

use riftline_queries::table::{Table, Values};

use super::{Context, say};
use crate::cli::PrintArgs;
use crate::error::Failure;
use crate::format::{self, Format, PrintError};

/// Rows that are printed where no limit was asked for.
const DEFAULT_LIMIT: u64 = 100_000;
/// More rows than any store has, and one more still fits.
const NO_LIMIT: u64 = i64::MAX as u64 - 1;

/// Returns the limit that was asked for; 0 means none.
#[must_use]
pub fn limit(asked: Option<u64>) -> u64 {
    match asked {
        None => DEFAULT_LIMIT,
        Some(0) => NO_LIMIT,
        Some(limit) => limit.min(NO_LIMIT),
    }
}

/// Returns `table` without what is beyond `limit`. That rows were left out is only said where no limit was asked for.
#[must_use]
pub fn cut(mut table: Table, limit: u64, is_asked: bool) -> Table {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if table.num_rows() > limit {
        table.columns.iter_mut().for_each(|column| truncate(&mut column.values, limit));
        table.is_cut = !is_asked;
    }
    table
}

fn truncate(values: &mut Values, len: usize) {
    match values {
        Values::Bool(values) => values.truncate(len),
        Values::Int(values) | Values::Time(values) => values.truncate(len),
        Values::UInt(values) => values.truncate(len),
        Values::Double(values) => values.truncate(len),
        Values::Text(values) | Values::Json(values) => values.truncate(len),
    }
}

/// Returns the format that was asked for.
#[must_use]
pub fn format(print: PrintArgs, context: &Context) -> Format {
    print.format.or(context.settings.config.format).unwrap_or(Format::default_for(&context.face))
}

/// Prints `table` as was asked for.
pub fn give(table: &Table, print: PrintArgs, context: &Context) -> Result<(), Failure> {
    give_as(table, format(print, context), context)
}

/// Prints `table` in one format.
pub fn give_as(table: &Table, format: Format, context: &Context) -> Result<(), Failure> {
    refuse_garbling(format)?;
    let mut hidden = format::Hidden::default();
    write_out(|out| {
        hidden = format::print(table, format, &context.face, out)?;
        Ok(())
    })?;
    if hidden.num_columns > 0 {
        say::note(context, &format!("{} more columns do not fit; --format ndjson shows all", hidden.num_columns));
    }
    if table.is_cut {
        say::warning(context, &format!("cut at {} rows; --limit N asks for more, --limit 0 for all", table.num_rows()));
    }
    Ok(())
}

/// Writes on stdout through a buffer. A reader who went away ends the command quietly.
pub fn write_out(write: impl FnOnce(&mut dyn Write) -> Result<(), PrintError>) -> Result<(), Failure> {
    let mut out = BufWriter::with_capacity(64 << 10, io::stdout().lock());
    let written = write(&mut out).and_then(|()| Ok(out.flush()?));
    match written {
        Ok(()) => Ok(()),
        Err(PrintError::Write(error)) => {
            // What is left in the buffer has no reader either.
            let _ = out.into_parts();
            Err(error.into())
        }
        Err(error @ PrintError::Encode { .. }) => Err(Failure::Input(error.to_string())),
    }
}

fn refuse_garbling(format: Format) -> Result<(), Failure> {
    if format.is_binary() && io::stdout().is_terminal() {
        return Err(Failure::usage("this format is binary and stdout is a terminal: redirect it into a file"));
    }
    Ok(())
}
