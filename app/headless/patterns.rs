//! The user's log patterns: `log-patterns/*.toml` in the configuration folder.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use riftline_ingest::log::pattern::Pattern;

use crate::config;
use crate::mistake::Mistake;

/// Returns all patterns that are right, and the mistakes in the others with their files.
#[must_use]
pub fn load() -> (Arc<[Pattern]>, Vec<(PathBuf, Mistake)>) {
    let folder = config::folders().map(|folders| folders.config_dir().join("log-patterns"));
    let files = folder.map(|folder| files(&folder)).unwrap_or_default();
    let (mut patterns, mut mistakes) = (Vec::new(), Vec::new());
    for file in files {
        let text = match std::fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) => {
                mistakes.push((file, Mistake { line: 1, message: error.to_string(), is_warning: false }));
                continue;
            }
        };
        let (right, wrong) = Pattern::read(&text);
        patterns.extend(right);
        let told = |one: riftline_ingest::log::pattern::PatternMistake| Mistake {
            line: one.line,
            message: one.message,
            is_warning: false,
        };
        mistakes.extend(wrong.into_iter().map(|one| (file.clone(), told(one))));
    }
    (patterns.into(), mistakes)
}

/// The files of the folder, sorted, so that the order in which patterns are tried is the user's.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "toml")).collect();
    files.sort();
    files
}
