//! A list to choose from, narrowed by typing a few letters of what is wanted.
//!
//! ```text
//!  ╭ jump to ──────────────────────────╮
//!  │ › chk                             │
//!  │ ▌operation  POST /checkout        │
//!  │  service    checkout              │
//!  ╰───────────────────────────────────╯
//! ```

mod items;
mod render;

use nucleo::pattern::{CaseMatching, Normalization, Pattern};
use nucleo::{Config, Matcher, Utf32Str};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

pub use items::{jump, names_question, quoted};

use super::{Fate, Layer};
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Outside, Slot, Target};
use crate::tui::remember::Change;
use crate::tui::state::Shared;
use crate::view::{Gesture, Mouse, Turn, ViewId};
use crate::widget::input::Input;
use crate::widget::scroll::Scroll;

/// What choosing an item does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Choice {
    Give(Call),
    Show(ViewId, Target),
    Copy { what: String, text: String },
    Preview(String),
    UseTheme(String),
}

/// One line of a picker.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// What kind of thing it is, in front.
    pub kind: &'static str,
    /// What is searched.
    pub label: String,
    /// Behind it, dimmed.
    pub note: String,
    pub choice: Choice,
}

/// What a picker is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Choose,
    /// Each item is shown as the cursor reaches it.
    Preview,
    /// More items arrive, and what looks like a trace id is one.
    Jump,
}

/// A list to choose from.
#[derive(Debug)]
pub struct Picker {
    title: &'static str,
    purpose: Purpose,
    items: Vec<Item>,
    input: Input,
    /// Items that fit what is typed, the best first.
    found: Vec<usize>,
    scroll: Scroll,
    /// Done when nothing is chosen.
    otherwise: Option<Choice>,
}

impl Picker {
    /// Returns a picker over `items`.
    #[must_use]
    pub fn new(title: &'static str, items: Vec<Item>) -> Self {
        let found = (0..items.len()).collect();
        let (input, scroll) = (Input::default(), Scroll::default());
        Self { title, purpose: Purpose::Choose, items, input, found, scroll, otherwise: None }
    }

    fn height(&self, area: Rect) -> u16 {
        render::list_height(area, self.items.len())
    }

    /// Finds what fits and puts the cursor on the best.
    fn narrow(&mut self, turn: &mut Turn<'_>) {
        self.found = search(&self.items, self.input.text());
        self.scroll = Scroll::default();
        if self.purpose == Purpose::Jump {
            self.items.retain(|item| item.kind != "trace id");
            self.items.extend(items::typed_id(self.input.text()));
            self.found = search(&self.items, self.input.text());
        }
        self.preview(turn);
    }

    fn preview(&self, turn: &mut Turn<'_>) {
        let chosen = self.found.get(self.scroll.cursor).and_then(|&item| self.items.get(item));
        if let (Purpose::Preview, Some(Item { choice: Choice::UseTheme(name), .. })) = (self.purpose, chosen) {
            turn.push(Effect::Preview(name.clone()));
        }
    }

    fn accept(&self, turn: &mut Turn<'_>) -> Fate {
        if let Some(item) = self.found.get(self.scroll.cursor).and_then(|&item| self.items.get(item)) {
            perform(item.choice.clone(), turn);
        }
        Fate::Close
    }
}

fn perform(choice: Choice, turn: &mut Turn<'_>) {
    match choice {
        Choice::Give(call) => turn.push(Effect::Give(call)),
        Choice::Show(view, target) => turn.push(Effect::Show { view, target }),
        Choice::Copy { what, text } => {
            turn.push(Effect::Outside(Outside::Copy(text)));
            turn.push(Effect::say(format!("copied {what}")));
        }
        Choice::Preview(name) => turn.push(Effect::Preview(name)),
        Choice::UseTheme(name) => {
            turn.push(Effect::Preview(name.clone()));
            turn.push(Effect::say(format!("theme {name}")));
            turn.push(Effect::Remember(Change::Theme(name)));
        }
    }
}

/// Returns the items that fit `typed`, the best first; all where nothing is typed.
fn search(items: &[Item], typed: &str) -> Vec<usize> {
    if typed.is_empty() {
        return (0..items.len()).collect();
    }
    let pattern = Pattern::parse(typed, CaseMatching::Smart, Normalization::Smart);
    let mut matcher = Matcher::new(Config::DEFAULT);
    let mut letters = Vec::new();
    let mut score = |item: &Item| pattern.score(Utf32Str::new(&item.label, &mut letters), &mut matcher);
    let mut found: Vec<(u32, usize)> =
        items.iter().enumerate().filter_map(|(index, item)| Some((score(item)?, index))).collect();
    found.sort_by_key(|&(score, index)| (std::cmp::Reverse(score), index));
    found.into_iter().map(|(_, index)| index).collect()
}

impl Layer for Picker {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Prompt]
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn command(&mut self, command: Command, turn: &mut Turn<'_>) -> Fate {
        let height = self.height(turn.area);
        match command {
            Command::Accept => return self.accept(turn),
            Command::Cancel => {
                if let Some(choice) = self.otherwise.clone() {
                    perform(choice, turn);
                }
                return Fate::Close;
            }
            Command::Complete => {
                self.scroll.command(Command::Down, self.found.len(), height);
            }
            other => {
                self.scroll.command(other, self.found.len(), height);
            }
        }
        self.preview(turn);
        Fate::Stay
    }

    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) -> Fate {
        let height = self.height(turn.area);
        match chord.code {
            crossterm::event::KeyCode::PageUp => {
                self.scroll.command(Command::PageUp, self.found.len(), height);
            }
            crossterm::event::KeyCode::PageDown => {
                self.scroll.command(Command::PageDown, self.found.len(), height);
            }
            _ => {
                let before = self.input.text().len();
                let is_used = self.input.key(chord);
                if is_used && before != self.input.text().len() {
                    self.narrow(turn);
                }
                return Fate::Stay;
            }
        }
        self.preview(turn);
        Fate::Stay
    }

    fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        self.input.insert(text.trim());
        self.narrow(turn);
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) -> Fate {
        let area = render::area(turn.area, self.items.len());
        let height = self.height(turn.area);
        match mouse.gesture {
            Gesture::WheelUp => self.scroll.wheel(-1, self.found.len(), height),
            Gesture::WheelDown => self.scroll.wheel(1, self.found.len(), height),
            Gesture::Click if !area.contains(mouse.at) => return self.command(Command::Cancel, turn),
            Gesture::Click => match render::row_at(area, mouse.at) {
                Some(row) if self.scroll.top + row < self.found.len() => {
                    self.scroll.cursor = self.scroll.top + row;
                }
                _ => return Fate::Stay,
            },
            Gesture::DoubleClick => return self.accept(turn),
            Gesture::Drag | Gesture::Release => return Fate::Stay,
        }
        self.preview(turn);
        Fate::Stay
    }

    fn answer(&mut self, _slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        if let Answer::Table(table) = answer {
            self.items.extend(items::names(&table));
            let scroll = self.scroll;
            self.narrow(turn);
            self.scroll = scroll;
            self.scroll.follow(self.found.len(), self.height(turn.area));
        }
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        render::render(self, area, buffer, shared);
    }
}

#[cfg(test)]
mod tests;
