//! Draws the view: what is dangerous on top, experiments and runs on the left, what is selected on the right.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::line::{self, Line};
use super::list::Row;
use super::shelf::{Card, RunCard};
use super::standing;
use super::{Chaos, Focus};
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::frame::{centred, pane, popup};
use crate::widget::line::{put, put_right};
use crate::widget::scroll::Scroll;
use crate::widget::text::{put_parts, width};

/// Screens at least so wide show both panes while one is read.
const WIDE: u16 = 140;
const MIN_LIST: u16 = 32;
const MAX_LIST: u16 = 56;

/// The parts of the screen; the insides of panes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Parts {
    pub banner: Rect,
    list_frame: Rect,
    page_frame: Rect,
    pub list: Rect,
    pub page: Rect,
}

/// Returns the parts: on a narrow screen the pane that is read takes all of it.
#[must_use]
pub fn parts(area: Rect, banner_height: u16, focus: Focus) -> Parts {
    let banner = Rect { height: banner_height.min(area.height / 2), ..area };
    let rest = Rect { y: banner.bottom(), height: area.height - banner.height, ..area };
    let left = match focus {
        Focus::Page if area.width < WIDE => 0,
        _ => (rest.width * 2 / 5).clamp(MIN_LIST.min(rest.width), MAX_LIST),
    };
    let list_frame = Rect { width: left, ..rest };
    let page_frame = Rect { x: rest.x + left, width: rest.width - left, ..rest };
    Parts { banner, list_frame, page_frame, list: inside(list_frame), page: inside(page_frame) }
}

fn inside(frame: Rect) -> Rect {
    Rect {
        x: frame.x.saturating_add(1),
        y: frame.y.saturating_add(1),
        width: frame.width.saturating_sub(2),
        height: frame.height.saturating_sub(2),
    }
}

/// Draws everything.
pub fn render(view: &Chaos, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let banner = view.banner(area.width);
    let parts = parts(area, banner.height(), view.focus);
    banner.render(parts.banner, buffer, shared);
    if view.is_empty() {
        return nothing(view, area, buffer, shared);
    }
    if !parts.list_frame.is_empty() {
        pane(parts.list_frame, buffer, "experiments and runs", view.focus == Focus::List, shared);
        list(view, parts.list, buffer, shared);
    }
    pane(parts.page_frame, buffer, view.page_title(), view.focus == Focus::Page, shared);
    page(view, parts, buffer, shared);
    prompt(view, area, buffer, shared);
}

fn list(view: &Chaos, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let seen = view.list.scroll.seen(view.list.rows.len(), area.height);
    for (y, at) in (area.y..area.bottom()).zip(seen) {
        let line = Rect { y, height: 1, ..area };
        let is_selected = at == view.list.scroll.cursor;
        if is_selected {
            let role = if view.focus == Focus::List { Role::Selection } else { Role::SelectionIdle };
            buffer.set_style(line.intersection(buffer.area), shared.theme.style(role));
            put(
                buffer,
                Rect { width: line.width.min(1), ..line },
                shared.symbols.cursor,
                shared.theme.style(Role::Accent),
            );
        }
        let line = Rect { x: line.x + 1.min(line.width), width: line.width.saturating_sub(1), ..line };
        match view.list.rows.get(at) {
            Some(Row::Experiment(at)) => experiment_row(view.list.shelf.experiments.get(*at), line, buffer, shared),
            Some(Row::Run { at, is_below }) => run_row(view.list.shelf.runs.get(*at), *is_below, line, buffer, shared),
            None => {}
        }
    }
}

fn experiment_row(card: Option<&Card>, line: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(card) = card else { return };
    let (sign, role) = match &card.read {
        Ok(draft) if draft.mistakes.is_empty() => ("", Role::Strong),
        Ok(_) => (shared.symbols.warning, Role::Warn),
        Err(_) => (shared.symbols.error, Role::Error),
    };
    let rest = if sign.is_empty() { line } else { put(buffer, line, &format!("{sign} "), shared.theme.style(role)) };
    put(buffer, rest, &card.title(), shared.theme.style(role));
}

