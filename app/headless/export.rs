//! `riftline export`: traces in a format that others read.

use std::fs::File;
use std::io::{BufWriter, Write};

use riftline_queries::desk::{Question, Selection};
use riftline_queries::table::{Cell, Table};

use super::source::{self, Asked};
use super::trace::otlp;
use super::trace::rows::Trace;
use super::{Context, answer};
use crate::cli::{ExportArgs, ExportFormat};
use crate::error::Failure;
use crate::format::PrintError;

/// Writes the traces that were asked for, the newest first.
pub fn run(args: &ExportArgs, context: &Context) -> Result<(), Failure> {
    let ExportFormat::Otlp = args.to;
    let asked = source::open(&args.from, context)?;
    let limit = answer::limit(args.select.limit);
    let selection = Selection { traceql: args.select.traceql.clone(), since_ns: args.select.since, limit: Some(limit) };
    let traces = asked.ask(&Question::Traces(selection), args.select.traceql.as_deref(), context)?;
    match &args.out {
        None => answer::write_out(|out| write(&traces, args.healed, &asked, context, out))?,
        Some(path) => {
            let failed = |error: std::io::Error| Failure::Input(format!("write {}: {error}", path.display()));
            let mut out = BufWriter::new(File::create(path).map_err(failed)?);
            let written = write(&traces, args.healed, &asked, context, &mut out);
            written.map_err(|error| Failure::Input(format!("write {}: {error}", path.display())))?;
            out.flush().map_err(failed)?;
        }
    }
    asked.read
}

fn write(
    traces: &Table,
    healed: bool,
    asked: &Asked,
    context: &Context,
    out: &mut dyn Write,
) -> Result<(), PrintError> {
    for row in 0..traces.num_rows() {
        let Cell::Text(id) = traces.get(row, "trace_id") else { continue };
        let id = id.to_owned();
        let question =
            if healed { Question::HealedTrace { id: id.clone() } } else { Question::Trace { id: id.clone() } };
        let table = asked.ask(&question, None, context).map_err(|error| failed(&error))?;
        otlp::print(&Trace::new(of_trace(&table, &id)), out)?;
    }
    Ok(())
}

fn failed(error: &Failure) -> PrintError {
    PrintError::Encode { format: "otlp", message: error.to_string() }
}

/// Returns the rows of one trace: what was joined to it is written with its own.
fn of_trace(table: &Table, id: &str) -> Table {
    let rows: Vec<usize> = (0..table.num_rows()).filter(|&row| table.get(row, "trace_id") == Cell::Text(id)).collect();
    if rows.len() == table.num_rows() { table.clone() } else { table.pick(&rows) }
}
