//! One command reads a folder that holds one of each format; every file is listed with its format and count.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use riftline_ingest::format::{FOLDER_FORMATS, FORMATS};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::support::{riftline, stdout_of};

/// What `sample-traces/formats/manifest.toml` says of one file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Expected {
    format: String,
    records: u64,
    rejects: u64,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces/formats")
}

/// Reads the folder into a store with one command; returns the view `sources`, and the summary of the command.
fn read(home: &Path) -> (Vec<Value>, Value) {
    let store = home.join("formats.rift");
    let store = store.to_str().expect("a path");
    let folder = folder().display().to_string();
    let summary = stdout_of(riftline(home).args(["ingest", &folder, "--store", store, "--settle", "--format", "json"]));
    let sql = "select name, format, num_spans + num_logs + num_metrics + num_events as records, num_rejects as rejects \
               from sources where format <> 'unknown' order by name";
    let rows = stdout_of(riftline(home).args(["query", sql, "--store", store, "--format", "ndjson"]));
    let rows = rows.lines().map(|line| serde_json::from_str(line).expect("a row")).collect();
    (rows, serde_json::from_str(&summary).expect("a summary"))
}

fn found(rows: &[Value]) -> BTreeMap<String, Expected> {
    let prefix = format!("{}/", folder().display());
    let one = |row: &Value| {
        let name = row["name"].as_str().expect("a name").strip_prefix(&prefix).expect("in the folder").to_owned();
        let number = |key: &str| row[key].as_u64().expect("a number");
        let format = row["format"].as_str().expect("a format").to_owned();
        (name, Expected { format, records: number("records"), rejects: number("rejects") })
    };
    rows.iter().map(one).collect()
}

#[test]
fn a_folder_with_one_of_each_format_is_read_by_one_command() {
    let home = tempfile::tempdir().expect("folder");
    let (rows, summary) = read(home.path());
    let found = found(&rows);
    let manifest = folder().join("manifest.toml");
    if std::env::var_os("RIFTLINE_BLESS").is_some() {
        fs::write(&manifest, toml::to_string(&found).expect("toml")).expect("manifest");
    }
    let text = fs::read_to_string(&manifest).expect("manifest");
    assert_eq!(found, toml::from_str(&text).expect("manifest"));
    let missing: Vec<&str> = FORMATS
        .iter()
        .map(|format| format.name())
        .chain(FOLDER_FORMATS.iter().map(|format| format.name()))
        .filter(|name| !found.values().any(|one| one.format == *name))
        .collect();
    assert_eq!(missing, Vec::<&str>::new(), "formats without a sample");
    let total: u64 = found.values().map(|one| one.records).sum();
    assert_eq!(summary["records"].as_u64(), Some(total));
}
