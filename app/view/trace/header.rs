//! The first line: which trace this is, and what is wrong with it at a glance.
//!
//! ```text
//! 4bf92f3577b34da6a3ce929d0e0e4736  POST /checkout  2.31 s  47 spans  6 services  2 errors  ≠ 2 stitched of 3 traces
//! ```

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::data::{Summary, TraceData};
use super::torn::Torn;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::line::{put, put_right};
use crate::widget::text::{fit, width};

/// The whole id is shown where at least this much is left for the root's name.
const NAME_WIDTH: u16 = 24;
const SHORT_ID: usize = 8;

/// Draws the line. `note` (what the axis and search show) stands at the right end.
pub fn render(data: &TraceData, note: &str, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    let style = |role: Role| shared.theme.style(role);
    let line = Rect { x: area.x + 1, width: area.width.saturating_sub(2), height: area.height.min(1), ..area };
    let mut facts = facts(&data.summary, data.spans.len(), shared);
    facts.extend(torn(&data.torn, shared));
    leave_out(&mut facts, line.width.saturating_sub(SHORT_ID as u16 + width(note) + 4));
    let facts_width: u16 = facts.iter().map(|(_, text)| width(text) + 2).sum::<u16>() + width(note) + 2;
    let room = line.width.saturating_sub(facts_width + data.id.len() as u16 + 2);
    let id = if room >= NAME_WIDTH { data.id.as_str() } else { data.id.get(..SHORT_ID).unwrap_or(&data.id) };
    let name_width = line.width.saturating_sub(facts_width + id.len() as u16 + 2);
    put_right(buffer, line, note, style(Role::Accent));
    let rest = put(buffer, line, id, style(Role::Id));
    let name = data.summary.root.map_or("", |root| data.spans.name(root));
    let rest = put(buffer, indented(rest), &fit(name, name_width), style(Role::Strong));
    facts.iter().fold(rest, |rest, (role, text)| put(buffer, indented(rest), text, style(*role)));
}

/// Leaves out what is dimmed, from the left, until the rest fits into `room` cells.
fn leave_out(facts: &mut Vec<(Role, String)>, room: u16) {
    let needed = |facts: &[(Role, String)]| facts.iter().map(|(_, text)| width(text) + 2).sum::<u16>();
    while needed(facts) > room {
        let Some(dim) = facts.iter().position(|(role, _)| *role == Role::Dim) else { return };
        facts.remove(dim);
    }
}

fn indented(area: Rect) -> Rect {
    Rect { x: area.x + 2.min(area.width), width: area.width.saturating_sub(2), ..area }
}

fn facts(summary: &Summary, num_spans: usize, shared: &Shared) -> Vec<(Role, String)> {
    let mut facts = vec![
        (Role::Strong, humane::duration(summary.window.len_ns())),
        (Role::Dim, counted(num_spans, "span")),
        (Role::Dim, counted(summary.num_services, "service")),
    ];
    if summary.num_errors > 0 {
        facts.push((Role::Error, format!("{} {}", shared.symbols.error, counted(summary.num_errors, "error"))));
    }
    if summary.num_orphans > 0 {
        facts.push((Role::Mark, format!("{} {}", shared.symbols.incomplete, counted(summary.num_orphans, "orphan"))));
    }
    if summary.num_roots > 1 {
        facts.push((Role::Mark, counted(summary.num_roots, "root")));
    }
    if summary.num_cycles > 0 {
        facts.push((Role::Mark, counted(summary.num_cycles, "cycle")));
    }
    facts
}

/// Returns what was joined, and whose times these are.
fn torn(torn: &Torn, shared: &Shared) -> Vec<(Role, String)> {
    let (sign, pieces) = (shared.symbols.stitched, torn.traces.len());
    let mut facts = Vec::new();
    match (torn.num_accepted, torn.num_maybe) {
        (0, 0) => {}
        _ if !torn.sight.is_healed => facts.push((Role::Accent, format!("{sign} raw: 1 of {pieces} traces"))),
        (0, maybe) => facts.push((Role::Mark, format!("{sign}? {maybe} maybe, of {pieces} traces"))),
        (sure, 0) => facts.push((Role::Mark, format!("{sign} {sure} stitched of {pieces} traces"))),
        (sure, maybe) => {
            facts.push((Role::Mark, format!("{sign} {sure} stitched, {maybe} maybe")));
        }
    }
    if torn.is_skewed && torn.sight.is_healed {
        let clocks = if torn.is_adjusted() { "clocks adjusted" } else { "clocks as recorded" };
        facts.push((Role::Accent, format!("{} {clocks}", shared.symbols.clock)));
    }
    facts
}

fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", humane::count(number as u64), if number == 1 { "" } else { "s" })
}
