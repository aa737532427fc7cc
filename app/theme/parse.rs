//! Reads theme files.
//!
//! ```toml
//! doc = "One sentence for the picker."
//! inherits = "riftline-dark"       # optional: roles that are not named here come from there
//! services = ["sand", "#80c0ff"]   # colours that tell services apart
//!
//! [palette]                        # optional: names for colours
//! sand = "#e6c384"
//!
//! [roles]                          # see `Role`; a colour is the foreground
//! accent = "sand"
//! selection = { bg = "#2a2a44", bold = true }
//! ```
//!
//! Colours are `#rrggbb`, `0`-`255`, one of the sixteen ANSI names (`red`, `bright-red`, …) or `default`.

use std::collections::BTreeMap;
use std::ops::Range;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::colour;
use super::role::Role;
use crate::mistake::{Mistake, suggestion};

/// A theme file as written: what it does not say comes from the theme it inherits.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ThemeFile {
    pub doc: Option<String>,
    pub inherits: Option<String>,
    pub services: Vec<Color>,
    pub styles: BTreeMap<&'static str, Style>,
}

const KEYS: [&str; 5] = ["doc", "inherits", "services", "palette", "roles"];
const STYLE_KEYS: [&str; 7] = ["fg", "bg", "bold", "dim", "italic", "underlined", "reversed"];

/// Reads a theme file as far as it can be read, and says everything that is wrong with it.
#[must_use]
pub fn parse(source: &str) -> (ThemeFile, Vec<Mistake>) {
    let mut reader = Reader { source, palette: BTreeMap::new(), mistakes: Vec::new() };
    let file = match DeTable::parse(source) {
        Ok(table) => reader.file(table.get_ref()),
        Err(error) => {
            reader.mistakes.push(Mistake::toml(source, &error));
            ThemeFile::default()
        }
    };
    reader.mistakes.sort_by_key(|mistake| mistake.line);
    (file, reader.mistakes)
}

