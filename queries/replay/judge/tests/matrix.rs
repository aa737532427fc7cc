//! Calibration: what each fault is taken for. The table of shares is printed, so that it can be published.

use super::shop::{Fault, PRODUCTION, STAGING, Site, incident, judged, plan, staging};
use crate::replay::judge::{Class, Outcome};

const FAULTS: [Fault; 12] = [
    Fault::Latency("payments", 300.0),
    Fault::Latency("payments", 150.0),
    Fault::Latency("payments", 600.0),
    Fault::Latency("stock", 300.0),
    Fault::Error("payments", 503),
    Fault::Refused("payments", 503),
    Fault::Error("stock", 503),
    Fault::Grpc("payments", 14),
    Fault::Abort("payments"),
    Fault::Retried("payments", 503),
    Fault::Drop("payments"),
    Fault::Drop("stock"),
];

/// The faults that are replayed, and those that are much the same on the wire: they may pass for it in part.
const INCIDENTS: [(Fault, Class, &[Fault]); 7] = [
    (
        Fault::Latency("payments", 300.0),
        Class::Latency,
        &[Fault::Latency("payments", 150.0), Fault::Latency("payments", 600.0)],
    ),
    (Fault::Error("payments", 503), Class::Error, &[Fault::Refused("payments", 503), Fault::Grpc("payments", 14)]),
    (Fault::Refused("payments", 503), Class::Error, &[Fault::Error("payments", 503), Fault::Abort("payments")]),
    (Fault::Grpc("payments", 14), Class::Error, &[Fault::Error("payments", 503)]),
    (Fault::Abort("payments"), Class::Error, &[Fault::Refused("payments", 503)]),
    (Fault::Retried("payments", 503), Class::Error, &[Fault::Error("payments", 503)]),
    (Fault::Drop("payments"), Class::Context, &[]),
];

#[test]
fn the_same_fault_is_reproduced_and_no_other_is() {
    let worlds: Vec<_> = FAULTS.iter().map(|&fault| (fault, staging(STAGING, fault))).collect();
    let calm = staging(STAGING, Fault::None);
    for (fault, class, alike) in INCIDENTS {
        let there = incident(PRODUCTION, fault);
        for (other, here) in &worlds {
            let verdict = judged(&there, here, &plan(class, "payments"));
            let share = verdict.score.map_or(0.0, |score| score.share);
            println!("{fault:?} against {other:?}: {share:.2} {}", verdict.outcome.name());
            match verdict.outcome {
                Outcome::Reproduced => assert_eq!(fault, *other, "{:?}", verdict.score),
                Outcome::Partial => assert!(alike.contains(other), "{fault:?} is no {other:?}: {:?}", verdict.score),
                Outcome::NotReproduced => assert_ne!(fault, *other, "{:?}", verdict.score),
                outcome => panic!("{fault:?} against {other:?}: {outcome:?} {:?}", verdict.gates),
            }
        }
        let none = judged(&there, &calm, &plan(class, "payments"));
        assert_eq!(none.outcome, Outcome::NotReproduced, "{:?}", none.score);
    }
}

#[test]
fn chance_alone_does_not_change_the_verdict() {
    for seed in 10..16 {
        let site = |at: u64| Site { seed: seed * 10 + at, ..PRODUCTION };
        for (fault, class, _) in INCIDENTS {
            let verdict = judged(&incident(site(0), fault), &staging(site(1), fault), &plan(class, "payments"));
            assert_eq!(verdict.outcome, Outcome::Reproduced, "{fault:?}, seed {seed}: {:?}", verdict.score);
        }
    }
}
