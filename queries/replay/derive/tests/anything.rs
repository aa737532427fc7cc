//! Whatever arrives: nothing panics, the order of arrival changes nothing, and shares are shares.

use crate::detect::Finding;
use crate::detect::tests::anything::{Any, Chance, any, joins, window};
use crate::detect::{Case, Rules, detect};
use crate::replay::derive::{About, Derived, Options, Refusal, derive};
use crate::replay::id::TraceId;
use crate::trace::window::Window;

fn all(window: &Window) -> Vec<Result<Derived, Refusal>> {
    let stitches = joins(window);
    let findings: Vec<Finding> = detect(&Case::new(window, &stitches), &Rules::bundled());
    let traces = (0..40).map(|id| About::Trace(TraceId(id)));
    let abouts = traces.chain(findings.iter().map(|finding| About::Finding(finding.id.clone())));
    abouts.map(|about| derive(window, &stitches, &findings, &about, &Options::default())).collect()
}

#[test]
fn nothing_panics_and_the_order_of_arrival_is_the_same_to_all() {
    let mut num_derived = 0;
    for seed in 0..15 {
        let mut chance = Chance(seed);
        let count = chance.below(400);
        let spans: Vec<Any> = (0..count).map(|number| any(&mut chance, number)).collect();
        let one = all(&window(spans.iter()));
        assert_eq!(one, all(&window(spans.iter().rev())), "seed {seed}");
        for derived in one.into_iter().flatten() {
            num_derived += 1;
            for candidate in &derived.candidates {
                assert!((0.0..=1.0).contains(&candidate.confidence), "seed {seed}: {candidate:?}");
                assert!((0.0..=1.0).contains(&candidate.fault.when.share), "seed {seed}: {candidate:?}");
                assert!(candidate.share.low <= candidate.share.high, "seed {seed}: {candidate:?}");
            }
            let text = serde_json::to_string(&derived).unwrap();
            assert_eq!(serde_json::from_str::<Derived>(&text).unwrap().about, derived.about);
        }
    }
    assert!(num_derived > 15, "only {num_derived} of them had anything to say");
}
