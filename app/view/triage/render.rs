//! Draws the list of findings, with what to know about the one under the cursor below it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::Triage;
use super::finding::{Finding, SEVERITIES};
use super::prose;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::line::{put, put_right};
use crate::widget::text::{put_parts, width};

/// The parts of the view.
pub struct Parts {
    /// How many, and which; also where filters are typed.
    pub summary: Rect,
    pub header: Rect,
    pub rows: Rect,
    pub rule: Rect,
    /// More about the finding under the cursor.
    pub preview: Rect,
}

const MARGIN: u16 = 2;
/// What a finding is about gets at least so much.
const SUBJECT_WIDTH: u16 = 17;

/// Returns the parts of a view in `area` for a list of `len` findings.
#[must_use]
pub fn parts(area: Rect, len: usize) -> Parts {
    let part = |y: u16, height: u16| {
        let y = y.min(area.bottom());
        Rect { y, height: height.min(area.bottom() - y), ..area }
    };
    let rest = area.height.saturating_sub(2);
    let preview = (rest / 2).max(8).min(rest.saturating_sub(3));
    let rows = u16::try_from(len).unwrap_or(rest).clamp(1, rest.saturating_sub(preview + 1).max(1));
    let (summary, header, list) = (part(area.y, 1), part(area.y + 1, 1), part(area.y + 2, rows));
    let rule = part(list.bottom(), 1);
    let below = part(rule.bottom(), area.height);
    let preview = Rect { x: below.x + 1.min(below.width), width: below.width.saturating_sub(2), ..below };
    Parts { summary, header, rows: list, rule, preview }
}

/// Where each column is.
struct Columns {
    severity: Rect,
    rule: Rect,
    subject: Rect,
    often: Rect,
    sure: Rect,
    since: Rect,
}

impl Columns {
    /// Rules get what the widest of them needs, and leave the rest to what they are about.
    fn new(line: Rect, rule_width: u16) -> Self {
        let mut right = line.right().saturating_sub(1);
        let mut column = |cells: u16| {
            let x = right.saturating_sub(cells).max(line.x);
            let column = Rect { x, width: right - x, ..line };
            right = x.saturating_sub(1).max(line.x);
            column
        };
        let (since, sure, often) = (column(8), column(4), column(13));
        let left = line.x + MARGIN;
        let severity = Rect { x: left, width: 6, ..line };
        let room = right.saturating_sub(severity.right() + 1);
        let rule = Rect {
            x: severity.right() + 1,
            width: rule_width.clamp(12, room.saturating_sub(SUBJECT_WIDTH).max(12)),
            ..line
        };
        let subject = Rect { x: rule.right() + 1, width: right.saturating_sub(rule.right() + 1), ..line };
        Self { severity, rule, subject, often, sure, since }
    }

    /// Returns the columns on the line `y`.
    fn line(&self, y: u16) -> Self {
        let on = |area: Rect| Rect { y, height: 1, ..area };
        Self {
            severity: on(self.severity),
            rule: on(self.rule),
            subject: on(self.subject),
            often: on(self.often),
            sure: on(self.sure),
            since: on(self.since),
        }
    }
}

/// Draws the list.
pub fn render(view: &Triage, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let parts = parts(area, view.list.len());
    summary(view, parts.summary, buffer, shared);
    if view.list.is_empty() {
        return nothing(view, area, buffer, shared);
    }
    let columns = Columns::new(area, view.list.rule_width());
    header(&columns.line(parts.header.y), buffer, shared);
    let seen = view.list.scroll.seen(view.list.len(), parts.rows.height);
    for (y, row) in (parts.rows.y..parts.rows.bottom()).zip(seen) {
        let Some(finding) = view.list.row(row) else { continue };
        let line = Rect { y, height: 1, ..area };
        finding_row(view, finding, row == view.list.scroll.cursor, (line, &columns.line(y)), buffer, shared);
    }
    preview(view, &parts, buffer, shared);
}

fn summary(view: &Triage, line: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let room = Rect { x: line.x + MARGIN, width: line.width.saturating_sub(2 * MARGIN), ..line };
    if let Some(prompt) = &view.prompt {
        let rest = put(buffer, room, "/ ", style(Role::Prompt));
        let column = prompt.render(buffer, rest.x, rest.y, rest.width, style(Role::Text));
        let caret = Rect { x: column.min(rest.right().saturating_sub(1)), width: 1, ..rest };
        return buffer.set_style(caret.intersection(buffer.area), style(Role::Selection));
    }
    if let Some(error) = view.failure.as_ref().or(shared.analysis.failure.as_ref()) {
        put(buffer, room, &format!("{} {error}", shared.symbols.error), style(Role::Error));
        return;
    }
    let number = view.list.len();
    let what = if number == 1 { "finding" } else { "findings" };
    let floor = view.list.floor.and_then(|floor| SEVERITIES.get(floor)).map(|name| format!("  {name} and worse"));
    let muted = (view.list.num_muted > 0).then(|| format!("  {} muted", view.list.num_muted));
    let text = view.list.filter.text();
    let filter = if text.is_empty() { String::new() } else { format!("  /{text}") };
    let count = format!("{} {what}, the first to fix first", humane::count(number as u64));
    let parts = [
        (if number > 0 { count.as_str() } else { "" }, style(Role::Text)),
        (floor.as_deref().unwrap_or_default(), style(Role::Accent)),
        (filter.as_str(), style(Role::Match)),
        (muted.as_deref().unwrap_or_default(), style(Role::Dim)),
    ];
    put_parts(buffer, room.x, room.y, room.width, &parts);
    if shared.analysis.is_running {
        put_right(buffer, room, "looking again", style(Role::Dim));
    }
}

