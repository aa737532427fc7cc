//! A verdict as plain text: incident and staging side by side, no wider than [`WIDTH`], no colours, control characters inert.

use std::fmt::Write;

use super::asked::Expect;
use super::verdict::{Count, Errors, FailureLine, Part, Quantiles, Score, Structure, Times, Verdict};
use crate::replay::edge::Class;

/// Columns of the report.
const WIDTH: usize = 100;
/// Columns for what a line is about.
const WHAT: usize = WIDTH - 2 - 2 * FIGURE;
const FIGURE: usize = 18;
const MAX_LINES: usize = 12;

/// Returns a verdict as lines of text, each ending with a line feed.
#[must_use]
pub fn report(verdict: &Verdict) -> String {
    let mut text = String::new();
    text.push_str(&head(verdict));
    gates(&mut text, verdict);
    parts(&mut text, verdict);
    latency(&mut text, &verdict.latency);
    errors(&mut text, &verdict.errors);
    structure(&mut text, &verdict.structure);
    findings(&mut text, verdict);
    counts(&mut text, "torn at, fragments a request", &verdict.tears);
    assertions(&mut text, verdict);
    remarks(&mut text, verdict);
    text
}

/// Returns the verdict in one line: `PARTIAL  0.71 of an achievable 0.83 …`.
fn head(verdict: &Verdict) -> String {
    let word = match verdict.expect {
        Expect::Reproduced => "reproduced",
        Expect::Tolerated => "tolerated",
    };
    let passed = match verdict.passed {
        Some(true) => "pass",
        Some(false) => "fail",
        None => "no result",
    };
    let score = verdict.score.as_ref().map(score).unwrap_or_default();
    format!("{}: {passed} (expected: {word})\n{score}", verdict.outcome.name())
}

fn score(score: &Score) -> String {
    format!(
        "{:.2} of an achievable {:.2}, no fault scores {:.2}: {:.0} % of the way, 95 % interval {:.0} to {:.0} %\n",
        score.value,
        score.ceiling,
        score.floor,
        score.share * 100.0,
        score.low * 100.0,
        score.high * 100.0
    )
}

fn title(text: &mut String, what: &str, left: &str, right: &str) {
    let _ = writeln!(text, "\n{} {left:>FIGURE$} {right:>FIGURE$}", fit(what, WHAT));
}

fn line(text: &mut String, what: &str, left: &str, right: &str) {
    let _ = writeln!(text, "  {} {left:>FIGURE$} {right:>FIGURE$}", fit(what, WHAT - 2));
}

fn gates(text: &mut String, verdict: &Verdict) {
    let _ = writeln!(text, "\ngates");
    for gate in &verdict.gates {
        let state = gate.failed.map_or("ok", super::verdict::Outcome::name);
        wrapped(text, &format!("{state:<13} {}: {}", gate.name, gate.words));
    }
}

fn parts(text: &mut String, verdict: &Verdict) {
    let class = match verdict.class {
        Class::Latency => "latency",
        Class::Error => "error",
        Class::Context => "context",
    };
    let _ = writeln!(text, "\n{:<14}{:>10}{:>10}{:>10}{:>12}", "score", "weight", "value", "no fault", "achievable");
    for Part { aspect, weight, value, floor, ceiling } in &verdict.parts {
        let figure = |value: &Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
        let (value, floor, ceiling) = (figure(value), figure(floor), figure(ceiling));
        let _ = writeln!(text, "  {:<12}{weight:>10.2}{value:>10}{floor:>10}{ceiling:>12}", aspect.name());
    }
    let _ = writeln!(text, "  weights of a {class} fault; what has nothing to compare on either side has none");
}

fn latency(text: &mut String, times: &[Times]) {
    if times.is_empty() {
        return;
    }
    title(text, "latency, ms: p50 / p90 / p99", "incident", "staging");
    for one in times.iter().take(MAX_LINES) {
        line(text, &one.path, &quantiles(&one.incident), &quantiles(&one.staging));
        let _ = writeln!(
            text,
            "    baseline {} and {}; alike {:.2}, weight {:.2}, distance {:.2}, D {:.2}, p {:.3}, effect {:.2}",
            millis(one.incident.baseline),
            millis(one.staging.baseline),
            one.likeness,
            one.weight,
            one.distance,
            one.ks,
            one.p,
            one.effect
        );
    }
    more(text, times.len());
}

fn quantiles(of: &Quantiles) -> String {
    format!("{} / {} / {}", millis(of.p50), millis(of.p90), millis(of.p99))
}

/// At most five columns for times up to a day.
fn millis(ms: f64) -> String {
    match ms {
        ms if ms.abs() < 9.95 => format!("{ms:.1}"),
        ms if ms.abs() < 99_999.5 => format!("{ms:.0}"),
        ms => format!("{ms:.0e}"),
    }
}

