//! Where did the time go, and what is missing? One trace as a waterfall, a flame graph or a table of services.
//!
//! ```text
//! 4bf92f35  POST /checkout  2.31 s  47 spans  6 services  ✖ 2 errors
//! service   operation           0 ms        500 ms      1.0 s       1.5 s
//! gateway   POST /checkout      ████████████████████████████████████████████     2.31 s
//! gateway   ├ auth              ██▍                                             61.4 ms
//! orders    └ POST /orders      ··███████████████████████████████████████▌       2.19 s
//! ─ details ───────────────────────────┬─ logs ─────────────────────────────────────────
//! operation   POST /orders             │ 10:52:03.113 WARN  payments call failed
//! ```

pub mod copy;
pub mod data;
pub mod details;
pub mod flame;
pub mod forest;
pub mod header;
pub mod joints;
pub mod layout;
pub mod logs;
pub mod marks;
pub mod outline;
pub mod runs;
pub mod search;
pub mod services;
pub mod shown;
pub mod torn;
pub mod waterfall;

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::desk::Question;
use riftline_queries::replay::derive::About;
use riftline_queries::replay::id::TraceId;
use riftline_queries::table::{Cell, Table};
use riftline_queries::trace::details::SpanDetails;

use self::data::TraceData;
use self::details::Details;
use self::marks::SpanMark;
use self::shown::keys::Outcome;
use self::shown::{Picture, Shown};
use self::torn::Sight;
use super::chaos::derive::{self, Wanted};
use super::{Handled, Mouse, Selected, Turn, View, ViewId};
use crate::theme::Role;
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Exported, Outside, Owner, Request, Slot, Target};
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::text::width;

const TRACE: Slot = slot("trace");
const DETAILS: Slot = slot("details");
const LOGS: Slot = slot("logs");
const ATTRIBUTES: Slot = slot("attributes");
const PICTURE: Slot = slot("picture");

const fn slot(name: &'static str) -> Slot {
    Slot { owner: Owner::View(ViewId::Trace), name }
}

/// Spans found by their attributes, at most.
const MAX_FOUND: u64 = 1_000_000;

/// The view.
#[derive(Debug, Default)]
pub struct Trace {
    shown: Option<Box<Shown>>,
    /// The trace that was asked for, until it is there, and the span to put the cursor on.
    wanted: Option<Place>,
    /// Traces that links were followed from, the nearest last.
    trail: Vec<Place>,
    /// How traces are looked at.
    sight: Sight,
    /// Why there is nothing to show.
    failure: Option<String>,
}

/// A span of a trace, as hex.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    trace_id: String,
    span_id: Option<String>,
}

impl Trace {
    fn ask(&mut self, place: Place, turn: &mut Turn<'_>) {
        turn.push(Effect::ask(TRACE, Request::Trace { id: place.trace_id.clone(), sight: self.sight }));
        self.wanted = Some(place);
        self.failure = None;
    }

    /// Takes a trace that arrived.
    fn take(&mut self, data: Arc<TraceData>, turn: &mut Turn<'_>) {
        if data.spans.is_empty() {
            return self.fail(format!("the store holds no span of trace {}", data.id), turn);
        }
        let wanted = self.wanted.take();
        turn.push(Effect::Learn(data.services().map(str::to_owned).collect()));
        turn.push(Effect::ask(LOGS, Request::Table(logs::question(&data.pieces()))));
        match &mut self.shown {
            Some(shown) if shown.data.id == data.id => shown.update(data, turn.area),
            _ => self.shown = Some(Box::new(Shown::new(data))),
        }
        if let (Some(shown), Some(place)) = (&mut self.shown, wanted) {
            shown.go_to(place.span_id.as_deref(), turn.area);
        }
        self.ask_about_selected(turn);
    }

    /// Takes what went wrong. A trace that is shown stays.
    fn fail(&mut self, failure: String, turn: &mut Turn<'_>) {
        self.wanted = None;
        if self.shown.is_some() {
            self.trail.pop();
            turn.push(Effect::complain(failure));
        } else {
            self.failure = Some(failure);
        }
    }

