//! Calibration: what each fault is taken for. The table of shares is printed, so that it can be published.

use super::shop::{Fault, PRODUCTION, STAGING, Site, incident, judged, live, phase, plan, staging};
use crate::replay::edge::Class;
use crate::replay::judge::Outcome;

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

/// A fault that is replayed, those that are the same for all callers, and those that are much alike on the wire: they may pass for
/// it in part.
struct Incident {
    fault: Fault,
    class: Class,
    same: &'static [Fault],
    alike: &'static [Fault],
}

const fn incident_of(fault: Fault, class: Class, same: &'static [Fault], alike: &'static [Fault]) -> Incident {
    Incident { fault, class, same, alike }
}

const ERROR: Fault = Fault::Error("payments", 503);
const REFUSED: Fault = Fault::Refused("payments", 503);
const GRPC: Fault = Fault::Grpc("payments", 14);
const ABORT: Fault = Fault::Abort("payments");

const INCIDENTS: [Incident; 7] = [
    incident_of(
        Fault::Latency("payments", 300.0),
        Class::Latency,
        &[],
        &[Fault::Latency("payments", 150.0), Fault::Latency("payments", 600.0)],
    ),
    incident_of(ERROR, Class::Error, &[REFUSED], &[GRPC, ABORT]),
    incident_of(REFUSED, Class::Error, &[ERROR], &[GRPC, ABORT]),
    incident_of(GRPC, Class::Error, &[], &[ERROR, REFUSED, ABORT]),
    incident_of(ABORT, Class::Error, &[], &[ERROR, REFUSED, GRPC]),
    incident_of(Fault::Retried("payments", 503), Class::Error, &[], &[ERROR, REFUSED]),
    incident_of(Fault::Drop("payments"), Class::Context, &[], &[]),
];

#[test]
fn the_same_fault_is_reproduced_and_no_other_is() {
    let worlds: Vec<_> = FAULTS.iter().map(|&fault| (fault, staging(STAGING, fault))).collect();
    let calm = staging(STAGING, Fault::None);
    for Incident { fault, class, same, alike } in INCIDENTS {
        let there = incident(PRODUCTION, fault);
        for (other, here) in &worlds {
            let verdict = judged(&there, here, &plan(class, "payments"));
            let share = verdict.score.map_or(0.0, |score| score.share);
            println!("{fault:?} against {other:?}: {share:.2} {}", verdict.outcome.name());
            match verdict.outcome {
                Outcome::Reproduced => {
                    assert!(fault == *other || same.contains(other), "{other:?}: {:?}", verdict.score);
                }
                Outcome::Partial => assert!(alike.contains(other), "{fault:?} is no {other:?}: {:?}", verdict.score),
                Outcome::NotReproduced => {
                    assert!(fault != *other && !same.contains(other), "{other:?}: {:?}", verdict.score);
                }
                outcome => panic!("{fault:?} against {other:?}: {outcome:?} {:?}", verdict.gates),
            }
        }
        let none = judged(&there, &calm, &plan(class, "payments"));
        assert_eq!(none.outcome, Outcome::NotReproduced, "{:?}", none.score);
    }
}

#[test]
fn as_few_requests_as_are_asked_for_are_enough() {
    for seed in 20..26 {
        let site = |at: u64| Site { seed: seed * 10 + at, ..PRODUCTION };
        for Incident { fault, class, .. } in INCIDENTS {
            let there = live(site(0), &[phase(fault, 20), phase(Fault::None, 20)]);
            let (calm, faulty) = (phase(Fault::None, 20), phase(fault, 20));
            let here = live(site(1), &[calm, faulty, calm, calm]);
            let verdict = judged(&there, &here, &plan(class, "payments"));
            assert_eq!(verdict.outcome, Outcome::Reproduced, "{fault:?}, seed {seed}: {:?}", verdict.score);
        }
    }
}

#[test]
fn chance_alone_does_not_change_the_verdict() {
    for seed in 10..16 {
        let site = |at: u64| Site { seed: seed * 10 + at, ..PRODUCTION };
        for Incident { fault, class, .. } in INCIDENTS {
            let verdict = judged(&incident(site(0), fault), &staging(site(1), fault), &plan(class, "payments"));
            assert_eq!(verdict.outcome, Outcome::Reproduced, "{fault:?}, seed {seed}: {:?}", verdict.score);
        }
    }
}
