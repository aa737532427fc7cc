//! Pairs events that begin something with those that end it: entry and exit of system calls, interrupts, functions.
//!
//! A pair has one name but for the word that says which end it is (`syscall_entry_read`, `syscall_exit_read`;
//! `irq_handler_entry`, `irq_handler_exit`; `db:query_start`, `db:query_end`). Its two ends happen on one thread, or on one CPU
//! where no thread was recorded and no `sched_switch` tells which one ran there. Pairs may lie inside one another.

use std::collections::HashMap;

use duckdb::Connection;
use duckdb::arrow::datatypes::{Int64Type, TimestampNanosecondType, UInt32Type};
use duckdb::arrow::record_batch::RecordBatch;

use super::Stop;
use crate::cancel::Cancel;
use crate::store::arrays::{numbers, optional_numbers};
use crate::store::columns::Columns;
use crate::store::schema::PhysicalColumns;
use crate::store::writer::append_columns;

/// Words that name the two ends.
const ENDS: [(&str, &str); 5] =
    [("entry", "exit"), ("enter", "exit"), ("begin", "end"), ("start", "end"), ("start", "stop")];

/// So many beginnings of one name may be open on a thread at a time; those before were never ended.
const MAX_OPEN: usize = 64;

/// Interrupts happen to a CPU, whatever thread runs there.
const OF_CPU: [&str; 3] = ["irq", "softirq", "hrtimer"];

/// What a class means for pairing.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Role {
    Begins(String),
    Ends(String),
    /// `sched_switch`: the thread in `next_tid` runs on the CPU from here on.
    Switches,
}

impl Role {
    fn begins(&self) -> Option<&String> {
        if let Self::Begins(stem) = self { Some(stem) } else { None }
    }
}

/// Events that are open, by what they are.
#[derive(Debug, Default)]
struct Open {
    stacks: HashMap<Place, Vec<Begun>>,
    /// By source and CPU: the thread that runs there.
    running: HashMap<(u32, i64), i64>,
    /// (row, duration) of what ended.
    durations: Vec<(i64, i64)>,
}

/// Source, stem, whether it is of a CPU, and the thread or CPU.
type Place = (u32, String, bool, i64);

/// Row and time of an event that begins something.
type Begun = (i64, i64);

/// Returns the name without its end, and which end it is.
fn role(name: &str) -> Option<Role> {
    if matches!(name, "sched_switch" | "sched:sched_switch") {
        return Some(Role::Switches);
    }
    ENDS.iter().find_map(|(begin, end)| {
        let begins = stem(name, begin).map(|stem| Role::Begins(format!("{stem}{begin}/{end}")));
        begins.or_else(|| stem(name, end).map(|stem| Role::Ends(format!("{stem}{begin}/{end}"))))
    })
}

/// Returns `name` without `word`, where that stands between separators or at an end.
fn stem(name: &str, word: &str) -> Option<String> {
    let is_separator = |byte: Option<&u8>| byte.is_none_or(|byte| !byte.is_ascii_alphanumeric());
    let (at, _) = name.match_indices(word).find(|(at, _)| {
        let bytes = name.as_bytes();
        let before = at.checked_sub(1).and_then(|before| bytes.get(before));
        let is_first = before.is_none();
        is_separator(before) && is_separator(bytes.get(at + word.len())) && !(is_first && name.len() == word.len())
    })?;
    let (before, after) = name.split_at(at);
    Some(format!("{before}{}", after.get(word.len()..).unwrap_or_default()))
}

/// A class whose events take part, and the columns of its table.
struct Class {
    id: u32,
    role: Role,
    columns: [String; 4],
}

/// Pairs the events above the last row that was looked at, and writes what it finds. Returns the last row it saw.
pub(super) fn settle(connection: &Connection, derived: &str, cancel: &Cancel) -> Result<i64, Stop> {
    let after: i64 =
        connection.query_row(&format!("SELECT \"row\" FROM {derived}settle_events"), [], |row| row.get(0))?;
    let upto = crate::store::events_last_row(connection)?;
    if upto <= after {
        return Ok(after);
    }
    let mut classes = classes(connection)?;
    retain_paired(&mut classes);
    let mut open = Open::load(connection, derived)?;
    if !classes.is_empty() {
        read(connection, &classes, (after, upto), &mut open, cancel)?;
    }
    write(connection, derived, &open, upto)?;
    Ok(upto)
}

