//! `riftline listen`: receives into a store until it is stopped.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossbeam_channel::{RecvTimeoutError, bounded};
use riftline_ingest::receive::{Bound, ListenOptions};
use riftline_queries::listen::{ListenEvent, ListenSummary, Listener, StartError};
use riftline_queries::serve::{self, Place, Server};
use riftline_queries::store::Store;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::{Context, retention, say, source};
use crate::cli::{DoorArgs, FromArgs, ListenArgs, StoreArgs, WorkstationArgs};
use crate::error::Failure;
use crate::humane::count;
use crate::rules::{self, Watched};
use crate::signals;

/// How long what was taken may need to get into the store's file after a signal. What does not get there is in the spool.
const FAREWELL: Duration = Duration::from_mins(1);

/// How often a store is kept within its age and size.
const RETENTION_EVERY: Duration = Duration::from_mins(1);

/// How often is looked whether there is something to do.
const CHORES_EVERY: Duration = Duration::from_secs(2);

/// Files that may be open at a time: connections, and what the store needs.
const OPEN_FILES: u64 = 4_096;

/// Returns what the workstation is told to show what comes.
pub fn workstation(args: &ListenArgs, context: &Context) -> Result<WorkstationArgs, Failure> {
    let store = Some(source::store_path(args.store.as_deref(), context)?);
    let store = StoreArgs { store, is_typed: true, ..StoreArgs::default() };
    let from = FromArgs { sources: Vec::new(), store };
    Ok(WorkstationArgs { from, listen: true, doors: args.doors.clone(), ..WorkstationArgs::default() })
}

/// Receives until a signal comes, then puts everything in order.
pub fn run(args: &ListenArgs, context: &Context) -> Result<(), Failure> {
    let store = open(args, context)?;
    let _server = Server::start(store.clone(), || {})
        .inspect_err(|error| say::warning(context, &format!("other terminals cannot ask this store: {error}")));
    let warn = context.clone();
    let listener = start(&store, &args.doors, false, move |event| {
        if let ListenEvent::Trouble(message) = event {
            say::warning(&warn, &message);
        }
    })?;
    say_where(listener.bound(), context);
    signals::allow_more(FAREWELL);
    let (stop, stopped) = bounded(1);
    // Told twice, the first is enough.
    let _hook = context.cancel.on_stop(move || _ = stop.try_send(()));
    let mut chores = Chores::new(Instant::now());
    while stopped.recv_timeout(CHORES_EVERY) == Err(RecvTimeoutError::Timeout) {
        chores.run(&store, context);
    }
    let summary = listener.close()?;
    say::note(context, &sentence(&summary));
    source::stop_if_asked(context)
}

/// What is done now and then beside receiving.
struct Chores {
    /// When the next of each is due.
    retention: Instant,
    analysis: Instant,
    rules: Watched,
}

impl Chores {
    fn new(now: Instant) -> Self {
        Self { retention: now + RETENTION_EVERY, analysis: now, rules: Watched::new(rules::folder()) }
    }

    /// Joins torn traces and looks for what is wrong, at most a third of the time; removes what is too old.
    fn run(&mut self, store: &Store, context: &Context) {
        let begun = Instant::now();
        if begun >= self.analysis {
            if self.rules.has_changed() {
                store.set_rules(self.rules.read().0);
            }
            if let Err(error) = store.analyse(&context.cancel).map(drop)
                && !context.cancel.is_stopped()
            {
                say::warning(context, &error.to_string());
            }
            self.analysis = Instant::now() + begun.elapsed() * 2;
        }
        if begun >= self.retention {
            retention::keep_within(store, context);
            self.retention = begun + RETENTION_EVERY;
        }
    }
}

fn open(args: &ListenArgs, context: &Context) -> Result<Arc<Store>, Failure> {
    let path = source::store_path(args.store.as_deref(), context)?;
    source::make_folder(&path)?;
    match serve::open_or_connect(&path)? {
        Place::Here(store) => {
            store.warnings().iter().for_each(|warning| say::always(warning));
            Ok(Arc::new(store))
        }
        Place::There(_) => Err(Failure::Store(format!(
            "open store {}: a riftline that runs holds it; close that one, or have it listen",
            path.display()
        ))),
    }
}

/// Begins to receive at the addresses that were asked for.
pub fn start(
    store: &Store,
    doors: &DoorArgs,
    is_watched: bool,
    report: impl FnMut(ListenEvent) + Send + 'static,
) -> Result<Listener, Failure> {
    allow_files();
    Listener::start(store, &options(doors), is_watched, report).map_err(|error| match error {
        StartError::Listen(error) => Failure::Input(error.to_string()),
        other => Failure::Store(other.to_string()),
    })
}

fn options(doors: &DoorArgs) -> ListenOptions {
    let address = |asked: &Option<String>, default: &str| match asked.as_deref() {
        None => Some(default.to_owned()).filter(|address| !address.is_empty()),
        Some("off" | "") => None,
        Some(address) => Some(address.to_owned()),
    };
    ListenOptions {
        grpc: address(&doors.grpc, "127.0.0.1:4317"),
        http: address(&doors.http, "127.0.0.1:4318"),
        zipkin: address(&doors.zipkin, ""),
        jaeger: address(&doors.jaeger, ""),
        ..ListenOptions::default()
    }
}

fn say_where(bound: &[Bound], context: &Context) {
    for one in bound {
        say::note(context, &format!("listening at {}", one.name()));
        if !one.address.ip().is_loopback() {
            say::warning(
                context,
                &format!("{}: everybody who reaches this address can send into the store", one.name()),
            );
        }
    }
    if bound.is_empty() {
        say::warning(context, "all receivers are off");
    }
}

/// Where the limit cannot be raised, fewer connections are taken at a time.
fn allow_files() {
    let limit = getrlimit(Resource::Nofile);
    let wanted = limit.maximum.map_or(OPEN_FILES, |most| most.min(OPEN_FILES));
    if limit.current.is_some_and(|current| current < wanted) {
        let _ = setrlimit(Resource::Nofile, Rlimit { current: Some(wanted), ..limit });
    }
}

fn sentence(summary: &ListenSummary) -> String {
    let ListenSummary { spans, logs, metrics, rejects } = *summary;
    let mut text = format!("received {} spans", count(spans));
    for (number, what) in [(logs, "log records"), (metrics, "metric points")] {
        if number > 0 {
            text.push_str(&format!(", {} {what}", count(number)));
        }
    }
    if rejects > 0 {
        text.push_str(&format!(", {} refused (view `rejects` lists them)", count(rejects)));
    }
    text
}
