//! Who answers: the store that was named, the riftline that holds it, or a temporary store with the sources that were named.

use std::fs::File;
use std::io::{self, Read};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::thread::available_parallelism;

use riftline_ingest::format;
use riftline_ingest::read::{Input, Limits, ReadOptions};
use riftline_queries::desk::{Desk, Question};
use riftline_queries::load::{LoadOptions, LoadSummary, load};
use riftline_queries::serve::{self, Place};
use riftline_queries::store::Store;
use riftline_queries::table::Table;

use super::progress::ProgressLine;
use super::{Context, patterns, say, summary};
use crate::cli::{FromArgs, StoreArgs};
use crate::config;
use crate::error::Failure;
use crate::rules;
use crate::signals::{self, Temporary};

/// Somebody who answers, until dropped: the store is closed before an answer is printed.
pub struct Asked {
    desk: Box<dyn Desk>,
    /// Of sources that were read for this question: whether all could be.
    pub read: Result<(), Failure>,
    _temporary: Option<Temporary>,
}

impl Asked {
    /// Answers one question. `text` is what a user wrote (SQL or TraceQL), for the caret under a mistake.
    pub fn ask(&self, question: &Question, text: Option<&str>, context: &Context) -> Result<Table, Failure> {
        self.desk.ask(question, &context.cancel).map_err(|error| Failure::asking(error, text))
    }
}

/// Answers one question about what was named, and closes the store. The second value tells whether every source was readable.
pub fn ask(
    from: &FromArgs,
    question: &Question,
    text: Option<&str>,
    context: &Context,
) -> Result<(Table, Result<(), Failure>), Failure> {
    let asked = open(from, context)?;
    let table = asked.ask(question, text, context)?;
    Ok((table, asked.read))
}

/// Fails where no format has the name that was asked for.
pub fn check_format(args: &StoreArgs) -> Result<(), Failure> {
    let Some(name) = &args.from else { return Ok(()) };
    if format::is_known(name) {
        return Ok(());
    }
    Err(Failure::usage(format!("no format is named {name}; known are {}", format::known())))
}

/// Opens what was named.
pub fn open(from: &FromArgs, context: &Context) -> Result<Asked, Failure> {
    check_format(&from.store)?;
    if from.store.is_typed && !from.sources.is_empty() {
        let hint = "`riftline ingest` reads sources into a store";
        return Err(Failure::usage(format!("name sources or a store (--store), not both; {hint}")));
    }
    match named_store(from)? {
        Some(path) => open_store(&path),
        None if from.sources.is_empty() => open_store(&store_path(from.store.store.as_deref(), context)?),
        None => read_into_temporary(&from.sources, &from.store, context),
    }
}

/// Returns the store among the sources, where one was named there.
pub fn named_store(from: &FromArgs) -> Result<Option<PathBuf>, Failure> {
    let store = from.sources.iter().find(|source| is_store(Path::new(source)));
    match store {
        None => Ok(None),
        Some(store) if from.sources.len() == 1 && !from.store.is_typed => Ok(Some(PathBuf::from(store))),
        Some(store) => Err(Failure::usage(format!(
            "{store} is a store: name it alone, or read the other sources into it with `riftline ingest --store {store}`"
        ))),
    }
}

/// Tells whether the file is a database, whatever its name; files of that name that are not there yet count too.
fn is_store(path: &Path) -> bool {
    let mut head = [0; 12];
    match File::open(path).and_then(|mut file| file.read_exact(&mut head)) {
        Ok(()) => head.ends_with(b"DUCK"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => path.extension().is_some_and(|name| name == "rift"),
        Err(_) => false,
    }
}

/// Returns the store to use: the one that was named, the configured one, or the default one.
pub fn store_path(named: Option<&Path>, context: &Context) -> Result<PathBuf, Failure> {
    if let Some(path) = named.or(context.settings.config.store.as_deref()) {
        return Ok(path.to_owned());
    }
    let folders = config::folders().ok_or_else(|| Failure::usage("no home folder: name a store with --store"))?;
    Ok(folders.data_dir().join("default.rift"))
}

/// Makes the folder that a store is to lie in.
pub fn make_folder(path: &Path) -> Result<(), Failure> {
    let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) else { return Ok(()) };
    let failed = |error: io::Error| Failure::Store(format!("make folder {}: {error}", folder.display()));
    std::fs::create_dir_all(folder).map_err(failed)
}