fn classes(connection: &Connection) -> duckdb::Result<Vec<Class>> {
    let physical = PhysicalColumns::read(connection)?;
    let mut statement = connection.prepare("SELECT id, name FROM raw_event_classes ORDER BY id")?;
    let mut rows = statement.query([])?;
    let mut classes = Vec::new();
    while let Some(row) = rows.next()? {
        let (id, name): (u32, String) = (row.get(0)?, row.get(1)?);
        let Some(role) = role(&name) else { continue };
        let table = format!("raw_event_{id}");
        let column = |names: &[&str]| {
            let known = names.iter().find(|name| physical.has(&table, name));
            known.map_or_else(|| "NULL::BIGINT".to_owned(), |name| format!("CAST(\"{name}\" AS BIGINT)"))
        };
        let next = ["next_tid:int", "next_pid:int", "next_tid:unsigned", "next_pid:unsigned"];
        let columns = [column(&["tid"]), column(&["cpu"]), column(&next), column(&["source_id"])];
        classes.push(Class { id, role, columns });
    }
    Ok(classes)
}

/// Ends of nothing need not be read (a beginning may wait for an end that comes later). Switches matter to others only.
fn retain_paired(classes: &mut Vec<Class>) {
    let begun: Vec<String> = classes.iter().filter_map(|class| class.role.begins().cloned()).collect();
    classes.retain(|class| !matches!(&class.role, Role::Ends(stem) if !begun.contains(stem)));
    if classes.iter().all(|class| class.role == Role::Switches) {
        classes.clear();
    }
}

fn read(
    connection: &Connection,
    classes: &[Class],
    (after, upto): (i64, i64),
    open: &mut Open,
    cancel: &Cancel,
) -> Result<(), Stop> {
    let part = |(number, class): (usize, &Class)| {
        let [tid, cpu, next, source] = &class.columns;
        format!(
            "SELECT \"row\", time, {number} AS class, CAST({source} AS UINTEGER) AS source_id, {tid} AS tid, {cpu} AS cpu, \
             {next} AS next_tid FROM raw_event_{} WHERE \"row\" > {after} AND \"row\" <= {upto}",
            class.id
        )
    };
    let parts: Vec<String> = classes.iter().enumerate().map(part).collect();
    let sql = format!(
        "SELECT \"row\", time, CAST(class AS UINTEGER), source_id, tid, cpu, next_tid FROM ({}) ORDER BY \"row\"",
        parts.join(" UNION ALL ")
    );
    let mut statement = connection.prepare(&sql)?;
    for batch in statement.stream_arrow([])? {
        if cancel.is_stopped() {
            return Err(Stop::Cancelled);
        }
        open.push(&batch?, classes)?;
    }
    Ok(())
}

impl Open {
    fn load(connection: &Connection, derived: &str) -> duckdb::Result<Self> {
        let mut open = Self::default();
        let sql = format!(
            "SELECT \"row\", epoch_ns(time), source_id, stem, is_cpu, thread FROM {derived}open_events ORDER BY \"row\""
        );
        let mut statement = connection.prepare(&sql)?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let stem: String = row.get(3)?;
            if stem.is_empty() {
                open.running.insert((row.get(2)?, row.get(0)?), row.get(5)?);
                continue;
            }
            let key = (row.get(2)?, stem, row.get(4)?, row.get(5)?);
            open.stacks.entry(key).or_default().push((row.get(0)?, row.get(1)?));
        }
        Ok(open)
    }

    fn push(&mut self, batch: &RecordBatch, classes: &[Class]) -> duckdb::Result<()> {
        let row = numbers::<Int64Type>(batch, 0)?.values();
        let time = numbers::<TimestampNanosecondType>(batch, 1)?.values();
        let class = numbers::<UInt32Type>(batch, 2)?.values();
        let source = numbers::<UInt32Type>(batch, 3)?.values();
        let [tid, cpu, next] = [4, 5, 6].map(|column| optional_numbers(batch, column));
        let (tid, cpu, next) = (tid?, cpu?, next?);
        for at in 0..batch.num_rows() {
            let Some(class) = classes.get(class[at] as usize) else { continue };
            self.take(&class.role, (row[at], time[at]), source[at], (tid(at), cpu(at), next(at)));
        }
        Ok(())
    }

    fn take(&mut self, role: &Role, event: (i64, i64), source: u32, of: (Option<i64>, Option<i64>, Option<i64>)) {
        let (tid, cpu, next) = of;
        let stem = match role {
            Role::Switches => {
                if let (Some(cpu), Some(next)) = (cpu, next) {
                    self.running.insert((source, cpu), next);
                }
                return;
            }
            Role::Begins(stem) | Role::Ends(stem) => stem,
        };
        let Some((is_cpu, thread)) = self.place(stem, source, tid, cpu) else { return };
        let stack = self.stacks.entry((source, stem.clone(), is_cpu, thread)).or_default();
        if let Role::Begins(_) = role {
            stack.push(event);
            if stack.len() > MAX_OPEN {
                stack.remove(0);
            }
        } else if let Some((row, time)) = stack.pop() {
            self.durations.push((row, event.1.saturating_sub(time)));
        }
    }

    /// Returns whether it is a CPU that both ends share, and its number or the thread's.
    fn place(&self, stem: &str, source: u32, tid: Option<i64>, cpu: Option<i64>) -> Option<(bool, i64)> {
        let is_interrupt = OF_CPU.iter().any(|prefix| stem.starts_with(prefix));
        let thread = tid.or_else(|| self.running.get(&(source, cpu?)).copied());
        match (is_interrupt, thread, cpu) {
            (false, Some(thread), _) | (true, Some(thread), None) => Some((false, thread)),
            (_, _, Some(cpu)) => Some((true, cpu)),
            (_, None, None) => None,
        }
    }

    /// What is still open, as columns of `open_events`; a thread that runs has no stem and its CPU for a row.
    fn still_open(&self) -> Columns {
        let stacks = self.stacks.iter().flat_map(|((source, stem, is_cpu, thread), stack)| {
            stack.iter().map(move |&(row, time)| (row, time, *source, stem.as_str(), *is_cpu, *thread))
        });
        let running = self.running.iter().map(|(&(source, cpu), &thread)| (cpu, 0, source, "", true, thread));
        let mut all: Vec<_> = stacks.chain(running).collect();
        all.sort_unstable();
        let mut columns = Columns::default();
        columns.int("row", all.iter().map(|one| one.0).collect());
        columns.time("time", all.iter().map(|one| one.1).collect());
        columns.word("source_id", all.iter().map(|one| one.2).collect());
        columns.texts("stem", all.iter().map(|one| one.3));
        columns.flag("is_cpu", all.iter().map(|one| one.4).collect());
        columns.int("thread", all.iter().map(|one| one.5).collect());
        columns
    }
}

