//! Which findings are listed: by severity, text, and what is muted.

use super::finding::{Finding, SEVERITIES, namespace};
use crate::tui::remember::Memory;
use crate::widget::input::Input;
use crate::widget::scroll::Scroll;
use crate::widget::text::width;

/// The findings of the store and the cursor in those that are listed.
#[derive(Debug, Default)]
pub struct List {
    all: Vec<Finding>,
    /// Places in `all`.
    listed: Vec<usize>,
    pub scroll: Scroll,
    /// The least severity that is listed; nothing: all.
    pub floor: Option<usize>,
    pub shows_muted: bool,
    pub num_muted: usize,
    pub filter: Input,
    /// The namespace that all services share.
    pub namespace: String,
}

/// Least severities in the order in which a key goes through them.
const FLOORS: [Option<usize>; 4] = [None, Some(1), Some(2), Some(3)];

impl List {
    /// Takes the findings as they are now; the cursor stays on its finding.
    pub fn take(&mut self, findings: Vec<Finding>, memory: &Memory, height: u16) {
        let id = self.current().map(|finding| finding.id.clone());
        self.namespace = namespace(&findings);
        self.all = findings;
        self.choose(memory, height);
        if let Some(place) = id.and_then(|id| self.place(&id)) {
            self.scroll.jump(place, self.len(), height);
        }
    }

    /// Chooses what is listed.
    pub fn choose(&mut self, memory: &Memory, height: u16) {
        let text = self.filter.text().trim().to_lowercase();
        let floor = self.floor.unwrap_or(SEVERITIES.len());
        let fits = |finding: &Finding| finding.severity <= floor && finding.holds(&text);
        let is_heard = |finding: &Finding| self.shows_muted || !memory.is_muted(&finding.id);
        self.num_muted = self.all.iter().filter(|finding| memory.is_muted(&finding.id)).count();
        self.listed =
            (0..self.all.len()).filter(|&place| fits(&self.all[place]) && is_heard(&self.all[place])).collect();
        self.scroll.follow(self.listed.len(), height);
    }

    /// Goes on to the next least severity.
    pub fn next_floor(&mut self) {
        let at = FLOORS.iter().position(|floor| *floor == self.floor).unwrap_or_default();
        self.floor = FLOORS[(at + 1) % FLOORS.len()];
    }

    /// Returns the finding at `row` of the list.
    #[must_use]
    pub fn row(&self, row: usize) -> Option<&Finding> {
        self.all.get(*self.listed.get(row)?)
    }

    /// Returns the finding under the cursor.
    #[must_use]
    pub fn current(&self) -> Option<&Finding> {
        self.row(self.scroll.cursor)
    }

    /// Returns the finding with this id, listed or not.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&Finding> {
        self.all.iter().find(|finding| finding.id == id)
    }

    /// Returns where the finding is listed.
    #[must_use]
    pub fn place(&self, id: &str) -> Option<usize> {
        self.listed.iter().position(|&place| self.all[place].id == id)
    }

    /// Returns how many cells the widest rule takes.
    #[must_use]
    pub fn rule_width(&self) -> u16 {
        self.all.iter().map(|finding| width(&finding.rule)).max().unwrap_or_default()
    }

    #[must_use]
    pub fn len(&self) -> usize {
        self.listed.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.listed.is_empty()
    }

    /// Tells whether the store has findings that are not listed.
    #[must_use]
    pub fn hides_some(&self) -> bool {
        self.listed.len() < self.all.len()
    }
}
