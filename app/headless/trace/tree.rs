//! One trace as a tree for people:
//!
//! ```text
//! 4bf92f3577b34da6a3ce929d0e0e4736  POST /checkout  2.31 s  47 spans  6 services  2 errors  2026-09-14 10:52:03.112
//!
//! gateway  POST /checkout      ██████████████████████████   2.31 s
//! ├─ gateway  auth             █                              61 ms
//! └─ gateway  POST orders       ████████████████████████     2.20 s
//!    └─ orders  charge             ██████                    500 ms  ✖ deadline exceeded
//! ```

use std::io::{self, Write};

use riftline_ingest::text::inert;
use riftline_queries::trace::assemble::Place;
use unicode_width::UnicodeWidthStr;

use super::rows::{ERROR, Trace, text};
use crate::format::{Face, cut};
use crate::humane;

/// Width where there is no terminal.
const PIPE_WIDTH: usize = 120;
/// Room for a duration at the right.
const DURATION_WIDTH: usize = 9;
/// Bars are not narrower.
const MIN_BAR: usize = 8;
/// Levels of guides that are drawn; deeper spans say how deep they are.
const MAX_GUIDES: usize = 10;

const RED: &str = "\x1b[31m";
const DIM: &str = "\x1b[2m";
const BOLD: &str = "\x1b[1m";
const PLAIN: &str = "\x1b[0m";
/// Colours of bars, one a service: those of 16-colour terminals that are neither red nor background.
const SERVICE_COLORS: [&str; 8] =
    ["\x1b[36m", "\x1b[35m", "\x1b[34m", "\x1b[32m", "\x1b[33m", "\x1b[96m", "\x1b[95m", "\x1b[94m"];

/// Where things stand on a line, in columns.
struct Layout {
    label: usize,
    bar: usize,
    start_ns: i64,
    end_ns: i64,
    has_color: bool,
}

/// Prints the tree.
pub fn print(trace: &Trace, face: &Face, out: &mut dyn Write) -> io::Result<()> {
    let width = face.width.unwrap_or(PIPE_WIDTH).max(40);
    let (start_ns, end_ns) = trace.extent();
    let room = width.saturating_sub(DURATION_WIDTH + 4);
    let label = widest_label(trace).clamp(12, (width * 11 / 20).min(room.saturating_sub(MIN_BAR)));
    let noted = widest_note(trace).min(width / 4);
    let bar = room.saturating_sub(label + noted).max(MIN_BAR);
    let layout = Layout { label, bar, start_ns, end_ns, has_color: face.has_color };
    print_head(trace, face, &layout, out)?;
    let is_last = last_siblings(trace);
    trace.tree.order.iter().try_for_each(|&span| print_span(trace, span as usize, &is_last, &layout, width, out))
}

fn print_head(trace: &Trace, face: &Face, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
    let root = trace.tree.order.first().map(|&span| span as usize);
    let name = root.map(|root| inert(trace.spans.name(root)).into_owned()).unwrap_or_default();
    let parts = [
        name,
        humane::duration(layout.end_ns.saturating_sub(layout.start_ns)),
        counted(trace.spans.len(), "span"),
        counted(trace.num_services(), "service"),
        counted(trace.num_errors(), "error"),
        humane::date_time(layout.start_ns, face.zone),
    ];
    writeln!(out, "{}  {}\n", layout.paint(BOLD, trace.id()), parts.join("  "))
}

/// Returns a number with its noun: `1 span`, `2 spans`.
#[must_use]
pub fn counted(number: usize, noun: &str) -> String {
    format!("{} {noun}{}", humane::count(number as u64), if number == 1 { "" } else { "s" })
}

fn print_span(
    trace: &Trace,
    span: usize,
    is_last: &[bool],
    layout: &Layout,
    width: usize,
    out: &mut dyn Write,
) -> io::Result<()> {
    let guides = guides(trace, span, is_last);
    let room = layout.label.saturating_sub(guides.width());
    let label = label(trace, span);
    let shown = cut(&label, room);
    let blanks = " ".repeat(room.saturating_sub(shown.width()));
    let is_error = trace.spans.status.get(span) == Some(&ERROR);
    let color = if is_error { RED } else { service_color(trace, span) };
    let (before, bar, after) = bar(trace, span, layout);
    let duration = humane::duration(trace.spans.duration_ns.get(span).copied().unwrap_or_default());
    let duration_blanks = " ".repeat(DURATION_WIDTH.saturating_sub(duration.width()));
    write!(out, "{}{}{blanks}  ", layout.paint(DIM, &guides), shown)?;
    write!(out, "{before}{}{after} {duration_blanks}{duration}", layout.paint(color, &bar))?;
    let mut used = layout.label + layout.bar + DURATION_WIDTH + 3;
    for (color, note) in notes(trace, span) {
        // What is noted goes on a line of its own where the terminal has no room for it at the right.
        let fits = used + 2 + note.width() <= width;
        let lead = if fits { "  ".to_owned() } else { format!("\n{}  ", " ".repeat(guides.width())) };
        let room = if fits { note.width() } else { width.saturating_sub(guides.width() + 2) };
        write!(out, "{lead}{}", layout.paint(color, &cut(&note, room)))?;
        used = if fits { used + 2 + note.width() } else { width };
    }
    writeln!(out)
}

