//! What is broken, and who has to change what? The findings, the first to fix first.
//!
//! ```text
//!  3 findings, the first to fix first
//!          what                     where                   how often sure    since
//!  ▌✖ high b3-not-extracted         gateway → orders          312/312 0.97 10:42:00
//!   ▲ med  child-outlives-parent    orders                      1 204 0.88 10:41:07
//!  ─ Enter shows the evidence and an example ──────────────────────────────────────
//!  why        0 of 312 calls of gateway arrive in orders with their context
//!  to change  orders
//!             Let the callee read B3 too
//! ```

mod detail;
mod finding;
mod list;
mod prose;
mod render;
mod sides;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::detect::DETECTORS;
use riftline_queries::error::AskError;
use riftline_queries::replay::derive::About;

use self::detail::Detail;
use self::finding::Finding;
use self::list::List;
use super::chaos::derive::{self, Wanted};
use super::trace::torn::Sight;
use super::{Gesture, Handled, Mouse, Selected, Turn, View, ViewId};
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Exported, Owner, Request, Slot, Target};
use crate::tui::remember::Change;
use crate::tui::state::Shared;
use crate::widget::input::Input;

const FINDINGS: Slot = Slot { owner: Owner::View(ViewId::Triage), name: "findings" };
const BEFORE: Slot = Slot { owner: Owner::View(ViewId::Triage), name: "before" };
const AFTER: Slot = Slot { owner: Owner::View(ViewId::Triage), name: "after" };

/// The view.
#[derive(Debug, Default)]
pub struct Triage {
    list: List,
    open: Option<Box<Detail>>,
    /// A finding to open once it is there.
    wanted: Option<String>,
    /// While a filter is typed.
    prompt: Option<Input>,
    has_answer: bool,
    failure: Option<String>,
}

impl Triage {
    fn height(&self, area: Rect) -> u16 {
        render::parts(area, self.list.len()).rows.height
    }

    fn choose(&mut self, turn: &Turn<'_>) {
        // The height of the list follows from its length: it has to be chosen first.
        self.list.choose(&turn.shared.memory, u16::MAX);
        let height = self.height(turn.area);
        self.list.scroll.follow(self.list.len(), height);
    }

    fn take(&mut self, findings: Vec<Finding>, turn: &mut Turn<'_>) {
        self.has_answer = true;
        self.failure = None;
        let height = self.height(turn.area);
        self.list.take(findings, &turn.shared.memory, height);
        match (self.wanted.take(), &mut self.open) {
            (Some(id), _) => self.open_id(&id, turn),
            (None, Some(open)) => match self.list.find(&open.finding.id) {
                Some(finding) if open.renew(finding) => {}
                Some(_) => self.ask_sides(turn),
                None => {
                    self.open = None;
                    turn.push(Effect::say("this finding is gone"));
                }
            },
            (None, None) => {}
        }
    }

    fn open_id(&mut self, id: &str, turn: &mut Turn<'_>) {
        let Some(finding) = self.list.find(id).cloned() else {
            return turn.push(Effect::say(format!("no finding {id} in this store")));
        };
        let height = self.height(turn.area);
        if let Some(place) = self.list.place(id) {
            self.list.scroll.jump(place, self.list.len(), height);
        }
        self.open = Some(Box::new(Detail::new(finding)));
        self.ask_sides(turn);
    }

    /// Asks for the traces of the example that is shown, as they were recorded.
    fn ask_sides(&self, turn: &mut Turn<'_>) {
        let Some(example) = self.open.as_ref().and_then(|open| open.shown()) else { return };
        let ask = |id: &str| Request::Trace { id: id.to_owned(), sight: Sight::RAW };
        turn.push(Effect::ask(BEFORE, ask(&example.before.trace_id)));
        if example.after.trace_id != example.before.trace_id {
            turn.push(Effect::ask(AFTER, ask(&example.after.trace_id)));
        }
    }

