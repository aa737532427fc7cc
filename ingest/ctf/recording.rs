//! A CTF trace as a folder: the file `metadata`, and a file for each data stream.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use xxhash_rust::xxh3::Xxh3;

use super::merge::Merge;
use super::stream::{OpenFile, Store};
use super::{build, metadata};
use crate::batch::Batch;
use crate::convention::Conventions;
use crate::error::OpenError;
use crate::format::{FolderFormat, Recording, Settings};

/// Largest metadata that is read.
const MAX_METADATA_BYTES: u64 = 256 << 20;

/// How much of `metadata` tells what it is.
const HEAD_BYTES: usize = 64 << 10;

/// The format `ctf`.
#[derive(Debug)]
pub struct Ctf;

impl FolderFormat for Ctf {
    fn name(&self) -> &'static str {
        "ctf"
    }

    fn description(&self) -> &'static str {
        "Common Trace Format 1.8 and 2: LTTng, perf data convert --to-ctf, barectf, babeltrace2"
    }

    fn sample(&self) -> &'static [(&'static str, &'static [u8])] {
        &[
            ("metadata", include_bytes!("../../sample-traces/formats/ctf/metadata")),
            ("stream", include_bytes!("../../sample-traces/formats/ctf/stream")),
        ]
    }

    fn recognises(&self, folder: &Path) -> bool {
        let head = File::open(folder.join("metadata")).and_then(|file| {
            let mut head = vec![0; HEAD_BYTES];
            let file = OpenFile { file, len: HEAD_BYTES as u64 };
            let len = file.read_at(&mut head, 0)?;
            head.truncate(len);
            Ok(head)
        });
        head.is_ok_and(|head| metadata::recognises(&head))
    }

    fn open(&self, folder: &Path, settings: &Settings) -> Result<Box<dyn Recording>, OpenError> {
        let failed = |path: PathBuf| move |source| OpenError::File { path, source };
        let path = folder.join("metadata");
        let size = fs::metadata(&path).map_err(failed(path.clone()))?.len();
        if size > MAX_METADATA_BYTES {
            let reason = format!("metadata has {size} bytes, more than {MAX_METADATA_BYTES}");
            return Err(OpenError::Recording { path: folder.to_path_buf(), reason });
        }
        let text = fs::read(&path).map_err(failed(path))?;
        let files = streams(folder).map_err(failed(folder.to_path_buf()))?;
        let bytes = files.iter().map(|(_, file)| file.len).sum();
        let stores = files.into_iter().map(|(name, file)| (name, Box::new(file) as Box<dyn Store>)).collect();
        CtfRecording::new(&text, stores, bytes, settings.conventions.clone())
            .map(|recording| Box::new(recording) as Box<dyn Recording>)
            .map_err(|reason| OpenError::Recording { path: folder.to_path_buf(), reason })
    }
}

/// Returns the data streams of a folder, by name. Hidden files, folders and empty files are none.
fn streams(folder: &Path) -> io::Result<Vec<(String, OpenFile)>> {
    let mut paths: Vec<PathBuf> = fs::read_dir(folder)?.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    let mut streams = Vec::new();
    for path in paths {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let is_stream = !name.starts_with('.')
            && name != "metadata"
            && path.extension().is_none_or(|end| end != "idx")
            && path.is_file();
        if is_stream {
            let file = File::open(&path)?;
            let len = file.metadata()?.len();
            streams.push((name, OpenFile { file, len }));
        }
    }
    Ok(streams)
}

/// A trace that is being read.
pub(crate) struct CtfRecording {
    merge: Merge,
    conventions: Arc<Conventions>,
    head_hash: u64,
    bytes: u64,
}

impl CtfRecording {
    /// Opens a trace from its metadata and its streams by name; fails with what is wrong with the metadata.
    pub(crate) fn new(
        text: &[u8],
        stores: Vec<(String, Box<dyn Store>)>,
        bytes: u64,
        conventions: Arc<Conventions>,
    ) -> Result<Self, String> {
        let metadata = metadata::parse(text).map_err(|reason| format!("metadata: {reason}"))?;
        let trace = build::trace(metadata).map_err(|reason| format!("metadata: {reason}"))?;
        let mut hasher = Xxh3::new();
        hasher.update(&trace.identity);
        stores.iter().for_each(|(name, _)| hasher.update(name.as_bytes()));
        let head_hash = hasher.digest();
        Ok(Self { merge: Merge::new(trace, stores), conventions, head_hash, bytes })
    }
}

impl Recording for CtfRecording {
    fn next(&mut self) -> Option<Batch> {
        self.merge.next(&self.conventions)
    }

    fn head_hash(&self) -> u64 {
        self.head_hash
    }

    fn bytes(&self) -> (u64, u64) {
        (self.merge.bytes(), self.bytes)
    }

    fn stopped(&self) -> Option<String> {
        None
    }
}
