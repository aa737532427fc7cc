//! Who has a store's file open, when it is not this process.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// A process that holds a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Holder {
    pub(super) program: String,
    pub(super) pid: u32,
}

/// Returns the holder that DuckDB's message names, else the one that the kernel's lock table names.
pub(super) fn find(message: &str, path: &Path) -> Option<Holder> {
    if !message.contains("Could not set lock on file") {
        return None;
    }
    Some(from_message(message).or_else(|| from_lock_table(path)).unwrap_or_else(unknown))
}

fn unknown() -> Holder {
    Holder { program: "another program".to_owned(), pid: 0 }
}

/// Reads `… Conflicting lock is held in /usr/bin/python3.11 (PID 4242) …`.
fn from_message(message: &str) -> Option<Holder> {
    let (_, rest) = message.split_once("lock is held in ")?;
    let (program, rest) = rest.split_once(" (PID ")?;
    let (pid, _) = rest.split_once(')')?;
    let program = Path::new(program).file_name().map_or(program.into(), |name| name.to_string_lossy());
    Some(Holder { program: program.into_owned(), pid: pid.trim().parse().ok()? })
}

/// Reads `/proc/locks`: `1: POSIX ADVISORY WRITE 4242 08:01:131074 0 EOF`, device in hexadecimal.
fn from_lock_table(path: &Path) -> Option<Holder> {
    let inode = fs::metadata(path).ok()?.ino();
    let table = fs::read_to_string("/proc/locks").ok()?;
    let pid = table.lines().find_map(|line| holder_of(line, inode))?;
    let program = fs::read_to_string(format!("/proc/{pid}/comm"))
        .map_or_else(|_| unknown().program, |name| name.trim().to_owned());
    Some(Holder { program, pid })
}

fn holder_of(line: &str, inode: u64) -> Option<u32> {
    let mut fields = line.split_whitespace().skip(4);
    let pid = fields.next()?;
    let file = fields.next()?;
    let is_same = file.rsplit(':').next()?.parse::<u64>().ok()? == inode;
    is_same.then(|| pid.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_program_and_pid_from_the_message() {
        let message = "IO Error: Could not set lock on file \"/a/x.rift\": Conflicting lock is held in \
                       /usr/bin/python3.11 (PID 4242) by user jo. See also https://duckdb.org";
        let expected = Holder { program: "python3.11".to_owned(), pid: 4242 };
        assert_eq!(find(message, Path::new("/a/x.rift")), Some(expected));
    }

    #[test]
    fn reads_the_lock_table() {
        let line = "3: POSIX  ADVISORY  WRITE 4242 08:01:131074 0 EOF";
        assert_eq!(holder_of(line, 131_074), Some(4242));
        assert_eq!(holder_of(line, 7), None);
    }

    #[test]
    fn other_messages_name_nobody() {
        assert_eq!(find("IO Error: no such file", Path::new("/a/x.rift")), None);
    }
}