    /// Goes into the finding, or from its example to the healed trace.
    fn enter(&mut self, turn: &mut Turn<'_>) {
        let Some(open) = &self.open else {
            if let Some(id) = self.list.current().map(|finding| finding.id.clone()) {
                self.open_id(&id, turn);
            }
            return;
        };
        match open.shown() {
            Some(example) => {
                let place = example.after.clone();
                let target = Target::Trace { id: place.trace_id, span_id: Some(place.span_id) };
                turn.push(Effect::Show { view: ViewId::Trace, target });
            }
            None => turn.push(Effect::say("this finding has no example")),
        }
    }

    fn step(&mut self, is_forward: bool, turn: &mut Turn<'_>) {
        if self.open.as_mut().is_some_and(|open| open.step(is_forward)) {
            self.ask_sides(turn);
        }
    }

    fn current(&self) -> Option<&Finding> {
        self.open.as_ref().map(|open| &open.finding).or_else(|| self.list.current())
    }

    fn mute(&mut self, turn: &mut Turn<'_>) {
        let Some(finding) = self.current() else { return };
        let is_muted = turn.shared.memory.is_muted(&finding.id);
        let said = if is_muted { "shown again" } else { "muted; X shows muted findings" };
        turn.push(Effect::Remember(Change::ToggleMuted(finding.id.clone())));
        turn.push(Effect::say(format!("{} {said}", finding.rule)));
        // The list is chosen again when the change is remembered.
        turn.push(Effect::Give(Command::Refresh.into()));
    }

    fn show_sql(&self, turn: &mut Turn<'_>) {
        if let Some(finding) = self.current() {
            let target = Target::Sql { sql: finding.sql(), run: true };
            turn.push(Effect::Show { view: ViewId::Query, target });
        }
    }

    /// Has an experiment derived that replays the finding.
    fn replay(&self, turn: &mut Turn<'_>) {
        let Some(finding) = self.current() else { return };
        let words = format!("{} {}", finding.rule, finding.subject);
        let (about, name) = (About::Finding(words.clone()), finding.rule.clone());
        let wanted = Wanted { about, name, words, time_ns: finding.last_seen_ns };
        derive::ask(wanted, turn);
    }

    fn filter(&mut self, argument: &str, turn: &mut Turn<'_>) {
        self.open = None;
        if argument.is_empty() {
            self.prompt = Some(Input::new(self.list.filter.text()));
        } else {
            self.list.filter = Input::new(argument);
            self.choose(turn);
        }
    }

    /// Does what a command says while a filter is typed.
    fn edit(&mut self, command: Command, turn: &mut Turn<'_>) -> Handled {
        match command {
            Command::Accept => self.prompt = None,
            Command::Cancel => {
                self.prompt = None;
                self.list.filter.clear();
            }
            _ => {}
        }
        self.choose(turn);
        Handled::Yes
    }

    /// Narrows the list to what is typed so far.
    fn narrow(&mut self, turn: &Turn<'_>) {
        if let Some(prompt) = &self.prompt {
            self.list.filter = prompt.clone();
            self.choose(turn);
        }
    }

    fn go(&mut self, command: Command, turn: &Turn<'_>) -> bool {
        let height = self.height(turn.area);
        match &mut self.open {
            Some(open) => open.go(command, turn.area, turn.shared),
            None => self.list.scroll.command(command, self.list.len(), height),
        }
    }
}