fn errors(text: &mut String, errors: &Errors) {
    title(text, "errors, times a request", "incident", "staging");
    let rate = |(failed, all): (f64, f64)| format!("{failed} of {all}");
    line(text, "requests that failed", &rate(errors.incident), &rate(errors.staging));
    let (low, difference, high) = errors.difference;
    let _ = writeln!(
        text,
        "    share in staging less share in the incident: {:+.0} %, 95 % interval {:+.0} to {:+.0} %",
        difference * 100.0,
        low * 100.0,
        high * 100.0
    );
    for one in errors.lines.iter().take(MAX_LINES) {
        line(text, &failure(one), &format!("{:.2}", one.incident), &format!("{:.2}", one.staging));
    }
    more(text, errors.lines.len());
}

fn failure(line: &FailureLine) -> String {
    let failure = &line.failure;
    let words = [failure.code.as_str(), failure.exception.as_str(), failure.message.as_str()];
    let mut words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
    words.dedup();
    let how = if words.is_empty() { "failed".to_owned() } else { words.join(" ") };
    let begins = if line.is_first { ", begins here" } else { "" };
    format!("{}: {how}{begins}", line.path)
}

fn structure(text: &mut String, structure: &Structure) {
    let _ = writeln!(text, "\nstructure: {} paths compared", structure.compared);
    counts(text, "missing calls, times a request", &structure.missing);
    counts(text, "extra calls, times a request", &structure.extra);
    counts(text, "repeated calls, times a request", &structure.repeated);
    counts(text, "retries, times a request", &structure.retries);
    counts(text, "fan-out, further calls a request", &structure.fan_out);
    counts(text, "left out: differs without any fault", &structure.excluded);
}

fn counts(text: &mut String, name: &str, lines: &[Count]) {
    if lines.is_empty() {
        return;
    }
    title(text, name, "incident", "staging");
    for count in lines.iter().take(MAX_LINES) {
        line(text, &count.what, &format!("{:.2}", count.incident), &format!("{:.2}", count.staging));
    }
    more(text, lines.len());
}

fn findings(text: &mut String, verdict: &Verdict) {
    if verdict.findings.is_empty() {
        return;
    }
    title(text, "findings", "incident", "staging");
    for finding in verdict.findings.iter().take(MAX_LINES) {
        let has = |is: bool| if is { "yes" } else { "no" };
        let mark = if finding.is_primary { " (the incident's own)" } else { "" };
        let what = format!("{}{mark}: {}", finding.rule, finding.subject);
        line(text, &what, has(finding.incident), has(finding.staging));
    }
    more(text, verdict.findings.len());
}

fn assertions(text: &mut String, verdict: &Verdict) {
    if !verdict.assertions.is_empty() {
        let _ = writeln!(text, "\nassertions");
    }
    for checked in &verdict.assertions {
        let state = match checked.holds {
            Some(true) => "holds",
            Some(false) => "BROKEN",
            None => "not tested",
        };
        wrapped(text, &format!("{state:<13} {}: {}", checked.sentence, checked.words));
    }
}

fn remarks(text: &mut String, verdict: &Verdict) {
    let recovery = verdict.recovery.as_ref().map(|recovery| format!("recovery: {}", recovery.words));
    let remarks: Vec<String> = recovery.into_iter().chain(verdict.remarks.iter().cloned()).collect();
    if !remarks.is_empty() {
        let _ = writeln!(text, "\nremarks");
    }
    remarks.iter().for_each(|remark| wrapped(text, remark));
}

fn more(text: &mut String, lines: usize) {
    if lines > MAX_LINES {
        let _ = writeln!(text, "  and {} more", lines - MAX_LINES);
    }
}

/// Writes a sentence over as many lines as it needs, further ones further in.
fn wrapped(text: &mut String, sentence: &str) {
    let mut column = 2;
    text.push_str("  ");
    for word in inert(sentence).split(' ') {
        let width = word.chars().count();
        if column + width > WIDTH && column > 4 {
            text.truncate(text.trim_end_matches(' ').len());
            text.push_str("\n    ");
            column = 4;
        }
        text.push_str(word);
        text.push(' ');
        column += width + 1;
    }
    text.truncate(text.trim_end_matches(' ').len());
    text.push('\n');
}

/// Cuts or fills a text to a width. Of a path the end tells more than the beginning.
fn fit(text: &str, width: usize) -> String {
    let text = inert(text);
    let length = text.chars().count();
    if length <= width {
        return format!("{text:<width$}");
    }
    let cut = text.chars().skip(length - width + 1);
    std::iter::once('…').chain(cut).collect()
}

/// Puts a visible mark for characters that would move the cursor or the colours.
fn inert(text: &str) -> String {
    let is_unseen = |c: char| {
        c.is_control() || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    text.chars().map(|c| if is_unseen(c) { '\u{fffd}' } else { c }).collect()
}
