//! A finding in words: what it means, why it is believed, who has to change what.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::detect::DETECTORS;
use serde_json::Value;

use super::finding::Finding;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::Shared;
use crate::widget::line::put;
use crate::widget::prose::wrap;

/// Cells of the words in front.
const KEY_WIDTH: u16 = 11;
/// Keys of the evidence that have a place of their own.
const PLACED: [&str; 5] = ["definition", "why", "side", "symptoms", "rule_version"];

/// One line on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    pub key: String,
    pub text: String,
    pub role: Role,
}

/// Returns what to know first: why, and what to change.
#[must_use]
pub fn summary(finding: &Finding, room: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    say(&mut lines, "why", finding.said("why"), Role::Text, room);
    change(&mut lines, finding, room);
    say(&mut lines, "what", finding.said("definition"), Role::Dim, room);
    lines
}

/// Returns everything that is known.
#[must_use]
pub fn whole(finding: &Finding, shared: &Shared, room: u16) -> Vec<Line> {
    let mut lines = Vec::new();
    say(&mut lines, "what", finding.said("definition"), Role::Strong, room);
    say(&mut lines, "why", finding.said("why"), Role::Text, room);
    change(&mut lines, finding, room);
    symptoms(&mut lines, finding, room);
    say(&mut lines, "seen", &seen(finding, shared), Role::Time, room);
    proof(&mut lines, finding, room);
    say(&mut lines, "rule", &rule(finding), Role::Text, room);
    say(&mut lines, "", "s shows the row in SQL, y copies SQL, JSON, fix and rule", Role::Dim, room);
    let text = DETECTORS.iter().find(|one| one.id == finding.rule).map_or("", |one| one.rule);
    say(&mut lines, "as shipped", text.trim_end(), Role::Dim, room);
    lines
}

/// Draws lines from `top` on.
pub fn render(lines: &[Line], top: usize, area: Rect, buffer: &mut Buffer, shared: &Shared) {
    for (y, line) in (area.y..area.bottom()).zip(lines.iter().skip(top)) {
        let place = Rect { y, height: 1, ..area };
        let keys = Rect { width: KEY_WIDTH.min(place.width), ..place };
        put(buffer, keys, &line.key, shared.theme.style(Role::Heading));
        let texts = Rect { x: keys.right(), width: place.width - keys.width, ..place };
        put(buffer, texts, &line.text, shared.theme.style(line.role));
    }
}

fn say(lines: &mut Vec<Line>, key: &str, text: &str, role: Role, room: u16) {
    if text.is_empty() {
        return;
    }
    for (at, text) in wrap(text, room.saturating_sub(KEY_WIDTH)).into_iter().enumerate() {
        let key = if at == 0 { key.to_owned() } else { String::new() };
        lines.push(Line { key, text, role });
    }
}

/// Says who has to change what: the general text, then how in each language.
fn change(lines: &mut Vec<Line>, finding: &Finding, room: u16) {
    let side = finding.said("side");
    if !side.is_empty() {
        say(lines, "to change", side, Role::Accent, room);
    }
    for (at, text) in finding.fix.lines().enumerate() {
        match text.split_once(": ").filter(|(word, _)| at > 0 && !word.contains(' ')) {
            Some((language, how)) => say(lines, &format!("  {language}"), how, Role::Text, room),
            None => say(lines, if side.is_empty() { "to change" } else { "" }, text, Role::Text, room),
        }
    }
}

fn symptoms(lines: &mut Vec<Line>, finding: &Finding, room: u16) {
    let list = finding.evidence.get("symptoms").and_then(Value::as_array);
    for (at, symptom) in list.into_iter().flatten().enumerate() {
        let said = |name: &str| symptom[name].as_str().unwrap_or_default();
        let text = format!("{} {}: {}", said("rule"), said("subject"), said("why"));
        say(lines, if at == 0 { "explains" } else { "" }, &text, Role::Text, room);
    }
}

fn seen(finding: &Finding, shared: &Shared) -> String {
    let time = |time_ns: i64| humane::date_time(time_ns, shared.zone).get(..19).map(str::to_owned).unwrap_or_default();
    format!("{} – {}", time(finding.first_seen_ns), time(finding.last_seen_ns))
}

fn proof(lines: &mut Vec<Line>, finding: &Finding, room: u16) {
    let members = finding.evidence.iter().filter(|(name, _)| !PLACED.contains(&name.as_str()));
    for (at, (name, value)) in members.enumerate() {
        let text = format!("{}: {}", name.replace('_', " "), shown(value));
        say(lines, if at == 0 { "evidence" } else { "" }, &text, Role::Number, room);
    }
}

fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) if list.is_empty() => "none".to_owned(),
        Value::Array(list) => list.iter().map(shown).collect::<Vec<_>>().join(", "),
        Value::Object(members) => {
            members.iter().map(|(name, value)| format!("{name} {}", shown(value))).collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn rule(finding: &Finding) -> String {
    let version = finding.evidence.get("rule_version").map(|version| format!(" version {version}")).unwrap_or_default();
    format!("{}{version}, group {}, finding {}", finding.rule, finding.group, finding.id)
}