fn write(connection: &Connection, derived: &str, open: &Open, upto: i64) -> duckdb::Result<()> {
    let mut durations = Columns::default();
    durations.int("row", open.durations.iter().map(|one| one.0).collect());
    durations.int("duration_ns", open.durations.iter().map(|one| one.1).collect());
    connection.execute_batch(&format!(
        "CREATE OR REPLACE TEMP TABLE new_durations AS FROM {derived}event_durations LIMIT 0; \
         CREATE OR REPLACE TEMP TABLE new_open AS FROM {derived}open_events LIMIT 0"
    ))?;
    append_columns(connection, "new_durations", durations)?;
    append_columns(connection, "new_open", open.still_open())?;
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(&format!(
        "INSERT INTO {derived}event_durations FROM new_durations; DELETE FROM {derived}open_events; \
         INSERT INTO {derived}open_events FROM new_open; UPDATE {derived}settle_events SET \"row\" = {upto}"
    ))?;
    transaction.commit()?;
    connection.execute_batch("DROP TABLE new_durations; DROP TABLE new_open")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_tell_which_end_they_are() {
        let begins = |name: &str| matches!(role(name), Some(Role::Begins(_)));
        let ends = |name: &str| matches!(role(name), Some(Role::Ends(_)));
        for name in ["syscall_entry_read", "sys_enter_read", "irq_handler_entry", "shop:request_start", "func_entry"] {
            assert!(begins(name), "{name}");
        }
        for name in ["syscall_exit_read", "sys_exit_read", "irq_handler_exit", "shop:request_end", "shop:request_stop"]
        {
            assert!(ends(name), "{name}");
        }
        for name in ["sched_process_exit", "restart", "entry", "calendar"] {
            assert!(!begins(name), "{name}");
        }
        assert_eq!(role("sched_switch"), Some(Role::Switches));
    }

    #[test]
    fn nested_calls_end_innermost_first_and_threads_do_not_mix() {
        let mut open = Open::default();
        let begins = role("f_entry").unwrap();
        let ends = role("f_exit").unwrap();
        let of = |tid| (Some(tid), Some(0), None);
        open.take(&begins, (1, 100), 1, of(7));
        open.take(&begins, (2, 110), 1, of(7));
        open.take(&begins, (3, 115), 1, of(8));
        open.take(&ends, (4, 120), 1, of(7));
        open.take(&ends, (5, 150), 1, of(7));
        assert_eq!(open.durations, [(2, 10), (1, 50)]);
        assert_eq!(open.stacks.values().flatten().collect::<Vec<_>>(), [&(3, 115)]);
    }

    #[test]
    fn the_thread_that_runs_on_the_cpu_stands_for_a_missing_one() {
        let mut open = Open::default();
        let (begins, ends) = (role("syscall_entry_read").unwrap(), role("syscall_exit_read").unwrap());
        let on = |cpu| (None, Some(cpu), None);
        open.take(&Role::Switches, (1, 10), 1, (None, Some(0), Some(7)));
        open.take(&begins, (2, 20), 1, on(0));
        open.take(&Role::Switches, (3, 30), 1, (None, Some(0), Some(8)));
        open.take(&Role::Switches, (4, 40), 1, (None, Some(1), Some(7)));
        open.take(&ends, (5, 60), 1, on(1));
        assert_eq!(open.durations, [(2, 40)]);
    }
}