impl View for Triage {
    fn contexts(&self) -> &'static [Context] {
        if self.prompt.is_some() { &[Context::Prompt] } else { &[Context::Triage, Context::Moving] }
    }

    fn wants_text(&self) -> bool {
        self.prompt.is_some()
    }

    fn show(&mut self, target: Target, turn: &mut Turn<'_>) {
        if let Target::Finding(id) = target {
            self.wanted = Some(id);
        }
        self.refresh(turn);
    }

    fn command(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled {
        if self.prompt.is_some() {
            return self.edit(call.command, turn);
        }
        if self.go(call.command, turn) {
            return Handled::Yes;
        }
        match call.command {
            Command::Enter => self.enter(turn),
            Command::Back if self.open.is_some() => self.open = None,
            Command::Filter => self.filter(call.argument.trim(), turn),
            Command::Severity => {
                self.list.next_floor();
                self.choose(turn);
            }
            Command::ShowMuted => {
                self.list.shows_muted = !self.list.shows_muted;
                self.choose(turn);
            }
            Command::Mute => self.mute(turn),
            Command::NextExample | Command::NextPane => self.step(true, turn),
            Command::PreviousExample | Command::PreviousPane => self.step(false, turn),
            Command::FindingSql => self.show_sql(turn),
            Command::ReplayFinding => self.replay(turn),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) {
        if self.prompt.as_mut().is_some_and(|prompt| prompt.key(chord)) {
            self.narrow(turn);
        }
    }

    fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.insert(text);
            self.narrow(turn);
        }
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        let rows = render::parts(turn.area, self.list.len()).rows;
        match mouse.gesture {
            Gesture::WheelUp => _ = self.go(Command::Up, turn),
            Gesture::WheelDown => _ = self.go(Command::Down, turn),
            Gesture::Click | Gesture::DoubleClick if self.open.is_none() && rows.contains(mouse.at) => {
                let row = self.list.scroll.top + usize::from(mouse.at.y - rows.y);
                self.list.scroll.cursor = row.min(self.list.len().saturating_sub(1));
            }
            _ => {}
        }
        if mouse.gesture == Gesture::DoubleClick {
            self.enter(turn);
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        match (slot, answer) {
            (FINDINGS, Answer::Table(table)) => self.take(finding::findings(&table), turn),
            (FINDINGS, Answer::Failed(AskError::Cancelled)) => {}
            (FINDINGS, Answer::Failed(error)) => self.failure = Some(error.to_string()),
            (BEFORE | AFTER, Answer::Trace(data)) => {
                turn.push(Effect::Learn(data.services().map(str::to_owned).collect()));
                self.open.iter_mut().for_each(|open| open.take(slot == BEFORE, Ok(data.clone())));
            }
            (BEFORE | AFTER, Answer::Failed(error)) => {
                self.open.iter_mut().for_each(|open| open.take(slot == BEFORE, Err(error.to_string())));
            }
            _ => {}
        }
    }

    fn refresh(&mut self, turn: &mut Turn<'_>) {
        turn.push(Effect::ask(FINDINGS, Request::Table(finding::question())));
    }

    fn hints(&self) -> Vec<Command> {
        match (&self.prompt, &self.open) {
            (Some(_), _) => vec![Command::Accept, Command::Cancel],
            (None, Some(_)) => {
                vec![
                    Command::Enter,
                    Command::Back,
                    Command::NextExample,
                    Command::Mute,
                    Command::ReplayFinding,
                    Command::FindingSql,
                    Command::Copy,
                ]
            }
            (None, None) => {
                vec![
                    Command::Enter,
                    Command::Severity,
                    Command::Mute,
                    Command::Filter,
                    Command::ReplayFinding,
                    Command::FindingSql,
                    Command::Copy,
                ]
            }
        }
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        let Some(finding) = self.current() else { return Selected::default() };
        let rule = DETECTORS.iter().find(|one| one.id == finding.rule).map(|one| one.rule.to_owned());
        let mut texts = vec![("finding id", finding.id.clone()), ("fix", finding.fix.clone())];
        texts.extend([("json", finding.json()), ("sql", finding.sql())]);
        texts.extend(rule.map(|rule| ("rule", rule)));
        let label = format!("{} {}", finding.rule, finding.subject);
        let bookmark = Some((label, Target::Finding(finding.id.clone())));
        Selected { texts, bookmark, time_ns: Some(finding.first_seen_ns) }
    }

    fn exported(&self, _shared: &Shared) -> Option<Exported> {
        Some(Exported::Question(finding::question()))
    }

    fn legend(&self, shared: &Shared) -> Vec<(String, &'static str)> {
        const WORDS: [&str; 5] = [
            "crit: requests fail or data is lost.",
            "high: traces are torn or wrong.",
            "med: traces mislead.",
            "low: worth tidying.",
            "info: to know, nothing to fix.",
        ];
        let line = |(severity, words): (usize, &&'static str)| (render::sign(severity, shared).0.to_owned(), *words);
        WORDS.iter().enumerate().map(line).collect()
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        match &self.open {
            Some(open) => open.render(&self.list.namespace, area, buffer, shared),
            None => render::render(self, area, buffer, shared),
        }
    }
}
