use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// (span id, parent id, start, duration)
type Row = (u64, u64, i64, i64);

fn spans(rows: &[Row]) -> Spans {
    let mut spans = Spans { texts: vec!["shop".into(), "work".into()], ..Spans::default() };
    for (row, &(id, parent, start, duration)) in rows.iter().enumerate() {
        push(&mut spans, row as i64, id, parent, start, duration);
    }
    spans
}

fn push(spans: &mut Spans, row: i64, id: u64, parent: u64, start: i64, duration: i64) {
    spans.row.push(row);
    spans.span_id.push(id);
    spans.parent_span_id.push(parent);
    spans.start_ns.push(start);
    spans.duration_ns.push(duration);
    spans.kind.push(1);
    spans.status.push(0);
    spans.marks.push(0);
    spans.service.push(0);
    spans.name.push(1);
}

#[test]
fn nothing_gives_an_empty_tree() {
    assert_eq!(assemble(&Spans::default()), Tree::default());
}

#[test]
fn siblings_stand_by_start_then_by_longer_duration_then_by_id() {
    let tree =
        assemble(&spans(&[(1, 0, 0, 100), (4, 1, 20, 5), (3, 1, 20, 5), (2, 1, 20, 9), (5, 1, 10, 1), (6, 5, 11, 1)]));
    assert_eq!(tree.order, [0, 4, 5, 3, 2, 1]);
    assert_eq!(tree.depth, [0, 1, 1, 1, 1, 2]);
    assert_eq!(tree.descendants, [5, 0, 0, 0, 1, 0]);
    assert_eq!(tree.place[0], Place::Root);
    assert!(tree.place[1..].iter().all(|&place| place == Place::Child));
}

#[test]
fn several_roots_and_missing_parents_stand_under_the_trace() {
    let tree = assemble(&spans(&[(1, 0, 5, 1), (2, 99, 3, 1), (3, 2, 4, 1), (4, 0, 1, 1)]));
    assert_eq!(tree.order, [3, 1, 2, 0]);
    assert_eq!(tree.place, [Place::Root, Place::Orphan, Place::Child, Place::Root]);
    assert_eq!(tree.parent, [NONE, NONE, 1, NONE]);
}

#[test]
fn a_span_that_is_its_own_parent_is_cut() {
    let tree = assemble(&spans(&[(1, 1, 0, 1), (2, 1, 1, 1)]));
    assert_eq!(tree.place, [Place::CycleCut, Place::Child]);
    assert_eq!(tree.order, [0, 1]);
}

#[test]
fn rings_are_cut_at_their_first_span_whoever_leads_into_them() {
    // 5 hangs below the ring 1 -> 2 -> 3 -> 1 and starts before it.
    let tree = assemble(&spans(&[(1, 3, 30, 1), (2, 1, 10, 1), (3, 2, 20, 1), (5, 3, 0, 1)]));
    assert_eq!(tree.place, [Place::Child, Place::CycleCut, Place::Child, Place::Child]);
    assert_eq!(tree.order, [1, 2, 3, 0]);
    assert_eq!(tree.depth, [2, 0, 1, 2]);
}

#[test]
fn equal_ids_are_both_shown_and_children_hang_below_the_first() {
    let tree = assemble(&spans(&[(7, 0, 10, 1), (7, 0, 5, 1), (8, 7, 6, 1)]));
    assert_eq!(tree.shares_id, [true, true, false]);
    assert_eq!(tree.parent, [NONE, NONE, 1]);
    assert_eq!(tree.order, [1, 2, 0]);
}

#[test]
fn spans_without_an_id_share_nothing() {
    let tree = assemble(&spans(&[(0, 0, 1, 1), (0, 0, 2, 1)]));
    assert_eq!(tree.shares_id, [false, false]);
    assert_eq!(tree.place, [Place::Root, Place::Root]);
}

#[test]
fn a_ring_of_a_million_spans_is_cut_once() {
    let n = 1_000_000_u64;
    let rows: Vec<Row> = (0..n).map(|span| (span + 1, (span + 1) % n + 1, span as i64, 1)).collect();
    let tree = assemble(&spans(&rows));
    assert_eq!(tree.order.len(), rows.len());
    assert_eq!(tree.place.iter().filter(|&&place| place == Place::CycleCut).count(), 1);
    assert_eq!(tree.descendants[0], 999_999);
}

#[test]
fn a_chain_of_a_hundred_thousand_and_a_fan_of_a_million_are_whole() {
    let chain: Vec<Row> = (0..100_000).map(|span| (span + 1, span, span as i64, 1)).collect();
    let tree = assemble(&spans(&chain));
    assert_eq!(tree.depth[99_999], 99_999);
    let fan: Vec<Row> = (0..1_000_000).map(|span| (span + 1, u64::from(span > 0), -(span as i64), 1)).collect();
    let tree = assemble(&spans(&fan));
    assert_eq!(tree.descendants[0], 999_999);
    assert_eq!(tree.order[1], 999_999);
}

/// Parent row, depth, descendants, place, whether the id is shared, position.
type SpanShape = (Option<i64>, u32, u32, String, bool, usize);

/// The shape by rows, which are the identity of spans.
fn shape(spans: &Spans) -> BTreeMap<i64, SpanShape> {
    let tree = assemble(spans);
    let row = |span: u32| spans.row.get(span as usize).copied();
    let entry = |(position, &span): (usize, &u32)| {
        let at = span as usize;
        let place = format!("{:?}", tree.place[at]);
        (
            spans.row[at],
            (row(tree.parent[at]), tree.depth[at], tree.descendants[at], place, tree.shares_id[at], position),
        )
    };
    tree.order.iter().enumerate().map(entry).collect()
}

proptest! {
    #[test]
    fn every_span_once_and_the_same_tree_whatever_the_order(
        rows in prop::collection::vec((0..12_u64, 0..14_u64, 0..6_i64, -2..4_i64), 0..40),
        seed in any::<u64>(),
    ) {
        let given = spans(&rows);
        let mut places: Vec<usize> = (0..rows.len()).collect();
        places.sort_by_key(|&place| (place as u64 ^ seed).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let mut shuffled = Spans { texts: given.texts.clone(), ..Spans::default() };
        for place in places {
            let (id, parent, start, duration) = rows[place];
            push(&mut shuffled, place as i64, id, parent, start, duration);
        }
        let shape_given = shape(&given);
        prop_assert_eq!(shape_given.len(), rows.len());
        prop_assert_eq!(shape_given, shape(&shuffled));
    }

    #[test]
    fn places_say_the_truth(rows in prop::collection::vec((1..12_u64, 0..14_u64, 0..6_i64, 0..4_i64), 0..40)) {
        let given = spans(&rows);
        let tree = assemble(&given);
        for (span, &(_, parent_id, ..)) in rows.iter().enumerate() {
            let is_known = rows.iter().any(|row| row.0 == parent_id);
            match tree.place[span] {
                Place::Root => prop_assert_eq!(parent_id, 0),
                Place::Orphan => prop_assert!(parent_id != 0 && !is_known),
                Place::Child => prop_assert_eq!(rows[tree.parent[span] as usize].0, parent_id),
                Place::CycleCut => prop_assert!(is_known),
            }
            prop_assert_eq!(tree.parent[span] == NONE, tree.place[span] != Place::Child);
        }
        let below: u32 = (0..rows.len()).filter(|&span| tree.parent[span] == NONE).map(|span| tree.descendants[span] + 1).sum();
        prop_assert_eq!(below as usize, rows.len());
    }
}
