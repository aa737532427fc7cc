//! What tools say about themselves: lines that are no data, and events that they lost.

/// What a line says about the tool that wrote it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Notice {
    /// Nothing that counts.
    Noise,
    /// Events were lost.
    Lost { count: Option<u64>, what: &'static str },
}

/// How lines begin that are no data.
const BEGINNINGS: [&str; 14] = [
    "Attaching ",
    "Attached ",
    "Tracing ",
    "Sampling ",
    "Running ",
    "WARNING: ",
    "Warning: ",
    "stdin:",
    "Hit Ctrl-C",
    "Detaching",
    "libbpf: ",
    "ERROR: ",
    "Printing ",
    "Ctrl-C",
];

/// Returns what `line` says about its tool; nothing where it is data.
pub(super) fn notice(line: &str) -> Option<Notice> {
    if let Some(lost) = lost(line) {
        return Some(lost);
    }
    let is_noise = BEGINNINGS.iter().any(|beginning| line.starts_with(beginning))
        || line.starts_with("^C")
        || line.contains("couldn't set RLIMIT_MEMLOCK")
        || line.contains("Hit Ctrl-C")
        || line.contains("Ctrl+C to quit")
        || line.contains("Ctrl-C to end");
    is_noise.then_some(Notice::Noise)
}

/// `Lost 12 events`, `lost 12 events on CPU #1!`, `Possibly lost 3 samples`, `WARNING: 5 stack traces could not be displayed`,
/// `skipped 7 events`, `… Map full; can't update element`.
fn lost(line: &str) -> Option<Notice> {
    let lower = line.get(..line.len().min(200)).unwrap_or_default().to_ascii_lowercase();
    let is_map = lower.contains("map full") || lower.contains("can't update element");
    if is_map && lower.contains("warning") {
        return Some(Notice::Lost { count: None, what: "map entries" });
    }
    let is_stack = lower.contains("stack traces") && lower.contains("could not be displayed")
        || lower.contains("stack traces lost");
    if is_stack {
        return Some(Notice::Lost { count: first_number(&lower), what: "events" });
    }
    let after = ["lost ", "skipped ", "dropped "].iter().find_map(|word| {
        let at = lower.find(word).filter(|at| *at <= 20)?;
        lower.get(at + word.len()..)
    })?;
    let mut words = after.split_whitespace();
    let count: u64 = words.next()?.parse().ok()?;
    let unit = words.next()?.trim_end_matches(['!', '.', ',']);
    let what = match unit {
        "events" | "event" | "samples" | "sample" => "events",
        "packets" => "packets",
        _ => return None,
    };
    Some(Notice::Lost { count: Some(count), what })
}

fn first_number(text: &str) -> Option<u64> {
    text.split_whitespace().find_map(|word| word.parse().ok())
}
