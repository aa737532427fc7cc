//! Would staging fail the same way? Experiments, and what became of them.
//!
//! ```text
//!  ✖ a fault may be armed by run 1120T140233-ab12; s stops the run and undoes it
//! ╭ experiments and runs ────────╮╭ run ──────────────────────────────────────╮
//! │▌orders -> payments: latency…││ state         > under way                  │
//! │   > under way     11-20 14:02││ answers       4.9/s, 12 failed  ▁▂▃▅▆▇█    │
//! │   ~ PARTIAL       11-19 09:41││ beside it     0 % fail, at most 5 %        │
//! ╰──────────────────────────────╯╰────────────────────────────────────────────╯
//! ```
//!
//! The view arms nothing: a run is `riftline chaos run` in a process of its own, and the view reads its journal.

pub mod ask;
mod banner;
pub mod child;
pub mod derive;
mod experiment;
mod line;
mod list;
mod live;
mod render;
mod report;
mod run;
pub mod shelf;
mod standing;
mod under_way;

use std::path::PathBuf;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::error::AskError;

use self::ask::{Ask, Brought, Errand};
use self::banner::Banner;
use self::child::Said;
use self::line::{Line, Lines};
use self::list::{Key, List};
use self::report::Report;
use self::run::Sight;
use self::under_way::UnderWay;
use super::{Gesture, Handled, Mouse, Selected, Turn, View, ViewId};
use crate::chaos::run::prepare::sentence;
use crate::theme::Role;
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Outside, Owner, Request, Slot, Target};
use crate::tui::state::Shared;
use crate::widget::input::Input;
use crate::widget::scroll::Scroll;

const SHELF: Slot = slot("shelf");
const REPORT: Slot = slot("report");
const FOLLOW: Slot = slot("follow");
const DRY_RUN: Slot = slot("dry run");
const BEGIN: Slot = slot("begin");
const STOP: Slot = slot("stop");
const RECOVER: Slot = slot("recover");

const fn slot(name: &'static str) -> Slot {
    Slot { owner: Owner::View(ViewId::Chaos), name }
}

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Focus {
    #[default]
    List,
    Page,
}

/// The view.
#[derive(Debug, Default)]
pub struct Chaos {
    list: List,
    focus: Focus,
    /// The run under the cursor, once it was read.
    report: Option<Report>,
    /// Where the pane on the right is read.
    reading: Scroll,
    shows_journal: bool,
    /// What a child said, shown instead of what is selected until the cursor moves.
    said: Option<(&'static str, Said)>,
    prompt: Option<Prompt>,
    under_way: UnderWay,
    /// Where the cursor goes once it is listed.
    wanted: Option<Key>,
    has_answer: bool,
    failure: Option<String>,
}

/// While the name of the environment is typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prompt {
    input: Input,
    environment: String,
    title: String,
    /// The fault and where it is injected, in words.
    does: String,
    url: String,
    path: PathBuf,
    hash: String,
}

impl Chaos {
    fn is_empty(&self) -> bool {
        self.list.rows.is_empty() && self.said.is_none()
    }

    fn banner(&self, room: u16) -> Banner {
        Banner::new(self.under_way.armed(), &self.list.shelf.left, room)
    }

    fn parts(&self, area: Rect) -> render::Parts {
        render::parts(area, self.banner(area.width).height(), self.focus)
    }