fn run_row(run: Option<&RunCard>, is_below: bool, line: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(run) = run else { return };
    let (sign, role) = standing::sign(&run.standing, &shared.symbols);
    let began = run.began_ns.map(|began_ns| humane::date_time(began_ns, shared.zone));
    let began = began.as_deref().and_then(|time| time.get(5..16)).unwrap_or(&run.run).to_owned();
    let indent = if is_below { "  " } else { "" };
    let text = format!("{indent}{sign} {}", run.standing.word());
    let room = Rect { width: line.width.saturating_sub(width(&began) + 1), ..line };
    put(buffer, room, &text, shared.theme.style(role));
    put_right(buffer, line, &began, shared.theme.style(Role::Time));
}

fn page(view: &Chaos, parts: Parts, buffer: &mut Buffer, shared: &Shared) {
    let lines: Vec<Line> = view.lines(parts.page.width, shared);
    let mut scroll: Scroll = view.reading;
    scroll.follow(lines.len(), parts.page.height);
    let cursor = (view.focus == Focus::Page).then_some(scroll.cursor);
    line::render(&lines, scroll.top, cursor, parts.page, buffer, shared);
    let hidden = lines.len().saturating_sub(scroll.top + usize::from(parts.page.height));
    if hidden > 0 {
        let foot = Rect { y: parts.page.bottom(), height: 1, ..parts.page };
        put_right(buffer, foot, " more ↓ ", shared.theme.style(Role::Accent));
    }
}

/// Says what will be run, and has the environment's name typed.
fn prompt(view: &Chaos, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let Some(prompt) = &view.prompt else { return };
    let style = |role: Role| shared.theme.style(role);
    let words = [prompt.title.clone(), prompt.does.clone(), format!("target  {}", prompt.url)];
    let inner = popup(centred(area, 76, 8), buffer, "run this experiment", shared);
    for (at, text) in words.iter().enumerate() {
        let y = inner.y + at as u16;
        put(buffer, Rect { y, height: u16::from(y < inner.bottom()), ..inner }, text, style(Role::Popup));
    }
    let ask = Rect { y: inner.y + 4, height: u16::from(inner.height > 4), ..inner };
    let rest = put(buffer, ask, &format!("Type {} to run it: ", prompt.environment), style(Role::Prompt));
    if rest.is_empty() {
        return;
    }
    let column = prompt.input.render(buffer, rest.x, rest.y, rest.width, style(Role::Popup));
    let caret = Rect { x: column.min(rest.right().saturating_sub(1)), width: 1, height: 1, ..rest };
    buffer.set_style(caret.intersection(buffer.area), style(Role::Selection));
}

/// Says why there is nothing, and what to do.
fn nothing(view: &Chaos, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let (strong, dim, key) = (style(Role::Strong), style(Role::Dim), style(Role::Key));
    let y = area.y + area.height / 3;
    let mut centred = |y: u16, parts: &[(&str, ratatui::style::Style)]| {
        let cells: u16 = parts.iter().map(|(text, _)| width(text)).sum();
        put_parts(buffer, area.x + area.width.saturating_sub(cells) / 2, y, area.width, parts);
    };
    if let Some(failure) = &view.failure {
        return centred(y, &[(shared.symbols.error, style(Role::Error)), (" ", dim), (failure, style(Role::Error))]);
    }
    if !view.has_answer {
        return centred(y, &[("looking for experiments", dim)]);
    }
    centred(y, &[("no experiments yet", strong)]);
    centred(
        y + 2,
        &[
            ("r", key),
            (" on a finding (", dim),
            ("1", key),
            (") or a trace (", dim),
            ("3", key),
            (") derives one", dim),
        ],
    );
    centred(y + 3, &[("riftline chaos plan", key), (" writes one from the command line", dim)]);
}