    /// Asks for what the lower panes show, where it is about another span than the selected one.
    fn ask_about_selected(&mut self, turn: &mut Turn<'_>) {
        let Some(shown) = &mut self.shown else { return };
        let selected = shown.selected_ids();
        shown.logs.pick(selected.map(|(_, span_id)| span_id));
        match selected {
            Some((row, _)) if shown.details.rank != shown.selected() => {
                turn.push(Effect::ask(DETAILS, Request::Details { row }));
            }
            Some(_) => {}
            None => {
                turn.push(Effect::Outside(Outside::Cancel(DETAILS)));
                shown.details =
                    shown.waterfall.row().map(|row| Details::of_heading(&shown.data, row)).unwrap_or_default();
            }
        }
    }

    fn act(&mut self, outcome: Outcome, turn: &mut Turn<'_>) -> Handled {
        match outcome {
            Outcome::NotMine => return Handled::No,
            Outcome::Done => {}
            Outcome::Said(text) => turn.push(Effect::say(text)),
            Outcome::Find(text) => self.ask_attributes(&text, turn),
            Outcome::Look(sight) => self.look(sight, turn),
            Outcome::Draw(kind) => {
                let data = self.shown.as_ref().map(|shown| shown.data.clone());
                turn.effects.extend(data.map(|data| Effect::ask(PICTURE, Request::Picture { data, kind })));
            }
            Outcome::Follow { trace_id, span_id } => {
                self.trail.extend(self.place());
                self.ask(Place { trace_id, span_id: Some(span_id) }, turn);
            }
        }
        self.ask_about_selected(turn);
        Handled::Yes
    }

    /// Shows the same trace healed or raw, on one clock or as recorded.
    fn look(&mut self, sight: Sight, turn: &mut Turn<'_>) {
        self.sight = sight;
        if let Some(place) = self.place() {
            self.ask(place, turn);
        }
    }

    fn ask_attributes(&self, text: &str, turn: &mut Turn<'_>) {
        if let Some(shown) = &self.shown {
            let question = attributes_question(&shown.data.pieces(), text);
            turn.push(Effect::ask(ATTRIBUTES, Request::Table(question)));
        }
    }

    /// Returns where the cursor is, to come back to.
    fn place(&self) -> Option<Place> {
        let shown = self.shown.as_ref()?;
        let span_id = shown.selected_ids().map(|(_, span_id)| format!("{span_id:016x}"));
        Some(Place { trace_id: shown.data.id.clone(), span_id })
    }

    /// Has an experiment derived that replays what went wrong in the trace.
    fn replay(&self, turn: &mut Turn<'_>) {
        let Some(shown) = &self.shown else { return };
        let Ok(id) = u128::from_str_radix(&shown.data.id, 16) else { return };
        let time_ns = shown.data.summary.window.from_ns();
        let name = shown.data.id.get(..8).unwrap_or(&shown.data.id).to_owned();
        let words = format!("trace {}", shown.data.id);
        let about = About::Trace(TraceId(id));
        derive::ask(Wanted { about, name, words, time_ns }, turn);
    }

    fn take_details(&mut self, row: i64, recorded: Box<SpanDetails>, turn: &mut Turn<'_>) {
        let Some(shown) = &mut self.shown else { return };
        let rank = shown.selected().filter(|_| shown.selected_ids().is_some_and(|(selected, _)| selected == row));
        if let Some(rank) = rank {
            shown.details = Details::new(&shown.data, rank, recorded, turn.shared.zone);
        }
    }

    fn take_logs(&mut self, answer: Result<Arc<Table>, String>) {
        if let Some(shown) = &mut self.shown {
            shown.logs.take(answer);
        }
    }

    fn take_picture(&mut self, picture: Picture) {
        if let Some(shown) = &mut self.shown {
            shown.picture = picture;
        }
    }

