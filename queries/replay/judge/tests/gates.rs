//! Each gate once: what a run that proves nothing says.

use super::shop::{Fault, PRODUCTION, STAGING, World, arms, incident, judged, live, phase, plan, quick, side, staging};
use crate::replay::edge::Class;
use crate::replay::judge::{Arm, Outcome, Staging, Verdict, judge};

const FAULT: Fault = Fault::Latency("payments", 300.0);

/// Judges a run of the same fault after `change`.
fn run<'a>(there: &World, here: &'a World, change: impl Fn(&mut Staging<'a>)) -> Verdict {
    let mut staging = arms(here);
    change(&mut staging);
    judge(&side(there), &staging, &plan(Class::Latency, "payments"), &quick())
}

fn failed(verdict: &Verdict) -> Vec<&str> {
    verdict.gates.iter().filter(|gate| gate.failed.is_some()).map(|gate| gate.name.as_str()).collect()
}

#[test]
fn a_run_without_injection_is_invalid() {
    let (there, here) = (incident(PRODUCTION, FAULT), staging(STAGING, FAULT));
    let verdict = run(&there, &here, |staging| staging.injected = Some(0));
    assert_eq!((verdict.outcome, verdict.passed), (Outcome::Invalid, None));
    assert!(verdict.gates[0].words.contains("0 faults were injected, 60 were planned"), "{:?}", verdict.gates[0]);
    let untold = run(&there, &here, |staging| staging.injected = None);
    assert_eq!(untold.outcome, Outcome::Reproduced, "who cannot tell is believed");
}

#[test]
fn too_few_requests_prove_nothing() {
    let (there, here) = (incident(PRODUCTION, FAULT), staging(STAGING, FAULT));
    let verdict = run(&there, &here, |staging| {
        staging.control = Arm { traces: &here.arms[2][..19], sent: 19, ..staging.control };
    });
    assert_eq!((verdict.outcome, failed(&verdict)), (Outcome::Inconclusive, vec!["requests"]));
}

#[test]
fn a_fault_that_spares_nobody_is_judged_without_a_control_arm() {
    let (there, here) = (incident(PRODUCTION, FAULT), staging(STAGING, FAULT));
    let verdict = run(&there, &here, |staging| {
        staging.control = Arm { traces: &[], sent: 0, ..staging.control };
    });
    assert_eq!((verdict.outcome, failed(&verdict)), (Outcome::Reproduced, vec![]));
    assert!(verdict.gates.iter().any(|gate| gate.name == "no control"), "{:?}", verdict.gates);
}

#[test]
fn spans_that_are_missing_prove_nothing() {
    let (there, here) = (incident(PRODUCTION, FAULT), staging(STAGING, FAULT));
    let services: Vec<String> =
        ["gateway", "orders", "stock", "payments", "ledger", "mail"].map(str::to_owned).to_vec();
    let lost = run(&there, &here, |staging| staging.fault.sent = 100);
    assert_eq!((lost.outcome, failed(&lost)), (Outcome::Inconclusive, vec!["completeness"]));
    let mut staging = arms(&here);
    staging.services = &services;
    let verdict = judge(&side(&there), &staging, &plan(Class::Latency, "payments"), &quick());
    assert_eq!((verdict.outcome, failed(&verdict)), (Outcome::Inconclusive, vec!["completeness"]));
    assert!(verdict.gates[2].words.starts_with("67 %"), "{:?}", verdict.gates[2]);
}

#[test]
fn a_control_arm_that_fails_or_is_slow_proves_nothing() {
    let (calm, faulty) = (phase(Fault::None, 60), phase(FAULT, 60));
    let there = incident(PRODUCTION, FAULT);
    for (control, gate) in [
        (phase(Fault::Error("stock", 500), 60), "control is well"),
        (phase(Fault::Latency("stock", 30.0), 60), "control is as before"),
    ] {
        let here = live(STAGING, &[calm, faulty, control, calm]);
        let verdict = judged(&there, &here, &plan(Class::Latency, "payments"));
        assert_eq!(verdict.outcome, Outcome::Inconclusive);
        assert!(failed(&verdict).contains(&gate), "{:?}", verdict.gates);
    }
}

#[test]
fn an_edge_that_nobody_calls_proves_nothing() {
    let (there, here) = (incident(PRODUCTION, FAULT), staging(STAGING, FAULT));
    let verdict = judge(&side(&there), &arms(&here), &plan(Class::Latency, "ledger"), &quick());
    assert_eq!((verdict.outcome, failed(&verdict)), (Outcome::Inconclusive, vec!["edge"]));
}

#[test]
fn an_incident_like_any_other_day_proves_nothing() {
    let (there, here) = (incident(PRODUCTION, Fault::None), staging(STAGING, FAULT));
    let verdict = judge(&side(&there), &arms(&here), &plan(Class::Latency, "payments"), &quick());
    assert_eq!((verdict.outcome, failed(&verdict)), (Outcome::Inconclusive, vec!["contrast"]), "{:?}", verdict.score);
}
