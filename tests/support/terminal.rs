//! A pseudo-terminal with the real binary in it: keys in, screen out.

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};

/// How long a screen may take to show what is waited for, on a loaded machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A running riftline and its screen.
pub struct Terminal {
    screen: Arc<(Mutex<Screen>, Condvar)>,
    writer: Box<dyn Write + Send>,
    child: Box<dyn Child + Send + Sync>,
    /// Keeps the terminal open.
    master: Box<dyn MasterPty + Send>,
}

struct Screen {
    parser: vt100::Parser,
    /// All bytes that the program sent, for checks of what reached the terminal.
    raw: Vec<u8>,
    is_closed: bool,
}

impl Terminal {
    /// Starts riftline with `arguments` on a terminal of `columns` x `rows`.
    pub fn start(home: &Path, arguments: &[&str], columns: u16, rows: u16) -> Self {
        Self::start_with(home, arguments, columns, rows, |_| ())
    }

    /// Starts riftline after `prepare` has changed the command, such as its environment.
    pub fn start_with(
        home: &Path,
        arguments: &[&str],
        columns: u16,
        rows: u16,
        prepare: impl FnOnce(&mut CommandBuilder),
    ) -> Self {
        let size = PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("open a pseudo-terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_riftline"));
        command.args(arguments);
        command.env("TERM", "xterm-256color");
        command.env("COLORTERM", "truecolor");
        super::isolate(home, |key, value| command.env(key, value));
        prepare(&mut command);
        let child = pair.slave.spawn_command(command).expect("start riftline");
        let screen = Arc::new((Mutex::new(Screen::new(columns, rows)), Condvar::new()));
        listen(pair.master.try_clone_reader().expect("read the terminal"), Arc::clone(&screen));
        let writer = pair.master.take_writer().expect("write to the terminal");
        Self { screen, writer, child, master: pair.master }
    }

    /// Types `keys` as bytes.
    pub fn type_keys(&mut self, keys: &str) {
        self.writer.write_all(keys.as_bytes()).and_then(|()| self.writer.flush()).expect("type");
    }

    /// Waits until the screen's text satisfies `wanted`, and returns it. Fails with the screen when that takes too long.
    pub fn wait_for(&self, what: &str, wanted: impl Fn(&str) -> bool) -> String {
        self.wait_until(what, |screen| wanted(&screen.parser.screen().contents())).parser.screen().contents()
    }

    /// Waits until `text` is on the screen.
    pub fn wait_for_text(&self, text: &str) -> String {
        self.wait_for(text, |screen| screen.contains(text))
    }

    fn wait_until(&self, what: &str, wanted: impl Fn(&Screen) -> bool) -> std::sync::MutexGuard<'_, Screen> {
        let deadline = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().expect("screen");
        while !wanted(&screen) {
            let left = deadline.saturating_duration_since(Instant::now());
            let shown = screen.parser.screen().contents();
            assert!(!left.is_zero() && !screen.is_closed, "waited for {what}; the screen shows:\n{shown}");
            screen = self.screen.1.wait_timeout(screen, left).expect("screen").0;
        }
        screen
    }

    /// Looks at the screen as it is.
    pub fn with_screen<T>(&self, look: impl FnOnce(&vt100::Screen) -> T) -> T {
        look(self.screen.0.lock().expect("screen").parser.screen())
    }

    /// Returns the process id of riftline.
    pub fn pid(&self) -> u32 {
        self.child.process_id().expect("running")
    }

    /// Changes the size of the terminal.
    pub fn resize(&self, columns: u16, rows: u16) {
        self.screen.0.lock().expect("screen").parser.screen_mut().set_size(cells(rows), cells(columns));
        self.master.resize(PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }).expect("resize");
    }

    /// Waits for the end, and returns the exit status and everything that was sent to the terminal.
    pub fn wait_for_end(mut self) -> (ExitStatus, Ended) {
        let status = self.child.wait().expect("end");
        drop(self.writer);
        let deadline = Instant::now() + PATIENCE;
        let mut screen = self.screen.0.lock().expect("screen");
        while !screen.is_closed && Instant::now() < deadline {
            screen = self.screen.1.wait_timeout(screen, Duration::from_millis(200)).expect("screen").0;
        }
        let end = screen.parser.screen();
        let ended = Ended {
            is_alternate: end.alternate_screen(),
            is_cursor_hidden: end.hide_cursor(),
            is_mouse_on: end.mouse_protocol_mode() != vt100::MouseProtocolMode::None,
            is_paste_bracketed: end.bracketed_paste(),
            raw: screen.raw.clone(),
        };
        (status, ended)
    }
}

/// The state that a terminal is left in.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is one independent mode of a terminal")]
pub struct Ended {
    pub is_alternate: bool,
    pub is_cursor_hidden: bool,
    pub is_mouse_on: bool,
    pub is_paste_bracketed: bool,
    pub raw: Vec<u8>,
}

impl Ended {
    /// Fails unless the terminal is as it was before.
    pub fn assert_restored(&self) {
        let text = String::from_utf8_lossy(&self.raw[self.raw.len().saturating_sub(2_000)..]).into_owned();
        assert!(!self.is_alternate, "still on the alternate screen: {text:?}");
        assert!(!self.is_cursor_hidden, "cursor still hidden: {text:?}");
        assert!(!self.is_mouse_on, "mouse still captured: {text:?}");
        assert!(!self.is_paste_bracketed, "paste still bracketed: {text:?}");
    }
}

impl Screen {
    fn new(columns: u16, rows: u16) -> Self {
        Self { parser: vt100::Parser::new(cells(rows), cells(columns), 0), raw: Vec::new(), is_closed: false }
    }
}

fn cells(count: u16) -> NonZeroU16 {
    NonZeroU16::new(count).expect("a terminal has cells")
}

fn listen(mut reader: Box<dyn Read + Send>, screen: Arc<(Mutex<Screen>, Condvar)>) {
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        loop {
            let count = reader.read(&mut buffer).unwrap_or(0);
            let mut locked = screen.0.lock().expect("screen");
            locked.parser.process(&buffer[..count]);
            locked.raw.extend_from_slice(&buffer[..count]);
            locked.is_closed = count == 0;
            screen.1.notify_all();
            if count == 0 {
                return;
            }
        }
    });
}