    fn take_found(&mut self, table: &Table, turn: &mut Turn<'_>) {
        let Some(shown) = &mut self.shown else { return };
        let ids = (0..table.num_rows()).filter_map(|row| match table.get(row, "span_id") {
            Cell::Text(id) => u64::from_str_radix(id, 16).ok(),
            _ => None,
        });
        let text = shown.search.text().to_owned();
        shown.search_for(&text, &ids.collect(), turn.area);
        self.ask_about_selected(turn);
    }
}

/// Returns the question for the spans of traces whose attributes hold `text`, whatever its case.
fn attributes_question(trace_ids: &[&str], text: &str) -> Question {
    let text = text.to_lowercase().replace('\'', "''");
    let ids = trace_ids.join("', '");
    let sql = format!(
        "SELECT span_id FROM spans WHERE trace_id IN ('{ids}') AND contains(lower(CAST(attributes AS VARCHAR)), '{text}')"
    );
    Question::Sql { sql, max_rows: Some(MAX_FOUND) }
}

impl View for Trace {
    fn contexts(&self) -> &'static [Context] {
        if self.wants_text() { &[Context::Prompt] } else { &[Context::Trace, Context::Moving] }
    }

    fn wants_text(&self) -> bool {
        self.shown.as_ref().is_some_and(|shown| shown.prompt.is_some())
    }

    fn show(&mut self, target: Target, turn: &mut Turn<'_>) {
        let Target::Trace { id, span_id } = target else { return };
        let place = Place { trace_id: id, span_id };
        match &mut self.shown {
            // One comes here to see what belongs together, even where raw spans were looked at before.
            Some(shown) if shown.data.id == place.trace_id && self.sight.is_healed => {
                shown.go_to(place.span_id.as_deref(), turn.area);
                self.ask_about_selected(turn);
            }
            _ => {
                self.trail.clear();
                self.sight.is_healed = true;
                self.ask(place, turn);
            }
        }
    }

    fn command(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled {
        let Some(shown) = &mut self.shown else { return Handled::No };
        if call.command == Command::ReplayTrace {
            self.replay(turn);
            return Handled::Yes;
        }
        match shown.command(call.command, call.argument.trim(), turn.area) {
            Outcome::NotMine if call.command == Command::Back => match self.trail.pop() {
                Some(place) => {
                    self.ask(place, turn);
                    Handled::Yes
                }
                None => Handled::No,
            },
            outcome => self.act(outcome, turn),
        }
    }

    fn key(&mut self, chord: Chord, _turn: &mut Turn<'_>) {
        if let Some(prompt) = self.shown.as_mut().and_then(|shown| shown.prompt.as_mut()) {
            prompt.key(chord);
        }
    }

    fn paste(&mut self, text: &str, _turn: &mut Turn<'_>) {
        if let Some(prompt) = self.shown.as_mut().and_then(|shown| shown.prompt.as_mut()) {
            prompt.insert(text);
        }
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        if let Some(shown) = &mut self.shown {
            let outcome = shown.mouse(mouse, turn.area);
            self.act(outcome, turn);
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        match (slot, answer) {
            (TRACE, Answer::Trace(data)) => self.take(data, turn),
            (TRACE, Answer::Failed(error)) => self.fail(error.to_string(), turn),
            (DETAILS, Answer::Details { row, details }) => self.take_details(row, details, turn),
            (LOGS, Answer::Table(lines)) => self.take_logs(Ok(lines)),
            (LOGS, Answer::Failed(error)) => self.take_logs(Err(error.to_string())),
            (PICTURE, Answer::Picture(picture)) => self.take_picture(*picture),
            (ATTRIBUTES, Answer::Table(found)) => self.take_found(&found, turn),
            (_, Answer::Failed(error)) => turn.push(Effect::complain(error.to_string())),
            _ => {}
        }
    }

    fn refresh(&mut self, turn: &mut Turn<'_>) {
        let is_asked = turn.shared.pending.contains(&TRACE);
        if let Some(place) = self.place().filter(|_| !is_asked) {
            turn.push(Effect::ask(TRACE, Request::Trace { id: place.trace_id, sight: self.sight }));
        }
    }

    fn hints(&self) -> Vec<Command> {
        match &self.shown {
            None => Vec::new(),
            Some(shown) if shown.prompt.is_some() => vec![Command::Accept, Command::Cancel],
            Some(shown) if shown.data.torn.is_torn() => torn_hints(shown.data.torn.is_skewed),
            Some(_) => vec![
                Command::Enter,
                Command::Fold,
                Command::CriticalPath,
                Command::Flame,
                Command::ByService,
                Command::NextMatch,
                Command::Filter,
                Command::NextPane,
                Command::Focus,
                Command::SpanLogs,
                Command::Copy,
            ],
        }
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        let Some(shown) = &self.shown else { return Selected::default() };
        let trace_id = shown.data.id.clone();
        let span = shown.selected().map(|rank| shown.data.forest.span(rank));
        let piece = span.and_then(|span| shown.data.torn.piece(span)).unwrap_or(&trace_id).to_owned();
        let span_id = shown.selected_ids().map(|(_, span_id)| format!("{span_id:016x}"));
        let recorded = shown.details.recorded().filter(|_| shown.details.rank == shown.selected());
        let texts = [
            span_id.clone().map(|span_id| ("span id", span_id)),
            Some(("trace id", piece)),
            recorded.map(|recorded| ("span as JSON", copy::as_json(recorded))),
            recorded.and_then(copy::as_curl).map(|curl| ("curl command", curl)),
        ];
        let name = shown.selected().map_or("", |rank| shown.data.spans.name(shown.data.forest.span(rank)));
        let bookmark = (format!("{name} {trace_id}"), Target::Trace { id: trace_id, span_id });
        let time_ns = shown.selected().map(|rank| shown.data.spans.start_ns[shown.data.forest.span(rank)]);
        Selected { texts: texts.into_iter().flatten().collect(), bookmark: Some(bookmark), time_ns }
    }

    fn exported(&self, _shared: &Shared) -> Option<Exported> {
        let shown = self.shown.as_ref()?;
        Some(Exported::Question(Question::Trace { id: shown.data.id.clone() }))
    }

    fn legend(&self, _shared: &Shared) -> Vec<(String, &'static str)> {
        SpanMark::ALL.into_iter().map(|mark| (mark.sign().to_owned(), mark.words())).collect()
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        if let Some(shown) = &self.shown {
            return shown.render(area, buffer, shared);
        }
        let (text, role) = match (&self.failure, &self.wanted) {
            (Some(failure), _) => (failure.clone(), Role::Error),
            (None, Some(place)) => (format!("{}reading trace {}", spinner(shared), place.trace_id), Role::Dim),
            (None, None) => {
                ("no trace yet: choose one in view 2, or press Ctrl-P and type its id".to_owned(), Role::Dim)
            }
        };
        let skipped = area.width.saturating_sub(width(&text)) / 2;
        let line = Rect { x: area.x + skipped, y: area.y + area.height / 3, width: area.width - skipped, height: 1 };
        put(buffer, line.intersection(area), &text, shared.theme.style(role));
    }
}

/// Returns the commands that help most where a trace was torn.
fn torn_hints(is_skewed: bool) -> Vec<Command> {
    let mut hints = vec![Command::Enter, Command::Healed];
    hints.extend(is_skewed.then_some(Command::Clock));
    hints.extend([Command::CriticalPath, Command::NextPane, Command::Filter, Command::Fold, Command::Copy]);
    hints
}

fn spinner(shared: &Shared) -> String {
    let pictures = shared.symbols.spinner;
    let picture = shared.spinner.and_then(|picture| pictures.get(picture % pictures.len().max(1)));
    picture.map_or_else(String::new, |picture| format!("{picture} "))
}
