//! The tree of a trace as the waterfall walks it: by rank, with orphans together and long runs of siblings found.
//!
//! The *rank* of a span is its place among the rows when everything is open. A subtree is a stretch of ranks, so that walking
//! needs no recursion however deep the tree is.

use riftline_queries::trace::assemble::{NONE, Place, Tree};
use riftline_queries::trace::spans::Spans;

use super::runs::{self, Run};

/// The forest of one trace. Every span has one rank.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Forest {
    /// `order` is by rank: as assembled, but with orphans behind everything else, together by their missing parent.
    /// `descendants` is empty: `end` says the same by rank, so that walks read memory in order.
    tree: Tree,
    /// By span.
    rank: Vec<u32>,
    /// By rank: the rank behind the subtree.
    end: Vec<u32>,
    orphanages: Vec<Orphanage>,
    runs: Vec<Run>,
    max_depth: u32,
}

/// The orphans of one missing parent: the ranks from `first` up to `end`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Orphanage {
    pub parent_id: u64,
    pub first: u32,
    pub end: u32,
    /// How many spans name the missing parent.
    pub num_orphans: u32,
}

impl Forest {
    /// Builds the forest of `spans` from their `tree`. Takes time proportional to n, but for the sorting of orphans.
    #[must_use]
    pub fn new(spans: &Spans, mut tree: Tree) -> Self {
        let orphanages = gather_orphans(spans, &mut tree);
        let mut rank = vec![0; tree.order.len()];
        for (position, &span) in tree.order.iter().enumerate() {
            rank[span as usize] = position as u32;
        }
        let descendants = std::mem::take(&mut tree.descendants);
        let end = (1..).zip(&tree.order).map(|(next, &span)| next + descendants[span as usize]).collect();
        let max_depth = tree.depth.iter().max().map_or(0, |deepest| deepest + u32::from(!orphanages.is_empty()));
        let mut forest = Self { tree, rank, end, orphanages, runs: Vec::new(), max_depth };
        forest.runs = runs::find(spans, &forest);
        forest
    }

    /// Returns how many spans there are.
    #[must_use]
    pub fn len(&self) -> u32 {
        self.tree.order.len() as u32
    }

