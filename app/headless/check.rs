//! `riftline check`: every mistake in what users write (configuration, themes, keys, queries), and a `select` from each view.

use std::path::{Path, PathBuf};

use riftline_ingest::log::pattern::Pattern;
use riftline_queries::analyse::sql_rules;
use riftline_queries::desk::{Desk, Question};
use riftline_queries::semconv;
use riftline_queries::store::Store;
use riftline_queries::table::{Cell, Table};

use super::rows::{self, Row, State};
use super::{Context, answer, formats, named, patterns, themes};
use crate::cli::PrintArgs;
use crate::config;
use crate::error::Failure;
use crate::mistake::Mistake;
use crate::rules;
use crate::tui::keymap::Keymap;

const VIEWS: &str = "select view_name from duckdb_views() where not internal order by view_name";

/// Prints a row for each mistake, and one for each part without any.
pub fn run(print: PrintArgs, context: &Context) -> Result<(), Failure> {
    let store = Store::temporary()?;
    let mut rows = Vec::new();
    rows.extend(check_config(context));
    rows.extend(check_themes(context));
    rows.extend(check_keymap());
    rows.extend(check_queries(&store)?);
    rows.push(Row::new("conventions", State::Ok, format!("{} conventions", semconv::conventions().all().len())));
    rows.extend(check_rules(&store));
    rows.extend(check_patterns());
    rows.extend(formats::check());
    rows.extend(check_views(&store, context)?);
    drop(store);
    answer::give(&rows::table(&rows), print, context)?;
    rows::judge(&rows)
}

fn check_config(context: &Context) -> Vec<Row> {
    let Some(file) = &context.settings.config_file else {
        return vec![Row::new("config", State::Ok, "no home folder, no configuration")];
    };
    let good = if file.is_file() { "no mistakes" } else { "not there, defaults hold" };
    let mut rows = of_file("config", file, &context.settings.mistakes);
    if rows.is_empty() {
        rows.push(Row { file: Some(file.display().to_string()), ..Row::new("config", State::Ok, good) });
    }
    if let Some(error) = context.settings.theme.as_ref().and_then(|name| themes::themes(context).load(name).err()) {
        rows.push(Row::new("config", State::Bad, error.to_string()));
    }
    rows
}

fn check_themes(context: &Context) -> Vec<Row> {
    let themes = themes::themes(context);
    let mistakes = themes.check();
    let mut rows: Vec<Row> =
        mistakes.iter().flat_map(|(path, mistake)| of_file("themes", path, std::slice::from_ref(mistake))).collect();
    for name in themes.names() {
        let failed = themes.load(&name).err().filter(|_| rows.is_empty());
        rows.extend(failed.map(|error| Row::new("themes", State::Bad, error.to_string())));
    }
    if rows.is_empty() {
        rows.push(Row::new("themes", State::Ok, themes.names().join(", ")));
    }
    rows
}

fn check_keymap() -> Vec<Row> {
    let path = config::folders().map(|folders| folders.config_dir().join("keymap.toml"));
    let source = path.as_ref().map(std::fs::read_to_string);
    match (path, source) {
        (Some(path), Some(Ok(source))) => {
            let rows = of_file("keymap", &path, &Keymap::parse(&source).1);
            if rows.is_empty() { vec![Row::new("keymap", State::Ok, "no mistakes")] } else { rows }
        }
        (Some(path), Some(Err(error))) if error.kind() != std::io::ErrorKind::NotFound => {
            vec![Row { file: Some(path.display().to_string()), ..Row::new("keymap", State::Bad, error.to_string()) }]
        }
        _ => vec![Row::new("keymap", State::Ok, "not there, defaults hold")],
    }
}

/// Reads every file of log patterns.
fn check_patterns() -> Vec<Row> {
    let (patterns, mistakes) = patterns::load();
    let bad = |(path, mistake): &(PathBuf, Mistake)| of_file("log patterns", path, std::slice::from_ref(mistake));
    let mut rows: Vec<Row> = mistakes.iter().flat_map(bad).collect();
    if rows.is_empty() {
        let names: Vec<&str> = patterns.iter().map(|pattern: &Pattern| pattern.name.as_str()).collect();
        let said = if names.is_empty() { "not there".to_owned() } else { names.join(", ") };
        rows.push(Row::new("log patterns", State::Ok, said));
    }
    rows
}

/// Reads every rule of the user's folder, and runs the SQL of rules on an empty store.
fn check_rules(store: &Store) -> Vec<Row> {
    let (known, mistakes) = rules::load();
    let mistake = |mistake: &riftline_queries::catalog::Mistake| {
        Row::at("rules", State::Bad, mistake.path.display().to_string(), mistake.line, mistake.message.clone())
    };
    let mut rows: Vec<Row> = mistakes.iter().map(mistake).collect();
    let broken = sql_rules::check(store, &known);
    rows.extend(broken.iter().map(|broken| Row::new("rules", State::Bad, format!("{}: {}", broken.id, broken.error))));
    if rows.is_empty() {
        rows.push(Row::new("rules", State::Ok, format!("{} rules", known.all().len())));
    }
    rows
}

fn of_file(part: &'static str, file: &Path, mistakes: &[Mistake]) -> Vec<Row> {
    let state = |mistake: &Mistake| if mistake.is_warning { State::Warning } else { State::Bad };
    let row = |mistake: &Mistake| {
        Row::at(part, state(mistake), file.display().to_string(), mistake.line, mistake.message.clone())
    };
    mistakes.iter().map(row).collect()
}

/// Reads every named query and prepares it on an empty store.
fn check_queries(store: &Store) -> Result<Vec<Row>, Failure> {
    let (catalog, mut mistakes) = named::catalog();
    let unfit = riftline_queries::run::check_catalog(store, &catalog).map_err(|error| Failure::asking(error, None))?;
    mistakes.extend(unfit);
    if mistakes.is_empty() {
        return Ok(vec![Row::new("queries", State::Ok, format!("{} named queries", catalog.queries().len()))]);
    }
    let row = |mistake: riftline_queries::catalog::Mistake| {
        Row::at("queries", State::Bad, mistake.path.display().to_string(), mistake.line, mistake.message)
    };
    Ok(mistakes.into_iter().map(row).collect())
}

/// Selects from every view: none may hold a type that cannot be read.
fn check_views(store: &Store, context: &Context) -> Result<Vec<Row>, Failure> {
    let select = |sql: &str| store.ask(&Question::Sql { sql: sql.to_owned(), max_rows: None }, &context.cancel);
    let views = texts(&select(VIEWS).map_err(|error| Failure::asking(error, None))?);
    let mut rows = Vec::new();
    for view in &views {
        let failed = select(&format!("select * from \"{view}\" limit 1")).err();
        rows.extend(failed.map(|error| Row::new("views", State::Bad, format!("{view}: {error}"))));
    }
    if rows.is_empty() {
        rows.push(Row::new("views", State::Ok, views.join(", ")));
    }
    Ok(rows)
}

fn texts(table: &Table) -> Vec<String> {
    let text = |row| match table.cell(row, 0) {
        Cell::Text(text) => Some(text.to_owned()),
        _ => None,
    };
    (0..table.num_rows()).filter_map(text).collect()
}