struct Reader<'a> {
    source: &'a str,
    palette: BTreeMap<String, Color>,
    mistakes: Vec<Mistake>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl Reader<'_> {
    fn file(&mut self, table: &DeTable<'_>) -> ThemeFile {
        for key in table.keys().filter(|key| !KEYS.contains(&key.get_ref().as_ref())) {
            self.unknown("key", key.get_ref(), &key.span(), &KEYS);
        }
        self.palette(table);
        ThemeFile {
            doc: self.text(table, "doc"),
            inherits: self.text(table, "inherits"),
            services: self.services(table),
            styles: self.roles(table),
        }
    }

    fn palette(&mut self, table: &DeTable<'_>) {
        for (name, value) in self.section(table, "palette").into_iter().flatten() {
            if let Some(colour) = self.colour(value) {
                self.palette.insert(name.get_ref().to_string(), colour);
            }
        }
    }

    fn roles(&mut self, table: &DeTable<'_>) -> BTreeMap<&'static str, Style> {
        let mut styles = BTreeMap::new();
        for (name, value) in self.section(table, "roles").into_iter().flatten() {
            let role = Role::ALL.iter().find(|role| role.name() == name.get_ref().as_ref());
            match (role, self.style(value)) {
                (Some(role), Some(style)) => drop(styles.insert(role.name(), style)),
                (Some(_), None) => {}
                (None, _) => {
                    let known: Vec<&str> = Role::ALL.iter().map(|role| role.name()).collect();
                    self.unknown("role", name.get_ref(), &name.span(), &known);
                }
            }
        }
        styles
    }

    fn services(&mut self, table: &DeTable<'_>) -> Vec<Color> {
        match table.get("services") {
            None => Vec::new(),
            Some(value) => match value.get_ref() {
                DeValue::Array(colours) => colours.iter().filter_map(|colour| self.colour(colour)).collect(),
                _ => self.wrong(&value.span(), "`services` is a list of colours").unwrap_or_default(),
            },
        }
    }

    fn style(&mut self, value: &Value<'_>) -> Option<Style> {
        let DeValue::Table(table) = value.get_ref() else {
            return self.colour(value).map(|colour| Style::new().fg(colour));
        };
        let mut style = Style::new();
        for (key, value) in table {
            style = match key.get_ref().as_ref() {
                "fg" => Style { fg: self.colour(value), ..style },
                "bg" => Style { bg: self.colour(value), ..style },
                other => match modifier(other) {
                    Some(modifier) if value.get_ref().as_bool() == Some(true) => style.add_modifier(modifier),
                    Some(_) => style,
                    None => {
                        self.unknown("key", other, &key.span(), &STYLE_KEYS);
                        style
                    }
                },
            };
        }
        Some(style)
    }

    fn colour(&mut self, value: &Value<'_>) -> Option<Color> {
        let known = match value.get_ref() {
            DeValue::String(name) => self.palette.get(name.as_ref()).copied().or_else(|| colour::parse(name)),
            DeValue::Integer(number) => colour::parse(number.as_str()),
            _ => None,
        };
        let message =
            "not a colour: write #rrggbb, 0-255, an ANSI name such as bright-red, `default`, or a name of [palette]";
        known.or_else(|| self.wrong(&value.span(), message))
    }

    fn text(&mut self, table: &DeTable<'_>, key: &str) -> Option<String> {
        let value = table.get(key)?;
        let text = value.get_ref().as_str().map(str::to_owned);
        text.or_else(|| self.wrong(&value.span(), &format!("`{key}` is a text")))
    }

    fn section<'t, 's>(&mut self, table: &'t DeTable<'s>, key: &str) -> Option<&'t DeTable<'s>> {
        let value = table.get(key)?;
        match value.get_ref() {
            DeValue::Table(section) => Some(section),
            _ => self.wrong(&value.span(), &format!("`{key}` is a table")),
        }
    }

    fn wrong<T>(&mut self, at: &Range<usize>, message: &str) -> Option<T> {
        self.mistakes.push(Mistake::error(self.source, at, message));
        None
    }

    fn unknown(&mut self, what: &str, name: &str, at: &Range<usize>, known: &[&str]) {
        let message = format!("unknown {what} `{name}`{}", suggestion(name, known.iter().copied()));
        self.mistakes.push(Mistake::warning(self.source, at, message));
    }
}

fn modifier(key: &str) -> Option<Modifier> {
    match key {
        "bold" => Some(Modifier::BOLD),
        "dim" => Some(Modifier::DIM),
        "italic" => Some(Modifier::ITALIC),
        "underlined" => Some(Modifier::UNDERLINED),
        "reversed" => Some(Modifier::REVERSED),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_is_read_with_its_palette() {
        let source = "doc = \"d\"\ninherits = \"base\"\nservices = [\"sand\", 12]\n[palette]\nsand = \"#e6c384\"\n[roles]\naccent = \"sand\"\nselection = { bg = 1, bold = true }\n";
        let (file, mistakes) = parse(source);
        let sand = Color::Rgb(0xe6, 0xc3, 0x84);
        assert_eq!(mistakes, []);
        assert_eq!((file.doc.as_deref(), file.inherits.as_deref()), (Some("d"), Some("base")));
        assert_eq!(file.services, [sand, Color::Indexed(12)]);
        assert_eq!(file.styles["accent"], Style::new().fg(sand));
        assert_eq!(file.styles["selection"], Style::new().bg(Color::Indexed(1)).add_modifier(Modifier::BOLD));
    }

    #[test]
    fn mistakes_name_their_lines_and_the_rest_is_used() {
        let (file, mistakes) = parse("shade = 1\n[roles]\nacent = \"red\"\nerror = \"crimson\"\ntext = \"white\"\n");
        let lines: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.is_warning)).collect();
        assert_eq!(lines, [(1, true), (3, true), (4, false)]);
        assert!(mistakes[1].message.contains("did you mean `accent`"), "{mistakes:?}");
        assert_eq!(file.styles.len(), 1);
    }

    #[test]
    fn what_is_not_toml_is_one_mistake() {
        let (_, mistakes) = parse("[roles]\ntext = \n");
        assert_eq!((mistakes.len(), mistakes[0].line), (1, 2));
    }
}
