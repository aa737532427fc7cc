//! Screens: one screen, one file, one pure render. What a newcomer adds is a file and one line in [`VIEWS`].

pub mod chaos;
pub mod help;
pub mod query;
pub mod trace;
pub mod traces;
pub mod triage;

use ratatui::buffer::Buffer;
use ratatui::layout::{Position, Rect};

use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Exported, Slot, Target};
use crate::tui::state::Shared;

/// Which view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ViewId {
    Triage,
    Traces,
    Trace,
    Query,
    Chaos,
}

/// One line of the registry.
#[derive(Debug, Clone, Copy)]
pub struct ViewEntry {
    pub id: ViewId,
    /// The key that shows it, and its number on the top line.
    pub number: u8,
    pub name: &'static str,
    /// The question it answers, for help.
    pub question: &'static str,
    pub open: fn() -> Box<dyn View>,
}

/// All views, in the order of their numbers.
pub const VIEWS: &[ViewEntry] = &[
    ViewEntry {
        id: ViewId::Triage,
        number: 1,
        name: "Triage",
        question: "What is broken, and who has to change what?",
        open: || Box::new(triage::Triage::default()),
    },
    ViewEntry {
        id: ViewId::Traces,
        number: 2,
        name: "Traces",
        question: "Which requests?",
        open: || Box::new(traces::Traces::default()),
    },
    ViewEntry {
        id: ViewId::Trace,
        number: 3,
        name: "Trace",
        question: "Where did the time go, and what is missing?",
        open: || Box::new(trace::Trace::default()),
    },
    ViewEntry {
        id: ViewId::Query,
        number: 7,
        name: "Query",
        question: "What else do you want to know?",
        open: || Box::new(query::Query::default()),
    },
    ViewEntry {
        id: ViewId::Chaos,
        number: 8,
        name: "Chaos",
        question: "Would staging fail the same way?",
        open: || Box::new(chaos::Chaos::default()),
    },
];

impl ViewId {
    /// Returns the place of the view in [`VIEWS`].
    #[must_use]
    pub fn index(self) -> usize {
        VIEWS.iter().position(|entry| entry.id == self).unwrap_or_default()
    }

    /// Returns the line of the view in [`VIEWS`].
    #[must_use]
    pub fn entry(self) -> &'static ViewEntry {
        &VIEWS[self.index()]
    }
}

/// What a view sees and asks for while it handles one event.
pub struct Turn<'a> {
    pub shared: &'a Shared,
    /// Where the view is drawn: the same area that `render` gets.
    pub area: Rect,
    pub effects: &'a mut Vec<Effect>,
}

impl Turn<'_> {
    /// Asks for `effect`.
    pub fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }
}

/// Whether an event was used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handled {
    Yes,
    No,
}

/// What the mouse did, in cells of the whole screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mouse {
    pub at: Position,
    pub gesture: Gesture,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gesture {
    Click,
    DoubleClick,
    Drag,
    Release,
    WheelUp,
    WheelDown,
}

/// What is under the cursor, for copying, bookmarks and export.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Selected {
    /// What can be copied: (what it is, the text), the likeliest first.
    pub texts: Vec<(&'static str, String)>,
    /// What a bookmark leads to, and how it reads.
    pub bookmark: Option<(String, Target)>,
    /// When it happened, in nanoseconds since 1970; the time range narrows around it.
    pub time_ns: Option<i64>,
}

/// One screen.
pub trait View {
    /// Returns the contexts whose keys work now, nearest first, without [`Context::Everywhere`].
    fn contexts(&self) -> &'static [Context];

    /// Tells whether letters are typed into the view now, so that they give no commands.
    fn wants_text(&self) -> bool {
        false
    }

    /// Shows `target`; called whenever the view is switched to.
    fn show(&mut self, target: Target, turn: &mut Turn<'_>);

    /// Learns that another view is shown instead.
    fn hide(&mut self, turn: &mut Turn<'_>) {
        let _ = turn;
    }

    /// Does what a command says, where it concerns the view.
    fn command(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled;

    /// Takes a key that gives no command; only while [`View::wants_text`].
    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) {
        let _ = (chord, turn);
    }

    /// Takes pasted text; only while [`View::wants_text`].
    fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        let _ = (text, turn);
    }

    /// Takes what the mouse did inside its area.
    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        let _ = (mouse, turn);
    }

    /// Takes the answer to a question of its own; older ones never arrive.
    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>);

    /// Learns that the store has new rows or that the time range changed: asks again what it shows.
    fn refresh(&mut self, turn: &mut Turn<'_>);

    /// Returns the commands for the bottom line, the most useful first.
    fn hints(&self) -> Vec<Command>;

    /// Returns what is under the cursor.
    fn selected(&self, shared: &Shared) -> Selected;

    /// Returns what is shown, for export.
    fn exported(&self, shared: &Shared) -> Option<Exported> {
        let _ = shared;
        None
    }

    /// Returns lines for the help of this view that explain its signs: (sign, meaning).
    fn legend(&self, shared: &Shared) -> Vec<(String, &'static str)> {
        let _ = shared;
        Vec::new()
    }

    /// Draws the view.
    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared);
}
