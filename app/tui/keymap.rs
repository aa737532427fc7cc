//! Which key gives which command: the defaults of the list, changed by the user's keymap file.
//!
//! ```toml
//! [everywhere]
//! quit = ["q", "ctrl-q"]   # replaces all default keys of the command; [] leaves it without one
//! ```

use std::collections::HashMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::chord::Chord;
use super::command::{COMMANDS, Command, Context};
use crate::mistake::{Mistake, suggestion};

/// Keys by context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keymap {
    keys: HashMap<(Context, Chord), Command>,
}

impl Default for Keymap {
    fn default() -> Self {
        let mut keymap = Self { keys: HashMap::new() };
        for info in COMMANDS {
            let chords = info.keys.iter().filter_map(|key| key.parse().ok());
            keymap.keys.extend(chords.map(|chord| ((info.context, chord), info.command)));
        }
        keymap
    }
}

impl Keymap {
    /// Returns the defaults changed by what the file `source` says, and every mistake in it.
    #[must_use]
    pub fn parse(source: &str) -> (Self, Vec<Mistake>) {
        let mut keymap = Self::default();
        let mut mistakes = Vec::new();
        match DeTable::parse(source) {
            Ok(table) => keymap.apply(source, table.get_ref(), &mut mistakes),
            Err(error) => mistakes.push(Mistake::toml(source, &error)),
        }
        mistakes.sort_by_key(|mistake| mistake.line);
        (keymap, mistakes)
    }

    /// Returns the command of `chord` in the first of `contexts` that has one.
    #[must_use]
    pub fn command(&self, contexts: &[Context], chord: Chord) -> Option<Command> {
        contexts.iter().find_map(|&context| self.keys.get(&(context, chord)).copied())
    }

    /// Returns the keys of `command`, in the order of the defaults, then of the alphabet.
    #[must_use]
    pub fn keys(&self, command: Command) -> Vec<Chord> {
        let info = command.info();
        let mut keys: Vec<(usize, String, Chord)> = Vec::new();
        for (&(context, chord), &bound) in &self.keys {
            if (context, bound) == (info.context, command) {
                let text = chord.to_string();
                let rank = info.keys.iter().position(|key| **key == text).unwrap_or(usize::MAX);
                keys.push((rank, text, chord));
            }
        }
        keys.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
        keys.into_iter().map(|(_, _, chord)| chord).collect()
    }

    fn apply(&mut self, source: &str, table: &DeTable<'_>, mistakes: &mut Vec<Mistake>) {
        for (name, value) in table {
            let context = Context::ALL.into_iter().find(|context| context.name() == name.get_ref().as_ref());
            match (context, value.get_ref()) {
                (Some(context), DeValue::Table(section)) => self.section(source, context, section, mistakes),
                (Some(_), _) => mistakes.push(Mistake::error(source, &value.span(), "a table of commands is wanted")),
                (None, _) => {
                    let near = suggestion(name.get_ref(), Context::ALL.map(Context::name));
                    mistakes.push(Mistake::warning(
                        source,
                        &name.span(),
                        format!("unknown context `{}`{near}", name.get_ref()),
                    ));
                }
            }
        }
    }

    fn section(&mut self, source: &str, context: Context, section: &DeTable<'_>, mistakes: &mut Vec<Mistake>) {
        for (name, value) in section {
            let known = COMMANDS.iter().filter(|info| info.context == context);
            let Some(info) = known.clone().find(|info| info.name == name.get_ref().as_ref()) else {
                let near = suggestion(name.get_ref(), known.map(|info| info.name));
                let message = format!("unknown command `{}` in [{}]{near}", name.get_ref(), context.name());
                mistakes.push(Mistake::warning(source, &name.span(), message));
                continue;
            };
            match chords(source, value) {
                Ok(chords) => self.replace(context, info.command, &chords),
                Err(mistake) => mistakes.push(mistake),
            }
        }
    }

    fn replace(&mut self, context: Context, command: Command, chords: &[Chord]) {
        self.keys.retain(|(bound, _), other| (*bound, *other) != (context, command));
        for &chord in chords {
            self.keys.insert((context, chord), command);
        }
    }
}

/// Returns the keys of a list of texts, or of one text.
fn chords(source: &str, value: &Spanned<DeValue<'_>>) -> Result<Vec<Chord>, Mistake> {
    let chord = |value: &Spanned<DeValue<'_>>| match value.get_ref().as_str() {
        Some(text) => text.parse::<Chord>().map_err(|error| Mistake::error(source, &value.span(), error.to_string())),
        None => Err(Mistake::error(
            source,
            &value.span(),
            "keys are written as a list of texts, such as [\"q\", \"ctrl-q\"]",
        )),
    };
    match value.get_ref() {
        DeValue::Array(keys) => keys.iter().map(chord).collect(),
        _ => chord(value).map(|chord| vec![chord]),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chord(text: &str) -> Chord {
        text.parse().unwrap()
    }

    #[test]
    fn the_nearest_context_has_the_key() {
        let keymap = Keymap::default();
        let contexts = [Context::Traces, Context::Moving, Context::Everywhere];
        assert_eq!(keymap.command(&contexts, chord("s")), Some(Command::Sort));
        assert_eq!(keymap.command(&contexts, chord("j")), Some(Command::Down));
        assert_eq!(keymap.command(&contexts, chord("q")), Some(Command::Quit));
        assert_eq!(keymap.command(&contexts, chord("ctrl-q")), None);
    }

    #[test]
    fn a_file_replaces_the_keys_of_the_commands_it_names() {
        let (keymap, mistakes) = Keymap::parse("[everywhere]\nquit = [\"Q\", \"ctrl-q\"]\nhelp = []\n");
        assert_eq!(mistakes, []);
        assert_eq!(keymap.keys(Command::Quit), [chord("Q"), chord("ctrl-q")]);
        assert_eq!(keymap.command(&[Context::Everywhere], chord("q")), None);
        assert_eq!(keymap.keys(Command::Help), []);
        assert_eq!(keymap.keys(Command::Down), Keymap::default().keys(Command::Down));
    }

    #[test]
    fn mistakes_name_their_lines_and_the_rest_is_used() {
        let source = "[everywhere]\nqiut = \"x\"\nhelp = [\"f99\"]\ncopy = \"Y\"\n[nowhere]\na = \"b\"\n";
        let (keymap, mistakes) = Keymap::parse(source);
        assert_eq!(mistakes.iter().map(|mistake| mistake.line).collect::<Vec<_>>(), [2, 3, 5]);
        assert!(mistakes[0].message.contains("did you mean `quit`"), "{}", mistakes[0].message);
        assert_eq!(keymap.keys(Command::Copy), [chord("Y")]);
    }
}
