//! Reads every recording of `sample-traces/` with the real binary and holds the answers to the recording's manifest, which was counted
//! without riftline.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::{riftline, stdout_of};

const SPANS: &str = "select trace_id, span_id, parent_span_id, service, name, kind, status, start_ns, duration_ns, attributes, resource, \
     events, links from spans order by trace_id, span_id";

#[derive(Deserialize)]
struct Manifest {
    origin: Origin,
    files: Vec<RecordedFile>,
    expect: Expect,
}

#[derive(Deserialize)]
struct Origin {
    #[serde(default)]
    sdks: Vec<Sdk>,
}

#[derive(Deserialize)]
struct Sdk {
    language: String,
}

#[derive(Deserialize)]
struct RecordedFile {
    path: String,
    spans: Option<u64>,
    log_records: Option<u64>,
    with_trace_id: Option<u64>,
    data_points: Option<u64>,
}

#[derive(Deserialize)]
struct Expect {
    spans: u64,
    traces: u64,
    roots: u64,
    orphans: u64,
    services: Vec<String>,
    error_spans: Option<u64>,
    #[serde(default)]
    broken: Vec<Broken>,
}

#[derive(Deserialize)]
struct Broken {
    from: String,
    to: String,
    requests: u64,
}

/// A recording, and a home of its own for the riftlines that read it.
struct Sample {
    folder: PathBuf,
    manifest: Manifest,
    home: TempDir,
}

impl Sample {
    fn open(name: &str) -> Self {
        let folder = folder().join(name);
        let text = std::fs::read_to_string(folder.join("manifest.toml")).expect("a manifest in every recording");
        let manifest = toml::from_str(&text).unwrap_or_else(|error| panic!("{name}: {error}"));
        Self { folder, manifest, home: tempfile::tempdir().expect("folder") }
    }

    fn paths(&self) -> Vec<PathBuf> {
        self.manifest.files.iter().map(|file| self.folder.join(&file.path)).collect()
    }

    /// Reads all files of the recording into one store.
    fn ingest(&self) -> PathBuf {
        let store = self.home.path().join("sample.rift");
        stdout_of(riftline(self.home.path()).args(["ingest", "--strict", "--store"]).arg(&store).args(self.paths()));
        store
    }

    /// Returns the rows that answer `sql`.
    fn rows(&self, store: &Path, sql: &str) -> Vec<Value> {
        let mut command = riftline(self.home.path());
        rows(&stdout_of(command.args(["query", "--format", "ndjson", "--store"]).arg(store).arg(sql)))
    }

    /// Returns the number that answers `sql`, whose column is named `n`.
    fn count(&self, store: &Path, sql: &str) -> u64 {
        let rows = self.rows(store, sql);
        rows[0]["n"].as_u64().unwrap_or_else(|| panic!("{sql}: {rows:?}"))
    }

