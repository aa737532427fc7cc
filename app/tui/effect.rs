//! What views and layers ask for: they change nothing beside themselves.

use std::path::PathBuf;
use std::sync::Arc;

use ratatui::layout::Rect;
use riftline_ingest::read::Progress;
use riftline_queries::analyse::Analysed;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::Table;
use riftline_queries::trace::details::SpanDetails;
use serde::{Deserialize, Serialize};

use super::analyst::Wish;
use super::chord::Chord;
use super::command::Command;
use super::layer::Layer;
use super::remember::{Change, Memory};
use crate::format::Format;
use crate::view::chaos::ask::{Brought, Errand};
use crate::view::trace::data::TraceData;
use crate::view::trace::shown::{Picture, PictureKind};
use crate::view::trace::torn::Sight;
use crate::view::traces::page::{Page, PageRequest};
use crate::view::{Mouse, ViewId};

/// A command as given: by key without an argument, in the palette with what stands behind it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    pub command: Command,
    pub argument: String,
}

impl From<Command> for Call {
    fn from(command: Command) -> Self {
        Self { command, argument: String::new() }
    }
}

/// What to show in a view that is switched to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Target {
    /// What it showed last.
    Same,
    /// A trace, with the cursor on one of its spans (as hex) where one is named.
    Trace { id: String, span_id: Option<String> },
    /// A statement for the Query view; run at once where it is asked for.
    Sql { sql: String, run: bool },
    /// A filter for the Traces view.
    Filter(String),
    /// A finding, by its id.
    Finding(String),
    /// An experiment, by its file.
    Experiment(PathBuf),
}

/// What a view or layer wants done. The first group is done by [`super::update`], the second by the loop.
#[derive(Debug)]
pub enum Effect {
    /// Switches to a view; [`Effect::Back`] comes back.
    Show {
        view: ViewId,
        target: Target,
    },
    Back,
    Say(Message),
    /// Puts a layer over the screen.
    Over(Box<dyn Layer>),
    /// Gives a command as if its key had been pressed.
    Give(Call),
    /// Shows a theme without choosing it.
    Preview(String),
    Remember(Change),
    /// Takes the time range away.
    EveryTime,
    /// Gives services that were seen colours of their own.
    Learn(Vec<String>),
    Outside(Outside),
}

/// What only the loop can do.
#[derive(Debug)]
pub enum Outside {
    /// Asks a worker. The answer comes back to the owner of the slot; a newer question in the same slot cancels this one.
    Ask {
        slot: Slot,
        request: Request,
    },
    /// Cancels what is asked in the slot.
    Cancel(Slot),
    /// Asks the analyst, who tells when it is done.
    Analyse(Wish),
    /// Puts text on the clipboard of the terminal.
    Copy(String),
    Mouse(bool),
    Redraw,
    Suspend,
    Quit,
}

impl Effect {
    /// Returns the effect of asking `request` in `slot`.
    #[must_use]
    pub const fn ask(slot: Slot, request: Request) -> Self {
        Self::Outside(Outside::Ask { slot, request })
    }

    /// Returns the effect of telling the user something.
    #[must_use]
    pub fn say(text: impl Into<String>) -> Self {
        Self::Say(Message { text: text.into(), is_error: false })
    }

    /// Returns the effect of telling the user what went wrong.
    #[must_use]
    pub fn complain(text: impl Into<String>) -> Self {
        Self::Say(Message { text: text.into(), is_error: true })
    }
}

/// The last thing said, on the bottom line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    pub text: String,
    pub is_error: bool,
}

/// One line of questions: of all questions in a slot only the newest is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Slot {
    pub owner: Owner,
    pub name: &'static str,
}

/// Who gets an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Owner {
    View(ViewId),
    /// The uppermost layer, while it is there.
    Layer,
    /// The state itself: times of the store, files that were written.
    State,
}

/// What a worker is asked.
#[derive(Debug, Clone, PartialEq)]
pub enum Request {
    Table(Question),
    /// The spans of a trace and their tree, with what was joined to it. `id` may be a prefix.
    Trace {
        id: String,
        sight: Sight,
    },
    /// Everything about one span, by its row in the store.
    Details {
        row: i64,
    },
    /// A picture of a trace that takes a walk over all of its spans.
    Picture {
        data: Arc<TraceData>,
        kind: PictureKind,
    },
    /// A page of the list of traces.
    Page(Box<PageRequest>),
    /// Copies the store.
    Save(PathBuf),
    /// Writes a table to a file, in the format called `format`.
    Export {
        source: Exported,
        format: Format,
        path: PathBuf,
    },
    /// Keeps what is to be remembered.
    Remember(Box<Memory>),
    /// Something about experiments and their runs.
    Chaos(Box<Errand>),
}

/// What is written to a file.
#[derive(Debug, Clone, PartialEq)]
pub enum Exported {
    Table(Arc<Table>),
    /// The answer to a question, all of it.
    Question(Question),
}

/// What a worker found.
#[derive(Debug, Clone)]
pub enum Answer {
    Table(Arc<Table>),
    Trace(Arc<TraceData>),
    Picture(Box<Picture>),
    Details {
        row: i64,
        details: Box<SpanDetails>,
    },
    Page(Box<Page>),
    /// A file was written.
    Written(PathBuf),
    /// What was to be remembered is kept.
    Kept,
    Chaos(Box<Brought>),
    Failed(AskError),
}

/// What happens to the workstation.
#[derive(Debug)]
pub enum Event {
    Key(Chord),
    Paste(String),
    Mouse(Mouse),
    Resize(Rect),
    Answer {
        slot: Slot,
        answer: Answer,
    },
    Load(LoadNews),
    /// Time to move the spinner.
    Tick,
}

/// What the loader tells.
#[derive(Debug, Clone, PartialEq)]
pub enum LoadNews {
    Progress(Progress),
    /// The store has new rows: (spans, rejects so far are in the summary).
    Committed {
        spans: u64,
    },
    Settled,
    /// The analyst looks for what is broken.
    Analysing,
    /// The analyst is done, or says why not.
    Analysed(Result<Analysed, String>),
    /// Something to be said.
    Said {
        text: String,
        is_error: bool,
    },
    Done {
        summary: String,
        has_failed: bool,
    },
}
