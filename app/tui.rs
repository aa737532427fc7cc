//! The workstation: one loop that owns the state, and everything that feeds it.

pub mod analyst;
pub mod chord;
pub mod clicks;
pub mod command;
pub mod draw;
pub mod effect;
pub mod export;
pub mod holding;
pub mod jobs;
pub mod keymap;
pub mod layer;
pub mod opening;
pub mod picture;
pub mod remember;
pub mod run;
pub mod state;
pub mod terminal;
pub mod update;

use std::path::PathBuf;

use crate::humane::Zone;
use crate::theme::catalog::{LoadThemeError, Themes};

pub use holding::{TuiOptions, run};

/// How the workstation looks and where it keeps its things.
#[derive(Debug, Clone, Default)]
pub struct Preferences {
    pub themes: Themes,
    /// The theme to begin with; the remembered one, or [`crate::theme::catalog::DEFAULT`], where none is named.
    pub theme: Option<String>,
    /// The user's keymap; defaults where there is no such file.
    pub keymap: Option<PathBuf>,
    /// The user's rules for findings.
    pub rules: Option<PathBuf>,
    /// Where bookmarks, query history and what was toggled are kept; nowhere where it is not set.
    pub data_folder: Option<PathBuf>,
    /// The folder that `riftline chaos` keeps experiments and runs in.
    pub chaos_folder: Option<PathBuf>,
    /// Nothing: as remembered from last time.
    pub mouse: Option<bool>,
    pub zone: Zone,
    /// Plain letters instead of symbols, for fonts that lack them.
    pub ascii: bool,
    /// What the store is called on the top line; the file's name where it is not set.
    pub store_name: Option<String>,
}

/// The workstation could not go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TuiError {
    #[error(
        "open the workstation: standard output is not a terminal; use `riftline traces` or `riftline query` in scripts"
    )]
    NotATerminal,
    #[error(
        "open the workstation: TERM is `{term}`, which cannot move the cursor; set TERM or use `riftline traces` and `riftline query`"
    )]
    DumbTerminal { term: String },
    #[error("use the terminal: {0}")]
    Terminal(#[from] std::io::Error),
    #[error("load the theme: {0}")]
    Theme(#[from] LoadThemeError),
    /// A signal asked riftline to leave; everything is restored. The exit code is 128 and the number.
    #[error("stopped by signal {0}")]
    Stopped(i32),
}
