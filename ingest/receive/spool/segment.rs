//! The files of a spool: their names, their torn ends, their removal.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufReader};
use std::path::{Path, PathBuf};

use super::Position;
use super::record::{Found, decode};

const SUFFIX: &str = ".segment";

/// Returns the path of a segment.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:020}{SUFFIX}"))
}

/// Returns the numbers of the segments that are there, ascending.
pub(super) fn numbers(folder: &Path) -> io::Result<Vec<u64>> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number: Option<u64> = name.to_str().and_then(|name| name.strip_suffix(SUFFIX)?.parse().ok());
        numbers.extend(number);
    }
    numbers.sort_unstable();
    Ok(numbers)
}

/// Makes the folder, cuts off what a crash left at the end of the last segment, and returns how many bytes lie behind `stored`.
pub(super) fn prepare(folder: &Path, stored: Position) -> io::Result<u64> {
    fs::create_dir_all(folder)?;
    let numbers = numbers(folder)?;
    if let Some(&last) = numbers.last() {
        cut_torn_end(&path(folder, last))?;
    }
    let mut bytes = 0_u64;
    for number in numbers.into_iter().filter(|&number| number >= stored.segment) {
        let len = fs::metadata(path(folder, number))?.len();
        let before = if number == stored.segment { stored.offset } else { 0 };
        bytes = bytes.saturating_add(len.saturating_sub(before));
    }
    Ok(bytes)
}

fn cut_torn_end(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new().read(true).write(true).open(path)?;
    let mut reader = BufReader::with_capacity(1 << 20, &file);
    let mut end = 0_u64;
    while let Found::Record(_, len) = decode(&mut reader)? {
        end = end.saturating_add(len);
    }
    if end < file.metadata()?.len() {
        file.set_len(end)?;
        file.sync_all()?;
    }
    Ok(())
}

/// Makes a new segment, durably.
pub(super) fn create(folder: &Path, number: u64) -> io::Result<File> {
    let file = OpenOptions::new().write(true).create_new(true).open(path(folder, number))?;
    File::open(folder)?.sync_all()?;
    Ok(file)
}

/// Removes all segments with a lower number.
pub(super) fn remove_before(folder: &Path, number: u64) -> io::Result<()> {
    for one in numbers(folder)?.into_iter().filter(|&one| one < number) {
        fs::remove_file(path(folder, one))?;
    }
    Ok(())
}
