//! The line that `TraceQL` is typed into, with completions below it and mistakes under a caret.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::widgets::{Clear, Widget as _};
use riftline_queries::semconv::conventions;
use riftline_queries::table::{Cell, Table};
use riftline_queries::traceql::{self, Completion, CompletionKind, Field, Intrinsic, Scope, TraceqlError};

use super::page::Row;
use crate::theme::Role;
use crate::tui::chord::Chord;
use crate::tui::command::Command;
use crate::tui::layer::picker::quoted;
use crate::tui::state::Shared;
use crate::widget::input::Input;
use crate::widget::scroll::Scroll;
use crate::widget::text::{put, width};

/// How many completions are seen at once.
const LONGEST: u16 = 10;
const PROMPT: &str = "› ";

/// A filter while it is typed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FilterLine {
    input: Input,
    completions: Vec<Completion>,
    scroll: Scroll,
    has_chosen: bool,
    error: Option<TraceqlError>,
}

/// What taking the line leads to.
#[derive(Debug, PartialEq, Eq)]
pub enum Accepted {
    /// A filter that can be asked for; nothing: no filter.
    Query(Option<String>),
    /// Something is still wrong, or a completion was taken.
    NotYet,
}

impl FilterLine {
    /// Returns a line that begins with `filter`.
    pub fn new(filter: &str) -> Self {
        let mut line = Self { input: Input::new(if filter.is_empty() { "{ " } else { filter }), ..Self::default() };
        line.renew(&[]);
        line
    }

    /// Takes a key.
    pub fn key(&mut self, chord: Chord, names: &[String]) {
        if self.input.key(chord) {
            self.renew(names);
        }
    }

    /// Takes pasted text.
    pub fn paste(&mut self, text: &str, names: &[String]) {
        self.input.insert(text);
        self.renew(names);
    }

    /// Moves through the completions.
    pub fn choose(&mut self, command: Command) {
        self.has_chosen = self.scroll.command(command, self.completions.len(), LONGEST) || self.has_chosen;
    }

    /// Takes the completion under the cursor.
    pub fn complete(&mut self, names: &[String]) {
        if let Some(completion) = self.completions.get(self.scroll.cursor) {
            let needs_room = completion.kind != CompletionKind::Connective || completion.text != "}";
            let text = if needs_room { format!("{} ", completion.text) } else { completion.text.clone() };
            self.input.replace(completion.from, &text);
            self.renew(names);
        }
    }

    /// Takes the line.
    pub fn accept(&mut self, names: &[String]) -> Accepted {
        if self.has_chosen {
            self.complete(names);
            return Accepted::NotYet;
        }
        let typed = self.input.text().trim();
        if typed.is_empty() || typed == "{" || typed == "{}" {
            return Accepted::Query(None);
        }
        match complete_query(typed) {
            Ok(filter) => Accepted::Query(Some(filter)),
            Err(error) => {
                self.error = Some(error);
                Accepted::NotYet
            }
        }
    }

    /// Looks at the line anew: mistakes and completions.
    pub fn renew(&mut self, names: &[String]) {
        let text = self.input.text();
        // What is not finished yet is no mistake: the parser stops where the text does.
        self.error = complete_query(text).err().filter(|error| error.at < text.trim_end().len());
        let values = |field: &Field| values_of(field, names);
        self.completions = traceql::complete(text, self.input.cursor(), &conventions(), &values);
        self.scroll = Scroll::default();
        self.has_chosen = false;
    }

