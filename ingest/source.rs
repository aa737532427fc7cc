//! From what the user named to streams of bytes: files, folders, globs, pipes, and what is packed in them.

pub(crate) mod container;
pub(crate) mod live;
pub(crate) mod peek;
pub(crate) mod tail;
pub(crate) mod tarball;
mod walk;

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::OpenError;
use crate::format::FolderFormat;
use crate::read::Input;

/// One file or pipe that is to be read.
#[derive(Clone)]
pub(crate) struct Named {
    /// Absolute path, or `-`.
    pub name: String,
    pub path: Option<PathBuf>,
    /// Size on disk; nothing for pipes.
    pub size: Option<u64>,
    /// When it was last written, nanoseconds since 1970; nothing for pipes.
    pub written_ns: Option<i64>,
    /// Whether the user named it, and not a folder or pattern that it is in.
    pub is_explicit: bool,
    /// The format of the recording that it is, where it is a folder.
    pub folder: Option<&'static dyn FolderFormat>,
}

/// Something that was named but cannot be read.
#[derive(Debug)]
pub(crate) struct Unreadable {
    pub name: String,
    pub error: OpenError,
}

/// Returns what is in a file, gzip or not: for small files beside recordings.
pub fn read_unpacked(path: &Path) -> io::Result<Vec<u8>> {
    let bytes = std::fs::read(path)?;
    if !bytes.starts_with(&[0x1f, 0x8b]) {
        return Ok(bytes);
    }
    let mut unpacked = Vec::new();
    flate2::read::MultiGzDecoder::new(bytes.as_slice()).read_to_end(&mut unpacked)?;
    Ok(unpacked)
}

/// Returns every file that the inputs name, sorted within a folder, with those that cannot be read in their places.
pub(crate) fn expand(inputs: &[Input]) -> Vec<Result<Named, Unreadable>> {
    let mut found = Vec::new();
    for input in inputs {
        match input {
            Input::Stdin => {
                found.push(Ok(Named {
                    name: "-".to_owned(),
                    path: None,
                    size: None,
                    written_ns: None,
                    is_explicit: true,
                    folder: None,
                }));
            }
            Input::Path(path) => walk::expand_path(path, &mut found),
        }
    }
    found
}

/// An open file or pipe.
pub(crate) struct Opened {
    pub stream: Box<dyn Read>,
    /// Whether bytes come when they come.
    pub is_live: bool,
    pub switch: live::Switch,
}

/// Opens a file or stdin. `bytes_read` counts what is read from it.
pub(crate) fn open(named: &Named, bytes_read: &Arc<AtomicU64>) -> Result<Opened, OpenError> {
    let switch = live::Switch::default();
    let Some(path) = &named.path else {
        let stream = live::Live::new(Counted::new(io::stdin(), bytes_read), switch.clone());
        return Ok(Opened { stream: Box::new(stream), is_live: true, switch });
    };
    let file = std::fs::File::open(path).map_err(|source| failed(path, source))?;
    let metadata = file.metadata().map_err(|source| failed(path, source))?;
    if metadata.is_dir() {
        return Err(failed(path, io::ErrorKind::IsADirectory.into()));
    }
    let counted = Counted::new(file, bytes_read);
    if metadata.is_file() {
        return Ok(Opened { stream: Box::new(counted), is_live: false, switch });
    }
    Ok(Opened { stream: Box::new(live::Live::new(counted, switch.clone())), is_live: true, switch })
}

fn failed(path: &Path, source: io::Error) -> OpenError {
    OpenError::File { path: path.to_path_buf(), source }
}

/// Counts the bytes that are read.
pub(crate) struct Counted<R> {
    inner: R,
    count: Arc<AtomicU64>,
}

impl<R> Counted<R> {
    pub(crate) fn new(inner: R, count: &Arc<AtomicU64>) -> Self {
        Self { inner, count: count.clone() }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let len = self.inner.read(buffer)?;
        self.count.fetch_add(len as u64, Ordering::Relaxed);
        Ok(len)
    }
}
