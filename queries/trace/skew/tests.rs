use super::{Limits, Skew};
use crate::trace::window::{Builder, SpanRecord, Window};

const MS: i64 = 1_000_000;

/// Calls between processes of one host, twenty of each (caller, callee), whose clocks are ahead by so many milliseconds.
fn calls(ahead_ms: &[i64], edges: &[(usize, usize)]) -> Window {
    let mut builder = Builder::default();
    for at in 0..ahead_ms.len() {
        builder.resource(&format!("s{at}"), &format!(r#"{{"service.instance.id":"i{at}","host.name":"vm"}}"#));
    }
    let mut id = 0;
    for &(caller, callee) in edges {
        for number in 0..20 {
            id += 2;
            let at = number * 100 * MS;
            let span = |id, parent, who: usize, kind, from: i64, length: i64| SpanRecord {
                trace_id: 1,
                span_id: id,
                parent_span_id: parent,
                resource: who as u32,
                kind,
                start_ns: at + (from + ahead_ms[who]) * MS,
                duration_ns: length * MS,
                ..SpanRecord::default()
            };
            builder.push(span(id - 1, 0, caller, 3, 0, 20));
            builder.push(span(id, id - 1, callee, 2, 5 + number % 3, 10 - number % 2));
        }
    }
    builder.finish()
}

fn offsets_ms(window: &Window) -> Vec<i64> {
    let skew = Skew::of(window, &window.parent, Limits::default());
    let mut resources: Vec<u32> = (0..window.resources.len() as u32).collect();
    resources.sort_by_key(|&resource| window.text(window.resources[resource as usize].instance));
    resources.into_iter().map(|resource| (skew.offset_ns(resource) as f64 / MS as f64).round() as i64).collect()
}

#[test]
fn clocks_that_differ_from_the_most_are_found_across_hops() {
    let window = calls(&[0, 0, -350, 80, 0], &[(0, 1), (1, 2), (1, 3), (0, 3), (4, 3)]);
    let offsets = offsets_ms(&window);
    let near = |at: usize, ms: i64| (offsets[at] - ms).abs() <= 1;
    assert!(near(2, -350) && near(3, 80), "{offsets:?}");
    assert_eq!([offsets[0], offsets[1], offsets[4]], [0, 0, 0], "the largest group that agrees is right");
}

#[test]
fn clocks_in_step_stay_as_they_are() {
    let window = calls(&[0, 2, -1], &[(0, 1), (1, 2)]);
    assert_eq!(offsets_ms(&window), [0, 0, 0]);
    let nothing = Builder::default().finish();
    assert!(Skew::of(&nothing, &nothing.parent, Limits::default()).is_even());
}

#[test]
fn extreme_times_do_no_harm() {
    let mut builder = Builder::default();
    for name in ["a", "b"] {
        builder.resource(name, &format!(r#"{{"service.instance.id":"{name}"}}"#));
    }
    for id in 0..40 {
        let call = SpanRecord {
            trace_id: 1,
            span_id: 2 * id + 1,
            kind: 3,
            start_ns: i64::MIN,
            duration_ns: i64::MAX,
            ..SpanRecord::default()
        };
        builder.push(call);
        let callee = SpanRecord {
            span_id: 2 * id + 2,
            parent_span_id: 2 * id + 1,
            kind: 2,
            resource: 1,
            start_ns: i64::MAX,
            duration_ns: 0,
            ..call
        };
        builder.push(callee);
    }
    let window = builder.finish();
    assert!(Skew::of(&window, &window.parent, Limits::default()).clocks.iter().all(|clock| clock.calls == 40));
}
