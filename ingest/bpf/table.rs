//! Tables: a line of column names in capitals, then rows.
//!
//! Cells are separated by spaces; where a row has more words than there are columns, a name of a task or the last text
//! holds the others. A row counts only where every column of numbers holds one, so that prose below a table is none.

use crate::bpf::column::{self, Column, Role};
use crate::bpf::tool;
use crate::clock::{BOOTTIME, ELAPSED, WRITTEN, seconds};
use crate::event::FlowKind;
use crate::kernel::flow::{self, Flow};
use crate::kernel::out::{Out, Place, Stamp};
use crate::kernel::stamp::time_of_day;
use crate::kernel::value::{Value, int, is_duration, number, span_ns};

/// Most columns of a table.
const MAX_COLUMNS: usize = 32;

/// A table whose header was read.
#[derive(Debug, Clone)]
pub(super) struct Table {
    /// Which tool wrote it, if its columns tell.
    pub tool: Option<&'static str>,
    columns: Vec<Column>,
    /// Cells are separated by commas.
    has_commas: bool,
}

impl Table {
    /// Reads a header.
    pub(super) fn of(line: &str) -> Option<Self> {
        let has_commas = line.contains(',') && !line.contains(' ');
        let words: Vec<&str> = if has_commas { line.split(',').collect() } else { line.split_whitespace().collect() };
        let words = joined_names(&words);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        let is_short = words.len() >= 2 && words.len() <= MAX_COLUMNS;
        if !is_short || !column::is_header(&words) {
            return None;
        }
        let columns = words.iter().map(|word| Column::of(word)).collect();
        Some(Self { tool: tool::of_columns(&words), columns, has_commas })
    }

    /// Tells whether `line` may be a row.
    pub(super) fn is_row(&self, line: &str) -> bool {
        self.cells(line).is_some()
    }

    /// Appends a row and, of a socket, what happened to it. Returns where the event is; nothing where it is no row.
    pub(super) fn row(&self, out: &mut Out, tool: &str, line: &str, block: Option<Stamp>) -> Option<Place> {
        let cells = self.cells(line)?;
        let stamp = self.stamp(&cells).or(block).unwrap_or(Stamp { clock: WRITTEN, ns: 0 });
        let mut flow = flow::may_be(tool).then(Flow::default);
        let mut row = out.event(tool, stamp)?;
        for (column, cell) in self.columns.iter().zip(&cells).filter(|(_, cell)| !cell.is_empty()) {
            let value = Value::of(cell);
            match (column.role, value) {
                (role, _) if role.is_time() || role == Role::Skip => {}
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
        Some(out.place())
    }

    fn stamp(&self, cells: &[&str]) -> Option<Stamp> {
        let timed = self.columns.iter().zip(cells).find(|(column, _)| column.role.is_time());
        let (column, cell) = timed?;
        let elapsed = |ns: i64| Stamp { clock: ELAPSED, ns };
        match (column.role, int(cell)) {
            (Role::SinceBoot, Some(us)) => Some(Stamp { clock: BOOTTIME, ns: us.saturating_mul(1_000) }),
            // Milliseconds, where a tool of bpftrace prints no time of day.
            (Role::Time, Some(ms)) => Some(elapsed(ms.saturating_mul(1_000_000))),
            (Role::Time, None) => time_of_day(cell.trim_end_matches(':')).or_else(|| seconds(cell).map(elapsed)),
            _ => seconds(cell).map(elapsed),
        }
    }

    /// Returns the cells of a row; nothing where it is none.
    fn cells<'a>(&self, line: &'a str) -> Option<Vec<&'a str>> {
        let num_columns = self.columns.len();
        if self.has_commas {
            let cells: Vec<&str> = line.splitn(num_columns, ',').collect();
            return (cells.len() == num_columns && self.fits(&cells)).then_some(cells);
        }
        let words: Vec<&str> = line.split_whitespace().collect();
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
        let is_number = |cell: &&str| number(cell.trim_end_matches('%')).is_some();
        let has_numbers = self.columns.iter().any(|column| column.is_number) || cells.iter().any(is_number);
        has_numbers
            && self.columns.iter().zip(cells).all(|(column, cell)| match column.role {
                Role::Time => time_of_day(cell.trim_end_matches(':')).is_some() || number(cell).is_some(),
                Role::Skip => matches!(*cell, "->" | "<->" | "<-" | "=>" | "-" | ">"),
                _ => !column.is_number || is_number(cell) || matches!(*cell, "-" | "N/A" | "n/a"),
            })
    }
}

/// `PREV COMM` and `PREV TID` are names of two words.
fn joined_names(words: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for word in words {
        match names.last_mut().filter(|last| *last == "PREV") {
            Some(last) => *last = format!("PREV_{word}"),
            None => names.push((*word).to_owned()),
        }
    }
    names
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
        (role, _) if role.is_time() || matches!(role, Role::Skip | Role::Tid | Role::Cpu) => {}
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
