//! Drives the real binary in a pseudo-terminal: keys in, screen out, and the terminal as it was on every way out.

use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process};

use crate::support::otlp;
use crate::support::terminal::Terminal;

const SIZES: [(u16, u16); 2] = [(80, 24), (200, 60)];

struct Desk {
    home: tempfile::TempDir,
    file: PathBuf,
}

impl Desk {
    fn new() -> Self {
        let home = tempfile::tempdir().expect("folder");
        let file = home.path().join("spans.jsonl");
        std::fs::write(&file, otlp::lines(30, 5)).expect("input");
        Self { home, file }
    }

    fn home(&self) -> &Path {
        self.home.path()
    }

    fn open(&self, columns: u16, rows: u16) -> Terminal {
        let terminal = Terminal::start(self.home(), &[self.file.to_str().expect("utf-8 path")], columns, rows);
        terminal.wait_for("thirty traces", |screen| screen.contains("operation 0") && screen.contains("30"));
        terminal
    }
}

#[test]
fn list_trace_details_query_quit() {
    for (columns, rows) in SIZES {
        let desk = Desk::new();
        let mut terminal = desk.open(columns, rows);
        terminal.type_keys("\r");
        terminal.wait_for("the waterfall", |screen| screen.contains("operation 4") && screen.contains("operation 1"));
        terminal.type_keys("\r");
        terminal.wait_for("the details", |screen| screen.contains("http.request.method") && screen.contains("GET"));
        terminal.type_keys("\x1b");
        terminal.wait_for_text("operation 4");
        terminal.type_keys("7");
        terminal.wait_for_text("from spans group by service");
        terminal.type_keys("\x1b[15~");
        terminal
            .wait_for("the answer", |screen| ["gateway", "orders", "stock"].iter().all(|name| screen.contains(name)));
        terminal.type_keys("\x1b");
        terminal.wait_for("the editor to be left", |screen| !screen.contains("Esc leave"));
        terminal.type_keys(":quit\r");
        let (status, ended) = terminal.wait_for_end();
        assert!(status.success(), "{status:?}");
        ended.assert_restored();
    }
}

#[test]
fn the_terminal_is_restored_after_q() {
    let mut terminal = Desk::new().open(80, 24);
    terminal.type_keys("q");
    let (status, ended) = terminal.wait_for_end();
    assert!(status.success(), "{status:?}");
    ended.assert_restored();
}

#[test]
fn the_terminal_is_restored_after_signals() {
    for (signal, code) in [(Signal::TERM, 143), (Signal::INT, 130), (Signal::HUP, 129)] {
        let terminal = Desk::new().open(80, 24);
        let pid = Pid::from_raw(i32::try_from(terminal.pid()).expect("pid")).expect("pid");
        kill_process(pid, signal).expect("signal");
        let (status, ended) = terminal.wait_for_end();
        assert_eq!(status.exit_code(), code, "{signal:?}");
        ended.assert_restored();
    }
}

#[test]
fn the_terminal_is_restored_after_a_panic() {
    let desk = Desk::new();
    let file = desk.file.to_str().expect("utf-8 path").to_owned();
    let mut terminal =
        Terminal::start_with(desk.home(), &[&file], 80, 24, |command| command.env("RIFTLINE_TEST_PANIC", "1"));
    terminal.wait_for_text("operation 0");
    terminal.type_keys("\x1b[24~");
    let (status, ended) = terminal.wait_for_end();
    assert!(!status.success(), "{status:?}");
    ended.assert_restored();
    assert!(String::from_utf8_lossy(&ended.raw).contains("RIFTLINE_TEST_PANIC"), "the panic says what happened");
}

#[test]
fn any_size_and_a_storm_of_resizes_are_survived() {
    let mut terminal = Desk::new().open(80, 24);
    for (columns, rows) in [(1, 1), (2, 1), (79, 24), (300, 100), (5, 50), (200, 2), (80, 24)] {
        terminal.resize(columns, rows);
    }
    terminal.wait_for_text("operation 0");
    terminal.type_keys("q");
    let (status, ended) = terminal.wait_for_end();
    assert!(status.success(), "{status:?}");
    ended.assert_restored();
}

#[test]
fn names_from_files_cannot_command_the_terminal() {
    let desk = Desk::new();
    let hostile = r"\u001b]0;owned\u0007\u001b[31mred\u202e\u009b2J\u001b]52;c;aGk=\u0007";
    std::fs::write(&desk.file, otlp::lines(30, 5).replace("operation 0", &format!("operation 0{hostile}")))
        .expect("input");
    let mut terminal = desk.open(200, 60);
    terminal.type_keys("\r");
    terminal.wait_for_text("operation 4");
    terminal.type_keys("q");
    let (_, ended) = terminal.wait_for_end();
    let sent = String::from_utf8_lossy(&ended.raw);
    for forbidden in ["\x1b]0;owned", "\x1b[31mred", "\u{202e}", "\u{9b}", "\x1b]52"] {
        assert!(!sent.contains(forbidden), "{forbidden:?} reached the terminal");
    }
    assert!(sent.contains("owned"), "the harmless part is shown");
}
