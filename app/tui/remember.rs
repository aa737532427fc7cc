//! What is kept from one day to the next: bookmarks by store, statements that were run, what was toggled. One JSON file.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::effect::Target;

/// How many statements are kept.
const MAX_HISTORY: usize = 500;

/// What is remembered.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Memory {
    /// Where it is kept; nowhere where it is not set.
    #[serde(skip)]
    pub path: Option<PathBuf>,
    /// The store whose bookmarks are meant.
    #[serde(skip)]
    pub store: String,
    pub theme: Option<String>,
    pub mouse: bool,
    /// Statements that were run, the newest last.
    pub history: Vec<String>,
    /// Statements by name.
    pub queries: BTreeMap<String, String>,
    /// By store.
    pub bookmarks: BTreeMap<String, Vec<Bookmark>>,
    /// Findings that are not to be shown, by store.
    pub muted: BTreeMap<String, BTreeSet<String>>,
}

/// A place to come back to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bookmark {
    pub label: String,
    pub target: Target,
}

/// One thing to remember.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    Theme(String),
    Mouse(bool),
    Ran(String),
    SaveQuery {
        name: String,
        sql: String,
    },
    /// Sets the bookmark, or takes it away where it is set.
    ToggleBookmark(Bookmark),
    /// Mutes the finding with this id, or lets it be heard again.
    ToggleMuted(String),
}

impl Memory {
    /// Reads what was kept in `folder` for `store`. What cannot be read is as if nothing had been kept; the file is then set aside,
    /// not overwritten.
    #[must_use]
    pub fn read(folder: Option<&Path>, store: &str) -> Self {
        let path = folder.map(|folder| folder.join("workstation.json"));
        let source = path.as_ref().and_then(|path| fs::read_to_string(path).ok());
        let read = source.map(|source| serde_json::from_str::<Self>(&source));
        if let (Some(Err(_)), Some(path)) = (&read, &path) {
            // Losing it would be worse than a stray file; failing to move it is no reason to stop.
            let _ = fs::rename(path, path.with_extension("json.unreadable"));
        }
        Self { path, store: store.to_owned(), ..read.and_then(Result::ok).unwrap_or_default() }
    }

    /// Writes it whole or not at all.
    pub fn write(&self) -> io::Result<()> {
        let Some(path) = &self.path else { return Ok(()) };
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        serde_json::to_writer_pretty(&mut file, self)?;
        file.persist(path)?;
        Ok(())
    }

    /// Takes in one change.
    pub fn apply(&mut self, change: Change) {
        match change {
            Change::Theme(name) => self.theme = Some(name),
            Change::Mouse(on) => self.mouse = on,
            Change::SaveQuery { name, sql } => drop(self.queries.insert(name, sql)),
            Change::Ran(sql) => {
                self.history.retain(|earlier| *earlier != sql);
                self.history.push(sql);
                let surplus = self.history.len().saturating_sub(MAX_HISTORY);
                self.history.drain(..surplus);
            }
            Change::ToggleBookmark(bookmark) => self.toggle(bookmark),
            Change::ToggleMuted(id) => {
                let muted = self.muted.entry(self.store.clone()).or_default();
                if !muted.remove(&id) {
                    muted.insert(id);
                }
            }
        }
    }

    /// Returns the bookmarks of this store.
    #[must_use]
    pub fn bookmarks(&self) -> &[Bookmark] {
        self.bookmarks.get(&self.store).map_or(&[], Vec::as_slice)
    }

    /// Tells whether something with this target is bookmarked.
    #[must_use]
    pub fn is_bookmarked(&self, target: &Target) -> bool {
        self.bookmarks().iter().any(|bookmark| bookmark.target == *target)
    }

    /// Tells whether the finding with this id is muted in this store.
    #[must_use]
    pub fn is_muted(&self, id: &str) -> bool {
        self.muted.get(&self.store).is_some_and(|muted| muted.contains(id))
    }

    fn toggle(&mut self, bookmark: Bookmark) {
        let list = self.bookmarks.entry(self.store.clone()).or_default();
        match list.iter().position(|kept| kept.target == bookmark.target) {
            Some(index) => drop(list.remove(index)),
            None => list.push(bookmark),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bookmark(id: &str) -> Bookmark {
        Bookmark { label: id.to_owned(), target: Target::Trace { id: id.to_owned(), span_id: None } }
    }

    #[test]
    fn what_was_remembered_is_there_the_next_day_and_bookmarks_belong_to_their_store() {
        let folder = tempfile::tempdir().unwrap();
        let mut memory = Memory::read(Some(folder.path()), "one.rift");
        memory.apply(Change::ToggleBookmark(bookmark("4bf9")));
        memory.apply(Change::Ran("select 1".to_owned()));
        memory.apply(Change::Mouse(true));
        memory.write().unwrap();
        assert_eq!(Memory::read(Some(folder.path()), "one.rift"), memory);
        let other = Memory::read(Some(folder.path()), "two.rift");
        assert_eq!((other.bookmarks(), other.mouse), (&[][..], true));
    }

    #[test]
    fn a_second_bookmark_takes_the_first_away() {
        let mut memory = Memory::default();
        memory.apply(Change::ToggleBookmark(bookmark("4bf9")));
        assert!(memory.is_bookmarked(&bookmark("4bf9").target));
        memory.apply(Change::ToggleBookmark(bookmark("4bf9")));
        assert_eq!(memory.bookmarks(), []);
    }

    #[test]
    fn history_holds_each_statement_once_and_not_too_many() {
        let mut memory = Memory::default();
        (0..MAX_HISTORY + 3).for_each(|number| memory.apply(Change::Ran(format!("select {number}"))));
        memory.apply(Change::Ran("select 100".to_owned()));
        assert_eq!(memory.history.len(), MAX_HISTORY);
        assert_eq!(memory.history.last().map(String::as_str), Some("select 100"));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_set_aside() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("workstation.json"), "{").unwrap();
        assert_eq!(Memory::read(Some(folder.path()), "").history, Vec::<String>::new());
        assert!(folder.path().join("workstation.json.unreadable").exists());
    }
}
