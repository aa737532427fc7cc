//! What else do you want to know? SQL on the store.
//!
//! ```text
//!  › select service, count(*) as spans
//!    from spans group by all order by 2 desc▏
//!  ── 6 rows  12.3 ms ─────────────────────────────
//!   service           spans
//!  ▌gateway         402 331
//! ```

mod chart;
mod complete;
mod detail;
mod grid;
mod highlight;
mod render;
mod summary;

use std::sync::Arc;

use crossterm::event::KeyCode;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::catalog::Catalog;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::Table;

use super::{Gesture, Handled, Mouse, Selected, Turn, View, ViewId};
use crate::format;
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Exported, Outside, Owner, Request, Slot, Target};
use crate::tui::layer::picker::{Choice, Item, Picker};
use crate::tui::remember::Change;
use crate::tui::state::Shared;
use crate::widget::editor::Editor;
use crate::widget::text::one_line;
use complete::{Names, Offer};
use grid::Grid;

const RUN: Slot = Slot { owner: Owner::View(ViewId::Query), name: "run" };
const NAMES: Slot = Slot { owner: Owner::View(ViewId::Query), name: "names" };

/// How many rows of an answer are fetched.
const MAX_ROWS: u64 = 10_000;

/// What the console holds before anything was run.
const FIRST: &str = "select service, count(*) as spans, quantile_disc(duration_ns, 0.99) as p99_ns\nfrom spans group by service order by spans desc;";

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Focus {
    #[default]
    Editor,
    Answer,
}

/// How the answer is shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Mode {
    #[default]
    Table,
    Bars,
    Line,
    Summary,
}

/// The console.
#[derive(Debug, Default)]
pub struct Query {
    editor: Editor,
    focus: Focus,
    /// What was asked last.
    asked: Option<String>,
    is_running: bool,
    answer: Option<Grid>,
    /// The columns of the answer, while they are summarised.
    summary: Option<Grid>,
    failure: Option<AskError>,
    /// Whether the text is still the one that failed, so that the place of the mistake can be shown in it.
    failed_here: bool,
    mode: Mode,
    shows_row: bool,
    detail_top: usize,
    names: Names,
    offers: Vec<Offer>,
    offer: usize,
    /// How many bytes before the cursor an offer replaces.
    offer_from: usize,
    /// Where in the history the text comes from, counted from the newest.
    recalled: Option<usize>,
}

impl Query {
    fn reads(&self) -> bool {
        self.focus == Focus::Answer
    }

    fn grid(&self) -> Option<&Grid> {
        if self.mode == Mode::Summary { self.summary.as_ref() } else { self.answer.as_ref() }
    }

    fn run(&mut self, turn: &mut Turn<'_>) {
        let text = self.editor.text();
        let sql = text.trim().trim_end_matches(';').trim_end();
        if sql.is_empty() {
            return turn.push(Effect::say("nothing to run"));
        }
        // Places of mistakes are counted from the beginning of what is sent.
        let sql = text.get(..text.trim_end().trim_end_matches(';').trim_end().len()).unwrap_or(sql).to_owned();
        self.ask(sql.clone(), turn);
        turn.push(Effect::Remember(Change::Ran(sql)));
    }

    fn ask(&mut self, sql: String, turn: &mut Turn<'_>) {
        self.offers.clear();
        self.failure = None;
        self.is_running = true;
        self.asked = Some(sql.clone());
        turn.push(Effect::ask(RUN, Request::Table(Question::Sql { sql, max_rows: Some(MAX_ROWS) })));
    }

    fn stop(&mut self, turn: &mut Turn<'_>) {
        self.is_running = false;
        turn.push(Effect::Outside(Outside::Cancel(RUN)));
        turn.push(Effect::say("stopped"));
    }

