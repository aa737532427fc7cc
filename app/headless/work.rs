//! Opens the workstation: on a store, on sources that are read into a temporary one, or on what was open last.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crossbeam_channel::{Sender, bounded};
use riftline_ingest::receive::Bound;
use riftline_queries::listen::{ListenEvent, Listener, recover};
use riftline_queries::serve::Server;
use riftline_queries::store::{Access, Store};

use super::{Context, listen, say, source};
use crate::cli::chaos::DataArgs;
use crate::cli::{FromArgs, WorkstationArgs};
use crate::config;
use crate::error::Failure;
use crate::rules;
use crate::signals::Temporary;
use crate::tui::effect::LoadNews;
use crate::tui::{self, Preferences, TuiError, TuiOptions};

/// File in the state folder that holds the path of the store that was open last.
const LAST_STORE: &str = "last-store";
/// News that may wait for the workstation's loop.
const WAITING_NEWS: usize = 64;

/// Opens the workstation and comes back when the user leaves.
pub fn run(args: &WorkstationArgs, context: &Context) -> Result<(), Failure> {
    source::check_format(&args.from.store)?;
    let (store, sources) = open(&args.from, context)?;
    store.warnings().iter().for_each(|warning| say::always(warning));
    let _temporary = is_temporary(&args.from).then(|| store.path().parent().map(Temporary::register));
    let store = Arc::new(store);
    let news = bounded(WAITING_NEWS);
    let _server = serve(&store, news.0.clone(), context);
    let _listener = args.listen.then(|| listen(&store, args, &news.0)).transpose()?;
    let mut load = source::load_options(&store, &args.from.store, true);
    load.live = true;
    let preferences = preferences(args, &sources, context);
    tui::run(TuiOptions { store, inputs: source::inputs(&sources), follow: args.follow, load, preferences, news })
        .map_err(failure)
}

/// Returns the store, and the sources to read into it.
fn open(from: &FromArgs, context: &Context) -> Result<(Store, Vec<String>), Failure> {
    if let Some(path) = source::named_store(from)? {
        return Ok((hold(&path)?, Vec::new()));
    }
    if is_temporary(from) {
        return Ok((Store::temporary()?, from.sources.clone()));
    }
    let named = from.store.store.as_ref().or(context.settings.config.store.as_ref()).cloned();
    let path = match named.or_else(last_store) {
        Some(path) => path,
        None => source::store_path(None, context)?,
    };
    source::make_folder(&path)?;
    Ok((hold(&path)?, from.sources.clone()))
}

fn is_temporary(from: &FromArgs) -> bool {
    !from.store.is_typed && source::named_store(from).is_ok_and(|store| store.is_none()) && !from.sources.is_empty()
}

/// Opens the store at `path` and remembers it for the next time.
fn hold(path: &Path) -> Result<Store, Failure> {
    let store = Store::open(path, Access::ReadWrite)?;
    // What an earlier riftline acknowledged and could not store belongs to what is shown.
    recover(&store).map_err(|error| Failure::Store(error.to_string()))?;
    if let Some(file) = last_store_file() {
        // Not to remember it is no reason to stop.
        let _ = file.parent().map(std::fs::create_dir_all);
        let _ = std::fs::write(file, store.path().as_os_str().as_encoded_bytes());
    }
    Ok(store)
}

fn last_store_file() -> Option<PathBuf> {
    let folders = config::folders()?;
    Some(folders.state_dir().unwrap_or(folders.data_dir()).join(LAST_STORE))
}

fn last_store() -> Option<PathBuf> {
    let path = PathBuf::from(std::fs::read_to_string(last_store_file()?).ok()?);
    path.is_file().then_some(path)
}

/// Receives into the store until dropped; what comes is news.
fn listen(store: &Store, args: &WorkstationArgs, news: &Sender<LoadNews>) -> Result<Listener, Failure> {
    let send = news.clone();
    let tell = move |event| {
        let told = match event {
            ListenEvent::Committed { spans, .. } => LoadNews::Committed { spans },
            ListenEvent::Settled => LoadNews::Settled,
            ListenEvent::Trouble(text) => LoadNews::Said { text, is_error: true },
        };
        // A workstation that is closing does not listen any more.
        let _ = send.send(told);
    };
    let listener = listen::start(store, &args.doors, true, tell)?;
    let names: Vec<String> = listener.bound().iter().map(Bound::name).collect();
    let _ = news.try_send(LoadNews::Said { text: format!("listening at {}", names.join(" and ")), is_error: false });
    Ok(listener)
}

/// Lets second terminals ask. Without it the workstation still works.
fn serve(store: &Arc<Store>, news: Sender<LoadNews>, context: &Context) -> Option<Server> {
    let loaded = move || {
        let summary = "another terminal read into this store".to_owned();
        // A workstation that is closing does not listen any more.
        let _ = news.send(LoadNews::Done { summary, has_failed: false });
    };
    match Server::start(store.clone(), loaded) {
        Ok(server) => Some(server),
        Err(error) => {
            say::warning(context, &format!("other terminals cannot ask this store: {error}"));
            None
        }
    }
}

fn preferences(args: &WorkstationArgs, sources: &[String], context: &Context) -> Preferences {
    let folders = config::folders();
    Preferences {
        themes: super::themes::themes(context),
        theme: context.settings.theme.clone(),
        keymap: folders.as_ref().map(|folders| folders.config_dir().join("keymap.toml")),
        rules: rules::folder(),
        chaos_folder: super::chaos::data_folder(&DataArgs::of_environment()).ok(),
        data_folder: folders.as_ref().map(|folders| folders.data_dir().to_owned()),
        mouse: args.mouse.then_some(true).or(context.settings.config.mouse),
        zone: context.settings.zone,
        ascii: false,
        store_name: is_temporary(&args.from).then(|| sources.join(" ")),
    }
}

fn failure(error: TuiError) -> Failure {
    match error {
        TuiError::Stopped(signal) => Failure::Stopped(signal),
        TuiError::Theme(error) => Failure::usage(error.to_string()),
        TuiError::NotATerminal | TuiError::DumbTerminal { .. } => Failure::usage(error.to_string()),
        other => Failure::Input(other.to_string()),
    }
}
