//! The line on top and the line at the bottom.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use crate::humane;
use crate::theme::Role;
use crate::tui::command::Command;
use crate::tui::state::{Loading, Shared, State};
use crate::view::{VIEWS, ViewId};
use crate::widget::text::{put, put_parts, put_right, width};

const NAME: &str = " riftline ";

/// Returns where the tab of each view is.
#[must_use]
pub fn tabs(area: Rect) -> Vec<(ViewId, Rect)> {
    let mut column = area.x.saturating_add(width(NAME)).saturating_add(1);
    let mut tabs = Vec::new();
    for entry in VIEWS {
        let cells = width(entry.name).saturating_add(4);
        tabs.push((entry.id, Rect { x: column, width: cells, ..area }));
        column = column.saturating_add(cells);
    }
    tabs
}

/// Draws tabs, the store, the time range and what is going on.
pub fn top(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = &state.shared.theme;
    let ground = theme.style(Role::Chrome);
    buffer.set_style(area, ground);
    put(buffer, area.x, area.y, NAME, area.width, ground.patch(theme.style(Role::Accent)).patch(bold()));
    let mut end = area.x;
    for (view, tab) in tabs(area) {
        let entry = view.entry();
        let style = if view == state.shown { Role::TabActive } else { Role::Tab };
        let text = format!(" {} {} ", entry.number, entry.name);
        put(buffer, tab.x, tab.y, &text, tab.width, ground.patch(theme.style(style)));
        end = tab.right();
    }
    let room = area.right().saturating_sub(end).saturating_sub(2);
    status(&state.shared, buffer, Rect { x: end + 1, width: room, ..area }, ground);
}

fn status(shared: &Shared, buffer: &mut Buffer, area: Rect, ground: Style) {
    let parts = [
        (shared.store_name.clone(), Role::Text),
        time_range(shared, area.width),
        (spinner(shared), Role::Accent),
        (shared.loading.map(progress).unwrap_or_default(), Role::Good),
    ];
    let mut right = area.right();
    for (text, role) in parts.iter().rev().filter(|(text, _)| !text.is_empty()) {
        let cells = width(text);
        if right < area.x.saturating_add(cells) {
            continue;
        }
        put(buffer, right - cells, area.y, text, cells, ground.patch(shared.theme.style(*role)));
        right = right.saturating_sub(cells).saturating_sub(2);
    }
}

/// Returns the time range that was chosen, or that of the store, as far as there is room.
fn time_range(shared: &Shared, room: u16) -> (String, Role) {
    let role = if shared.range.is_some() { Role::Accent } else { Role::Dim };
    let text = shared.range.or(shared.extent).map(|(first, last)| {
        let (from, to) = (humane::date_time(first, shared.zone), humane::date_time(last, shared.zone));
        let is_one_day = from.get(..10) == to.get(..10);
        match (is_one_day, room > 90) {
            (true, true) => format!("{} – {}", part(&from, 0, 19), part(&to, 11, 19)),
            (true, false) => format!("{} – {}", part(&from, 11, 19), part(&to, 11, 19)),
            (false, true) => format!("{} – {}", part(&from, 0, 19), part(&to, 0, 19)),
            (false, false) => format!("{} – {}", part(&from, 5, 16), part(&to, 5, 16)),
        }
    });
    (text.unwrap_or_default(), role)
}

fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or(text)
}

fn spinner(shared: &Shared) -> String {
    let pictures = shared.symbols.spinner;
    let picture = shared.spinner.and_then(|picture| pictures.get(picture % pictures.len().max(1)));
    picture.map(|picture| (*picture).to_owned()).unwrap_or_default()
}

/// Returns how far the files are read.
fn progress(loading: Loading) -> String {
    let read = humane::bytes(loading.bytes_read);
    match loading.bytes_total.filter(|total| *total > 0) {
        Some(total) => {
            let percent = loading.bytes_read.min(total).saturating_mul(100) / total;
            format!("reading {percent:>2} %")
        }
        None => format!("reading {read}"),
    }
}

/// Draws the keys that work here, then the last message.
pub fn bottom(state: &State, area: Rect, buffer: &mut Buffer) {
    let theme = &state.shared.theme;
    let ground = theme.style(Role::Chrome);
    buffer.set_style(area, ground);
    let message = state.message.as_ref();
    let message_room = message.map_or(0, |message| width(&message.text).min(area.width * 2 / 3).saturating_add(3));
    let mut column = area.x.saturating_add(1);
    let end = area.right().saturating_sub(message_room).saturating_sub(1);
    let own = state.view().map(crate::view::View::hints).unwrap_or_default();
    for command in own.into_iter().chain([Command::Jump, Command::Palette, Command::Help]) {
        let Some(key) = state.shared.keymap.keys(command).first().map(key_name) else { continue };
        let parts =
            [(key.as_str(), ground.patch(theme.style(Role::Key))), (" ", ground), (command.info().short, ground)];
        let cells: u16 = parts.iter().map(|(text, _)| width(text)).sum();
        if column.saturating_add(cells) > end {
            break;
        }
        put_parts(buffer, column, area.y, cells, &parts);
        column = column.saturating_add(cells).saturating_add(2);
    }
    if let Some(message) = message {
        let (role, sign) = if message.is_error { (Role::Error, state.shared.symbols.error) } else { (Role::Text, "") };
        let text = if sign.is_empty() { message.text.clone() } else { format!("{sign} {}", message.text) };
        let room = area.right().saturating_sub(column).saturating_sub(1);
        put_right(buffer, column, area.y, &text, room, ground.patch(theme.style(role)));
    }
}

/// Returns a key as hints show it: `Enter`, `Ctrl-P`, `s`.
fn key_name(chord: &crate::tui::chord::Chord) -> String {
    let text = chord.to_string();
    if text.chars().count() == 1 {
        return text;
    }
    let capital = |part: &str| {
        let mut letters = part.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    text.split('-').map(capital).collect::<Vec<_>>().join("-")
}

fn bold() -> Style {
    Style::new().add_modifier(ratatui::style::Modifier::BOLD)
}
