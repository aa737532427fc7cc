//! Finds themes: the user's folder first, then those that come with riftline.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use ratatui::style::Style;

use super::parse::{ThemeFile, parse};
use super::{Depth, Role, Theme};
use crate::mistake::{Mistake, suggestion};

/// The themes that come with riftline, by name.
const BUNDLED: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/themes.rs"));

/// The theme that is used when none is named.
pub const DEFAULT: &str = "riftline-dark";

/// How many themes may inherit from each other in a row.
const MAX_ANCESTORS: usize = 8;

/// A theme could not be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadThemeError {
    #[error("unknown theme {name}{suggestion}")]
    Unknown { name: String, suggestion: String },
    #[error("read theme {path}: {source}")]
    Read { path: PathBuf, source: std::io::Error },
    #[error("theme {name} inherits from itself")]
    Circle { name: String },
    #[error("theme {name}, line {line}: {message}")]
    Mistake { name: String, line: usize, message: String },
}

/// Where themes are found, and in which colours they are wanted.
#[derive(Debug, Clone, Default)]
pub struct Themes {
    /// The user's own themes (`*.toml`); they come before bundled ones of the same name.
    pub folder: Option<PathBuf>,
    pub depth: Depth,
}

impl Themes {
    /// Returns the names of all themes, sorted.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let own = self.own_files().into_iter().filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned()));
        let bundled = BUNDLED.iter().map(|(name, _)| (*name).to_owned());
        own.chain(bundled).collect::<BTreeSet<String>>().into_iter().collect()
    }

    /// Returns the theme `name` with everything it inherits.
    pub fn load(&self, name: &str) -> Result<Theme, LoadThemeError> {
        let chain = self.ancestry(name)?;
        let doc = chain.first().and_then(|file| file.doc.clone()).unwrap_or_default();
        let services = chain.iter().find(|file| !file.services.is_empty());
        let services = services.map(|file| file.services.clone()).unwrap_or_default();
        let styles = Role::ALL.iter().map(|role| style(&chain, *role)).collect();
        Ok(Theme::new(name, &doc, styles, services, self.depth))
    }

    /// Returns every mistake in the theme files of the user's folder, with their paths.
    #[must_use]
    pub fn check(&self) -> Vec<(PathBuf, Mistake)> {
        let mut mistakes = Vec::new();
        for path in self.own_files() {
            let found = match fs::read_to_string(&path) {
                Ok(source) => self.check_source(&source),
                Err(error) => vec![Mistake { line: 1, message: error.to_string(), is_warning: false }],
            };
            mistakes.extend(found.into_iter().map(|mistake| (path.clone(), mistake)));
        }
        mistakes
    }

    /// Returns every mistake in the text of a theme, an unknown ancestor included.
    #[must_use]
    pub fn check_source(&self, source: &str) -> Vec<Mistake> {
        let (file, mut mistakes) = parse(source);
        let ancestor = file.inherits.and_then(|name| self.ancestry(&name).err());
        let line = source.lines().position(|line| line.trim_start().starts_with("inherits")).map_or(1, |line| line + 1);
        mistakes.extend(ancestor.map(|error| Mistake { line, message: error.to_string(), is_warning: false }));
        mistakes
    }

    /// Returns the files of the theme `name` and of those it inherits, nearest first.
    fn ancestry(&self, name: &str) -> Result<Vec<ThemeFile>, LoadThemeError> {
        let mut chain = Vec::new();
        let mut next = Some(name.to_owned());
        while let Some(current) = next.take() {
            if chain.len() == MAX_ANCESTORS {
                return Err(LoadThemeError::Circle { name: name.to_owned() });
            }
            let file = self.read(&current)?;
            next.clone_from(&file.inherits);
            chain.push(file);
        }
        Ok(chain)
    }

    fn read(&self, name: &str) -> Result<ThemeFile, LoadThemeError> {
        let (file, mistakes) = parse(&self.source(name)?);
        match mistakes.into_iter().find(|mistake| !mistake.is_warning) {
            None => Ok(file),
            Some(Mistake { line, message, .. }) => {
                Err(LoadThemeError::Mistake { name: name.to_owned(), line, message })
            }
        }
    }

    fn source(&self, name: &str) -> Result<String, LoadThemeError> {
        let own = self.own_files().into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == name));
        if let Some(path) = own {
            return fs::read_to_string(&path).map_err(|source| LoadThemeError::Read { path, source });
        }
        let bundled = BUNDLED.iter().find(|(bundled, _)| *bundled == name);
        bundled.map(|(_, source)| (*source).to_owned()).ok_or_else(|| self.unknown(name))
    }

    fn unknown(&self, name: &str) -> LoadThemeError {
        let names = self.names();
        let suggestion = match suggestion(name, names.iter().map(String::as_str)) {
            none if none.is_empty() => format!("; there are {}", names.join(", ")),
            near => near,
        };
        LoadThemeError::Unknown { name: name.to_owned(), suggestion }
    }

    fn own_files(&self) -> Vec<PathBuf> {
        let entries = self.folder.as_deref().and_then(|folder| fs::read_dir(folder).ok());
        let paths = entries.into_iter().flatten().flatten().map(|entry| entry.path());
        let mut themes: Vec<PathBuf> = paths.filter(|path| is_theme(path)).collect();
        themes.sort();
        themes
    }
}

fn is_theme(path: &Path) -> bool {
    path.extension().is_some_and(|extension| extension == "toml")
}

/// Returns the style of the nearest file that names `role`.
fn style(chain: &[ThemeFile], role: Role) -> Style {
    chain.iter().find_map(|file| file.styles.get(role.name())).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests;
