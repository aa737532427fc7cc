//! Named queries: those that come with riftline (`sql/<subject>/<question>.sql`) and those of the user's folder.

mod bundled;
mod placeholders;

use std::fs;
use std::path::{Path, PathBuf};

use crate::header::{self, Header, HeaderError, Parameter};
use bundled::BUNDLED;

/// All named queries, sorted by name.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    queries: Vec<NamedQuery>,
}

/// One named query.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedQuery {
    /// `subject/question`.
    pub name: String,
    pub header: Header,
    /// The whole file; parameters are named as `$name`.
    pub sql: String,
    /// Nothing for those that come with riftline.
    pub path: Option<PathBuf>,
}

/// A mistake in the user's folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub path: PathBuf,
    /// 1-based.
    pub line: usize,
    pub message: String,
}

/// A named query could not be asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NameError {
    #[error("no query is named {name}{hint}")]
    Unknown { name: String, hint: String },
    #[error("{name} could be {candidates}")]
    Ambiguous { name: String, candidates: String },
    #[error("{query} has no parameter {name}; it has {known}")]
    NoParameter { query: String, name: String, known: String },
    #[error("{value:?} is not a value for the parameter {name} of type {type_name}")]
    BadValue { name: String, value: String, type_name: &'static str },
}

impl Catalog {
    /// Returns the queries that come with riftline.
    #[must_use]
    pub fn bundled() -> Self {
        let read = |&(name, sql): &(&str, &str)| read(name, sql, None).ok();
        Self { queries: BUNDLED.iter().filter_map(read).collect() }
    }

    /// Returns the bundled queries and those of `folder`, which go before bundled ones of the same name, and what is wrong in
    /// `folder`. A folder that does not exist is an empty one.
    #[must_use]
    pub fn with_folder(folder: &Path) -> (Self, Vec<Mistake>) {
        let mut catalog = Self::bundled();
        let mut mistakes = Vec::new();
        for (name, path) in sql_files(folder, &mut mistakes) {
            match fs::read_to_string(&path) {
                Ok(sql) => match read(&name, &sql, Some(path.clone())) {
                    Ok(query) => catalog.put(query),
                    Err(error) => mistakes.push(Mistake { path, line: error.line, message: error.message }),
                },
                Err(error) => mistakes.push(Mistake { path, line: 1, message: error.to_string() }),
            }
        }
        catalog.queries.sort_by(|left, right| left.name.cmp(&right.name));
        (catalog, mistakes)
    }

    fn put(&mut self, query: NamedQuery) {
        self.queries.retain(|known| known.name != query.name);
        self.queries.push(query);
    }

    /// Returns all queries by name.
    #[must_use]
    pub fn queries(&self) -> &[NamedQuery] {
        &self.queries
    }

    /// Returns the query called `name`: the whole name, or its last part where that fits one query only.
    pub fn find(&self, name: &str) -> Result<&NamedQuery, NameError> {
        if let Some(query) = self.queries.iter().find(|query| query.name == name) {
            return Ok(query);
        }
        let question = |query: &&NamedQuery| query.name.rsplit('/').next() == Some(name);
        let candidates: Vec<&NamedQuery> = self.queries.iter().filter(question).collect();
        match candidates.as_slice() {
            [only] => Ok(only),
            [] => Err(NameError::Unknown { name: name.to_owned(), hint: self.hint(name) }),
            several => Err(NameError::Ambiguous { name: name.to_owned(), candidates: names(several) }),
        }
    }

    fn hint(&self, name: &str) -> String {
        let is_near = |query: &&NamedQuery| query.name.contains(name) || name.contains(&query.name);
        let near: Vec<&NamedQuery> = self.queries.iter().filter(is_near).collect();
        if near.is_empty() { String::new() } else { format!("; near it are {}", names(&near)) }
    }
}

fn names(queries: &[&NamedQuery]) -> String {
    queries.iter().map(|query| query.name.as_str()).collect::<Vec<_>>().join(", ")
}

