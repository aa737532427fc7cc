//! `riftline ingest`: reads sources into a store and leaves.
//!
//! With `--format ndjson` each line is an event: `committed` once rows are durable (not before), `summary` at the end.

use std::fs::File;
use std::io::{self, Write};
use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use riftline_queries::load::{COMMIT_RECORDS, LoadEvent, LoadSummary, follow, load_in_commits};
use riftline_queries::serve::{self, Client, LoadError, LoadRequest, Place, Server};
use serde::Serialize;

use super::progress::ProgressLine;
use super::{Context, answer, retention, say, source, summary};
use crate::cli::IngestArgs;
use crate::error::Failure;
use crate::format::{Format, write_json};
use crate::rules;
use crate::signals::{self, Temporary};

/// How long what was read may need to get into the store's file after a signal.
const FAREWELL: Duration = Duration::from_mins(1);

/// Called with everything that happens; breaks to stop.
type Report<'a> = &'a mut dyn FnMut(LoadEvent) -> ControlFlow<()>;

/// Reads, and prints what was read.
pub fn run(args: &IngestArgs, context: &Context) -> Result<(), Failure> {
    let format = answer::format(args.print, context);
    source::check_format(&args.store)?;
    let path = source::store_path(args.store.store.as_deref(), context)?;
    source::make_folder(&path)?;
    let summary = read(args, &path, format, context)?;
    source::stop_if_asked(context)?;
    summary::say_what_failed(&summary, context);
    give(&summary, format, context)?;
    summary::judge(&summary, args.store.strict)
}

fn read(args: &IngestArgs, path: &Path, format: Format, context: &Context) -> Result<LoadSummary, Failure> {
    let mut line = ProgressLine::new(context);
    let mut closed = None;
    let mut report = |event: LoadEvent| {
        let told = if format == Format::Ndjson { acknowledge(&event) } else { Ok(()) };
        if let Err(error) = told {
            closed = Some(error);
            return ControlFlow::Break(());
        }
        line.note(&event);
        source::go_on(context)
    };
    let summary = match serve::open_or_connect(path)? {
        Place::Here(store) => {
            store.warnings().iter().for_each(|warning| say::always(warning));
            store.set_rules(rules::load().0);
            let options = source::load_options(&store, &args.store, args.settle);
            let records = args.commit_rows.and_then(|rows| usize::try_from(rows).ok()).unwrap_or(COMMIT_RECORDS);
            let inputs = source::inputs(&args.sources);
            let read = if args.follow {
                signals::allow_more(FAREWELL);
                // It holds the store for long: others ask it. Without that it still reads.
                let _server = Server::start(Arc::new(store.clone()), || {});
                follow(&store, &inputs, &options, &mut report).map_err(Failure::from)
            } else {
                load_in_commits(&store, &inputs, &options, records, &mut report).map_err(Failure::from)
            };
            retention::keep_within(&store, context);
            read
        }
        Place::There(_) if args.follow => {
            let hint = "open the sources there with --follow, or close it";
            Err(Failure::Store(format!("a riftline that runs holds the store: {hint}")))
        }
        Place::There(client) => read_there(&client, args, context, &mut report),
    };
    closed.map_or(summary, |error| Err(error.into()))
}

/// Has the riftline that holds the store read the sources. It cannot read our stdin: what comes there is kept in a file first.
fn read_there(
    client: &Client,
    args: &IngestArgs,
    context: &Context,
    report: Report<'_>,
) -> Result<LoadSummary, Failure> {
    let failed = |error: io::Error| Failure::Input(format!("keep stdin: {error}"));
    let folder = tempfile::Builder::new().prefix("riftline-").tempdir().map_err(failed)?;
    let _temporary = Temporary::register(folder.path());
    let mut inputs = Vec::new();
    for source in &args.sources {
        inputs.push(if source == "-" { keep_stdin(folder.path()).map_err(failed)? } else { absolute(source)? });
    }
    let request = LoadRequest { inputs, format: args.store.from.clone(), settle: args.settle };
    client.load(&request, &context.cancel, report).map_err(|error| match error {
        LoadError::Write(error) => error.into(),
        LoadError::Ask(error) => Failure::asking(error, None),
        other => Failure::Store(other.to_string()),
    })
}

fn keep_stdin(folder: &Path) -> io::Result<String> {
    let path = folder.join("stdin");
    io::copy(&mut io::stdin().lock(), &mut File::create(&path)?)?;
    Ok(path.display().to_string())
}

fn absolute(source: &str) -> Result<String, Failure> {
    let path = std::path::absolute(source).map_err(|error| Failure::Input(format!("open {source}: {error}")))?;
    Ok(path.display().to_string())
}

/// Prints that rows are durable, at once.
fn acknowledge(event: &LoadEvent) -> io::Result<()> {
    let LoadEvent::Committed { source, offset, spans, logs, metrics, events } = event else { return Ok(()) };
    let (offset, spans, logs, metrics, events) = (*offset, *spans, *logs, *metrics, *events);
    print_line(&CommittedEvent { event: "committed", source, offset, spans, logs, metrics, events })
}

/// Rows of `source` up to `offset` of its decompressed bytes are durable; the counts are those of this commit.
#[derive(Debug, Serialize)]
struct CommittedEvent<'a> {
    event: &'static str,
    source: &'a str,
    offset: u64,
    spans: u64,
    logs: u64,
    metrics: u64,
    events: u64,
}

fn print_line(event: &impl Serialize) -> io::Result<()> {
    let mut line = Vec::new();
    write_json(&serde_json::to_string(event)?, &mut line)?;
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
