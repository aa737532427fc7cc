//! The workstation on a store of this process: asks it, and reads files into it.

use std::ops::ControlFlow;
use std::path::Path;
use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender};
use riftline_ingest::read::Input;
use riftline_queries::cancel::Cancel;
use riftline_queries::desk::{Desk, Question};
use riftline_queries::error::AskError;
use riftline_queries::load::{self, LoadEvent, LoadOptions, LoadSummary};
use riftline_queries::store::{Store, TraceId};
use riftline_queries::table::{Cell, Table};
use riftline_queries::trace::details::SpanDetails;
use riftline_queries::trace::window::Window;

use super::analyst::Analyst;
use super::effect::LoadNews;
use super::jobs::Backend;
use super::opening::Opening;
use super::run::show;
use super::{Preferences, TuiError};
use crate::view::trace::data::TraceData;
use crate::view::trace::torn::{Sight, ask_findings};

/// What the workstation is opened on.
pub struct TuiOptions {
    pub store: Arc<Store>,
    /// Read into the store while it is shown.
    pub inputs: Vec<Input>,
    /// Go on with what is added to them.
    pub follow: bool,
    pub load: LoadOptions,
    pub preferences: Preferences,
    /// News of what comes into the store; the sender is for those that read into it beside the workstation.
    pub news: (Sender<LoadNews>, Receiver<LoadNews>),
}

/// Opens the workstation and comes back when the user leaves.
pub fn run(options: TuiOptions) -> Result<(), TuiError> {
    let TuiOptions { store, inputs, follow, load, preferences, news: (send, news) } = options;
    let is_loading = !inputs.is_empty();
    let analyst = Analyst::start(store.clone(), preferences.rules.clone(), is_loading, send.clone())?;
    read_files(store.clone(), inputs, follow, load, send)?;
    let path = store.path().to_owned();
    let file = path.file_name().map(|name| name.to_string_lossy().into_owned());
    let store_name = preferences.store_name.or(file);
    // A store that goes away with the workstation keeps its bookmarks under the names of what was read.
    let bookmarks = if is_loading { store_name.clone().unwrap_or_default() } else { path.display().to_string() };
    let backend: Arc<dyn Backend> = store;
    let opening = Opening { preferences: Preferences { store_name, ..preferences }, bookmarks, is_loading };
    show(&backend, &opening, news, analyst.wishes())
}

/// Reads `inputs` on a thread of its own. It ends early when nobody listens to its news any more.
fn read_files(
    store: Arc<Store>,
    inputs: Vec<Input>,
    is_followed: bool,
    options: LoadOptions,
    send: Sender<LoadNews>,
) -> Result<(), TuiError> {
    if !inputs.is_empty() {
        let read = move || {
            let read = if is_followed { load::follow } else { load::load };
            let summary = read(&store, &inputs, &options, &mut |event| tell(&send, &event));
            let (summary, has_failed) = match summary {
                Ok(summary) => summarise(&summary),
                Err(error) => (error.to_string(), true),
            };
            // Nobody is left to tell when the user has gone.
            let _ = send.send(LoadNews::Done { summary, has_failed });
        };
        thread::Builder::new().name("loader".to_owned()).spawn(read)?;
    }
    Ok(())
}

fn tell(news: &Sender<LoadNews>, event: &LoadEvent) -> ControlFlow<()> {
    let told = match event {
        LoadEvent::Progress(progress) => LoadNews::Progress(*progress),
        LoadEvent::Committed { spans, .. } => LoadNews::Committed { spans: *spans },
        LoadEvent::Settled => LoadNews::Settled,
    };
    news.send(told).map_or(ControlFlow::Break(()), |()| ControlFlow::Continue(()))
}

/// Returns what is said when everything is read, and whether something could not be.
fn summarise(summary: &LoadSummary) -> (String, bool) {
    use crate::humane::{count, duration};
    let mut text = format!("read {} spans", count(summary.total(|source| source.spans)));
    for (number, what) in [
        (summary.total(|source| source.logs), "log records"),
        (summary.total(|source| source.metrics), "metric points"),
        (summary.total(|source| source.events), "events"),
    ] {
        if number > 0 {
            text.push_str(&format!(", {} {what}", count(number)));
        }
    }
    text.push_str(&format!(" in {}", duration((summary.seconds * 1e9) as i64)));
    let rejects = summary.total(|source| source.rejects);
    if rejects > 0 {
        text.push_str(&format!(", {} records refused (see rejects)", count(rejects)));
    }
    let recognised = summary.sources.iter().filter(|source| source.is_recognised());
    let stopped = recognised.filter_map(|source| Some((&source.name, source.stopped.as_ref()?)));
    let failures = stopped.chain(summary.failed.iter().map(|(name, why)| (name, why)));
    let failures: Vec<String> = failures.map(|(name, why)| format!("{name}: {why}")).collect();
    if let Some(first) = failures.first() {
        text.push_str(&format!("; {first}"));
    }
    (text, rejects > 0 || !failures.is_empty())
}

/// Returns the trace id that `text` is, or the only one in the store that begins so.
fn whole_id(store: &Store, text: &str, cancel: &Cancel) -> Result<TraceId, AskError> {
    let digits = text.trim().to_ascii_lowercase();
    let bad = |message: String| AskError::Bad { message, at: None };
    if digits.len() < 4 || digits.len() > 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return Err(bad(format!("`{text}` is no trace id: write 4 to 32 hexadecimal digits")));
    }
    if digits.len() == 32 {
        return parse_id(&digits).ok_or_else(|| bad(format!("`{text}` is no trace id")));
    }
    let sql = format!("SELECT DISTINCT trace_id FROM spans WHERE starts_with(trace_id, '{digits}') LIMIT 2");
    let found = Desk::ask(store, &Question::Sql { sql, max_rows: None }, cancel)?;
    match (found.num_rows(), found.get(0, "trace_id")) {
        (1, Cell::Text(id)) => parse_id(id).ok_or_else(|| bad(format!("`{id}` is no trace id"))),
        (0, _) => Err(AskError::NotFound { what: "trace", id: digits }),
        _ => Err(bad(format!("several traces begin with {digits}: write more digits"))),
    }
}

/// Returns the trace id that hexadecimal digits stand for.
#[must_use]
pub fn parse_id(digits: &str) -> Option<TraceId> {
    let number = u128::from_str_radix(digits, 16).ok()?;
    Some(TraceId { hi: (number >> 64) as u64, lo: number as u64 })
}

impl Backend for Store {
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError> {
        Desk::ask(self, question, cancel)
    }

    fn trace(&self, id: &str, sight: Sight, cancel: &Cancel) -> Result<TraceData, AskError> {
        let id = whole_id(self, id, cancel)?;
        let healed = self.load_healed(id, cancel)?;
        // Findings name the joins; without them the joins still say why.
        let findings = if healed.is_stitched() { ask_findings(self, cancel).unwrap_or_default() } else { Vec::new() };
        Ok(TraceData::of(format!("{:016x}{:016x}", id.hi, id.lo), healed, sight, findings))
    }

    fn details(&self, row: i64) -> Result<SpanDetails, AskError> {
        self.span_details(row)
    }

    fn save(&self, path: &Path) -> Result<(), AskError> {
        self.save_as(path).map_err(|error| AskError::Store { message: error.to_string() })
    }

    fn recording(&self, time_ns: i64, cancel: &Cancel) -> Result<Window, AskError> {
        Store::recording(self, time_ns, cancel)
    }
}
