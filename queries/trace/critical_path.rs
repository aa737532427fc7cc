//! Which spans the end of the trace waited for.

use super::assemble::Tree;
use super::spans::Spans;

/// A stretch of the critical path: until `end_ns` the trace waited for `span` itself, not for one of its children.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    pub span: u32,
    pub start_ns: i64,
    pub end_ns: i64,
}

/// Returns the critical path below `root`, by time. Segments do not overlap, lie within the root's interval, and their lengths
/// add up to the root's duration. Children that go on after their parent's end (asynchronous work) are not on it.
///
/// Goes back in time: from the end of a span to the child that ended last before, through it, and on from where it began.
#[must_use]
pub fn critical_path(spans: &Spans, tree: &Tree, root: u32) -> Vec<Segment> {
    let Some(position) = tree.order.iter().position(|&span| span == root) else {
        return Vec::new();
    };
    let mut path = Path { spans, tree, segments: Vec::new(), children: Vec::new() };
    let mut stack = Vec::new();
    let begin = path.visit(position, spans.end_ns(root as usize), i64::MIN);
    stack.push(begin);
    while let Some(visit) = stack.last_mut() {
        if let Some(child) = path.next_child(visit) {
            let below = path.visit(child.position, child.end_ns, visit.floor_ns);
            stack.push(below);
        } else {
            path.leave(visit);
            stack.pop();
        }
    }
    path.segments.reverse();
    path.segments
}

struct Path<'a> {
    spans: &'a Spans,
    tree: &'a Tree,
    /// Latest first.
    segments: Vec<Segment>,
    /// Children still to be looked at, of all spans that are being visited, the latest end last.
    children: Vec<Child>,
}

/// A child by its position in [`Tree::order`].
#[derive(Clone, Copy)]
struct Child {
    position: usize,
    start_ns: i64,
    end_ns: i64,
}

struct Visit {
    span: u32,
    /// Up to here the time of the span is accounted for, coming from its end.
    until_ns: i64,
    /// What lies before belongs to an ancestor.
    floor_ns: i64,
    /// Where the span's own entries of [`Path::children`] begin.
    children_from: usize,
}

impl Path<'_> {
    fn visit(&mut self, position: usize, until_ns: i64, floor_ns: i64) -> Visit {
        let span = self.tree.order[position];
        let children_from = self.children.len();
        self.push_children(position, until_ns);
        self.children[children_from..].sort_unstable_by_key(|child| {
            (child.end_ns, std::cmp::Reverse(child.start_ns), std::cmp::Reverse(child.position))
        });
        Visit { span, until_ns, floor_ns: floor_ns.max(self.spans.start_ns[span as usize]), children_from }
    }

    fn push_children(&mut self, position: usize, until_ns: i64) {
        let below = self.tree.descendants[self.tree.order[position] as usize] as usize;
        let mut next = position + 1;
        while next <= position + below {
            let child = self.tree.order[next] as usize;
            let (start_ns, end_ns) = (self.spans.start_ns[child], self.spans.end_ns(child));
            if end_ns <= until_ns && start_ns < end_ns {
                self.children.push(Child { position: next, start_ns, end_ns });
            }
            next += 1 + self.tree.descendants[child] as usize;
        }
    }

    /// Returns the child that ended last before `until_ns`, and accounts for the time since then and for the child's.
    fn next_child(&mut self, visit: &mut Visit) -> Option<Child> {
        while self.children.len() > visit.children_from {
            let child = self.children.pop()?;
            if child.end_ns <= visit.floor_ns {
                return None;
            }
            if child.end_ns <= visit.until_ns {
                self.push_segment(visit.span, child.end_ns, visit.until_ns);
                visit.until_ns = child.start_ns.max(visit.floor_ns);
                return Some(child);
            }
        }
        None
    }

    fn leave(&mut self, visit: &Visit) {
        self.children.truncate(visit.children_from);
        self.push_segment(visit.span, visit.floor_ns, visit.until_ns);
    }

    fn push_segment(&mut self, span: u32, start_ns: i64, end_ns: i64) {
        if start_ns < end_ns {
            self.segments.push(Segment { span, start_ns, end_ns });
        }
    }
}

#[cfg(test)]
mod tests;
