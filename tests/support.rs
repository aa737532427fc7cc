//! What several tests need: the real binary, a terminal to run it in, and input made on the spot.

pub mod listening;
pub mod otlp;
pub mod terminal;

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// Returns the real binary, cut off from this machine's configuration and stores.
pub fn riftline(home: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_riftline"));
    isolate(home, |key, value| {
        command.env(key, value);
    });
    command
}

/// Sets the variables that keep riftline inside `home`.
pub fn isolate(home: &Path, mut set: impl FnMut(&str, PathBuf)) {
    set("HOME", home.to_owned());
    for (key, folder) in [("XDG_CONFIG_HOME", "config"), ("XDG_DATA_HOME", "data"), ("XDG_STATE_HOME", "state")] {
        set(key, home.join(folder));
    }
    set("XDG_CACHE_HOME", home.join("cache"));
    let runtime = home.join("run");
    std::fs::create_dir_all(&runtime).expect("runtime folder");
    set("XDG_RUNTIME_DIR", runtime);
}

/// Runs the command and returns what it printed; fails with its error output when it did not exit with 0.
pub fn stdout_of(command: &mut Command) -> String {
    let output = command.output().expect("run riftline");
    assert!(output.status.success(), "{command:?}: {}", describe(&output));
    String::from_utf8(output.stdout).expect("utf-8 output")
}

/// Returns the exit status and both outputs as text.
pub fn describe(output: &Output) -> String {
    let (out, err) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    format!("{}\nstdout: {out}\nstderr: {err}", output.status)
}
