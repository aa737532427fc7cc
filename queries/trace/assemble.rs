//! Builds the tree of one trace from parent ids.

use std::cmp::Ordering;

use hashbrown::HashMap;
use hashbrown::hash_map::Entry;

use super::spans::Spans;

/// Stands for "no span" in [`Tree::parent`].
pub const NONE: u32 = u32::MAX;

/// What assembly found about a span, beside its place in the tree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// No parent id.
    Root,
    /// The parent is there.
    Child,
    /// The parent id names no span of the trace: shown under the trace, marked.
    Orphan,
    /// The parent chain leads back to the span itself; the chain was cut here, at the first span of the ring: shown under the
    /// trace, marked.
    CycleCut,
}

/// The forest of one trace. Every span is in `order` exactly once.
///
/// Children and roots are sorted by start, then by longer duration, then by span id, then by what else the spans hold, then by
/// row, so that the same spans give the same tree in whatever order they arrived. "First" below means first in this order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    /// All spans, depth first.
    pub order: Vec<u32>,
    /// By span: depth, 0 for spans under the trace itself.
    pub depth: Vec<u32>,
    /// By span: the parent span, or `u32::MAX`.
    pub parent: Vec<u32>,
    /// By span: how many spans stand below it.
    pub descendants: Vec<u32>,
    pub place: Vec<Place>,
    /// By span: another span has the same id but other content; children hang below the first.
    pub shares_id: Vec<bool>,
}

/// Assembles the tree. Takes time proportional to n log n, never recurses, and holds a few words a span.
#[must_use]
pub fn assemble(spans: &Spans) -> Tree {
    let sorted = sort(spans);
    let mut tree = Tree {
        order: Vec::with_capacity(spans.len()),
        depth: vec![0; spans.len()],
        parent: vec![NONE; spans.len()],
        descendants: vec![0; spans.len()],
        place: vec![Place::Root; spans.len()],
        shares_id: vec![false; spans.len()],
    };
    find_parents(spans, &sorted, &mut tree);
    cut_cycles(&sorted, &mut tree);
    walk(&sorted, &mut tree);
    tree
}

/// Returns all spans in the order that siblings have.
fn sort(spans: &Spans) -> Vec<u32> {
    let mut keys: Vec<(i64, i64, u32)> =
        (0..spans.len()).map(|span| (spans.start_ns[span], spans.duration_ns[span], span as u32)).collect();
    keys.sort_unstable_by(|left, right| {
        let by_time = left.0.cmp(&right.0).then_with(|| right.1.cmp(&left.1));
        by_time.then_with(|| compare_rest(spans, left.2 as usize, right.2 as usize))
    });
    keys.into_iter().map(|(_, _, span)| span).collect()
}

/// Rows come last, because they follow the order of arrival.
fn compare_rest(spans: &Spans, left: usize, right: usize) -> Ordering {
    let numbers = |span: usize| (spans.span_id[span], spans.parent_span_id[span], spans.kind[span], spans.status[span]);
    let texts = |span: usize| (spans.service(span), spans.name(span));
    numbers(left)
        .cmp(&numbers(right))
        .then_with(|| texts(left).cmp(&texts(right)))
        .then_with(|| spans.row[left].cmp(&spans.row[right]))
}

/// Links every span to the first span that has the id its parent id names.
fn find_parents(spans: &Spans, sorted: &[u32], tree: &mut Tree) {
    let first_by_id = first_by_id(spans, sorted, tree);
    for (span, &parent_id) in spans.parent_span_id.iter().enumerate() {
        if parent_id == 0 {
            continue;
        }
        match first_by_id.get(&parent_id) {
            Some(&parent) => (tree.parent[span], tree.place[span]) = (parent, Place::Child),
            None => tree.place[span] = Place::Orphan,
        }
    }
}

/// Id 0 is "none recorded": such spans share nothing, and nothing can hang below them.
fn first_by_id(spans: &Spans, sorted: &[u32], tree: &mut Tree) -> HashMap<u64, u32> {
    let mut first_by_id = HashMap::with_capacity(spans.len());
    for &span in sorted {
        let id = spans.span_id[span as usize];
        if id == 0 {
            continue;
        }
        match first_by_id.entry(id) {
            Entry::Vacant(vacant) => _ = vacant.insert(span),
            Entry::Occupied(first) => {
                tree.shares_id[*first.get() as usize] = true;
                tree.shares_id[span as usize] = true;
            }
        }
    }
    first_by_id
}

/// Cuts every ring of parents at its first span, which spans reach it from outside notwithstanding.
///
/// Starting in sorted order does that by itself: whoever closes a ring walks it once more, and finds its first span.
fn cut_cycles(sorted: &[u32], tree: &mut Tree) {
    let mut rank = vec![0_u32; sorted.len()];
    for (position, &span) in sorted.iter().enumerate() {
        rank[span as usize] = position as u32;
    }
    // By span: the walk that came by, counted from 1.
    let mut seen_by = vec![0_u32; sorted.len()];
    for (walk, &start) in (1_u32..).zip(sorted) {
        let mut span = start;
        while span != NONE && seen_by[span as usize] == 0 {
            seen_by[span as usize] = walk;
            span = tree.parent[span as usize];
        }
        if span != NONE && seen_by[span as usize] == walk {
            let first = first_of_ring(span, &rank, &tree.parent);
            tree.parent[first as usize] = NONE;
            tree.place[first as usize] = Place::CycleCut;
        }
    }
}

fn first_of_ring(start: u32, rank: &[u32], parent: &[u32]) -> u32 {
    let mut first = start;
    let mut span = parent[start as usize];
    while span != start {
        if rank[span as usize] < rank[first as usize] {
            first = span;
        }
        span = parent[span as usize];
    }
    first
}

/// Fills `order`, `depth` and `descendants`.
fn walk(sorted: &[u32], tree: &mut Tree) {
    let (offsets, children) = children(sorted, &tree.parent);
    let mut stack: Vec<u32> = sorted.iter().rev().copied().filter(|&span| tree.parent[span as usize] == NONE).collect();
    while let Some(span) = stack.pop() {
        tree.order.push(span);
        let (from, to) = (offsets[span as usize] as usize, offsets[span as usize + 1] as usize);
        for &child in children[from..to].iter().rev() {
            tree.depth[child as usize] = tree.depth[span as usize] + 1;
            stack.push(child);
        }
    }
    for &span in tree.order.iter().rev() {
        let parent = tree.parent[span as usize];
        if parent != NONE {
            tree.descendants[parent as usize] += tree.descendants[span as usize] + 1;
        }
    }
}

/// Returns the children of all spans, sorted, one after the other, and where those of each span begin.
fn children(sorted: &[u32], parent: &[u32]) -> (Vec<u32>, Vec<u32>) {
    let mut offsets = vec![0_u32; parent.len() + 1];
    for &parent in parent.iter().filter(|&&parent| parent != NONE) {
        offsets[parent as usize + 1] += 1;
    }
    for span in 0..parent.len() {
        offsets[span + 1] += offsets[span];
    }
    let mut next = offsets.clone();
    let mut children = vec![0_u32; offsets.last().copied().unwrap_or(0) as usize];
    for &span in sorted {
        let parent = parent[span as usize];
        if parent != NONE {
            let place = &mut next[parent as usize];
            children[*place as usize] = span;
            *place += 1;
        }
    }
    (offsets, children)
}

#[cfg(test)]
mod tests;
