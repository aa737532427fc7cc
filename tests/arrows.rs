//! Guards the arrows between rooms: `app -> queries -> ingest`, and one heavy library in one room.

use std::fs;
use std::path::{Path, PathBuf};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// Which room may name which crate in its sources.
const ONLY_IN: &[(&str, &[&str])] = &[
    ("queries", &["duckdb", "polars", "parquet", "arrow"]),
    ("app", &["ratatui", "crossterm", "clap", "nucleo"]),
    ("ingest", &["prost", "tonic", "opentelemetry_proto", "flate2", "zstd", "liblzma", "tar"]),
];

/// What a room must not know at all.
const NEVER: &[(&str, &[&str])] = &[("ingest", &["riftline_queries", "riftline::"]), ("queries", &["riftline::"])];

/// Longest source file, tests not counted.
const MAX_LINES: usize = 600;

fn sources(room: &str) -> Vec<PathBuf> {
    let mut files = Vec::new();
    let mut folders = vec![Path::new(ROOT).join(room)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).expect("room").flatten() {
            let path = entry.path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                files.push(path);
            }
        }
    }
    files.sort();
    files
}

fn is_code(line: &str) -> bool {
    !line.trim_start().starts_with("//")
}

/// Whether `line` uses the crate `name` as the first part of a path.
fn names_crate(line: &str, name: &str) -> bool {
    line.match_indices(name).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let starts = !before.is_some_and(|c| c.is_alphanumeric() || "_:.\"".contains(c));
        starts && line[at + name.len()..].starts_with("::")
    })
}

#[test]
fn each_heavy_library_lives_in_one_room() {
    let mut wrong = Vec::new();
    for (home, crates) in ONLY_IN {
        for room in ["app", "queries", "ingest"].iter().filter(|room| *room != home) {
            for file in sources(room) {
                let text = fs::read_to_string(&file).expect("source");
                for (number, line) in text.lines().enumerate().filter(|(_, line)| is_code(line)) {
                    for name in crates.iter().filter(|name| names_crate(line, name)) {
                        wrong.push(format!("{}:{}: {name} belongs in {home}", file.display(), number + 1));
                    }
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn arrows_point_one_way() {
    let mut wrong = Vec::new();
    for (room, names) in NEVER {
        for file in sources(room) {
            let text = fs::read_to_string(&file).expect("source");
            let code = text.lines().filter(|line| is_code(line)).collect::<Vec<_>>().join("\n");
            wrong.extend(
                names.iter().filter(|name| code.contains(**name)).map(|name| format!("{}: {name}", file.display())),
            );
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn files_have_one_job() {
    let too_long = |file: &PathBuf| {
        let text = fs::read_to_string(file).expect("source");
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default();
        (code.lines().count() > MAX_LINES).then(|| format!("{}: {} lines", file.display(), code.lines().count()))
    };
    let wrong: Vec<String> =
        ["app", "queries", "ingest"].iter().flat_map(|room| sources(room)).filter_map(|f| too_long(&f)).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn crate_names_are_told_from_other_words() {
    assert!(names_crate("use duckdb::Connection;", "duckdb"));
    assert!(names_crate("let a = arrow::array::new();", "arrow"));
    assert!(!names_crate("use crate::clap::x", "clap"));
    assert!(!names_crate("let my_arrow::x", "arrow"));
    assert!(!names_crate("// tar", "tar"));
}