    fn page_title(&self) -> &'static str {
        match (&self.said, self.list.run()) {
            (Some((title, _)), _) => title,
            (None, Some(_)) if self.shows_journal => "journal of the run",
            (None, Some(_)) => "run",
            (None, None) => "experiment",
        }
    }

    /// Returns what stands on the right.
    fn lines(&self, room: u16, shared: &Shared) -> Vec<Line> {
        let mut lines = Lines::new(room);
        match (&self.said, self.list.experiment(), &self.report) {
            (Some((_, said)), ..) => {
                lines.laid_out(&said.text, if said.is_good { Role::Text } else { Role::Error });
            }
            (None, Some(card), _) => experiment::say(&mut lines, card, shared),
            (None, None, Some(report)) => {
                let is_live = self.list.shelf.live.as_ref() == Some(&report.run);
                run::say(&mut lines, report, Sight { is_live, shows_journal: self.shows_journal }, shared);
            }
            (None, None, None) => lines.say("", "reading", Role::Dim),
        }
        lines.lines
    }

    /// Takes what is listed now.
    fn take(&mut self, shelf: shelf::Shelf, turn: &mut Turn<'_>) {
        self.has_answer = true;
        let before = self.list.key();
        let height = self.parts(turn.area).list.height;
        self.list.take(shelf, self.wanted.take(), height);
        if self.list.key() != before {
            self.selected_other(turn);
        } else if let Some(run) = self.list.run() {
            ask(REPORT, Ask::Report(run.run.clone()), turn);
        }
        self.follow(turn);
    }

    /// Reads what the cursor came to.
    fn selected_other(&mut self, turn: &mut Turn<'_>) {
        (self.said, self.reading, self.report) = (None, Scroll::default(), None);
        if let Some(run) = self.list.run() {
            ask(REPORT, Ask::Report(run.run.clone()), turn);
        }
    }

    /// Asks for news of the run under way, where there is one and nobody was asked.
    fn follow(&mut self, turn: &mut Turn<'_>) {
        self.under_way.see(self.list.shelf.live.as_deref());
        if let Some(followed) = self.under_way.followed().filter(|_| !turn.shared.pending.contains(&FOLLOW)) {
            ask(FOLLOW, Ask::Follow(followed), turn);
        }
    }

    /// Takes news of the run under way.
    fn take_news(&mut self, report: Option<Report>, is_over: bool, turn: &mut Turn<'_>) {
        let is_new = self.under_way.take(report.as_ref());
        if is_new {
            self.wanted = report.as_ref().map(|report| Key::Run(report.run.clone()));
        }
        let selected = self.list.run().map(|run| run.run.clone());
        if let Some(report) = report.filter(|report| selected.as_ref() == Some(&report.run)) {
            self.report = Some(report);
        }
        if is_over {
            self.over(turn);
        } else if let Some(followed) = self.under_way.followed() {
            ask(FOLLOW, Ask::Follow(followed), turn);
        }
        if is_new || is_over {
            ask(SHELF, Ask::Shelf, turn);
        }
    }

    /// The run under way is over. Of one that did not come to its own end, what it said is shown.
    fn over(&mut self, turn: &mut Turn<'_>) {
        let name = self.under_way.name().unwrap_or_default();
        match self.under_way.end() {
            Some(said) => self.hear("the run did not come to its end", said, turn),
            None => turn.push(Effect::say(format!("{name} is over"))),
        }
    }

    fn dry_run(&mut self, turn: &mut Turn<'_>) {
        let Some(card) = self.list.experiment() else {
            return turn.push(Effect::say("choose an experiment to try"));
        };
        ask(DRY_RUN, Ask::DryRun(card.path.clone()), turn);
        turn.push(Effect::say("looking what a run would do"));
    }

    /// Asks for the environment's name, where the experiment can be run.
    fn confirm(&mut self, turn: &mut Turn<'_>) {
        match self.runnable() {
            Ok(prompt) => self.prompt = Some(prompt),
            Err(reason) => turn.push(Effect::complain(reason)),
        }
    }

    fn runnable(&self) -> Result<Prompt, String> {
        if let Some(run) = self.under_way.name() {
            return Err(format!("{run} is under way; s stops it"));
        }
        let card = self.list.experiment().ok_or("choose an experiment to run")?;
        let draft = card.read.as_ref().map_err(Clone::clone)?;
        if let Some(mistake) = draft.mistakes.first() {
            return Err(format!("this experiment has mistakes: {mistake}"));
        }
        let plan = &draft.experiment.plan;
        let edge = &plan.target.edge;
        Ok(Prompt {
            input: Input::default(),
            environment: plan.target.environment.clone(),
            title: draft.experiment.title.clone(),
            does: format!("fault   {} from {} to {}", sentence(&plan.fault), edge.client, edge.server),
            url: draft.experiment.fill(&plan.target.url)?,
            path: card.path.clone(),
            hash: draft.hash.clone(),
        })
    }

    /// Does what a command says while the name is typed: only the exact name starts the run.
    fn edit(&mut self, command: Command, turn: &mut Turn<'_>) -> Handled {
        match command {
            Command::Accept => self.accept(turn),
            Command::Cancel => self.prompt = None,
            _ => {}
        }
        Handled::Yes
    }

    fn accept(&mut self, turn: &mut Turn<'_>) {
        let Some(prompt) = self.prompt.take() else { return };
        if prompt.input.text() == prompt.environment {
            ask(BEGIN, Ask::Begin { experiment: prompt.path, hash: prompt.hash }, turn);
            turn.push(Effect::say("starting the run"));
        } else {
            turn.push(Effect::complain("another name: nothing was started"));
        }
    }

    /// Asks the run under way to stop; it undoes its fault by itself.
    fn stop(&mut self, turn: &mut Turn<'_>) {
        match self.under_way.followed() {
            Some(followed) => {
                ask(STOP, Ask::Stop(followed), turn);
                turn.push(Effect::say("asking the run to stop and to undo its fault"));
            }
            None => turn.push(Effect::say("no run is under way")),
        }
    }

    /// Shows what a child said.
    fn hear(&mut self, title: &'static str, said: Said, turn: &mut Turn<'_>) {
        if !said.is_good {
            turn.push(Effect::complain("it failed; see what it said"));
        }
        self.said = Some((title, said));
        self.reading = Scroll::default();
    }

    /// Goes into what is selected: to the pane that is read, and from a trace that it names to the trace.
    fn enter(&mut self, turn: &mut Turn<'_>) {
        if self.focus == Focus::List {
            self.focus = Focus::Page;
            return;
        }
        let room = self.parts(turn.area).page.width;
        let line = self.lines(room, turn.shared).into_iter().nth(self.reading.cursor);
        match line.and_then(|line| line.trace) {
            Some(id) => {
                let target = Target::Trace { id, span_id: None };
                turn.push(Effect::Show { view: ViewId::Trace, target });
            }
            None => _ = self.go(Command::PageDown, turn),
        }
    }

    /// Goes back from what was read to the list; from there to where one came from.
    fn back(&mut self) -> Handled {
        match (self.said.take(), self.focus) {
            (Some(_), _) => {}
            (None, Focus::Page) => self.focus = Focus::List,
            (None, Focus::List) => return Handled::No,
        }
        Handled::Yes
    }

    fn go(&mut self, command: Command, turn: &mut Turn<'_>) -> bool {
        let parts = self.parts(turn.area);
        match self.focus {
            Focus::Page => {
                let len = self.lines(parts.page.width, turn.shared).len();
                self.reading.command(command, len, parts.page.height)
            }
            Focus::List => {
                let before = self.list.key();
                let has_moved = self.list.scroll.command(command, self.list.rows.len(), parts.list.height);
                if self.list.key() != before {
                    self.selected_other(turn);
                }
                has_moved
            }
        }
    }

    fn click(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        let parts = self.parts(turn.area);
        if parts.page.contains(mouse.at) {
            self.focus = Focus::Page;
            let line = self.reading.top + usize::from(mouse.at.y - parts.page.y);
            self.reading.cursor = line.min(self.lines(parts.page.width, turn.shared).len().saturating_sub(1));
        } else if parts.list.contains(mouse.at) {
            self.focus = Focus::List;
            let row = self.list.scroll.top + usize::from(mouse.at.y - parts.list.y);
            let before = self.list.key();
            self.list.scroll.cursor = row.min(self.list.rows.len().saturating_sub(1));
            if self.list.key() != before {
                self.selected_other(turn);
            }
        }
    }

    fn take_brought(&mut self, brought: Brought, turn: &mut Turn<'_>) {
        match brought {
            Brought::Shelf(shelf) => self.take(shelf, turn),
            Brought::Report(report) => self.report = Some(report),
            Brought::News { report, is_over } => self.take_news(report, is_over, turn),
            Brought::DryRun(said) => self.hear("what a run would do", said, turn),
            Brought::Begun(launched) => {
                self.under_way.begin(launched);
                self.follow(turn);
            }
            Brought::Stopping => turn.push(Effect::say("the run was asked to stop; it undoes its fault first")),
            Brought::Recovered(said) => {
                self.hear("what was undone", said, turn);
                ask(SHELF, Ask::Shelf, turn);
            }
            Brought::Planned(_) => {}
        }
    }
}