impl NamedQuery {
    /// Reads a query that is called `name` from the text of its file.
    pub fn parse(name: &str, sql: &str) -> Result<Self, HeaderError> {
        read(name, sql, None)
    }

    /// Returns the SQL with every parameter replaced by the given value, or its default.
    pub fn bind(&self, given: &[(String, String)]) -> Result<String, NameError> {
        if let Some((name, _)) = given.iter().find(|(name, _)| self.parameter(name).is_none()) {
            let parameters = &self.header.parameters;
            let known = parameters.iter().map(|parameter| parameter.name.as_str()).collect::<Vec<_>>().join(", ");
            let known = if known.is_empty() { "none".to_owned() } else { known };
            return Err(NameError::NoParameter { query: self.name.clone(), name: name.clone(), known });
        }
        placeholders::replace(&self.sql, |name| self.literal(name, given))
    }

    fn literal(&self, name: &str, given: &[(String, String)]) -> Result<String, NameError> {
        let Some(parameter) = self.parameter(name) else {
            return Ok(format!("${name}"));
        };
        let value = given.iter().rev().find(|(given, _)| given == name).map_or(&parameter.default, |(_, value)| value);
        parameter.type_.literal(value).ok_or_else(|| NameError::BadValue {
            name: name.to_owned(),
            value: value.clone(),
            type_name: parameter.type_.name(),
        })
    }

    fn parameter(&self, name: &str) -> Option<&Parameter> {
        self.header.parameters.iter().find(|parameter| parameter.name == name)
    }
}

fn read(name: &str, sql: &str, path: Option<PathBuf>) -> Result<NamedQuery, HeaderError> {
    let header = header::parse(sql)?;
    let used = placeholders::find(sql)?;
    let is_declared = |name: &str| header.parameters.iter().any(|parameter| parameter.name == name);
    if let Some((name, line)) = used.iter().find(|(name, _)| !is_declared(name)) {
        let message = format!("${name} has no line \"-- parameter: {name} type = default\"");
        return Err(HeaderError { line: *line, message });
    }
    let is_used = |parameter: &&Parameter| !used.iter().any(|(name, _)| *name == parameter.name);
    if let Some(parameter) = header.parameters.iter().find(is_used) {
        let message = format!("the parameter {} is not used as ${}", parameter.name, parameter.name);
        return Err(HeaderError { line: 1, message });
    }
    Ok(NamedQuery { name: name.to_owned(), header, sql: sql.to_owned(), path })
}

/// Returns name and path of `folder/*.sql` and `folder/*/*.sql`, sorted.
fn sql_files(folder: &Path, mistakes: &mut Vec<Mistake>) -> Vec<(String, PathBuf)> {
    let mut files = Vec::new();
    for path in entries(folder, mistakes) {
        if path.is_dir() {
            let inside = entries(&path, mistakes);
            files.extend(inside.into_iter().filter_map(|inside| Some((name_of(folder, &inside)?, inside))));
        } else if let Some(name) = name_of(folder, &path) {
            files.push((name, path));
        }
    }
    files
}

fn entries(folder: &Path, mistakes: &mut Vec<Mistake>) -> Vec<PathBuf> {
    let mut paths: Vec<PathBuf> = match fs::read_dir(folder) {
        Ok(entries) => entries.filter_map(|entry| Some(entry.ok()?.path())).collect(),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Vec::new(),
        Err(error) => {
            mistakes.push(Mistake { path: folder.to_owned(), line: 1, message: error.to_string() });
            Vec::new()
        }
    };
    paths.sort();
    paths
}

fn name_of(folder: &Path, path: &Path) -> Option<String> {
    let name = path.strip_prefix(folder).ok()?.to_str()?.strip_suffix(".sql")?;
    Some(name.replace(std::path::MAIN_SEPARATOR, "/"))
}

#[cfg(test)]
mod tests;