/// Opens a store that is there, or connects to the riftline that holds it.
pub fn open_store(path: &Path) -> Result<Asked, Failure> {
    if !path.try_exists().unwrap_or(true) {
        let hint = "name sources or another store (--store), or read something into it with `riftline ingest`";
        return Err(Failure::Store(format!("open store {}: there is none; {hint}", path.display())));
    }
    let desk: Box<dyn Desk> = match serve::open_or_connect(path)? {
        Place::Here(store) => {
            store.warnings().iter().for_each(|warning| say::always(warning));
            store.set_rules(rules::load().0);
            Box::new(store)
        }
        Place::There(client) => Box::new(client),
    };
    Ok(Asked { desk, read: Ok(()), _temporary: None })
}

/// Opens what was named in this process: for what a riftline that holds the store cannot be asked.
pub fn open_here(from: &FromArgs, context: &Context) -> Result<(Store, Option<Temporary>), Failure> {
    check_format(&from.store)?;
    let named = named_store(from)?;
    if named.is_none() && !from.sources.is_empty() {
        let (store, temporary, read) = read_all(&from.sources, &from.store, context)?;
        return read.map(|()| (store, temporary));
    }
    let path = match named {
        Some(path) => path,
        None => store_path(from.store.store.as_deref(), context)?,
    };
    match serve::open_or_connect(&path)? {
        Place::Here(store) => Ok((store, None)),
        Place::There(_) => {
            Err(Failure::Store(format!("{} is held by another riftline: name the sources", path.display())))
        }
    }
}

fn read_into_temporary(sources: &[String], args: &StoreArgs, context: &Context) -> Result<Asked, Failure> {
    let (store, temporary, read) = read_all(sources, args, context)?;
    Ok(Asked { desk: Box::new(store), read, _temporary: temporary })
}

type AllRead = (Store, Option<Temporary>, Result<(), Failure>);

fn read_all(sources: &[String], args: &StoreArgs, context: &Context) -> Result<AllRead, Failure> {
    let store = Store::temporary()?;
    store.set_rules(rules::load().0);
    let temporary = store.path().parent().map(Temporary::register);
    let summary = read_into(&store, sources, args, context)?;
    summary::say_what_failed(&summary, context);
    let read = summary::judge(&summary, args.strict);
    if summary.sources.is_empty() {
        read?;
        return Err(Failure::Input("nothing to read".to_owned()));
    }
    Ok((store, temporary, read))
}

fn read_into(store: &Store, sources: &[String], args: &StoreArgs, context: &Context) -> Result<LoadSummary, Failure> {
    let mut line = ProgressLine::new(context);
    let summary = load(store, &inputs(sources), &load_options(store, args, false), &mut |event| {
        line.note(&event);
        go_on(context)
    })?;
    line.wipe();
    stop_if_asked(context)?;
    Ok(summary)
}

/// Returns the sources as inputs.
#[must_use]
pub fn inputs(sources: &[String]) -> Vec<Input> {
    let input = |source: &String| if source == "-" { Input::Stdin } else { Input::Path(source.clone()) };
    sources.iter().map(input).collect()
}

/// Returns how to read into `store`.
#[must_use]
pub fn load_options(store: &Store, args: &StoreArgs, settle: bool) -> LoadOptions {
    let read = ReadOptions {
        conventions: store.conventions(),
        format: args.from.clone(),
        num_threads: available_parallelism().map_or(2, usize::from),
        limits: Limits::default(),
        // Their mistakes are told by `riftline check`.
        patterns: patterns::load().0,
    };
    LoadOptions { read, settle, live: false }
}

/// Breaks once a signal came.
pub fn go_on(context: &Context) -> ControlFlow<()> {
    if context.cancel.is_stopped() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

/// Fails once a signal came.
pub fn stop_if_asked(context: &Context) -> Result<(), Failure> {
    match signals::received() {
        Some(signal) if context.cancel.is_stopped() => Err(Failure::Stopped(signal)),
        _ => Ok(()),
    }
}
