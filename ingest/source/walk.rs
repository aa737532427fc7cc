//! Finds the files in folders and under patterns.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use crate::error::OpenError;
use crate::format;
use crate::source::{Named, Unreadable, failed};
use crate::text::inert_os;

type Found = Vec<Result<Named, Unreadable>>;

/// Appends the files that `text` names: a file, all files of a folder, or all matches of a pattern.
pub(super) fn expand_path(text: &str, found: &mut Found) {
    let path = Path::new(text);
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => walk(path, found),
        Ok(metadata) => found.push(Ok(named(path, &metadata, true))),
        Err(error) if error.kind() == io::ErrorKind::NotFound && text.contains(['*', '?', '[']) => {
            expand_pattern(text, found);
        }
        Err(error) => found.push(Err(unreadable(path, error))),
    }
}

fn expand_pattern(pattern: &str, found: &mut Found) {
    let refused = |error| Err(Unreadable { name: pattern.to_owned(), error });
    let matches = match glob::glob(pattern) {
        Ok(matches) => matches,
        Err(error) => {
            let error = OpenError::BadPattern { pattern: pattern.to_owned(), reason: error.to_string() };
            found.push(refused(error));
            return;
        }
    };
    let before = found.len();
    for one in matches {
        match one {
            Ok(path) => expand_match(&path, found),
            Err(error) => {
                let path = error.path().to_path_buf();
                found.push(Err(unreadable(&path, error.into())));
            }
        }
    }
    if found.len() == before {
        found.push(refused(OpenError::NoMatch { pattern: pattern.to_owned() }));
    }
}

fn expand_match(path: &Path, found: &mut Found) {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => walk(path, found),
        Ok(metadata) => found.push(Ok(named(path, &metadata, false))),
        Err(error) => found.push(Err(unreadable(path, error))),
    }
}

/// Appends all regular files below a folder, sorted, hidden ones left out. Links are followed, each place is visited once.
fn walk(folder: &Path, found: &mut Found) {
    let mut open = vec![folder.to_path_buf()];
    let mut visited = HashSet::new();
    while let Some(path) = open.pop() {
        let metadata = match fs::metadata(&path) {
            Ok(metadata) => metadata,
            Err(error) => {
                found.push(Err(unreadable(&path, error)));
                continue;
            }
        };
        let real = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        if !visited.insert(real) {
            continue;
        }
        if let Some(format) = Some(&path).filter(|_| metadata.is_dir()).and_then(|path| format::of_folder(path)) {
            let size = entries(&path)
                .ok()
                .map(|paths| paths.iter().filter_map(|path| fs::metadata(path).ok()).map(|one| one.len()).sum());
            found.push(Ok(Named { size, folder: Some(format), ..named(&path, &metadata, false) }));
        } else if metadata.is_dir() {
            match entries(&path) {
                Ok(entries) => open.extend(entries.into_iter().rev()),
                Err(error) => found.push(Err(unreadable(&path, error))),
            }
        } else if metadata.is_file() {
            found.push(Ok(named(&path, &metadata, false)));
        }
    }
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_hidden = path.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b"."));
        if !is_hidden {
            paths.push(path);
        }
    }
    paths.sort();
    Ok(paths)
}

fn named(path: &Path, metadata: &fs::Metadata, is_explicit: bool) -> Named {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf());
    let size = metadata.is_file().then_some(metadata.len());
    Named {
        name: path.to_string_lossy().into_owned(),
        path: Some(path),
        size,
        written_ns: written_ns(metadata),
        is_explicit,
        folder: None,
    }
}

fn written_ns(metadata: &fs::Metadata) -> Option<i64> {
    let since = metadata.modified().ok()?.duration_since(UNIX_EPOCH).ok()?;
    i64::try_from(since.as_nanos()).ok()
}

fn unreadable(path: &Path, error: io::Error) -> Unreadable {
    Unreadable { name: inert_os(path.as_os_str()), error: failed(path, error) }
}
