use proptest::prelude::*;

use super::*;
use crate::trace::assemble::assemble;

/// (parent id, start, duration); ids count from 1.
type Row = (u64, i64, i64);

fn spans(rows: &[Row]) -> Spans {
    let mut spans = Spans { texts: vec!["".into()], ..Spans::default() };
    for (id, &(parent, start, duration)) in (1..).zip(rows) {
        spans.row.push(id as i64);
        spans.span_id.push(id);
        spans.parent_span_id.push(parent);
        spans.start_ns.push(start);
        spans.duration_ns.push(duration);
        spans.kind.push(1);
        spans.status.push(0);
        spans.marks.push(0);
        spans.service.push(0);
        spans.name.push(0);
    }
    spans
}

fn path(rows: &[Row], root: u32) -> Vec<(u32, i64, i64)> {
    let spans = spans(rows);
    let segments = critical_path(&spans, &assemble(&spans), root);
    segments.iter().map(|segment| (segment.span, segment.start_ns, segment.end_ns)).collect()
}

#[test]
fn time_that_no_child_explains_is_the_span_s_own() {
    assert_eq!(
        path(&[(0, 0, 100), (1, 10, 30), (1, 50, 40)], 0),
        [(0, 0, 10), (1, 10, 40), (0, 40, 50), (2, 50, 90), (0, 90, 100)]
    );
}

#[test]
fn of_parallel_children_the_one_that_ends_last_counts() {
    assert_eq!(path(&[(0, 0, 100), (1, 10, 80), (1, 20, 30)], 0), [(0, 0, 10), (1, 10, 90), (0, 90, 100)]);
}

#[test]
fn children_that_outlive_their_parent_are_not_on_it() {
    assert_eq!(path(&[(0, 0, 100), (1, 50, 60), (1, 10, 10)], 0), [(0, 0, 10), (2, 10, 20), (0, 20, 100)]);
}

#[test]
fn children_that_begin_before_their_parent_count_from_its_start() {
    assert_eq!(path(&[(0, 0, 100), (1, 40, 50), (2, 10, 50)], 0), [(0, 0, 40), (2, 40, 60), (1, 60, 90), (0, 90, 100)]);
    assert_eq!(path(&[(0, 50, 50), (1, 0, 60)], 0), [(1, 50, 60), (0, 60, 100)]);
}

#[test]
fn empty_and_unknown_roots_have_no_path() {
    assert_eq!(path(&[(0, 5, 0), (1, 5, 0)], 0), []);
    assert_eq!(path(&[(0, 5, -3)], 0), []);
    assert_eq!(path(&[(0, 5, 1)], 7), []);
}

#[test]
fn deep_chains_and_wide_fans_are_safe() {
    let chain: Vec<Row> = (0..100_000).map(|depth| (depth as u64, depth, 300_000 - 2 * depth)).collect();
    assert_eq!(path(&chain, 0).len(), 199_999);
    let fan: Vec<Row> = (0..200_000).map(|child| if child == 0 { (0, 0, 200_000) } else { (1, child, 1) }).collect();
    assert_eq!(path(&fan, 0).len(), 200_000);
}

proptest! {
    #[test]
    fn segments_fill_the_root_and_nothing_else(
        rows in prop::collection::vec((0..30_u64, -50..50_i64, -5..60_i64), 1..60),
    ) {
        let spans = spans(&rows);
        let tree = assemble(&spans);
        for &root in tree.order.iter().filter(|&&span| tree.depth[span as usize] == 0) {
            let segments = critical_path(&spans, &tree, root);
            let mut at = spans.start_ns[root as usize];
            for segment in &segments {
                prop_assert_eq!(segment.start_ns, at);
                prop_assert!(segment.start_ns < segment.end_ns);
                let span = segment.span as usize;
                prop_assert!(spans.start_ns[span] <= segment.start_ns && segment.end_ns <= spans.end_ns(span));
                at = segment.end_ns;
            }
            prop_assert_eq!(at, spans.end_ns(root as usize));
        }
    }
}