impl Layout {
    fn paint(&self, color: &str, text: &str) -> String {
        if self.has_color && !text.is_empty() { format!("{color}{text}{PLAIN}") } else { text.to_owned() }
    }
}

/// Returns the room that notes take with the gap before them, nothing where there are none.
fn widest_note(trace: &Trace) -> usize {
    let notes = (0..trace.spans.len()).flat_map(|span| notes(trace, span));
    notes.map(|(_, note)| note.width() + 2).max().unwrap_or_default()
}

fn label(trace: &Trace, span: usize) -> String {
    format!("{}  {}", inert(trace.spans.service(span)), inert(trace.spans.name(span)))
}

fn widest_label(trace: &Trace) -> usize {
    let depth = |span: usize| trace.tree.depth.get(span).map_or(0, |&depth| (depth as usize).min(MAX_GUIDES));
    (0..trace.spans.len()).map(|span| depth(span) * 3 + label(trace, span).width()).max().unwrap_or_default()
}

/// Tells of each span whether no sibling follows it.
fn last_siblings(trace: &Trace) -> Vec<bool> {
    let tree = &trace.tree;
    let mut is_last = vec![true; trace.spans.len()];
    let mut latest_child = std::collections::HashMap::new();
    for &span in &tree.order {
        let parent = tree.parent.get(span as usize).copied().unwrap_or(u32::MAX);
        if let Some(earlier) = latest_child.insert(parent, span).and_then(|earlier| is_last.get_mut(earlier as usize)) {
            *earlier = false;
        }
    }
    is_last
}

/// Returns the lines that lead to a span; of deep spans the last levels and the depth.
fn guides(trace: &Trace, span: usize, is_last: &[bool]) -> String {
    let depth = trace.tree.depth.get(span).map_or(0, |&depth| depth as usize);
    let ends_here = |span: usize| is_last.get(span).copied().unwrap_or(true);
    let mut parts: Vec<&str> = Vec::with_capacity(MAX_GUIDES);
    let mut at = span;
    while parts.len() < depth.min(MAX_GUIDES) {
        parts.push(match (parts.is_empty(), ends_here(at)) {
            (true, true) => "└─ ",
            (true, false) => "├─ ",
            (false, true) => "   ",
            (false, false) => "│  ",
        });
        at = trace.tree.parent.get(at).map_or(usize::MAX, |&parent| parent as usize);
    }
    parts.reverse();
    let deeper = if depth > MAX_GUIDES { format!("{depth}↳ ") } else { String::new() };
    format!("{deeper}{}", parts.concat())
}

/// Returns the blanks before a span's bar, the bar, and the blanks after it.
fn bar(trace: &Trace, span: usize, layout: &Layout) -> (String, String, String) {
    let total = layout.end_ns.saturating_sub(layout.start_ns).max(1) as f64;
    let cells = layout.bar as f64;
    let column = |time_ns: i64| {
        let share = time_ns.saturating_sub(layout.start_ns) as f64 / total;
        (share.clamp(0.0, 1.0) * cells).round() as usize
    };
    let start = trace.spans.start_ns.get(span).copied().unwrap_or_default();
    let from = column(start).min(layout.bar.saturating_sub(1));
    let to = column(trace.spans.end_ns(span)).max(from);
    let bar = if to == from { "▏".to_owned() } else { "█".repeat(to - from) };
    let after = layout.bar.saturating_sub(from + bar.width());
    (" ".repeat(from), bar, " ".repeat(after))
}

fn service_color(trace: &Trace, span: usize) -> &'static str {
    let name = trace.spans.service(span).bytes();
    let sum = name.fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(byte)));
    SERVICE_COLORS.get(sum % SERVICE_COLORS.len()).copied().unwrap_or_default()
}

/// Returns why a span stands below another than the recorded parent: `┆ 0.97 call-timing: …`, with a question mark where that
/// is not sure.
fn joined(trace: &Trace, span: usize) -> Option<String> {
    let stitch: serde_json::Value = serde_json::from_str(text(trace.table.get(span, "stitch"))).ok()?;
    let said = |name: &str| inert(stitch[name].as_str().unwrap_or_default()).into_owned();
    let sure = if said("state") == "accepted" { "≠" } else { "≠?" };
    Some(format!("┆ {sure} {:.2} {}: {}", stitch["confidence"].as_f64()?, said("rule"), said("why")))
}

/// Returns what is to be said beside a span: its error, and whether its place in the tree is not as recorded.
fn notes(trace: &Trace, span: usize) -> Vec<(&'static str, String)> {
    let mut notes = Vec::new();
    notes.extend(joined(trace, span).map(|note| (DIM, note)));
    if trace.spans.status.get(span) == Some(&ERROR) {
        let message = inert(text(trace.table.get(span, "status_message"))).into_owned();
        notes.push((RED, format!("✖ {}", if message.is_empty() { "error" } else { &message })));
    }
    match trace.tree.place.get(span) {
        Some(Place::Orphan) => {
            let parent = inert(text(trace.table.get(span, "parent_span_id"))).into_owned();
            notes.push((DIM, format!("✂ parent {parent} is not here")));
        }
        Some(Place::CycleCut) => notes.push((DIM, "↻ parents form a ring, cut here".to_owned())),
        Some(Place::Root | Place::Child) | None => {}
    }
    if trace.tree.shares_id.get(span) == Some(&true) {
        notes.push((DIM, "≡ another span has the same id".to_owned()));
    }
    notes
}
