//! Tables: a line of column names in capitals, then rows.
//!
//! Cells are separated by spaces; where a row has more words than there are columns, a name of a task or the last text
//! holds the others. A row counts only where every column of numbers holds one, so that prose below a table is none.

use crate::bpf::tool;
use crate::clock::{ELAPSED, WRITTEN, seconds};
use crate::event::FlowKind;
use crate::kernel::flow::{self, Flow};
use crate::kernel::out::{Out, Stamp};
use crate::kernel::stamp::time_of_day;
use crate::kernel::value::{Value, int, is_duration, number, span_ns};

/// Most columns of a table.
const MAX_COLUMNS: usize = 32;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Time,
    Elapsed,
    Pid,
    Tid,
    Comm,
    Cpu,
    Field,
    /// An arrow.
    Skip,
}

#[derive(Debug, Clone)]
struct Column {
    /// As recorded, in small letters, with `_` for what SQL would have to quote.
    name: String,
    role: Role,
    is_number: bool,
}

/// A table whose header was read.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Which tool wrote it, if its columns tell.
    pub tool: Option<&'static str>,
    columns: Vec<Column>,
}

impl Table {
    /// Reads a header.
    pub(super) fn of(line: &str) -> Option<Self> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_short = words.len() >= 2 && words.len() <= MAX_COLUMNS;
        if !is_short || !words.iter().all(|word| is_column(word)) {
            return None;
        }
        let columns: Vec<Column> = words.iter().map(|word| column(word)).collect();
        columns.iter().any(|column| column.is_number).then(|| Self { tool: tool::of_columns(&words), columns })
    }

    /// Tells whether `line` may be a row.
    pub(super) fn is_row(&self, line: &str) -> bool {
        self.cells(line).is_some()
    }

    /// Appends a row and, of a socket, what happened to it. Returns where the event is; nothing where it is no row.
    pub(super) fn row(&self, out: &mut Out, tool: &str, line: &str, block: Option<Stamp>) -> Option<(usize, usize)> {
        let cells = self.cells(line)?;
        let stamp = self.stamp(&cells).or(block).unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
        let mut flow = flow::may_be(tool).then(Flow::default);
        let mut row = out.event(tool, stamp)?;
        for (column, cell) in self.columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            let value = Value::of(cell);
            match (column.role, value) {
                (Role::Time | Role::Elapsed | Role::Skip, _) => {}
                (Role::Pid, Value::Int(pid)) => row.pid(pid),
                (Role::Tid, Value::Int(tid)) => row.tid(tid),
                (Role::Cpu, Value::Int(cpu)) => row.cpu(cpu),
                (Role::Comm, _) => row.comm(cell),
                _ => put(&mut row, &column.name, cell),
            }
            if is_duration(&column.name) && tool != "tcpstates" {
                span_ns(&column.name, value).into_iter().for_each(|ns| row.duration_ns(ns));
            }
            flow.iter_mut().for_each(|flow| socket(flow, column, cell));
        }
        if let Some(flow) = flow {
            let time_ns = out.time(stamp);
            flow.commit(out, tool, time_ns);
        }
        Some(out.place(tool, stamp.clock))
    }

    fn stamp(&self, cells: &[&str]) -> Option<Stamp> {
        let timed =
            self.columns.iter().zip(cells).find(|(column, _)| matches!(column.role, Role::Time | Role::Elapsed));
        let (column, cell) = timed?;
        match column.role {
            Role::Time => time_of_day(cell),
            _ => seconds(cell).map(|ns| Stamp { clock: ELAPSED, ns }),
        }
    }

    /// Returns the cells of a row; nothing where it is none.
    fn cells<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        let words: Vec<&str> = line.split_whitespace().collect();
        let num_columns = self.columns.len();
        if words.len() <= num_columns {
            let missing = num_columns - words.len();
            let is_row =
                missing <= num_columns / 2 && words.len() >= 2 && (missing == 0 || !self.ends_in_number(missing));
            return (is_row && self.fits(&words)).then_some(words);
        }
        let extra = words.len() - num_columns;
        let widest = |at: &usize| self.columns.get(*at).is_some_and(|column| !column.is_number);
        let last = (0..num_columns).rev().filter(widest);
        let comms = (0..num_columns).filter(|at| self.columns.get(*at).is_some_and(|column| column.role == Role::Comm));
        let is_last_text = self.columns.last().is_some_and(|column| !column.is_number);
        let order: Vec<usize> = if is_last_text { last.chain(comms).collect() } else { comms.chain(last).collect() };
        order.into_iter().find_map(|at| Some(joined(line, &words, at, extra)?).filter(|cells| self.fits(cells)))
    }

    fn ends_in_number(&self, num_columns: usize) -> bool {
        self.columns.iter().rev().take(num_columns).any(|column| column.is_number)
    }

    fn fits(&self, cells: &[&str]) -> bool {
        self.columns.iter().zip(cells).all(|(column, cell)| match column.role {
            Role::Time => time_of_day(cell).is_some(),
            Role::Skip => matches!(*cell, "->" | "<->" | "<-" | "=>"),
            _ => !column.is_number || number(cell).is_some() || matches!(*cell, "-" | "N/A" | "n/a"),
        })
    }
}

