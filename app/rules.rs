//! The rules of detectors: those that come with riftline, and those of the folder `rules` beside the configuration.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use riftline_queries::catalog::Mistake;
use riftline_queries::detect::Rules;

use crate::config;

/// Rules, and what is wrong with the user's.
type Loaded = (Arc<Rules>, Vec<Mistake>);

/// Returns the folder that users put rules in.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    Some(config::folders()?.config_dir().join("rules"))
}

/// Returns the rules as they are now.
#[must_use]
pub fn load() -> Loaded {
    of(folder().as_deref())
}

fn of(folder: Option<&Path>) -> Loaded {
    let (rules, mistakes) = folder.map_or_else(|| (Rules::bundled(), Vec::new()), Rules::with_folder);
    (Arc::new(rules), mistakes)
}

/// A file of rules: path, time of change, size.
type Stamp = (PathBuf, Option<SystemTime>, u64);

/// A folder of rules that is read again when its files change.
#[derive(Debug)]
pub struct Watched {
    folder: Option<PathBuf>,
    /// The files as they were when they were read; nothing before the first time.
    seen: Option<Vec<Stamp>>,
}

impl Watched {
    /// Watches `folder`, where there is one; nothing is read yet.
    #[must_use]
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder, seen: None }
    }

    /// Tells whether the files are others than those that were read.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.seen.as_ref() != Some(&self.stamps())
    }

    /// Reads the rules.
    pub fn read(&mut self) -> Loaded {
        self.seen = Some(self.stamps());
        of(self.folder.as_deref())
    }

    /// Returns the files of rules, by path.
    fn stamps(&self) -> Vec<Stamp> {
        let entries = self.folder.iter().filter_map(|folder| fs::read_dir(folder).ok()).flatten().flatten();
        let mut stamps: Vec<Stamp> = entries
            .filter_map(|entry| {
                let meta = entry.metadata().ok()?;
                Some((entry.path(), meta.modified().ok(), meta.len()))
            })
            .collect();
        stamps.sort();
        stamps
    }
}
