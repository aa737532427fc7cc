//! The rows on the left: each experiment with its runs below, then runs whose experiment is elsewhere.

use super::shelf::{Card, RunCard, Shelf};
use crate::widget::scroll::Scroll;

/// One row, by its place in the shelf.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    Experiment(usize),
    Run { at: usize, is_below: bool },
}

/// What the cursor is on, whatever moves around it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Key {
    Experiment(std::path::PathBuf),
    Run(String),
}

/// The list and its cursor.
#[derive(Debug, Default)]
pub struct List {
    pub shelf: Shelf,
    pub rows: Vec<Row>,
    pub scroll: Scroll,
}

impl List {
    /// Takes what is listed now. The cursor goes to what is wanted, or stays on what it was on.
    pub fn take(&mut self, shelf: Shelf, wanted: Option<Key>, height: u16) {
        let key = wanted.or_else(|| self.key());
        self.rows = rows(&shelf);
        self.shelf = shelf;
        match key.and_then(|key| self.place(&key)) {
            Some(place) => self.scroll.jump(place, self.rows.len(), height),
            None => self.scroll.follow(self.rows.len(), height),
        }
    }

    /// Returns what the cursor is on.
    #[must_use]
    pub fn key(&self) -> Option<Key> {
        let row = self.rows.get(self.scroll.cursor)?;
        self.key_of(*row)
    }

    /// Returns the experiment under the cursor.
    #[must_use]
    pub fn experiment(&self) -> Option<&Card> {
        match self.rows.get(self.scroll.cursor)? {
            Row::Experiment(at) => self.shelf.experiments.get(*at),
            Row::Run { .. } => None,
        }
    }

    /// Returns the run under the cursor.
    #[must_use]
    pub fn run(&self) -> Option<&RunCard> {
        match self.rows.get(self.scroll.cursor)? {
            Row::Run { at, .. } => self.shelf.runs.get(*at),
            Row::Experiment(_) => None,
        }
    }

    fn key_of(&self, row: Row) -> Option<Key> {
        match row {
            Row::Experiment(at) => Some(Key::Experiment(self.shelf.experiments.get(at)?.path.clone())),
            Row::Run { at, .. } => Some(Key::Run(self.shelf.runs.get(at)?.run.clone())),
        }
    }

    fn place(&self, key: &Key) -> Option<usize> {
        self.rows.iter().position(|row| self.key_of(*row).as_ref() == Some(key))
    }
}

fn rows(shelf: &Shelf) -> Vec<Row> {
    let owners: Vec<Option<usize>> = shelf.runs.iter().map(|run| shelf.experiment_of(run)).collect();
    let runs_of = |owner: Option<usize>| {
        let is_below = owner.is_some();
        let fits = owners.iter().enumerate().filter(move |(_, one)| **one == owner);
        fits.map(move |(at, _)| Row::Run { at, is_below }).collect::<Vec<_>>()
    };
    let mut rows = Vec::new();
    for experiment in 0..shelf.experiments.len() {
        rows.push(Row::Experiment(experiment));
        rows.extend(runs_of(Some(experiment)));
    }
    rows.extend(runs_of(None));
    rows
}