/// Joins `extra` words to the one at `at`.
fn joined<'a>(line: &'a str, words: &[&'a str], at: usize, extra: usize) -> Option<Vec<&'a str>> {
    let start = |word: &str| (word.as_ptr() as usize).checked_sub(line.as_ptr() as usize);
    let (first, last) = (words.get(at)?, words.get(at + extra)?);
    let cell = line.get(start(first)?..start(last)? + last.len())?;
    let mut cells = words.get(..at)?.to_vec();
    cells.push(cell);
    cells.extend_from_slice(words.get(at + extra + 1..)?);
    Some(cells)
}

/// Tells whether a word may be the name of a column: capitals, with a unit in small letters behind them.
fn is_column(word: &str) -> bool {
    if matches!(word, "->" | "<->" | "<-" | "-") {
        return true;
    }
    let stem = word.trim_start_matches('%');
    let capitals = stem.bytes().take_while(u8::is_ascii_uppercase).count();
    let is_name = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'(' | b')' | b':' | b'/' | b'>' | b'%' | b'-' | b'#')
    };
    let unit = stem.get(capitals..).unwrap_or_default();
    let is_unit = unit.bytes().all(|byte| !byte.is_ascii_lowercase()) || UNITS.iter().any(|one| unit.ends_with(one));
    capitals >= 1 && stem.bytes().all(is_name) && is_unit && !stem.ends_with(':')
}

const UNITS: [&str; 16] = [
    "(us)", "(ms)", "(ns)", "(s)", "(KB)", "(b)", "_usecs", "_nsecs", "_msecs", "ms", "us", "ns", "Kb", "/s",
    "(bytes)", "_kb",
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

fn column(word: &str) -> Column {
    let name = column_name(word);
    let role = match name.as_str() {
        "time" => Role::Time,
        "time_s" | "time_ms" | "ts" => Role::Elapsed,
        "pid" => Role::Pid,
        "tid" => Role::Tid,
        "comm" | "pcomm" => Role::Comm,
        "cpu" => Role::Cpu,
        "" => Role::Skip,
        _ => Role::Field,
    };
    let is_number =
        role == Role::Elapsed || NUMBERS.contains(&name.as_str()) || is_duration(&name) || name.ends_with("usecs");
    Column { name, role, is_number }
}

/// Returns `lat_us` for `LAT(us)`, `lat_ms` for `LATms`, `tx_kb` for `TX_KB`, nothing for an arrow.
fn column_name(word: &str) -> String {
    let mut name = String::with_capacity(word.len() + 1);
    let mut was_capital = false;
    for letter in word.chars() {
        let is_unit = was_capital && letter.is_ascii_lowercase();
        if is_unit && !name.ends_with('_') {
            name.push('_');
        }
        match letter {
            ':' => name.push(':'),
            _ if letter.is_ascii_alphanumeric() => name.push(letter.to_ascii_lowercase()),
            _ if !name.is_empty() && !name.ends_with('_') => name.push('_'),
            _ => {}
        }
        was_capital = letter.is_ascii_uppercase();
    }
    name.trim_end_matches('_').to_owned()
}

/// Puts a cell under the name of its column; `LADDR:LPORT` are two.
fn put(row: &mut crate::kernel::row::Row<'_>, name: &str, cell: &str) {
    match (name.split_once(':'), flow::endpoint(cell)) {
        (Some((address, port)), Some((host, Some(number)))) => {
            row.field(address, Value::Text(host));
            row.field(port, Value::Int(number));
        }
        _ => row.field(name, Value::of(cell)),
    }
}

fn socket<'a>(flow: &mut Flow<'a>, column: &Column, cell: &'a str) {
    match (column.role, column.name.as_str()) {
        (Role::Time | Role::Elapsed | Role::Skip | Role::Tid | Role::Cpu, _) => {}
        (Role::Comm, _) => flow.comm = cell,
        (_, "laddr:lport" | "saddr:sport") => flow.source(cell),
        (_, "raddr:rport" | "daddr:dport") => flow.destination(cell),
        (_, "ip" | "skaddr") => flow.detail(&column.name, Value::of(cell)),
        (_, "t") => {
            flow.kind = match cell {
                "C" => Some(FlowKind::Connect),
                "A" => Some(FlowKind::Accept),
                "X" => Some(FlowKind::Close),
                _ => flow.kind,
            };
            flow.detail("type", Value::Text(cell));
        }
        (_, "count" | "connects" | "retransmits") => {
            flow.detail(&column.name, int(cell).map_or(Value::Text(cell), Value::Int));
        }
        (_, name) => flow.take(name, cell),
    }
}
