//! Columns of tables: what their names tell.

use crate::kernel::value::is_duration;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A time of day.
    Time,
    /// Seconds since the tool began.
    Elapsed,
    /// Microseconds since boot.
    SinceBoot,
    Pid,
    Tid,
    Comm,
    Cpu,
    Field,
    /// An arrow.
    Skip,
}

impl Role {
    /// Tells whether this is when the event happened.
    pub(super) fn is_time(self) -> bool {
        matches!(self, Self::Time | Self::Elapsed | Self::SinceBoot)
    }
}

/// A column of a table.
#[derive(Debug, Clone)]
pub(super) struct Column {
    /// As recorded, in small letters, with `_` for what SQL would have to quote.
    pub name: String,
    pub role: Role,
    pub is_number: bool,
}

/// Units in small letters behind a name in capitals.
const UNITS: [&str; 19] = [
    "(us)", "(ms)", "(ns)", "(s)", "(KB)", "(b)", "_usecs", "_nsecs", "_msecs", "_count", "_us", "_b", "ms", "us",
    "ns", "Kb", "/s", "(bytes)", "_kb",
];

/// Columns that hold numbers, whatever the tool.
const NUMBERS: [&str; 26] = [
    "pid",
    "tid",
    "ppid",
    "tgid",
    "tpid",
    "uid",
    "gid",
    "fd",
    "err",
    "lport",
    "rport",
    "dport",
    "sport",
    "port",
    "count",
    "bytes",
    "sector",
    "tx_kb",
    "rx_kb",
    "cpu",
    "nr",
    "connects",
    "retransmits",
    "reads",
    "writes",
    "total",
];

/// Columns that tables of tools begin with or have, and hardly anything else.
const TELLING: [&str; 8] = ["PID", "COMM", "PCOMM", "TID", "TIME", "UID", "TIME(s)", "PPID"];

/// Tells whether words are the names of columns: capitals; or others, too, where two are names that tools use.
pub(super) fn is_header(words: &[&str]) -> bool {
    let num_telling = words.iter().filter(|word| TELLING.contains(word)).count();
    let is_loose = num_telling >= 2 && words.iter().all(|word| is_short(word));
    if !is_loose && !words.iter().all(|word| is_column(word)) {
        return false;
    }
    words.len() >= 3 || words.iter().any(|word| Column::of(word).is_number)
}

fn is_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')' | b':' | b'/' | b'>' | b'%' | b'-' | b'#')
}

fn is_short(word: &str) -> bool {
    word.len() <= 16 && word.bytes().all(is_name) && !word.ends_with(':')
}

/// Tells whether a word may be the name of a column by itself.
fn is_column(word: &str) -> bool {
    if matches!(word, "->" | "<->" | "<-" | ">" | "-" | "ms" | "us" | "ns") {
        return true;
    }
    let stem = word.trim_start_matches(['%', '(']);
    let capitals = stem.bytes().take_while(u8::is_ascii_uppercase).count();
    let unit = stem.get(capitals..).unwrap_or_default();
    let is_unit = unit.bytes().all(|byte| !byte.is_ascii_lowercase()) || UNITS.iter().any(|one| unit.ends_with(one));
    capitals >= 1 && stem.bytes().all(is_name) && is_unit && !stem.ends_with(':')
}

impl Column {
    /// Returns what the name of a column tells.
    pub(super) fn of(word: &str) -> Self {
        let name = column_name(word);
        let role = match name.as_str() {
            "time_s" | "time_ms" | "ts" => Role::Elapsed,
            "endtime_us" => Role::SinceBoot,
            "pid" => Role::Pid,
            "tid" => Role::Tid,
            "comm" | "pcomm" | "task" => Role::Comm,
            "cpu" => Role::Cpu,
            "" => Role::Skip,
            _ if name == "time" || name.starts_with("time_") => Role::Time,
            _ => Role::Field,
        };
        let ends_in_count = ["usecs", "_count"].iter().any(|end| name.ends_with(end));
        let is_number = matches!(role, Role::Elapsed | Role::SinceBoot)
            || NUMBERS.contains(&name.as_str())
            || is_duration(&name)
            || ends_in_count;
        Self { name, role, is_number }
    }
}

/// Returns `lat_us` for `LAT(us)`, `lat_ms` for `LATms`, `tx_kb` for `TX_KB`, nothing for an arrow.
fn column_name(word: &str) -> String {
    let capitals = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let (stem, unit) = word.split_at_checked(capitals).unwrap_or((word, ""));
    let word = if matches!(unit, "ms" | "us" | "ns") { format!("{stem}_{unit}") } else { word.to_owned() };
    let mut name = String::with_capacity(word.len());
    for letter in word.chars() {
        match letter {
            ':' => name.push(':'),
            _ if letter.is_ascii_alphanumeric() => name.push(letter.to_ascii_lowercase()),
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
    }
    name.trim_end_matches('_').to_owned()
}
