//! What must hold of every sample: cut, broken and in steps.

use super::{check, decode, recognised, rows};
use crate::format;

const NAMES: [&str; 7] =
    ["bpftrace-json", "bpftrace-text", "bcc", "perf-script", "perf-timehist", "perf-json", "ftrace"];

fn samples() -> impl Iterator<Item = (&'static str, &'static [u8])> {
    NAMES.into_iter().map(|name| (name, format::by_name(name).unwrap().sample()))
}

#[test]
fn samples_are_recognised_and_read_without_rejects() {
    for (name, sample) in samples() {
        assert_eq!(recognised(sample), Some(name));
        let batches = decode(name, None, sample, usize::MAX);
        let (records, rejects) =
            batches.iter().fold((0, 0), |sum, batch| (sum.0 + batch.num_records(), sum.1 + batch.rejects.count));
        assert!(records >= 4, "{name}: {records}");
        assert_eq!(rejects, 0, "{name}: {:?}", batches[0].rejects);
        assert!(batches.iter().any(|batch| !batch.clocks.is_empty()), "{name}");
    }
}

#[test]
fn steps_give_the_same_rows() {
    for (name, sample) in samples() {
        let whole = rows(&decode(name, None, sample, usize::MAX));
        for step in [1, 7, 100, 4_096] {
            assert_eq!(rows(&decode(name, None, sample, step)), whole, "{name} by {step}");
        }
    }
}

/// Events that ended before the cut are the same; the last lines may belong together.
#[test]
fn cut_at_every_byte_keeps_what_came_before() {
    for (name, sample) in samples() {
        let sample = &sample[..sample.len().min(1_500)];
        let whole = rows(&decode(name, None, sample, usize::MAX));
        for end in 0..sample.len() {
            let cut = decode(name, None, &sample[..end], usize::MAX);
            let num_events: usize = cut.iter().map(|batch| batch.events.len()).sum();
            let kept = rows(&cut);
            for row in 0..num_events.saturating_sub(2) {
                assert_eq!(kept.get(row), whole.get(row), "{name} cut at {end}");
            }
        }
    }
}

#[test]
fn flipped_bits_do_no_harm() {
    for (name, sample) in samples() {
        let sample = &sample[..sample.len().min(1_500)];
        for at in (0..sample.len()).step_by(5) {
            let mut broken = sample.to_vec();
            broken[at] ^= 1 << (at % 8);
            let batches = decode(name, None, &broken, usize::MAX);
            assert!(batches.iter().all(|batch| batch.rejects.count <= 40), "{name} at {at}");
            batches.iter().for_each(check);
        }
    }
}

/// Pieces that a format offers to cut give the events of the whole.
#[test]
fn pieces_give_the_events_of_the_whole() {
    for (name, sample) in samples() {
        let format = format::by_name(name).unwrap();
        let many = sample.repeat(3);
        let num_events =
            |bytes: &[u8]| decode(name, None, bytes, usize::MAX).iter().map(|batch| batch.events.len()).sum::<usize>();
        let Some(at) = format.cut(&many, many.len() / 2) else { continue };
        assert_eq!(num_events(&many[..at]) + num_events(&many[at..]), num_events(&many), "{name} at {at}");
    }
}
