//! `riftline ingest`: reads sources into a store and leaves.
//!
//! With `--format ndjson` each line is an event: `committed` once rows are durable (not before), `summary` at the end.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;

use riftline_queries::load::{LoadEvent, LoadSummary, load};
use riftline_queries::serve::{self, Opened};
use serde_json::json;

use super::progress::ProgressLine;
use super::{Context, answer, say, source, summary};
use crate::cli::IngestArgs;
use crate::error::Failure;
use crate::format::{Format, write_json};

/// Reads, and prints what was read.
pub fn run(args: &IngestArgs, context: &Context) -> Result<(), Failure> {
    let format = answer::format(args.print, context);
    let path = source::store_path(args.store.store.as_deref(), context)?;
    make_folder(&path)?;
    let summary = read(args, &path, format, context)?;
    source::stop_if_asked(context)?;
    summary::say_what_failed(&summary, context);
    give(&summary, format, context)?;
    summary::judge(&summary, args.store.strict)
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let failed = |error: io::Error| Failure::Store(format!("make folder {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)
}

fn read(args: &IngestArgs, path: &Path, format: Format, context: &Context) -> Result<LoadSummary, Failure> {
    let mut line = ProgressLine::new(context);
    let mut closed = false;
    let mut report = |event: LoadEvent| {
        if format == Format::Ndjson && acknowledge(&event).is_err() {
            closed = true;
            return ControlFlow::Break(());
        }
        line.note(&event);
        source::go_on(context)
    };
    let inputs = source::inputs(&args.sources);
    let summary = match serve::open_or_connect(path)? {
        Opened::Here(store) => {
            store.warnings().iter().for_each(|warning| say::always(warning));
            load(&store, &inputs, &source::load_options(&store, &args.store, args.settle), &mut report)?
        }
        Opened::There(client) => client.ingest(&inputs, args.store.from.as_deref(), args.settle, &mut report)?,
    };
    if closed { Err(Failure::Closed) } else { Ok(summary) }
}

/// Prints that rows are durable, at once.
fn acknowledge(event: &LoadEvent) -> io::Result<()> {
    let LoadEvent::Committed { source, offset, spans, logs, metrics } = event else { return Ok(()) };
    let event = json!({
        "event": "committed", "source": source, "offset": offset, "spans": spans, "logs": logs, "metrics": metrics,
    });
    print_line(&event)
}

fn print_line(event: &serde_json::Value) -> io::Result<()> {
    let mut line = Vec::new();
    write_json(&event.to_string(), &mut line)?;
    line.push(b'\n');
    let mut out = io::stdout().lock();
    out.write_all(&line)?;
    out.flush()
}

fn give(read: &LoadSummary, format: Format, context: &Context) -> Result<(), Failure> {
    match format {
        Format::Ndjson | Format::Json => Ok(print_line(&summary::object(read))?),
        _ => {
            answer::give_as(&summary::table(read), format, context)?;
            say::note(context, &summary::sentence(read));
            Ok(())
        }
    }
}
