//! Which rows of the waterfall there are now: what is folded is one row, everything else one row a span.

use super::forest::Forest;

/// One row of the waterfall.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The span at this rank.
    Span(u32),
    /// The heading of a run, by its place in [`Forest::runs`].
    Run(u32),
    /// The heading of a missing parent, by its place in [`Forest::orphanages`].
    Missing(u32),
    /// Why the span at this rank stands below its parent although that was not recorded.
    Joint(u32),
}

/// What is folded, and the rows that are left.
#[derive(Debug, Clone, Default)]
pub struct Outline {
    rows: Vec<Row>,
    /// By rank.
    folded: Vec<bool>,
    /// By place in [`Forest::runs`].
    run_is_open: Vec<bool>,
    /// By place in [`Forest::orphanages`].
    missing_is_folded: Vec<bool>,
    /// Ranks of joined spans, in order.
    joints: Vec<u32>,
}

impl Outline {
    /// Returns the rows of `forest` with everything open but runs.
    #[must_use]
    pub fn new(forest: &Forest) -> Self {
        Self::with_joints(forest, Vec::new())
    }

    /// Returns the rows of `forest` with a line above each span of `joints` (ranks, in order).
    #[must_use]
    pub fn with_joints(forest: &Forest, joints: Vec<u32>) -> Self {
        let mut outline = Self {
            rows: Vec::new(),
            folded: vec![false; forest.len() as usize],
            run_is_open: vec![false; forest.runs().len()],
            missing_is_folded: vec![false; forest.orphanages().len()],
            joints,
        };
        outline.lay_out(forest);
        outline
    }

    /// Returns how many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Tells whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns the row at `index`.
    #[must_use]
    pub fn row(&self, index: usize) -> Option<Row> {
        self.rows.get(index).copied()
    }

    /// Returns where the span at `rank` is shown: its own row, or the one it is folded into.
    #[must_use]
    pub fn position(&self, forest: &Forest, rank: u32) -> usize {
        self.rows.partition_point(|&row| row.first(forest) <= rank).saturating_sub(1)
    }

    /// Tells whether the row hides other rows now.
    #[must_use]
    pub fn is_folded(&self, row: Row) -> bool {
        match row {
            Row::Span(rank) => self.folded.get(rank as usize).is_some_and(|folded| *folded),
            Row::Run(run) => !self.run_is_open.get(run as usize).is_some_and(|open| *open),
            Row::Missing(missing) => self.missing_is_folded.get(missing as usize).is_some_and(|folded| *folded),
            Row::Joint(_) => false,
        }
    }

    /// Folds the row, or opens it. Returns false where it has nothing to fold.
    pub fn set_folded(&mut self, forest: &Forest, row: Row, folded: bool) -> bool {
        if !row.can_fold(forest) || self.is_folded(row) == folded {
            return false;
        }
        self.mark(row, folded);
        self.lay_out(forest);
        true
    }

    /// Folds everything but what stands under the trace itself; opens everything where that is so already.
    pub fn toggle_all(&mut self, forest: &Forest) {
        let is_folded = (0..forest.len()).all(|rank| self.folded[rank as usize] == folds_at_first(forest, rank));
        let fold = !is_folded || self.run_is_open.contains(&true);
        for rank in 0..forest.len() {
            self.folded[rank as usize] = fold && folds_at_first(forest, rank);
        }
        self.run_is_open.fill(!fold);
        self.missing_is_folded.fill(false);
        self.lay_out(forest);
    }

    /// Opens whatever hides the span at `rank`; returns its row.
    pub fn reveal(&mut self, forest: &Forest, rank: u32) -> usize {
        let is_hidden = self.row(self.position(forest, rank)) != Some(Row::Span(rank));
        if is_hidden {
            forest.ancestors(rank).for_each(|above| self.folded[above as usize] = false);
            if let Some(run) = forest.run_of(rank) {
                self.run_is_open[run] = true;
            }
            if let Some(missing) = forest.orphanage_at(rank) {
                self.missing_is_folded[missing] = false;
            }
            self.lay_out(forest);
        }
        self.position(forest, rank)
    }

    fn mark(&mut self, row: Row, folded: bool) {
        match row {
            Row::Span(rank) => self.folded[rank as usize] = folded,
            Row::Run(run) => self.run_is_open[run as usize] = !folded,
            Row::Missing(missing) => self.missing_is_folded[missing as usize] = folded,
            Row::Joint(_) => {}
        }
    }

    /// Writes the rows anew: one walk over the ranks that leaves out what is folded.
    fn lay_out(&mut self, forest: &Forest) {
        self.rows.clear();
        let (mut run, mut missing, mut rank) = (0, 0, 0);
        while rank < forest.len() {
            if forest.orphanages().get(missing).is_some_and(|orphanage| orphanage.first == rank) {
                missing += 1;
                if self.heading(Row::Missing(missing as u32 - 1)) {
                    rank = forest.orphanages()[missing - 1].end;
                    continue;
                }
            }
            run += forest.runs()[run..].iter().take_while(|run| run.first < rank).count();
            if forest.runs().get(run).is_some_and(|run| run.first == rank) && self.heading(Row::Run(run as u32)) {
                rank = forest.runs()[run].end;
                continue;
            }
            if self.joints.binary_search(&rank).is_ok() {
                self.heading(Row::Joint(rank));
            }
            rank = if self.heading(Row::Span(rank)) { forest.end(rank) } else { rank + 1 };
        }
        self.rows.shrink_to_fit();
    }

    /// Adds a row; tells whether it hides what follows.
    fn heading(&mut self, row: Row) -> bool {
        self.rows.push(row);
        self.is_folded(row)
    }
}

/// Tells whether the span is folded when everything is: it has children and stands below another span.
fn folds_at_first(forest: &Forest, rank: u32) -> bool {
    forest.descendants(rank) > 0 && forest.parent(rank).is_some()
}

impl Row {
    /// Returns the rank of the first span that the row stands for.
    #[must_use]
    pub fn first(self, forest: &Forest) -> u32 {
        match self {
            Self::Span(rank) | Self::Joint(rank) => rank,
            Self::Run(run) => forest.runs()[run as usize].first,
            Self::Missing(missing) => forest.orphanages()[missing as usize].first,
        }
    }

    /// Returns the rank behind the last span that the row stands for, folded or not.
    #[must_use]
    pub fn end(self, forest: &Forest) -> u32 {
        match self {
            Self::Span(rank) | Self::Joint(rank) => forest.end(rank),
            Self::Run(run) => forest.runs()[run as usize].end,
            Self::Missing(missing) => forest.orphanages()[missing as usize].end,
        }
    }

    /// Returns how far the row is drawn indented.
    #[must_use]
    pub fn depth(self, forest: &Forest) -> u32 {
        match self {
            Self::Missing(_) => 0,
            Self::Span(_) | Self::Run(_) | Self::Joint(_) => forest.depth(self.first(forest)),
        }
    }

    /// Tells whether there is something to fold below the row.
    #[must_use]
    pub fn can_fold(self, forest: &Forest) -> bool {
        match self {
            Self::Span(rank) => forest.descendants(rank) > 0,
            Self::Run(_) | Self::Missing(_) => true,
            Self::Joint(_) => false,
        }
    }
}