fn header(columns: &Columns, buffer: &mut Buffer, shared: &Shared) {
    let style = shared.theme.style(Role::Heading);
    for (place, title) in [(columns.severity, ""), (columns.rule, "what"), (columns.subject, "where")] {
        put(buffer, place, title, style);
    }
    for (place, title) in [(columns.often, "how often"), (columns.sure, "sure"), (columns.since, "since")] {
        put_right(buffer, place, title, style);
    }
}

fn finding_row(
    view: &Triage,
    finding: &Finding,
    is_selected: bool,
    (line, columns): (Rect, &Columns),
    buffer: &mut Buffer,
    shared: &Shared,
) {
    let is_muted = shared.memory.is_muted(&finding.id);
    if is_selected {
        buffer.set_style(line, shared.theme.style(Role::Selection));
        put(buffer, Rect { width: 1, ..line }, shared.symbols.cursor, shared.theme.style(Role::Accent));
    }
    // On the selection everything has to be readable.
    let style = |role: Role| match () {
        () if is_selected => shared.theme.style(Role::Selection),
        () if is_muted => shared.theme.style(Role::Dim),
        () => shared.theme.style(role),
    };
    let (sign, role) = sign(finding.severity, shared);
    put(buffer, columns.severity, &format!("{sign} {}", finding.severity_name()), shared.theme.style(role));
    put(buffer, columns.rule, &finding.rule, style(Role::Strong));
    let subject = finding.subject_without(&view.list.namespace);
    let subject = if is_muted { format!("(muted) {subject}") } else { subject };
    put(buffer, columns.subject, &subject, style(Role::Text));
    put_right(buffer, columns.often, &finding.how_often(), style(Role::Number));
    put_right(buffer, columns.sure, &humane::sureness(finding.confidence), style(Role::Number));
    let since = humane::time_of_day(finding.first_seen_ns, shared.zone);
    put_right(buffer, columns.since, since.get(..8).unwrap_or(&since), style(Role::Time));
}

/// Returns the sign of a severity, which says the same as its colour.
#[must_use]
pub fn sign(severity: usize, shared: &Shared) -> (&'static str, Role) {
    match severity {
        0 | 1 => (shared.symbols.error, Role::Error),
        2 => (shared.symbols.warning, Role::Warn),
        3 => ("•", Role::Info),
        _ => ("·", Role::Dim),
    }
}

/// Draws severity, rule, subject and numbers of one finding on one line.
pub fn headline(finding: &Finding, namespace: &str, line: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let (sign, role) = sign(finding.severity, shared);
    let numbers = format!("{}  sure {}", finding.how_often(), humane::sureness(finding.confidence));
    put_right(buffer, line, &numbers, style(Role::Number));
    let room = Rect { width: line.width.saturating_sub(width(&numbers) + 2), ..line };
    let rest = put(buffer, room, &format!("{sign} {}  ", finding.severity_name()), style(role));
    let rest = put(buffer, rest, &format!("{}  ", finding.rule), style(Role::Strong));
    put(buffer, rest, &finding.subject_without(namespace), style(Role::Text));
}

fn preview(view: &Triage, parts: &Parts, buffer: &mut Buffer, shared: &Shared) {
    let Some(finding) = view.list.current() else { return };
    put(buffer, parts.rule, &"─".repeat(usize::from(parts.rule.width)), shared.theme.style(Role::Border));
    let title = Rect { x: parts.rule.x + 1, width: parts.rule.width.saturating_sub(1), ..parts.rule };
    put(buffer, title, " Enter shows the evidence and an example ", shared.theme.style(Role::Heading));
    let lines = prose::summary(finding, parts.preview.width);
    prose::render(&lines, 0, parts.preview, buffer, shared);
}

/// Says in one line why there is no list.
fn nothing(view: &Triage, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let (strong, dim, key) = (style(Role::Strong), style(Role::Dim), style(Role::Key));
    let analysis = &shared.analysis;
    let line: Vec<(&str, Style)> = match () {
        () if view.failure.is_some() || analysis.failure.is_some() => {
            vec![("findings could not be read; ", strong), ("Ctrl-L", key), (" asks again", dim)]
        }
        () if view.list.hides_some() => vec![
            ("no finding fits; ", strong),
            ("f", key),
            (" and ", dim),
            ("/", key),
            (" choose others, ", dim),
            ("X", key),
            (" shows muted ones", dim),
        ],
        () if !analysis.is_done || !view.has_answer => vec![("looking for what is broken", strong)],
        () if shared.extent.is_none() => {
            vec![("this store holds no traces yet; ", strong), ("2", key), (" says how they come in", dim)]
        }
        () => vec![("nothing found that is broken", strong), (" in what this store holds", dim)],
    };
    let cells: u16 = line.iter().map(|(text, _)| width(text)).sum();
    put_parts(buffer, area.x + area.width.saturating_sub(cells) / 2, area.y + area.height / 3, area.width, &line);
}