    /// Draws the line at the top of `area`, what is wrong below it, and the completions below that.
    pub fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let theme = &shared.theme;
        let line = Rect { height: 1, ..area };
        Clear.render(line, buffer);
        buffer.set_style(line, theme.style(Role::Popup));
        let ground = theme.style(Role::Popup);
        put(buffer, line.x + 1, line.y, PROMPT, 2, ground.patch(theme.style(Role::Prompt)));
        let room = line.width.saturating_sub(5);
        let cursor = self.input.render(buffer, line.x + 3, line.y, room, ground);
        buffer.set_style(
            Rect { x: cursor, width: 1, ..line }.intersection(line),
            Style::new().add_modifier(Modifier::REVERSED),
        );
        let below = Rect { y: area.y + 1, height: 1, ..area };
        // A value that is being completed is an open quote: no mistake yet.
        if let Some(error) = self.error.as_ref().filter(|_| self.completions.is_empty()) {
            self.mistake(error, below, buffer, shared);
        } else {
            let under = Rect { y: area.y + 1, height: area.height.saturating_sub(1), ..area };
            self.list(cursor, under, buffer, shared);
        }
    }

    fn mistake(&self, error: &TraceqlError, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        Clear.render(area, buffer);
        let ground = shared.theme.style(Role::Popup);
        buffer.set_style(area, ground);
        let before = self.input.text().get(..error.at).unwrap_or(self.input.text());
        let caret = area.x.saturating_add(3).saturating_add(width(before)).min(area.right().saturating_sub(2));
        put(buffer, caret, area.y, "^", 1, ground.patch(shared.theme.style(Role::Caret)));
        let style = ground.patch(shared.theme.style(Role::Error));
        let needed = width(&error.message).saturating_add(2);
        if caret.saturating_add(needed) < area.right() || caret < area.x + needed {
            put(buffer, caret + 2, area.y, &error.message, area.right().saturating_sub(caret + 3), style);
        } else {
            put(buffer, caret - needed + 1, area.y, &error.message, needed, style);
        }
    }

    fn list(&self, cursor: u16, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        let rows = u16::try_from(self.completions.len()).unwrap_or(u16::MAX).min(LONGEST).min(area.height);
        let widest = self.completions.iter().map(|completion| width(&completion.text)).max().unwrap_or_default();
        let wide = widest.saturating_add(14).min(area.width);
        let from = self.completions.first().map_or(0, |completion| completion.from);
        let typed = width(self.input.before().get(from..).unwrap_or_default());
        let x = cursor.saturating_sub(typed).saturating_sub(1).min(area.right().saturating_sub(wide));
        let list = Rect { x, width: wide, height: rows, ..area };
        Clear.render(list, buffer);
        let seen = self.completions.iter().enumerate().skip(self.scroll.top);
        for (row, (place, completion)) in (list.top()..list.bottom()).zip(seen) {
            let is_selected = place == self.scroll.cursor;
            let ground = shared.theme.style(Role::Popup);
            let style = if is_selected { ground.patch(shared.theme.style(Role::Selection)) } else { ground };
            let dim = if is_selected { style } else { style.patch(shared.theme.style(Role::Dim)) };
            buffer.set_style(Rect { y: row, height: 1, ..list }, style);
            put(buffer, list.x + 1, row, &completion.text, widest, style);
            put(buffer, list.x + 3 + widest, row, kind_name(completion.kind), wide.saturating_sub(widest + 3), dim);
        }
    }
}

fn kind_name(kind: CompletionKind) -> &'static str {
    match kind {
        CompletionKind::Intrinsic => "intrinsic",
        CompletionKind::Attribute => "attribute",
        CompletionKind::Operator => "operator",
        CompletionKind::Value => "value",
        CompletionKind::Connective => "",
    }
}

/// Returns `typed` as a whole query: braces that were not closed are closed, and one plain word is looked for in names.
pub fn complete_query(typed: &str) -> Result<String, TraceqlError> {
    let typed = typed.trim();
    let is_word = !typed.is_empty() && !typed.contains(['{', '=', '<', '>', '~', '"', '&', '|', '(']);
    let query = match typed {
        word if is_word => {
            let pattern = quoted(&format!("(?i).*{}.*", regex::escape(word)));
            format!("{{ name =~ {pattern} || resource.service.name =~ {pattern} }}")
        }
        open if open.starts_with('{') && !open.ends_with('}') => format!("{open} }}"),
        bare if !bare.starts_with(['{', '(']) => format!("{{ {bare} }}"),
        whole => whole.to_owned(),
    };
    // Positions are those of what was typed.
    let shift = if query.ends_with(typed) || query.starts_with(typed) { 0 } else { 2 };
    match traceql::parse(&query) {
        Ok(_) => Ok(query),
        Err(error) => Err(TraceqlError { at: error.at.saturating_sub(shift), ..error }),
    }
}

/// Returns the filter for traces that begin as `row` does.
pub fn same_root(row: &Row) -> String {
    format!("{{ rootServiceName = {} && rootName = {} }}", quoted(&row.root_service), quoted(&row.root_name))
}

/// Returns names as `service x` and `operation y`.
pub fn names(table: &Table) -> Vec<String> {
    let name = |row| match (table.get(row, "kind"), table.get(row, "label")) {
        (Cell::Text(kind), Cell::Text(label)) => Some(format!("{kind} {label}")),
        _ => None,
    };
    (0..table.num_rows()).filter_map(name).collect()
}

/// Returns recorded values of `field`, as `TraceQL` writes them.
fn values_of(field: &Field, names: &[String]) -> Vec<String> {
    let kind = match field {
        Field::Intrinsic(Intrinsic::Name | Intrinsic::RootName) => "operation ",
        Field::Intrinsic(Intrinsic::RootService) => "service ",
        Field::Attribute { scope: Scope::Resource | Scope::Any, key } if key == "service.name" => "service ",
        _ => return Vec::new(),
    };
    names.iter().filter_map(|name| name.strip_prefix(kind)).map(quoted).collect()
}
