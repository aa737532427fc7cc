//! One trace as the view holds it: built once by a worker, then only read.

use riftline_ingest::marks::Mark;
use riftline_queries::trace::assemble::{Place, assemble};
use riftline_queries::trace::critical_path::{Segment, critical_path};
use riftline_queries::trace::healed::Healed;
use riftline_queries::trace::spans::Spans;

use super::forest::Forest;
use super::torn::{Named, Sight, Torn};
use crate::widget::text::{inert, width};
use crate::widget::time_axis::TimeWindow;

/// A trace with its forest and critical path.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TraceData {
    /// The whole id, lower-case hex.
    pub id: String,
    pub spans: Spans,
    pub forest: Forest,
    pub summary: Summary,
    pub torn: Torn,
    /// By span, then by time.
    critical_path: Vec<Segment>,
}

/// What the first line says about the trace.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Summary {
    /// The first span without a parent, else the first of all.
    pub root: Option<usize>,
    /// From the first start to the last end, without spans whose times were not recorded.
    pub window: TimeWindow,
    pub num_services: usize,
    /// How many cells the longest name of a service takes.
    pub service_width: u16,
    pub num_errors: usize,
    pub num_orphans: usize,
    pub num_cycles: usize,
    pub num_roots: usize,
}

impl TraceData {
    /// Assembles the trace `id` (lower-case hex) with all that was joined to it, as far as `sight` shows it.
    #[must_use]
    pub fn of(id: String, healed: Healed, sight: Sight, findings: Vec<Named>) -> Self {
        let (spans, torn) = Torn::new(healed, sight, findings);
        Self { torn, ..Self::new(id, spans) }
    }

    /// Assembles the trace `id` (lower-case hex) from its spans.
    #[must_use]
    pub fn new(id: String, spans: Spans) -> Self {
        let tree = assemble(&spans);
        let root = first_root(&tree.order, &tree.place);
        let mut critical_path = root.map_or_else(Vec::new, |root| critical_path(&spans, &tree, root));
        critical_path.sort_unstable_by_key(|segment| (segment.span, segment.start_ns));
        let forest = Forest::new(&spans, tree);
        let summary = summarise(&spans, &forest, root.map(|root| root as usize));
        Self { id, spans, forest, summary, critical_path, torn: Torn::default() }
    }

    /// Returns the stretches of the critical path that lie on `span`, by time.
    #[must_use]
    pub fn critical_stretches(&self, span: usize) -> &[Segment] {
        let from = self.critical_path.partition_point(|segment| (segment.span as usize) < span);
        let rest = &self.critical_path[from..];
        &rest[..rest.partition_point(|segment| segment.span as usize == span)]
    }

    /// Returns start and end of `span`, in nanoseconds since 1970.
    #[must_use]
    pub fn interval(&self, span: usize) -> (i64, i64) {
        (self.spans.start_ns[span], self.spans.end_ns(span))
    }

    /// Returns the ranks of the spans that were joined to their parents, in order.
    #[must_use]
    pub fn joints(&self) -> Vec<u32> {
        let mut ranks: Vec<u32> = self.torn.joined().map(|span| self.forest.rank(span)).collect();
        ranks.sort_unstable();
        ranks
    }

    /// Returns the ids of the traces that the spans were recorded in.
    #[must_use]
    pub fn pieces(&self) -> Vec<&str> {
        let pieces = self.torn.traces.iter().filter(|_| self.torn.sight.is_healed).map(String::as_str);
        let pieces: Vec<&str> = pieces.collect();
        if pieces.is_empty() { vec![&self.id] } else { pieces }
    }

    /// Returns the names of all services.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        services(&self.spans)
    }

    /// Returns for how much of its duration the span at `rank` waited for none of its children, in nanoseconds.
    #[must_use]
    pub fn self_ns(&self, rank: u32) -> i64 {
        let (start_ns, end_ns) = self.interval(self.forest.span(rank));
        let (mut covered_until_ns, mut self_ns) = (start_ns, end_ns.saturating_sub(start_ns));
        for child in self.forest.children(rank) {
            let interval = self.interval(self.forest.span(child));
            let from_ns = interval.0.max(covered_until_ns);
            let to_ns = interval.1.min(end_ns);
            if to_ns > from_ns {
                self_ns = self_ns.saturating_sub(to_ns.saturating_sub(from_ns));
                covered_until_ns = to_ns;
            }
        }
        self_ns
    }

    /// Returns the rank of the span with this id; of several the first.
    #[must_use]
    pub fn find(&self, span_id: u64) -> Option<u32> {
        (0..self.forest.len()).find(|&rank| self.spans.span_id[self.forest.span(rank)] == span_id)
    }
}

fn first_root(order: &[u32], place: &[Place]) -> Option<u32> {
    let root = order.iter().find(|&&span| place[span as usize] == Place::Root);
    root.or(order.first()).copied()
}

fn summarise(spans: &Spans, forest: &Forest, root: Option<usize>) -> Summary {
    let places: Vec<Place> = forest.tops().map(|rank| forest.place(rank)).collect();
    let count = |place: Place| places.iter().filter(|&&found| found == place).count();
    Summary {
        root,
        window: window(spans),
        num_services: services(spans).count(),
        service_width: services(spans).map(|service| width(&inert(service))).max().unwrap_or_default(),
        num_errors: spans.status.iter().map(|&status| usize::from(status == 2)).sum(),
        num_orphans: count(Place::Orphan),
        num_cycles: count(Place::CycleCut),
        num_roots: count(Place::Root),
    }
}

/// Returns the stretch of time that all spans fill. One span without a start would stretch it to 1970, so that nothing of the
/// others was to be seen: such spans do not count where there are others.
fn window(spans: &Spans) -> TimeWindow {
    let unsure = Mark::TimeMissing.bit() | Mark::TimeSaturated.bit();
    let extent = |accepted: u32| {
        let timed = (0..spans.len()).filter(|&span| spans.marks[span] & unsure & !accepted == 0);
        let intervals = timed.map(|span| (spans.start_ns[span], spans.end_ns(span)));
        intervals.reduce(|left, right| (left.0.min(right.0), left.1.max(right.1)))
    };
    let (from_ns, to_ns) = extent(0).or_else(|| extent(unsure)).unwrap_or_default();
    TimeWindow::new(from_ns, to_ns)
}

/// Returns the names of all services, by their text's number.
fn services(spans: &Spans) -> impl Iterator<Item = &str> {
    let mut is_service = vec![false; spans.texts.len()];
    spans.service.iter().for_each(|&text| is_service[text as usize] = true);
    spans.texts.iter().zip(is_service).filter(|(_, is_service)| *is_service).map(|(text, _)| text.as_ref())
}
