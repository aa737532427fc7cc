//! Keeps a store within the age and size of the configuration: `retention_age` and `retention_size`. The default store has a size
//! without being told.

use std::path::Path;

use riftline_queries::store::{Retention, Store, TraceId};

use super::{Context, say, source};
use crate::config::{self, Config};
use crate::humane;
use crate::tui::effect::Target;
use crate::tui::holding::parse_id;
use crate::tui::remember::Memory;

/// What the default store may take.
const DEFAULT_BYTES: u64 = 10_000_000_000;

/// Removes what is too old or too much, and says so.
pub fn keep_within(store: &Store, context: &Context) {
    let Some(retention) = of(store.path(), context) else { return };
    if !is_due(store, &retention) {
        return;
    }
    let settled = store.settle_if_needed(&context.cancel).map_err(|error| error.to_string());
    match settled.and_then(|_| store.retain(&retention).map_err(|error| error.to_string())) {
        Ok(removed) if removed.spans + removed.others > 0 => {
            let (spans, others) = (humane::count(removed.spans), humane::count(removed.others));
            say::note(context, &format!("retention: {spans} spans and {others} other records removed, the oldest"));
        }
        Ok(_) => {}
        Err(error) => say::warning(context, &format!("retention: {error}")),
    }
}

/// Returns what holds for the store at `path`; nothing where it may keep everything.
fn of(path: &Path, context: &Context) -> Option<Retention> {
    let Config { retention_age, retention_size, .. } = context.settings.config;
    let bytes = retention_size.or_else(|| is_default(path, context).then_some(DEFAULT_BYTES));
    let is_limited = retention_age.is_some() || bytes.is_some();
    is_limited.then(|| Retention { age_ns: retention_age, bytes, keep: bookmarked(path) })
}

fn is_default(path: &Path, context: &Context) -> bool {
    let default = source::store_path(None, context).ok();
    default.and_then(|default| default.canonicalize().ok()).is_some_and(|default| default == path)
}

/// Looking at the file's size costs nothing.
fn is_due(store: &Store, retention: &Retention) -> bool {
    let size = std::fs::metadata(store.path()).map_or(0, |metadata| metadata.len());
    retention.age_ns.is_some() || retention.bytes.is_some_and(|bytes| size > bytes)
}

/// The traces that are bookmarked in this store.
fn bookmarked(path: &Path) -> Vec<TraceId> {
    let folders = config::folders();
    let memory = Memory::read(folders.as_ref().map(directories::ProjectDirs::data_dir), &path.display().to_string());
    let ids = memory.bookmarks().iter().filter_map(|bookmark| match &bookmark.target {
        Target::Trace { id, .. } => parse_id(id),
        _ => None,
    });
    ids.collect()
}
