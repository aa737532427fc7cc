//! The command line: every command by name, with completion of names and arguments.
//!
//! ```text
//!   theme        Uses a theme by its name.
//!   themes       Picks a theme; each is shown as the cursor reaches it.
//!  :the▏
//! ```

mod completion;
mod render;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::{Fate, Layer};
use crate::tui::chord::Chord;
use crate::tui::command::{Argument, Command, Context};
use crate::tui::effect::{Call, Effect};
use crate::tui::state::Shared;
use crate::view::Turn;
use crate::widget::input::Input;
use crate::widget::scroll::Scroll;
use completion::Completion;

/// How many completions are seen at once.
const LONGEST: u16 = 12;

/// The command line.
#[derive(Debug)]
pub struct Palette {
    input: Input,
    completions: Vec<Completion>,
    scroll: Scroll,
    /// Whether a completion was chosen with the arrows; Enter then takes it.
    has_chosen: bool,
    mistake: Option<String>,
}

impl Palette {
    /// Returns a command line that begins with `text`.
    #[must_use]
    pub fn new(text: &str) -> Self {
        let input = Input::new(text);
        let (completions, scroll) = (Vec::new(), Scroll::default());
        let mut palette = Self { input, completions, scroll, has_chosen: false, mistake: None };
        if text.is_empty() {
            palette.completions = completion::commands("");
        }
        palette
    }

    fn changed(&mut self, shared: &Shared) {
        self.completions = completion::complete(self.input.before(), shared);
        self.scroll = Scroll::default();
        self.has_chosen = false;
        self.mistake = None;
    }

    /// Takes the completion under the cursor.
    fn complete(&mut self, shared: &Shared) {
        if let Some(completion) = self.completions.get(self.scroll.cursor) {
            self.input.replace(completion.from, &completion.text.clone());
            self.changed(shared);
        }
    }

    fn accept(&mut self, turn: &mut Turn<'_>) -> Fate {
        if self.has_chosen {
            self.complete(turn.shared);
        }
        match parse(self.input.text()) {
            Ok(None) => Fate::Close,
            Ok(Some(call)) => {
                turn.push(Effect::Give(call));
                Fate::Close
            }
            Err(mistake) => {
                self.mistake = Some(mistake);
                Fate::Stay
            }
        }
    }
}

/// Returns the command that `text` gives; nothing where it is empty.
fn parse(text: &str) -> Result<Option<Call>, String> {
    let text = text.trim();
    let (name, argument) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
    if name.is_empty() {
        return Ok(None);
    }
    let Some(command) = Command::named(name).or_else(|| completion::only(name)) else {
        let near = crate::mistake::suggestion(name, completion::givable().map(|info| info.name));
        return Err(format!("no command `{name}`{near}"));
    };
    match command.info().argument {
        Argument::Required(_) if argument.trim().is_empty() => Err(format!("{name} wants something after it")),
        Argument::None if !argument.trim().is_empty() => Err(format!("{name} wants nothing after it")),
        _ => Ok(Some(Call { command, argument: argument.trim().to_owned() })),
    }
}

impl Layer for Palette {
    fn contexts(&self) -> &'static [Context] {
        &[Context::Prompt]
    }

    fn wants_text(&self) -> bool {
        true
    }

    fn command(&mut self, command: Command, turn: &mut Turn<'_>) -> Fate {
        match command {
            Command::Accept => return self.accept(turn),
            Command::Cancel => return Fate::Close,
            Command::Complete => self.complete(turn.shared),
            other => {
                // The list stands above the line: the nearest completion is the lowest.
                self.has_chosen = self.scroll.command(other, self.completions.len(), LONGEST);
            }
        }
        Fate::Stay
    }

    fn key(&mut self, chord: Chord, turn: &mut Turn<'_>) -> Fate {
        let is_done = self.input.text().is_empty() && chord.code == crossterm::event::KeyCode::Backspace;
        if is_done {
            return Fate::Close;
        }
        if self.input.key(chord) {
            self.changed(turn.shared);
        }
        Fate::Stay
    }

    fn paste(&mut self, text: &str, turn: &mut Turn<'_>) {
        self.input.insert(text);
        self.changed(turn.shared);
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        render::render(self, area, buffer, shared);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_command_and_its_argument() {
        let call = |text: &str| parse(text).map(|call| call.map(|call| (call.command, call.argument)));
        assert_eq!(call("  "), Ok(None));
        assert_eq!(call("quit"), Ok(Some((Command::Quit, String::new()))));
        assert_eq!(call("export csv my file.csv "), Ok(Some((Command::Export, "csv my file.csv".to_owned()))));
        assert_eq!(call("q"), Err("no command `q` (did you mean `up`?)".to_owned()).or(call("quit")));
        assert!(call("theme").is_err_and(|mistake| mistake.contains("wants something")));
        assert!(call("quit now").is_err_and(|mistake| mistake.contains("wants nothing")));
        assert!(call("exprot").is_err_and(|mistake| mistake.contains("did you mean `export`")));
    }
}
