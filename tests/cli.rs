//! The command line as scripts see it: real processes, real exit codes, golden files under `golden/cli`.
//!
//! A golden file holds commands and what each answers: `$ riftline …`, then stdout, then `! ` before each line of stderr, then
//! `? code` where the exit code is not 0. `RIFTLINE_BLESS=1` writes them anew.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};

use portable_pty::CommandBuilder;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::support::riftline;
use crate::support::terminal::Terminal;

fn golden_folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/cli")
}

fn is_blessing() -> bool {
    std::env::var_os("RIFTLINE_BLESS").is_some()
}

/// A home of its own: no configuration, no stores.
struct Home {
    folder: TempDir,
}

impl Home {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = riftline(self.folder.path());
        command.args(args).current_dir(golden_folder()).env("TMPDIR", self.folder.path()).stdin(Stdio::null());
        command
    }

    fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Runs in a terminal of 100 columns and returns every byte that reached it.
    fn run_in_terminal(&self, args: &[&str], variables: &[(&str, &str)]) -> (String, u32) {
        let prepare = |command: &mut CommandBuilder| {
            command.cwd(golden_folder());
            for (name, value) in variables {
                command.env(name, value);
            }
        };
        let (status, ended) = Terminal::start_with(self.folder.path(), args, 100, 40, prepare).wait_for_end();
        (String::from_utf8(ended.raw).unwrap(), status.exit_code())
    }
}

#[test]
fn golden_files_hold() {
    let mut files: Vec<PathBuf> = fs::read_dir(golden_folder()).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "golden"));
    files.sort();
    assert!(files.len() >= 4, "{files:?}");
    for file in files {
        let expected = fs::read_to_string(&file).unwrap();
        let commands = expected.lines().filter(|line| line.starts_with("$ ") || line.starts_with("# "));
        let found: String = commands.map(answered).collect();
        if is_blessing() {
            fs::write(&file, found).unwrap();
        } else {
            pretty_assert(&file, &expected, &found);
        }
    }
}

fn pretty_assert(file: &Path, expected: &str, found: &str) {
    for (number, (expected, found)) in expected.lines().zip(found.lines()).enumerate() {
        assert_eq!(found, expected, "{} line {}", file.display(), number + 1);
    }
    assert_eq!(found, expected, "{}", file.display());
}

/// Returns one command of a golden file with its answer.
fn answered(line: &str) -> String {
    let Some(command) = line.strip_prefix("$ riftline ") else { return format!("{line}\n") };
    let home = Home::new();
    let words = split_words(command);
    let output = home.run(&words.iter().map(String::as_str).collect::<Vec<_>>());
    let mut text = format!("{line}\n{}", utf8(&output.stdout));
    for line in utf8(&output.stderr).lines() {
        writeln!(text, "! {line}").unwrap();
    }
    match output.status.code() {
        Some(0) => {}
        code => writeln!(text, "? {}", code.unwrap()).unwrap(),
    }
    text.replace(&golden_folder().display().to_string(), "$PWD").replace(&home.path(""), "$HOME/")
}

