//! `riftline doctor`: versions, folders, what the terminal can do, limits, disk, and whether the store is healthy.

use std::io::IsTerminal;
use std::path::Path;

use riftline_queries::desk::{Desk, Question};
use riftline_queries::serve::{self, Place};
use riftline_queries::table::Cell;
use rustix::fs::{Access, access, statvfs};
use rustix::process::{Resource, getrlimit};

use super::rows::{self, Row, State};
use super::{Context, answer, source};
use crate::cli::DoctorArgs;
use crate::config;
use crate::error::Failure;
use crate::humane;
use crate::theme::Depth;

/// Fewer open files than this are too few for folders of sources.
const FEW_FILES: u64 = 256;
/// Less free space than this is warned about.
const LITTLE_SPACE: u64 = 2_000_000_000;

/// Prints a row for each thing that was looked at.
pub fn run(args: &DoctorArgs, context: &Context) -> Result<(), Failure> {
    let path = source::store_path(args.store.as_deref(), context)?;
    let mut rows = vec![Row::new("version", State::Ok, format!("riftline {}", env!("CARGO_PKG_VERSION")))];
    rows.extend(folders());
    rows.extend(terminal(context));
    rows.extend(limits());
    rows.push(space(&path));
    rows.extend(store(&path, context));
    answer::give(&rows::table(&rows), args.print, context)?;
    rows::judge(&rows)
}

fn folders() -> Vec<Row> {
    let Some(folders) = config::folders() else {
        return vec![Row::new(
            "folders",
            State::Bad,
            "no home folder: set HOME, or name files with --config and --store",
        )];
    };
    let named = [
        ("config", folders.config_dir()),
        ("data", folders.data_dir()),
        ("state", folders.state_dir().unwrap_or(folders.data_dir())),
    ];
    named.into_iter().map(|(name, folder)| folder_row(name, folder)).collect()
}

fn folder_row(name: &str, folder: &Path) -> Row {
    // What is not there yet is made where its nearest ancestor may be written.
    let nearest = folder.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(folder);
    let (state, note) = match (access(nearest, Access::WRITE_OK), nearest == folder) {
        (Ok(()), true) => (State::Ok, ""),
        (Ok(()), false) => (State::Ok, ", made when needed"),
        (Err(_), _) => (State::Warning, ", may not be written: change its permissions or set XDG variables"),
    };
    Row { file: Some(folder.display().to_string()), ..Row::new("folders", state, format!("{name} folder{note}")) }
}

fn terminal(context: &Context) -> Vec<Row> {
    let mut rows = Vec::new();
    if !std::io::stdout().is_terminal() {
        rows.push(Row::new(
            "terminal",
            State::Ok,
            "stdout is no terminal: answers are ndjson, the workstation needs a terminal",
        ));
    }
    let term = std::env::var("TERM").unwrap_or_default();
    rows.push(match term.as_str() {
        "" | "dumb" => Row::new("terminal", State::Warning, "TERM is not set or dumb: the workstation cannot draw"),
        term => Row::new("terminal", State::Ok, format!("TERM is {term}, {}", colors(context.color_depth()))),
    });
    if let Some(width) = context.face.width {
        let state = if width < 80 { State::Warning } else { State::Ok };
        rows.push(Row::new(
            "terminal",
            state,
            format!("{width} columns{}", if width < 80 { ", the workstation wants 80" } else { "" }),
        ));
    }
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|value| !value.is_empty()));
    let is_utf8 = locale.as_ref().is_some_and(|locale| locale.to_ascii_lowercase().replace('-', "").contains("utf8"));
    let shown = locale.unwrap_or_else(|| "not set".to_owned());
    rows.push(if is_utf8 {
        Row::new("terminal", State::Ok, format!("locale is {shown}"))
    } else {
        let message = format!("locale is {shown}: bars and trees need UTF-8, such as LANG=C.UTF-8");
        Row::new("terminal", State::Warning, message)
    });
    rows
}

fn colors(depth: Depth) -> &'static str {
    match depth {
        Depth::True => "16 million colours",
        Depth::Indexed => "256 colours (COLORTERM=truecolor if it can more)",
        Depth::Ansi => "16 colours (COLORTERM=truecolor if it can more)",
        Depth::None => "no colours (NO_COLOR or --color never)",
    }
}

fn limits() -> Vec<Row> {
    let files = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let (state, advice) =
        if files < FEW_FILES { (State::Warning, ": raise it with `ulimit -n 1024`") } else { (State::Ok, "") };
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    vec![
        Row::new(
            "limits",
            state,
            format!(
                "{} open files{advice}",
                if files == u64::MAX { "any number of".to_owned() } else { files.to_string() }
            ),
        ),
        Row::new("limits", State::Ok, format!("{threads} threads decode")),
    ]
}

fn space(store: &Path) -> Row {
    let nearest = store.ancestors().find(|ancestor| ancestor.exists()).unwrap_or(Path::new("/"));
    match statvfs(nearest) {
        Ok(disk) => {
            let free = disk.f_bavail.saturating_mul(disk.f_frsize);
            let state = if free < LITTLE_SPACE { State::Warning } else { State::Ok };
            let advice =
                if state == State::Warning { ": free some, or keep the store elsewhere with --store" } else { "" };
            Row::new("disk", state, format!("{} free at the store{advice}", humane::bytes(free)))
        }
        Err(error) => Row::new("disk", State::Warning, format!("free space is not known: {error}")),
    }
}

fn store(path: &Path, context: &Context) -> Vec<Row> {
    let row =
        |state, message: String| Row { file: Some(path.display().to_string()), ..Row::new("store", state, message) };
    let Ok(metadata) = std::fs::metadata(path) else {
        return vec![row(State::Ok, "not there yet, made by the first `riftline ingest`".to_owned())];
    };
    let mut rows = vec![row(State::Ok, humane::bytes(metadata.len()))];
    let desk: Box<dyn Desk> = match serve::open_or_connect(path) {
        Ok(Place::Here(store)) => {
            rows.extend(store.warnings().iter().map(|warning| row(State::Warning, warning.clone())));
            Box::new(store)
        }
        Ok(Place::There(client)) => {
            rows.push(row(State::Ok, format!("held by the riftline with pid {}, which answers", client.pid())));
            Box::new(client)
        }
        Err(error) => {
            rows.push(row(State::Bad, error.to_string()));
            return rows;
        }
    };
    let question = Question::Sql { sql: super::named::SUMMARY.to_owned(), max_rows: None };
    rows.push(match desk.ask(&question, &context.cancel) {
        Ok(table) => row(State::Ok, counts(&table)),
        Err(error) => row(State::Bad, error.to_string()),
    });
    rows
}

fn counts(table: &riftline_queries::table::Table) -> String {
    let count = |(index, column): (usize, &riftline_queries::table::Column)| match table.cell(0, index) {
        Cell::Int(number) => Some(format!("{number} {}", column.name)),
        Cell::UInt(number) => Some(format!("{number} {}", column.name)),
        _ => None,
    };
    table.columns.iter().enumerate().filter_map(count).collect::<Vec<_>>().join(", ")
}
