//! The program `kubectl`: found, run, and never waited for without end.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use super::super::driver::DriverError;

/// Names the program to use instead of the `kubectl` of `PATH`.
const VARIABLE: &str = "RIFTLINE_KUBECTL";
/// Longest answer that is read, in bytes.
const LONGEST_ANSWER: u64 = 16 << 20;
/// Between two looks whether the program has ended.
const PAUSE: Duration = Duration::from_millis(10);
/// How long what the program wrote may be waited for once it has ended.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// What `kubectl` answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Output {
    /// Whether it ended with 0.
    pub is_ok: bool,
    pub stdout: String,
    pub stderr: String,
}

/// Runs `kubectl`, or something that answers like it.
pub trait Kubectl: Send {
    /// Runs it with these arguments, with `input` on its standard input, for at most `within`.
    fn run(&self, arguments: &[&str], input: Option<&str>, within: Duration) -> Result<Output, DriverError>;
}

/// The real program.
#[derive(Debug, Clone)]
pub struct Program {
    path: PathBuf,
    environment: Vec<(OsString, OsString)>,
}

impl Program {
    /// Finds the program by `RIFTLINE_KUBECTL`, else in `PATH`.
    pub fn find() -> Result<Self, DriverError> {
        let named = std::env::var_os(VARIABLE).filter(|path| !path.is_empty()).map(PathBuf::from);
        let path = named.or_else(in_path).filter(|path| path.is_file()).ok_or_else(missing)?;
        Ok(Self { path, environment: Vec::new() })
    }

    /// Adds a variable to the program's environment.
    #[must_use]
    pub fn with_variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    fn start(&self, arguments: &[&str]) -> Result<Child, DriverError> {
        let mut command = Command::new(&self.path);
        command.args(arguments).envs(self.environment.iter().map(|(name, value)| (name, value)));
        // Ctrl-C is for riftline: what it has begun to undo must come to its end.
        command.process_group(0);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().map_err(|error| unreachable(&self.path.display().to_string(), error.to_string()))
    }
}

fn in_path() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join("kubectl")).find(|file| file.is_file())
}

fn missing() -> DriverError {
    DriverError::Missing(format!(
        "no kubectl: install it (https://kubernetes.io/docs/tasks/tools) or name it in {VARIABLE}; `riftline chaos export` works without"
    ))
}

fn unreachable(target: &str, reason: String) -> DriverError {
    DriverError::Unreachable { target: target.to_owned(), reason }
}

impl Kubectl for Program {
    fn run(&self, arguments: &[&str], input: Option<&str>, within: Duration) -> Result<Output, DriverError> {
        let mut child = self.start(arguments)?;
        let stdout = read_all(child.stdout.take());
        let stderr = read_all(child.stderr.take());
        write_all(child.stdin.take(), input);
        let status = wait(&mut child, within)
            .map_err(|reason| unreachable("kubectl", format!("`kubectl {}` {reason}", arguments.join(" "))))?;
        let text = |stream: Receiver<String>| stream.recv_timeout(LAST_WORDS).unwrap_or_default();
        Ok(Output { is_ok: status.success(), stdout: text(stdout), stderr: text(stderr) })
    }
}

/// Reads a stream in a thread of its own, so that none fills up while the other is read.
fn read_all(stream: Option<impl Read + Send + 'static>) -> Receiver<String> {
    let (sender, receiver) = sync_channel(1);
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(stream) = stream {
            // What was read until an error is all there is.
            let _ = stream.take(LONGEST_ANSWER).read_to_end(&mut bytes);
        }
        let _ = sender.send(String::from_utf8_lossy(&bytes).into_owned());
    });
    receiver
}

/// Writes in a thread of its own; a program that does not read its input says why on its own.
fn write_all(stream: Option<impl Write + Send + 'static>, input: Option<&str>) {
    let input = input.unwrap_or_default().to_owned();
    thread::spawn(move || stream.map(|mut stream| stream.write_all(input.as_bytes())));
}

fn wait(child: &mut Child, within: Duration) -> Result<ExitStatus, String> {
    let begin = Instant::now();
    loop {
        match child.try_wait() {
            Ok(Some(status)) => return Ok(status),
            Ok(None) if begin.elapsed() < within => thread::sleep(PAUSE),
            Ok(None) => {
                // Whether or not it could be killed, it is not waited for any longer.
                let _ = child.kill().and_then(|()| child.wait());
                return Err(format!("gave no answer within {} s", within.as_secs()));
            }
            Err(error) => return Err(error.to_string()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell() -> Program {
        Program { path: PathBuf::from("/bin/sh"), environment: Vec::new() }
    }

    const LONG: Duration = Duration::from_mins(1);

    #[test]
    fn what_it_says_and_how_it_ends_comes_back() {
        let output = shell().run(&["-c", "cat; echo bad >&2; exit 3"], Some("hello"), LONG).unwrap();
        assert_eq!(output, Output { is_ok: false, stdout: "hello".to_owned(), stderr: "bad\n".to_owned() });
    }

    #[test]
    fn a_long_answer_and_an_input_that_nobody_reads_do_not_block() {
        let input = "x".repeat(1 << 20);
        let output =
            shell().run(&["-c", "head -c 300000 /dev/zero; head -c 300000 /dev/zero >&2"], Some(&input), LONG).unwrap();
        assert_eq!((output.stdout.len(), output.stderr.len()), (300_000, 300_000));
    }

    #[test]
    fn one_that_does_not_end_is_ended() {
        let error = shell().run(&["-c", "exec sleep 600"], None, Duration::from_millis(50)).unwrap_err();
        assert!(error.to_string().contains("gave no answer"), "{error}");
    }

    #[test]
    fn its_environment_can_be_added_to() {
        let program = shell().with_variable("KUBECONFIG", "/nowhere");
        assert_eq!(program.run(&["-c", "printf %s \"$KUBECONFIG\""], None, LONG).unwrap().stdout, "/nowhere");
    }

    #[test]
    fn a_missing_program_says_what_to_install() {
        assert!(missing().to_string().contains("RIFTLINE_KUBECTL"));
        let program = Program { path: PathBuf::from("/nowhere/kubectl"), environment: Vec::new() };
        assert!(matches!(program.run(&[], None, LONG), Err(DriverError::Unreachable { .. })));
    }
}