/// Splits as a shell does, as far as golden files need it: blanks, single and double quotes, backslash in double quotes.
fn split_words(line: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut letters = line.chars();
    while let Some(letter) = letters.next() {
        match (letter, quote) {
            (' ', None) => words.push(String::new()),
            ('\'' | '"', None) => quote = Some(letter),
            (letter, Some(open)) if letter == open => quote = None,
            ('\\', Some('"')) => words.last_mut().unwrap().extend(letters.next()),
            (letter, _) => words.last_mut().unwrap().push(letter),
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

fn utf8(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap()
}

fn code(status: ExitStatus) -> i32 {
    status.code().unwrap()
}

#[test]
fn formats_md_is_as_the_lists_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/formats.md");
    let made = riftline::headless::formats::markdown();
    if is_blessing() {
        fs::write(&file, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), made, "RIFTLINE_BLESS=1 writes docs/formats.md anew");
}

#[test]
fn cli_md_is_as_the_definitions_say() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/cli.md");
    let made = riftline::headless::man::markdown();
    if is_blessing() {
        fs::write(&file, &made).unwrap();
    }
    assert_eq!(fs::read_to_string(file).unwrap(), made, "RIFTLINE_BLESS=1 writes docs/cli.md anew");
}

#[test]
fn the_manual_and_completions_name_every_command() {
    let home = Home::new();
    let manual = home.run(&["man"]);
    let completions = home.run(&["completions", "bash"]);
    for name in [
        "ingest", "listen", "query", "traces", "trace", "services", "edges", "logs", "findings", "export", "lab",
        "chaos", "proxy", "check", "doctor", "themes",
    ] {
        assert!(utf8(&completions.stdout).contains(name), "{name}");
        assert!(utf8(&manual.stdout).contains(&format!("RIFTLINE {}", name.to_uppercase())), "{name}");
    }
    for later in ["assert", "mcp"] {
        assert!(!utf8(&home.run(&["--help"]).stdout).contains(&format!("\n  {later} ")), "{later}");
        assert_eq!(code(home.run(&[later]).status), 2, "{later}");
    }
}

#[test]
fn nothing_but_our_own_colours_reaches_a_terminal() {
    let home = Home::new();
    for args in [
        &["traces", "hostile.jsonl"][..],
        &["services", "hostile.jsonl", "--format", "csv"],
        &["trace", "6666", "hostile.jsonl"],
        &["trace", "6666", "hostile.jsonl", "--format", "json"],
        &["query", "select * from spans", "hostile.jsonl", "--format", "ndjson"],
        &["traces", "missing\u{1b}[2J.jsonl"],
    ] {
        let (text, _) = home.run_in_terminal(args, &[]);
        assert!(foreign(&text).is_empty(), "{args:?}: {:?} in {text:?}", foreign(&text));
    }
}

/// Returns what is neither text, a line end, a colour, nor the wiping of the progress line.
fn foreign(text: &str) -> String {
    let colours = regex::Regex::new(r"\x1b\[[0-9;]*m|\r\x1b\[K|\r\n").unwrap();
    let rest = colours.replace_all(text, "");
    rest.chars().filter(|&letter| letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter)).collect()
}

#[test]
fn a_terminal_gets_a_table_with_units_and_colours_unless_told_otherwise() {
    let home = Home::new();
    let (text, code) = home.run_in_terminal(&["traces", "checkout.jsonl"], &[]);
    assert_eq!(code, 0, "{text}");
    assert!(text.contains("2.31 s") && text.contains("\u{1b}["), "{text:?}");
    let (text, _) = home.run_in_terminal(&["--no-progress", "traces", "checkout.jsonl"], &[("NO_COLOR", "1")]);
    assert!(text.contains("2.31 s") && !text.contains('\u{1b}'), "{text:?}");
    let (text, _) =
        home.run_in_terminal(&["--no-progress", "--color", "always", "traces", "checkout.jsonl"], &[("NO_COLOR", "1")]);
    assert!(text.contains("\u{1b}[1m"), "{text:?}");
    let (text, _) = home.run_in_terminal(&["traces", "checkout.jsonl", "--tz", "+02:00"], &[]);
    assert!(text.contains("12:52:03.112"), "{text}");
}

#[test]
fn a_closed_pipe_ends_quietly() {
    let home = Home::new();
    let sql = "select a.name, b.name, i from spans a, spans b, range(5000) t(i)";
    let mut child =
        home.command(&["query", sql, "checkout.jsonl"]).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut first = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with('{'), "{first}");
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(output.status), 0);
    assert_eq!(utf8(&output.stderr), "");
}