    fn take(&mut self, table: Arc<Table>, turn: &mut Turn<'_>) {
        self.is_running = false;
        self.answer = Some(Grid::new(table, turn.shared.zone));
        (self.summary, self.mode, self.shows_row) = (None, Mode::Table, false);
        self.failed_here = false;
    }

    fn fail(&mut self, error: AskError) {
        self.is_running = false;
        if error != AskError::Cancelled {
            self.failed_here = matches!(error, AskError::Bad { at: Some(_), .. });
            self.failure = Some(error);
        }
    }

    fn set_text(&mut self, text: &str) {
        self.editor = Editor::new(text);
        self.changed();
        self.offers.clear();
    }

    fn changed(&mut self) {
        self.failed_here = false;
        (self.offer_from, self.offers) = self.names.offers(self.editor.before());
        self.offer = 0;
    }

    /// Takes the offer under the cursor; where there is none, gives the keys to the answer.
    fn complete(&mut self) {
        match self.offers.get(self.offer).map(|offer| offer.text.clone()) {
            Some(text) => {
                self.editor.replace_before(self.offer_from, &text);
                self.offers.clear();
            }
            None => self.focus = if self.answer.is_some() { Focus::Answer } else { Focus::Editor },
        }
    }

    /// Takes a statement out of the history: `older` by one, or newer.
    fn recall(&mut self, older: bool, turn: &Turn<'_>) {
        let history = &turn.shared.memory.history;
        let place = match (self.recalled, older) {
            (None, true) => Some(0),
            (Some(place), true) => Some((place + 1).min(history.len().saturating_sub(1))),
            (Some(place), false) => place.checked_sub(1),
            (None, false) => None,
        };
        let index = place.and_then(|place| history.len().checked_sub(place + 1));
        if let Some(sql) = index.and_then(|index| history.get(index)) {
            self.set_text(&sql.clone());
        }
        self.recalled = place;
    }

    fn history(turn: &mut Turn<'_>) {
        let history = &turn.shared.memory.history;
        if history.is_empty() {
            return turn.push(Effect::say("nothing was run yet"));
        }
        let items = history.iter().rev().map(|sql| statement(&one_line(sql), "", sql, false)).collect();
        turn.push(Effect::Over(Box::new(Picker::new("history", items))));
    }

    fn saved(turn: &mut Turn<'_>) {
        turn.push(Effect::Over(Box::new(Picker::new("saved queries", saved_queries(turn.shared)))));
    }

    fn save(&self, name: &str, turn: &mut Turn<'_>) {
        let change = Change::SaveQuery { name: name.to_owned(), sql: self.editor.text() };
        turn.push(Effect::Remember(change));
        turn.push(Effect::say(format!("saved as {name}")));
    }

    fn summarise(&mut self, turn: &Turn<'_>) {
        self.mode = if self.mode == Mode::Summary { Mode::Table } else { Mode::Summary };
        if let (Mode::Summary, Some(grid)) = (self.mode, &self.answer) {
            let table = summary::summary(&grid.table, turn.shared.zone);
            self.summary = Some(Grid::new(Arc::new(table), turn.shared.zone));
        }
    }

    /// Closes what is open, nearest first; returns whether something was.
    fn close(&mut self) -> bool {
        let is_open = self.shows_row || self.mode != Mode::Table;
        if self.shows_row {
            self.shows_row = false;
        } else {
            self.mode = Mode::Table;
        }
        is_open
    }

