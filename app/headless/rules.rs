//! The rules of detectors: those that come with riftline, and those of the folder `rules` beside the configuration.

use std::path::PathBuf;
use std::sync::Arc;

use riftline_queries::catalog::Mistake;
use riftline_queries::detect::Rules;

use crate::config;

/// Returns the folder that users put rules in.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    Some(config::folders()?.config_dir().join("rules"))
}

/// Returns the rules as they are now, and what is wrong with the user's.
#[must_use]
pub fn load() -> (Arc<Rules>, Vec<Mistake>) {
    let (rules, mistakes) =
        folder().map_or_else(|| (Rules::bundled(), Vec::new()), |folder| Rules::with_folder(&folder));
    (Arc::new(rules), mistakes)
}