    /// Tells whether there are no spans.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tree.order.is_empty()
    }

    /// Returns the span at `rank`.
    #[must_use]
    pub fn span(&self, rank: u32) -> usize {
        self.tree.order[rank as usize] as usize
    }

    /// Returns the rank of `span`.
    #[must_use]
    pub fn rank(&self, span: usize) -> u32 {
        self.rank[span]
    }

    /// Returns how many spans stand below the one at `rank`.
    #[must_use]
    pub fn descendants(&self, rank: u32) -> u32 {
        self.end(rank) - rank - 1
    }

    /// Returns the rank behind the subtree of `rank`.
    #[must_use]
    pub fn end(&self, rank: u32) -> u32 {
        self.end[rank as usize]
    }

    /// Returns the rank of the parent; nothing for spans under the trace itself.
    #[must_use]
    pub fn parent(&self, rank: u32) -> Option<u32> {
        let parent = self.tree.parent[self.span(rank)];
        (parent != NONE).then(|| self.rank[parent as usize])
    }

    /// Returns what assembly found about the span at `rank`.
    #[must_use]
    pub fn place(&self, rank: u32) -> Place {
        self.tree.place[self.span(rank)]
    }

    /// Tells whether another span has the same id.
    #[must_use]
    pub fn shares_id(&self, rank: u32) -> bool {
        self.tree.shares_id[self.span(rank)]
    }

    /// Returns how far the span is drawn indented: orphans stand below the heading of their missing parent.
    #[must_use]
    pub fn depth(&self, rank: u32) -> u32 {
        self.tree.depth[self.span(rank)] + u32::from(self.is_below_missing(rank))
    }

    /// Returns the largest of all depths.
    #[must_use]
    pub const fn max_depth(&self) -> u32 {
        self.max_depth
    }

    /// Returns the rank behind the last sibling of `rank`, their subtrees included.
    #[must_use]
    pub fn siblings_end(&self, rank: u32) -> u32 {
        match (self.parent(rank), self.orphanage_of(rank)) {
            (Some(parent), _) => self.end(parent),
            (None, Some(orphanage)) => orphanage.end,
            (None, None) => self.orphanages.first().map_or(self.len(), |orphanage| orphanage.first),
        }
    }

    /// Returns the missing parents, by rank.
    #[must_use]
    pub fn orphanages(&self) -> &[Orphanage] {
        &self.orphanages
    }

    /// Returns the runs of similar siblings, by rank; they do not overlap.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// Returns the place in [`Forest::runs`] of the run that holds `rank`.
    #[must_use]
    pub fn run_of(&self, rank: u32) -> Option<usize> {
        let index = self.runs.partition_point(|run| run.first <= rank).checked_sub(1)?;
        (rank < self.runs[index].end).then_some(index)
    }

    /// Returns the place in [`Forest::orphanages`] of the one that holds `rank`.
    #[must_use]
    pub fn orphanage_at(&self, rank: u32) -> Option<usize> {
        self.orphanages.partition_point(|orphanage| orphanage.first <= rank).checked_sub(1)
    }

    /// Returns the spans above `rank`, the nearest first.
    pub fn ancestors(&self, rank: u32) -> impl Iterator<Item = u32> {
        std::iter::successors(self.parent(rank), |&above| self.parent(above))
    }

    /// Returns the children of `rank`, in order.
    pub fn children(&self, rank: u32) -> impl Iterator<Item = u32> {
        self.siblings(rank + 1, self.end(rank))
    }

    /// Returns the spans under the trace itself, in order.
    pub fn tops(&self) -> impl Iterator<Item = u32> {
        self.siblings(0, self.len())
    }

    /// Returns the ranks from `first` up to `end` that do not stand below one another.
    fn siblings(&self, first: u32, end: u32) -> impl Iterator<Item = u32> {
        let within = move |rank: u32| (rank < end).then_some(rank);
        std::iter::successors(within(first), move |&rank| within(self.end(rank)))
    }

    fn orphanage_of(&self, rank: u32) -> Option<&Orphanage> {
        self.orphanages.get(self.orphanage_at(rank)?)
    }

    fn is_below_missing(&self, rank: u32) -> bool {
        self.orphanages.first().is_some_and(|first| rank >= first.first)
    }
}

/// Moves orphans behind all other spans, together by their missing parent, in the order of the first orphan of each.
fn gather_orphans(spans: &Spans, tree: &mut Tree) -> Vec<Orphanage> {
    let (mut orphans, others): (Vec<_>, Vec<_>) =
        tops(tree).into_iter().partition(|&(first, _)| tree.place[tree.order[first] as usize] == Place::Orphan);
    if orphans.is_empty() {
        return Vec::new();
    }
    let missing = |&(first, _): &(usize, usize)| spans.parent_span_id[tree.order[first] as usize];
    orphans.sort_by_key(|orphan| (missing(orphan), orphan.0));
    let mut families: Vec<_> = orphans.chunk_by(|left, right| missing(left) == missing(right)).collect();
    families.sort_by_key(|family| family[0].0);

    let mut order = Vec::with_capacity(tree.order.len());
    others.iter().for_each(|&(first, end)| order.extend_from_slice(&tree.order[first..end]));
    let mut orphanages = Vec::with_capacity(families.len());
    for family in families {
        let (first, parent_id, num_orphans) = (order.len() as u32, missing(&family[0]), family.len() as u32);
        family.iter().for_each(|&(first, end)| order.extend_from_slice(&tree.order[first..end]));
        orphanages.push(Orphanage { parent_id, first, end: order.len() as u32, num_orphans });
    }
    tree.order = order;
    orphanages
}

/// Returns the subtrees under the trace itself as stretches of `tree.order`.
fn tops(tree: &Tree) -> Vec<(usize, usize)> {
    let mut tops = Vec::new();
    let mut first = 0;
    while let Some(&span) = tree.order.get(first) {
        let end = first + 1 + tree.descendants[span as usize] as usize;
        tops.push((first, end));
        first = end;
    }
    tops
}