    /// Commands of the editor.
    fn edit(&mut self, command: Command, turn: &mut Turn<'_>) -> Handled {
        match command {
            Command::EditorRun => self.run(turn),
            Command::EditorComplete => self.complete(),
            Command::EditorLeave if !self.offers.is_empty() => self.offers.clear(),
            Command::EditorLeave if self.is_running => self.stop(turn),
            Command::EditorLeave => self.focus = Focus::Answer,
            Command::EditorOlder => self.recall(true, turn),
            Command::EditorNewer => self.recall(false, turn),
            Command::EditorClear | Command::ClearEditor => self.set_text(""),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn read(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled {
        match call.command {
            Command::Run => self.run(turn),
            Command::Edit => self.focus = Focus::Editor,
            Command::NextPane | Command::PreviousPane => {
                self.focus = if self.reads() { Focus::Editor } else { Focus::Answer }
            }
            Command::SavedQueries => Self::saved(turn),
            Command::SaveQuery => self.save(&call.argument, turn),
            Command::History => Self::history(turn),
            Command::Chart => {
                self.mode = match self.mode {
                    Mode::Table | Mode::Summary => Mode::Bars,
                    Mode::Bars => Mode::Line,
                    Mode::Line => Mode::Table,
                };
            }
            Command::Summary => self.summarise(turn),
            Command::SortColumn => self.grid_mut().into_iter().for_each(Grid::sort),
            Command::Enter => {
                self.shows_row = self.answer.is_some() && self.mode == Mode::Table && !self.shows_row;
                self.detail_top = 0;
            }
            Command::Back if self.is_running => self.stop(turn),
            Command::Back if self.close() => {}
            other => return self.edit_or_move(other, turn),
        }
        Handled::Yes
    }

    fn edit_or_move(&mut self, command: Command, turn: &mut Turn<'_>) -> Handled {
        let parts = render::parts(self, turn.area);
        let (height, room) = (parts.rows.height, parts.rows.width.saturating_sub(2));
        let has_moved = self.grid_mut().is_some_and(|grid| grid.command(command, height, room));
        if has_moved {
            self.detail_top = 0;
            return Handled::Yes;
        }
        self.edit(command, turn)
    }

    fn grid_mut(&mut self) -> Option<&mut Grid> {
        if self.mode == Mode::Summary { self.summary.as_mut() } else { self.answer.as_mut() }
    }
}

/// Returns the statements that have names: the user's first, then those that come with riftline, with their defaults filled in.
#[must_use]
pub fn saved_queries(shared: &Shared) -> Vec<Item> {
    let own = shared.memory.queries.iter().map(|(name, sql)| statement(name, &one_line(sql), sql, true));
    let catalog = Catalog::bundled();
    let bundled = catalog.queries().iter().filter_map(|query| {
        let sql = query.bind(&[]).ok()?;
        Some(statement(&query.name, &query.header.title, sql.trim_end(), true))
    });
    own.chain(bundled).collect()
}

fn statement(label: &str, note: &str, sql: &str, run: bool) -> Item {
    let choice = Choice::Show(ViewId::Query, Target::Sql { sql: sql.to_owned(), run });
    Item { kind: "", label: label.to_owned(), note: note.to_owned(), choice }
}

impl View for Query {
    fn contexts(&self) -> &'static [Context] {
        if self.reads() { &[Context::Query, Context::Moving] } else { &[Context::Editor] }
    }

    fn wants_text(&self) -> bool {
        !self.reads()
    }

    fn show(&mut self, target: Target, turn: &mut Turn<'_>) {
        if self.names == Names::default() {
            turn.push(Effect::ask(NAMES, Request::Table(Names::question())));
        }
        match target {
            Target::Sql { sql, run } => {
                self.set_text(&sql);
                self.focus = if run { Focus::Answer } else { Focus::Editor };
                if run {
                    self.run(turn);
                }
            }
            _ if self.editor == Editor::default() && self.asked.is_none() => {
                let last = turn.shared.memory.history.last().cloned();
                self.set_text(&last.unwrap_or_else(|| FIRST.to_owned()));
            }
            _ => {}
        }
    }

    fn command(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled {
        if self.reads()
            || matches!(call.command, Command::SaveQuery | Command::SavedQueries | Command::History | Command::Chart)
        {
            return self.read(call, turn);
        }
        match call.command {
            Command::Run => self.run(turn),
            Command::NextPane | Command::PreviousPane => self.focus = Focus::Answer,
            other => return self.edit(other, turn),
        }
        Handled::Yes
    }

    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) {
        let is_choosing = !self.offers.is_empty() && chord.modifiers == crossterm::event::KeyModifiers::CONTROL;
        let is_done = chord.code == KeyCode::Enter && self.editor.text().trim_end().ends_with(';');
        match chord.code {
            KeyCode::Char('n') if is_choosing => self.offer = (self.offer + 1) % self.offers.len(),
            KeyCode::Char('p') if is_choosing => self.offer = (self.offer + self.offers.len() - 1) % self.offers.len(),
            _ if is_done => self.run(turn),
            _ => {
                let before = self.editor.text();
                self.editor.key(chord);
                if self.editor.text() == before {
                    self.offers.clear();
                } else {
                    self.changed();
                }
            }
        }
    }

    fn paste(&mut self, text: &str, _turn: &mut Turn<'_>) {
        self.editor.insert(text);
        self.changed();
        self.offers.clear();
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        let parts = render::parts(self, turn.area);
        let is_in_editor = parts.editor.contains(mouse.at);
        let Some(grid) = self.grid_mut() else { return };
        let len = grid.len();
        match mouse.gesture {
            Gesture::WheelUp => grid.scroll.wheel(-3, len, parts.rows.height),
            Gesture::WheelDown => grid.scroll.wheel(3, len, parts.rows.height),
            Gesture::Click | Gesture::DoubleClick if parts.rows.contains(mouse.at) => {
                let place = grid.scroll.top + usize::from(mouse.at.y - parts.rows.y);
                grid.scroll.cursor = place.min(len.saturating_sub(1));
                self.focus = Focus::Answer;
                self.shows_row |= mouse.gesture == Gesture::DoubleClick;
            }
            Gesture::Click if is_in_editor => self.focus = Focus::Editor,
            _ => {}
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        match (slot, answer) {
            (NAMES, Answer::Table(table)) => self.names = Names::read(&table),
            (RUN, Answer::Table(table)) => self.take(table, turn),
            (RUN, Answer::Failed(error)) => self.fail(error),
            _ => {}
        }
    }

    /// An answer is not asked for again by itself: it may have been costly.
    fn refresh(&mut self, turn: &mut Turn<'_>) {
        turn.push(Effect::ask(NAMES, Request::Table(Names::question())));
    }

    fn hints(&self) -> Vec<Command> {
        if !self.reads() {
            return vec![Command::EditorRun, Command::EditorComplete, Command::EditorOlder, Command::EditorLeave];
        }
        vec![
            Command::Edit,
            Command::Run,
            Command::Enter,
            Command::SortColumn,
            Command::Chart,
            Command::Summary,
            Command::SavedQueries,
            Command::History,
            Command::Export,
        ]
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        let mut texts = Vec::new();
        if let Some((grid, row)) = self.answer.as_ref().and_then(|grid| Some((grid, grid.row(grid.scroll.cursor)?))) {
            texts.extend(format::exact(grid.table.cell(row, grid.column)).map(|text| ("value", text)));
            texts.push(("json", detail::json(&grid.table, row)));
        }
        let sql = self.asked.clone().unwrap_or_else(|| self.editor.text());
        texts.push(("sql", sql.clone()));
        let bookmark = Some((one_line(&sql), Target::Sql { sql, run: true }));
        Selected { texts, bookmark, time_ns: None }
    }

    fn exported(&self, _shared: &Shared) -> Option<Exported> {
        let grid = self.grid()?;
        match (&self.asked, grid.table.is_cut && self.mode != Mode::Summary) {
            (Some(sql), true) => Some(Exported::Question(Question::Sql { sql: sql.clone(), max_rows: Some(u64::MAX) })),
            _ => Some(Exported::Table(grid.table.clone())),
        }
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        render::render(self, area, buffer, shared);
    }
}

#[cfg(test)]
mod tests;