    fn sum(&self, records: impl Fn(&RecordedFile) -> Option<u64>) -> u64 {
        self.manifest.files.iter().filter_map(records).sum()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces")
}

fn rows(ndjson: &str) -> Vec<Value> {
    ndjson.lines().map(|line| serde_json::from_str(line).expect("ndjson")).collect()
}

/// Fails unless a recording of the shop, read into one store, holds what its manifest says.
fn check_shop(sample: &Sample) -> PathBuf {
    let store = sample.ingest();
    let expect = &sample.manifest.expect;
    let counted = [
        ("spans", "select count(*) as n from spans", expect.spans),
        ("distinct spans", "select count(distinct trace_id || span_id) as n from spans", expect.spans),
        ("roots", "select count(*) as n from spans where coalesce(parent_span_id, '') = ''", expect.roots),
        (
            "failed spans",
            "select count(*) as n from spans where lower(status) = 'error'",
            expect.error_spans.expect("error_spans"),
        ),
        ("traces", "select count(*) as n from traces", expect.traces),
        ("spans of all traces", "select cast(sum(num_spans) as bigint) as n from traces", expect.spans),
        ("incomplete traces", "select count(*) as n from traces where not is_complete", expect.orphans),
        ("log records", "select count(*) as n from logs", sample.sum(|file| file.log_records)),
        (
            "log records in a span",
            "select count(*) as n from logs where trace_id <> ''",
            sample.sum(|file| file.with_trace_id),
        ),
        ("data points", "select count(*) as n from metrics", sample.sum(|file| file.data_points)),
        ("rejects", "select count(*) as n from rejects", 0),
    ];
    for (what, sql, expected) in counted {
        assert_eq!(sample.count(&store, sql), expected, "{what} of {}", sample.folder.display());
    }
    let services = sample.rows(&store, "select distinct service from spans order by 1");
    let expected: Vec<Value> = expect.services.iter().map(|service| json!({ "service": service })).collect();
    assert_eq!(services, expected);
    store
}

/// Returns how often each service begins a trace.
fn first_services(sample: &Sample, store: &Path) -> BTreeMap<String, u64> {
    let rows = sample.rows(store, "select root_service, count(*) as n from traces group by 1");
    rows.iter()
        .map(|row| (row["root_service"].as_str().expect("text").to_owned(), row["n"].as_u64().expect("number")))
        .collect()
}

/// Returns how often riftline saw `client` call `server`.
fn calls(sample: &Sample, store: &Path, client: &str, server: &str) -> u64 {
    let sql = format!(
        "select cast(coalesce(sum(calls), 0) as bigint) as n from edges where client = '{client}' and server = '{server}'"
    );
    sample.count(store, &sql)
}

#[test]
fn the_healthy_shop_is_read_as_its_manifest_says() {
    let sample = Sample::open("shop-healthy");
    let store = check_shop(&sample);
    let expect = &sample.manifest.expect;
    assert_eq!(first_services(&sample, &store), BTreeMap::from([("gateway".to_owned(), expect.traces)]));
    assert_eq!(calls(&sample, &store, "gateway", "stock"), expect.traces);
}

#[test]
fn the_shop_with_b3_falls_apart_between_gateway_and_stock_and_nowhere_else() {
    let sample = Sample::open("shop-b3-split");
    let store = check_shop(&sample);
    let [broken] = sample.manifest.expect.broken.as_slice() else { panic!("one break is recorded") };
    let firsts = [(broken.from.clone(), broken.requests), (broken.to.clone(), broken.requests)];
    assert_eq!(first_services(&sample, &store), BTreeMap::from(firsts));
    assert_eq!(calls(&sample, &store, &broken.from, &broken.to), 0, "the call across the break");
    assert_eq!(calls(&sample, &store, &broken.from, "orders"), broken.requests, "the call that stays whole");
}

#[test]
fn every_encoding_gives_the_same_spans() {
    let plain = Sample::open("shop-healthy");
    let home = plain.home.path();
    let read =
        |path: &Path| stdout_of(riftline(home).args(["query", "--format", "ndjson", "--strict", SPANS]).arg(path));
    let expected = read(&plain.folder.join("traces.jsonl"));
    assert_eq!(rows(&expected).len() as u64, plain.manifest.expect.spans);
    let sample = Sample::open("encodings");
    assert!(sample.manifest.files.iter().all(|file| file.spans == Some(plain.manifest.expect.spans)));
    for path in sample.paths() {
        // No assert_eq: a megabyte twice on the screen helps nobody.
        assert!(read(&path) == expected, "{} is not read as traces.jsonl is", path.display());
    }
}

#[test]
fn traces_of_a_sample_need_no_store() {
    for name in ["shop-healthy", "shop-b3-split"] {
        let sample = Sample::open(name);
        let mut command = riftline(sample.home.path());
        let answer = stdout_of(command.args(["traces", "--format", "json"]).arg(sample.folder.join("traces.jsonl")));
        let traces: Vec<Value> = serde_json::from_str(&answer).expect("an array");
        assert_eq!(traces.len() as u64, sample.manifest.expect.traces, "{name}");
    }
}

#[test]
fn all_samples_come_through_a_pipe() {
    let samples = [Sample::open("shop-healthy"), Sample::open("shop-b3-split")];
    let sql = "select (select count(*) from spans) as spans, (select count(*) from logs) as logs, (select count(*) from metrics) as points";
    let mut command = riftline(samples[0].home.path());
    command.args(["query", "--format", "ndjson", sql, "-"]).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().expect("run riftline");
    let mut pipe = child.stdin.take().expect("piped");
    for path in samples.iter().flat_map(Sample::paths) {
        std::io::copy(&mut File::open(path).expect("sample"), &mut pipe).expect("write to the pipe");
    }
    pipe.flush().expect("write to the pipe");
    drop(pipe);
    let output = child.wait_with_output().expect("answer");
    let total =
        |records: fn(&RecordedFile) -> Option<u64>| samples.iter().map(|sample| sample.sum(records)).sum::<u64>();
    let expected = json!({
        "spans": total(|file| file.spans), "logs": total(|file| file.log_records), "points": total(|file| file.data_points),
    });
    assert_eq!(rows(&String::from_utf8(output.stdout).expect("utf-8")), [expected]);
}

#[test]
fn both_shops_were_recorded_in_five_languages() {
    for name in ["shop-healthy", "shop-b3-split"] {
        let sample = Sample::open(name);
        let languages: Vec<&str> = sample.manifest.origin.sdks.iter().map(|sdk| sdk.language.as_str()).collect();
        assert_eq!(languages, ["java", "python", "nodejs", "rust", "go"], "{name}");
    }
}

#[test]
fn nothing_of_the_recording_machine_is_in_the_samples() {
    for name in ["shop-healthy", "shop-b3-split"] {
        for path in Sample::open(name).paths() {
            let text = std::fs::read_to_string(&path).expect("sample");
            let found = ["/home/", "/root/", "/Users/", "process.command", "process.owner"]
                .into_iter()
                .find(|word| text.contains(word));
            assert_eq!(found, None, "in {}", path.display());
        }
    }
}