/// Asks a worker, where there is a folder to ask about.
fn ask(slot: Slot, ask: Ask, turn: &mut Turn<'_>) {
    let Some(data_folder) = turn.shared.chaos_folder.clone() else { return };
    turn.push(Effect::ask(slot, Request::Chaos(Box::new(Errand { data_folder, ask }))));
}

fn recover(turn: &mut Turn<'_>) {
    ask(RECOVER, Ask::Recover, turn);
    turn.push(Effect::say("undoing what was left"));
}

impl View for Chaos {
    fn contexts(&self) -> &'static [Context] {
        if self.prompt.is_some() { &[Context::Prompt] } else { &[Context::Chaos, Context::Moving] }
    }

    fn wants_text(&self) -> bool {
        self.prompt.is_some()
    }

    fn show(&mut self, target: Target, turn: &mut Turn<'_>) {
        if let Target::Experiment(path) = target {
            self.focus = Focus::List;
            self.wanted = Some(Key::Experiment(path));
        }
        self.refresh(turn);
    }

    fn hide(&mut self, turn: &mut Turn<'_>) {
        self.prompt = None;
        turn.push(Effect::Outside(Outside::Cancel(FOLLOW)));
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
            Command::Back => return self.back(),
            Command::NextPane | Command::PreviousPane => {
                self.focus = if self.focus == Focus::List { Focus::Page } else { Focus::List };
            }
            Command::DryRun => self.dry_run(turn),
            Command::RunExperiment => self.confirm(turn),
            Command::StopRun => self.stop(turn),
            Command::Interrupt if self.under_way.followed().is_some() => self.stop(turn),
            Command::Recover => recover(turn),
            Command::Journal => {
                self.shows_journal = !self.shows_journal;
                self.reading = Scroll::default();
            }
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn key(&mut self, chord: Chord, _turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.input.key(chord);
        }
    }

    fn paste(&mut self, text: &str, _turn: &mut Turn<'_>) {
        if let Some(prompt) = &mut self.prompt {
            prompt.input.insert(text);
        }
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        match mouse.gesture {
            Gesture::WheelUp => _ = self.go(Command::Up, turn),
            Gesture::WheelDown => _ = self.go(Command::Down, turn),
            Gesture::Click => self.click(mouse, turn),
            Gesture::DoubleClick => self.enter(turn),
            Gesture::Drag | Gesture::Release => {}
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        match (slot, answer) {
            (_, Answer::Chaos(brought)) => self.take_brought(*brought, turn),
            (_, Answer::Failed(AskError::Cancelled)) => {}
            (SHELF, Answer::Failed(error)) => self.failure = Some(error.to_string()),
            (_, Answer::Failed(error)) => turn.push(Effect::complain(error.to_string())),
            _ => {}
        }
    }

    fn refresh(&mut self, turn: &mut Turn<'_>) {
        self.failure = None;
        match turn.shared.chaos_folder {
            Some(_) => ask(SHELF, Ask::Shelf, turn),
            None => self.failure = Some("no home folder: set RIFTLINE_DATA to a folder for runs".to_owned()),
        }
    }

    fn hints(&self) -> Vec<Command> {
        let is_under_way = self.under_way.followed().is_some();
        match (&self.prompt, self.list.experiment()) {
            (Some(_), _) => vec![Command::Accept, Command::Cancel],
            (None, _) if is_under_way => vec![Command::StopRun, Command::NextPane, Command::Journal, Command::Copy],
            (None, _) if !self.list.shelf.left.is_empty() => vec![Command::Recover, Command::Enter, Command::Journal],
            (None, Some(_)) => vec![Command::DryRun, Command::RunExperiment, Command::Enter, Command::Copy],
            (None, None) if self.list.rows.is_empty() => Vec::new(),
            (None, None) => vec![Command::Enter, Command::Journal, Command::NextPane, Command::Copy],
        }
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        if let Some(run) = self.list.run() {
            let folder = self.report.as_ref().filter(|report| report.run == run.run);
            let mut texts = vec![("run", run.run.clone())];
            texts.extend(folder.map(|report| ("folder", report.folder.display().to_string())));
            return Selected { texts, bookmark: None, time_ns: run.began_ns };
        }
        let Some(card) = self.list.experiment() else { return Selected::default() };
        let mut texts = vec![("file", card.path.display().to_string())];
        texts.extend(card.read.as_ref().ok().map(|draft| ("hash", draft.hash.clone())));
        let bookmark = Some((card.title(), Target::Experiment(card.path.clone())));
        Selected { texts, bookmark, time_ns: None }
    }

    fn legend(&self, shared: &Shared) -> Vec<(String, &'static str)> {
        let (error, warning) = (shared.symbols.error.to_owned(), shared.symbols.warning.to_owned());
        vec![
            ("=".to_owned(), "Staging failed the same way."),
            ("~".to_owned(), "In part."),
            ("/".to_owned(), "It did not."),
            ("?".to_owned(), "Nothing can be said."),
            (">".to_owned(), "Under way."),
            (warning, "Ended early, or an experiment with mistakes."),
            (error, "A fault was left, nothing was injected, or the file is broken."),
        ]
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        render::render(self, area, buffer, shared);
    }
}

impl Drop for Chaos {
    /// A run that this workstation started does not outlive it: it is stopped and given a moment to undo its fault.
    fn drop(&mut self) {
        self.under_way.farewell();
    }
}