#[test]
fn a_question_reads_stdin_and_needs_no_store() {
    let home = Home::new();
    let mut child = home.command(&["traces", "-"]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&fs::read(golden_folder().join("checkout.jsonl")).unwrap()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(code(output.status), 0);
    assert_eq!(utf8(&output.stdout).lines().count(), 2);
    assert_eq!(left_behind(&home), Vec::<String>::new());
}

/// Returns what commands left in the folder for temporary files.
fn left_behind(home: &Home) -> Vec<String> {
    let names =
        fs::read_dir(home.folder.path()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("riftline-")).collect()
}

#[test]
fn a_signal_stops_a_command_that_waits_for_a_pipe_and_removes_its_store() {
    for (signal, expected) in [(Signal::INT, 130), (Signal::TERM, 143)] {
        let home = Home::new();
        let mut child = home
            .command(&["query", "select 1", "-"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let pipe = child.stdin.take().unwrap();
        wait_until(&mut child, || !left_behind(&home).is_empty());
        kill_process(Pid::from_child(&child), signal).unwrap();
        let output = child.wait_with_output().unwrap();
        drop(pipe);
        assert_eq!(code(output.status), expected, "{}", utf8(&output.stderr));
        assert_eq!(left_behind(&home), Vec::<String>::new());
    }
}

/// Waits for an event that only shows on disk; the process ending early is a failure.
fn wait_until(child: &mut Child, mut has_happened: impl FnMut() -> bool) {
    while !has_happened() {
        assert!(child.try_wait().unwrap().is_none(), "ended before it was expected to");
        std::thread::yield_now();
    }
}

#[test]
fn ingest_acknowledges_what_is_durable_and_sums_up() {
    let home = Home::new();
    let store = home.path("x.rift");
    let output = home.run(&["ingest", "checkout.jsonl", "--store", &store, "--settle"]);
    assert_eq!(code(output.status), 0, "{}", utf8(&output.stderr));
    let events: Vec<serde_json::Value> =
        utf8(&output.stdout).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let (summary, committed) = events.split_last().unwrap();
    assert!(!committed.is_empty() && committed.iter().all(|event| event["event"] == "committed"), "{events:?}");
    let spans: u64 = committed.iter().map(|event| event["spans"].as_u64().unwrap()).sum();
    assert_eq!(spans, 6);
    assert_eq!(summary["event"], "summary");
    assert_eq!(summary["records"], 7);
    assert_eq!(summary["sources"][0]["format"], "otlp-json");
    let output = home.run(&["query", "select count(*) as spans from spans", "--store", &store]);
    assert_eq!(utf8(&output.stdout), "{\"spans\":6}\n", "{}", utf8(&output.stderr));
}

#[test]
fn the_same_source_twice_is_read_once() {
    let home = Home::new();
    let store = home.path("x.rift");
    for skipped in [false, true] {
        let output = home.run(&["ingest", "checkout.jsonl", "--store", &store, "--strict", "--format", "json"]);
        assert_eq!(code(output.status), 0, "{}", utf8(&output.stderr));
        let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(summary["sources"][0]["skipped_bytes"].as_u64().unwrap() > 0, skipped, "{summary}");
    }
    let output = home.run(&["query", "select count(*) as spans from spans", "--store", &store]);
    assert_eq!(utf8(&output.stdout), "{\"spans\":6}\n");
}

#[test]
fn refused_records_are_told_and_fail_only_when_strict() {
    let home = Home::new();
    let output = home.run(&["ingest", "refused.jsonl", "--store", &home.path("x.rift")]);
    assert_eq!(code(output.status), 0, "{}", utf8(&output.stderr));
    assert!(utf8(&output.stderr).contains("records refused"), "{}", utf8(&output.stderr));
    let output = home.run(&["ingest", "refused.jsonl", "--store", &home.path("y.rift"), "--strict"]);
    assert_eq!(code(output.status), 3);
    let output = home.run(&["traces", "checkout.jsonl", "missing.jsonl"]);
    assert_eq!(code(output.status), 3);
    assert_eq!(utf8(&output.stdout).lines().count(), 2);
}

#[test]
fn files_of_a_folder_that_are_no_telemetry_are_left_out() {
    let home = Home::new();
    let folder = home.folder.path().join("mixed");
    fs::create_dir(&folder).unwrap();
    fs::copy(golden_folder().join("checkout.jsonl"), folder.join("checkout.jsonl")).unwrap();
    fs::write(folder.join("README.md"), "# Not telemetry\n").unwrap();
    let output = home.run(&["traces", &folder.display().to_string(), "--strict"]);
    assert_eq!(code(output.status), 0, "{}", utf8(&output.stderr));
    assert_eq!(utf8(&output.stdout).lines().count(), 2);
    assert!(utf8(&output.stderr).contains("left out") && utf8(&output.stderr).contains("README.md"));
}

#[test]
fn what_otlp_prints_reads_back_as_the_same_trace() {
    let home = Home::new();
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let sql = "select trace_id, span_id, parent_span_id, service, name, kind, start, duration_ns, status, status_message, \
               attributes, resource, events, links, scope_name, scope_version from spans \
               where trace_id = '4bf92f3577b34da6a3ce929d0e0e4736' order by span_id";
    let otlp = home.run(&["trace", trace, "checkout.jsonl", "--format", "otlp"]);
    let file = home.path("again.json");
    fs::write(&file, &otlp.stdout).unwrap();
    let first = home.run(&["query", sql, "checkout.jsonl"]);
    let again = home.run(&["query", sql, &file]);
    assert_eq!(utf8(&first.stdout).lines().count(), 5, "{}", utf8(&first.stderr));
    assert_eq!(utf8(&again.stdout), utf8(&first.stdout), "{}", utf8(&again.stderr));
}

#[test]
fn parquet_and_arrow_are_files_of_their_kind() {
    let home = Home::new();
    let parquet = home.run(&["traces", "checkout.jsonl", "--format", "parquet"]);
    assert!(parquet.stdout.starts_with(b"PAR1") && parquet.stdout.ends_with(b"PAR1"));
    let arrow = home.run(&["traces", "checkout.jsonl", "--format", "arrow"]);
    assert!(arrow.stdout.starts_with(&[0xff, 0xff, 0xff, 0xff]));
    let (text, code) = home.run_in_terminal(&["traces", "checkout.jsonl", "--format", "parquet"], &[]);
    assert_eq!(code, 2, "{text:?}");
}

#[test]
fn the_environment_and_the_configuration_give_way_to_what_is_typed() {
    let home = Home::new();
    let config = home.path("config.toml");
    fs::write(&config, "format = 'csv'\ncolour = 'never'\n").unwrap();
    let output = home.run(&["services", "checkout.jsonl", "--config", &config]);
    assert!(utf8(&output.stdout).starts_with("service,"), "{}", utf8(&output.stdout));
    assert!(utf8(&output.stderr).contains("colour"), "{}", utf8(&output.stderr));
    let run = |args: &[&str]| {
        home.command(args).env("RIFTLINE_FORMAT", "json").env("RIFTLINE_CONFIG", &config).output().unwrap()
    };
    assert!(utf8(&run(&["services", "checkout.jsonl"]).stdout).starts_with("[\n"));
    assert!(utf8(&run(&["services", "checkout.jsonl", "--format", "markdown"]).stdout).starts_with("| service"));
}

#[test]
fn check_finds_every_mistake_with_its_line() {
    let home = Home::new();
    let good = home.run(&["check"]);
    assert_eq!(code(good.status), 0, "{}{}", utf8(&good.stdout), utf8(&good.stderr));
    let folder = home.folder.path().join("config/riftline");
    fs::create_dir_all(folder.join("themes")).unwrap();
    fs::create_dir_all(folder.join("queries")).unwrap();
    fs::write(folder.join("config.toml"), "\ntheme = 7\n").unwrap();
    fs::write(folder.join("keymap.toml"), "[everywhere]\n\nqiut = ['x']\n").unwrap();
    fs::write(folder.join("themes/mine.toml"), "inherits = 'no-such'\n").unwrap();
    fs::write(folder.join("queries/mine.sql"), "-- title: Mine\n-- description: Mine.\nselect servce from spans\n")
        .unwrap();
    let bad = home.run(&["check", "--format", "csv"]);
    assert_eq!(code(bad.status), 1, "{}", utf8(&bad.stderr));
    for place in ["config.toml,2", "keymap.toml,3", "mine.toml,1", "mine.sql,3"] {
        assert!(utf8(&bad.stdout).contains(place), "{place} in {}", utf8(&bad.stdout));
    }
}

#[test]
fn the_doctor_looks_at_the_store() {
    let home = Home::new();
    let store = home.path("x.rift");
    assert_eq!(code(home.run(&["ingest", "checkout.jsonl", "--store", &store]).status), 0);
    let output = home.run(&["doctor", "--store", &store, "--format", "csv"]);
    assert_eq!(code(output.status), 0, "{}", utf8(&output.stdout));
    assert!(utf8(&output.stdout).contains("6 spans, 2 traces"), "{}", utf8(&output.stdout));
    fs::write(home.path("bad.rift"), "no store at all, but long enough to be looked at").unwrap();
    let output = home.run(&["doctor", "--store", &home.path("bad.rift")]);
    assert_eq!(code(output.status), 1, "{}", utf8(&output.stdout));
}
