//! How long a trace of a million spans takes from its columns to the first frame, and from key to frame.
//!
//! Four shapes: a tree as services make it, one parent with a million children that differ, one with a million that do the
//! same, and a chain of calls 100 000 deep, ten times in a row. Targets 10 and 11 of `docs/performance.md`.

use std::hint::black_box;
use std::sync::Arc;

use criterion::{BatchSize, Criterion, criterion_group, criterion_main};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline::tui::command::Command;
use riftline::tui::state::Shared;
use riftline::view::trace::data::TraceData;
use riftline::view::trace::shown::{PictureKind, Shown};
use riftline_queries::trace::spans::Spans;

const NUM_SPANS: u64 = 1_000_000;
const SCREEN: Rect = Rect { x: 0, y: 0, width: 200, height: 58 };
const START_NS: i64 = 1_789_383_123_000_000_000;

struct Shape {
    name: &'static str,
    /// The parent of a span by its number from 1; 0 is none.
    parent: fn(u64) -> u64,
    num_names: u64,
}

const SHAPES: [Shape; 4] = [
    Shape { name: "tree", parent: |span| if span == 1 { 0 } else { (span / 7).max(1) }, num_names: 50 },
    Shape { name: "wide", parent: |span| u64::from(span > 1), num_names: 50 },
    Shape { name: "run", parent: |span| u64::from(span > 1), num_names: 1 },
    Shape { name: "deep", parent: |span| if span % 100_000 == 1 { 0 } else { span - 1 }, num_names: 50 },
];

fn spans(shape: &Shape) -> Spans {
    let mut spans = Spans { texts: (0..64).map(|text| format!("text {text}").into()).collect(), ..Spans::default() };
    for span in 1..=NUM_SPANS {
        // A multiplier without common factors spreads arrival, as files of several services do.
        let id = (span * 7_919) % NUM_SPANS + 1;
        let start = i64::from(id.ilog2()) * 1_000_000 + (id % 1_000) as i64 * 10;
        spans.row.push(span as i64);
        spans.span_id.push(id);
        spans.parent_span_id.push((shape.parent)(id));
        spans.start_ns.push(START_NS + start);
        spans.duration_ns.push(900_000_000 - start);
        spans.kind.push(2);
        spans.status.push(if id.is_multiple_of(997) { 2 } else { 0 });
        spans.marks.push(0);
        spans.service.push((id % 8.min(shape.num_names)) as u32);
        spans.name.push(8 + (id % shape.num_names) as u32);
    }
    spans
}

fn draw(shown: &Shown, shared: &Shared, buffer: &mut Buffer) {
    buffer.reset();
    shown.render(SCREEN, buffer, shared);
    black_box(&buffer);
}

fn first_frame(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("first frame of a million spans");
    group.sample_size(10);
    for shape in &SHAPES {
        let (spans, shared) = (spans(shape), Shared::default());
        let mut buffer = Buffer::empty(SCREEN);
        group.bench_function(shape.name, |bencher| {
            let open = |spans: Spans| {
                let shown = Shown::new(Arc::new(TraceData::new("bench".to_owned(), spans)));
                draw(&shown, &shared, &mut buffer);
                shown
            };
            bencher.iter_batched(|| spans.clone(), open, BatchSize::PerIteration);
        });
    }
    group.finish();
}

fn frames(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("key to frame in a million spans");
    let commands = [
        ("page down", Command::PageDown),
        ("last and first", Command::Last),
        ("critical path", Command::CriticalPath),
        ("fold", Command::Fold),
        ("fold all", Command::FoldAll),
        ("next error", Command::NextMatch),
    ];
    for shape in &SHAPES {
        let (data, shared) = (Arc::new(TraceData::new("bench".to_owned(), spans(shape))), Shared::default());
        for (what, command) in commands {
            let mut shown = Shown::new(data.clone());
            let mut buffer = Buffer::empty(SCREEN);
            group.sample_size(20);
            group.bench_function(format!("{}: {what}", shape.name), |bencher| {
                bencher.iter(|| {
                    black_box(shown.command(command, "", SCREEN));
                    if command == Command::Last {
                        black_box(shown.command(Command::First, "", SCREEN));
                    }
                    draw(&shown, &shared, &mut buffer);
                });
            });
        }
    }
    group.finish();
}

/// What workers draw while the waterfall stays on the screen.
fn pictures(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("picture of a million spans");
    group.sample_size(10);
    for shape in &SHAPES {
        let data = TraceData::new("bench".to_owned(), spans(shape));
        for (what, kind) in [("by service", PictureKind::Services), ("flame", PictureKind::Flame)] {
            group.bench_function(format!("{}: {what}", shape.name), |bencher| bencher.iter(|| kind.draw(&data)));
        }
    }
    group.finish();
}

criterion_group!(benches, first_frame, frames, pictures);
criterion_main!(benches);
