mod anything;
mod gates;
mod matrix;
pub(crate) mod shop;

use self::shop::{Fault, PRODUCTION, STAGING, Site, arms, incident, judged, live, phase, plan, quick, side, staging};
use super::{Aspect, Expect, Outcome, Primary, Verdict, hit, judge, report};
use crate::replay::assertions::Asked;
use crate::replay::edge::Class;

#[test]
fn a_slower_or_faster_machine_fails_the_same_way() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    for slowness in [0.3, 3.0] {
        let site = Site { slowness, ..STAGING };
        let same = judged(&there, &staging(site, Fault::Latency("payments", 300.0)), &plan(Class::Latency, "payments"));
        assert_eq!(same.outcome, Outcome::Reproduced, "{slowness}: {:?}", same.score);
        let half = judged(&there, &staging(site, Fault::Latency("payments", 150.0)), &plan(Class::Latency, "payments"));
        assert_ne!(half.outcome, Outcome::Reproduced, "{slowness}: {:?}", half.score);
    }
}

#[test]
fn an_incident_without_a_baseline_is_measured_by_stagings() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let run = |ms| {
        let here = staging(STAGING, Fault::Latency("payments", ms));
        let alone = super::Side { healthy: &[], ..side(&there) };
        judge(&alone, &arms(&here), &plan(Class::Latency, "payments"), &quick())
    };
    let same = run(300.0);
    assert_eq!(same.outcome, Outcome::Reproduced, "{:?} {:?}", same.score, same.gates);
    assert!(same.remarks.iter().any(|remark| remark.contains("no baseline")), "{:?}", same.remarks);
    assert_ne!(run(100.0).outcome, Outcome::Reproduced);
}

#[test]
fn services_are_called_as_in_staging() {
    let there = incident(PRODUCTION, Fault::Error("payments", 503));
    let here = staging(Site { suffix: "-stg", ..STAGING }, Fault::Error("payments", 503));
    let unnamed = judged(&there, &here, &plan(Class::Error, "payments"));
    assert_eq!(unnamed.outcome, Outcome::Inconclusive, "{:?}", unnamed.gates);
    let services = ["gateway", "orders", "stock", "payments"];
    let names = services.iter().map(|name| ((*name).to_owned(), format!("{name}-stg"))).collect();
    let named = judged(&there, &here, &super::Judged { names, ..plan(Class::Error, "payments") });
    assert_eq!(named.outcome, Outcome::Reproduced, "{:?}", named.score);
}

#[test]
fn a_mesh_that_only_staging_has_is_looked_through() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let site = Site { has_mesh: true, ..STAGING };
    let verdict = judged(&there, &staging(site, Fault::Latency("payments", 300.0)), &plan(Class::Latency, "payments"));
    assert_eq!(verdict.outcome, Outcome::Reproduced, "{:?} {:?}", verdict.score, verdict.structure);
    assert!(verdict.remarks.iter().any(|remark| remark.contains("mesh")), "{:?}", verdict.remarks);
}

#[test]
fn a_proxy_that_tells_of_its_faults_proves_who_was_hit_and_is_looked_through() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let here = staging(Site { has_proxy: true, ..STAGING }, Fault::Latency("payments", 300.0));
    let verdict = judged(&there, &here, &plan(Class::Latency, "payments"));
    assert_eq!(verdict.outcome, Outcome::Reproduced, "{:?} {:?}", verdict.score, verdict.gates);
    assert!(verdict.tears.is_empty(), "the gateway is where the request begins: {:?}", verdict.tears);
    let faulty = here.arms[1].iter().copied().collect();
    assert_eq!(
        (hit(&here.window, Some("exp42")), hit(&here.window, None)),
        (faulty, here.arms[1].iter().copied().collect())
    );
    assert!(hit(&here.window, Some("exp43")).is_empty() && hit(&there.window, None).is_empty());
}

#[test]
fn a_fault_of_some_requests_is_compared_with_as_many() {
    let there = incident(PRODUCTION, Fault::Error("payments", 503));
    let phases = [phase(Fault::None, 60), shop::Phase { share: 0.3, ..phase(Fault::Error("payments", 503), 120) }];
    let here = live(STAGING, &[phases[0], phases[1], phases[0], phases[0]]);
    let whole = judged(&there, &here, &plan(Class::Error, "payments"));
    assert_ne!(whole.outcome, Outcome::Reproduced, "{:?}", whole.score);
    let part = judged(&there, &here, &super::Judged { share: 0.3, ..plan(Class::Error, "payments") });
    assert_eq!(part.outcome, Outcome::Reproduced, "{:?}", part.score);
}

/// Production and staging where findings and joins are looked for.
fn torn(fault: Fault) -> (shop::World, shop::World) {
    let examined = |site: Site| Site { is_examined: true, ..site };
    (incident(examined(PRODUCTION), Fault::Drop("payments")), staging(examined(STAGING), fault))
}

#[test]
fn lost_context_is_the_same_finding_the_same_tear_and_as_many_fragments() {
    let (there, here) = torn(Fault::Drop("payments"));
    let found = there.findings.iter().find(|finding| finding.subject == "orders -> payments").unwrap();
    let primary = Some(Primary { rule: found.rule.clone(), subject: found.subject.clone() });
    let asked = super::Judged { primary, ..plan(Class::Context, "payments") };
    let same = judged(&there, &here, &asked);
    assert_eq!(same.outcome, Outcome::Reproduced, "{}", report(&same));
    assert!(same.findings.iter().any(|line| line.is_primary && line.incident && line.staging), "{:?}", same.findings);
    assert!(same.tears.iter().any(|tear| tear.what.contains("payments") && tear.staging > 0.9), "{:?}", same.tears);
    let (_, elsewhere) = torn(Fault::Drop("stock"));
    let other = judged(&there, &elsewhere, &asked);
    assert_eq!(other.outcome, Outcome::NotReproduced, "{:?}", other.score);
}

#[test]
fn without_the_incidents_finding_nothing_is_reproduced() {
    let (there, here) = torn(Fault::Drop("payments"));
    let found = there.findings.iter().find(|finding| finding.subject == "orders -> payments").unwrap();
    let primary = Some(Primary { rule: found.rule.clone(), subject: found.subject.clone() });
    let blind = super::Staging { findings: &[], ..arms(&here) };
    let asked = super::Judged { primary, ..plan(Class::Context, "payments") };
    let verdict = judge(&side(&there), &blind, &asked, &quick());
    let score = verdict.score.unwrap();
    assert!(score.share <= 0.4 && score.high <= 0.4, "{score:?}");
    assert!(verdict.remarks.iter().any(|remark| remark.contains("missing in staging")), "{:?}", verdict.remarks);
}

#[test]
fn what_a_fix_tolerates_is_not_reproduced_and_passes() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let tolerated = super::Judged { expect: Expect::Tolerated, ..plan(Class::Latency, "payments") };
    let fixed = judged(&there, &staging(STAGING, Fault::None), &tolerated);
    assert_eq!((fixed.outcome, fixed.passed), (Outcome::NotReproduced, Some(true)));
    let broken = judged(&there, &staging(STAGING, Fault::Latency("payments", 300.0)), &tolerated);
    assert_eq!((broken.outcome, broken.passed), (Outcome::Reproduced, Some(false)));
}

#[test]
fn an_assertion_that_breaks_fails_a_run_that_reproduces() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let asked = |within: u32| Asked {
        assert: "has-timeouts".to_owned(),
        with: serde_json::Map::from_iter([("within_ms".to_owned(), within.into())]),
    };
    let run = |within| {
        let plan = super::Judged { assertions: vec![asked(within)], ..plan(Class::Latency, "payments") };
        judged(&there, &staging(STAGING, Fault::Latency("payments", 300.0)), &plan)
    };
    assert_eq!(run(1_000).passed, Some(true));
    let late = run(100);
    assert_eq!((late.outcome, late.passed), (Outcome::Reproduced, Some(false)), "{:?}", late.assertions);
}

#[test]
fn an_effect_that_outlives_the_fault_is_told() {
    let (calm, stalled) = (phase(Fault::None, 60), phase(Fault::Latency("payments", 300.0), 60));
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    for (after, is_sustained) in [(stalled, true), (calm, false)] {
        let verdict = judged(&there, &live(STAGING, &[calm, stalled, calm, after]), &plan(Class::Latency, "payments"));
        let recovery = verdict.recovery.unwrap();
        assert_eq!(recovery.is_sustained, is_sustained, "{}", recovery.words);
        assert_eq!(recovery.words.starts_with("sustained after rollback"), is_sustained);
    }
}

#[test]
fn intervals_hold_the_share_and_repeat_with_the_seed() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let here = staging(STAGING, Fault::Latency("payments", 200.0));
    let run = || judged(&there, &here, &plan(Class::Latency, "payments"));
    let score = run().score.unwrap();
    assert!(score.low <= score.share && score.share <= score.high && score.low < score.high, "{score:?}");
    assert_eq!(Some(score), run().score);
}

#[test]
fn a_verdict_is_a_file_and_a_report() {
    let there = incident(PRODUCTION, Fault::Retried("payments", 503));
    let verdict = judged(&there, &staging(STAGING, Fault::Error("payments", 503)), &plan(Class::Error, "payments"));
    let text = serde_json::to_string(&verdict).unwrap();
    let read: Verdict = serde_json::from_str(&text).unwrap();
    assert_eq!((read.outcome, read.parts.len()), (verdict.outcome, Aspect::ALL.len()));
    let report = report(&verdict);
    for part in [verdict.outcome.name(), "repeated calls", "retries", "begins here", "gates", "achievable"] {
        assert!(report.contains(part), "{part} is missing in\n{report}");
    }
    assert!(report.lines().all(|line| line.chars().count() <= 100), "{report}");
}

#[test]
fn nothing_in_a_report_moves_the_cursor() {
    let there = incident(PRODUCTION, Fault::Latency("payments", 300.0));
    let mut verdict = judged(&there, &staging(STAGING, Fault::None), &plan(Class::Latency, "payments"));
    verdict.remarks.push("\u{1b}[31mred\r\u{202e}".to_owned());
    let line = super::verdict::Count { what: "a\u{7}\u{9b}b\n".to_owned(), incident: 1.0, staging: 0.0 };
    verdict.structure.missing.push(line);
    let report = report(&verdict);
    assert!(report.chars().all(|c| c == '\n' || !c.is_control()) && !report.contains('\u{202e}'), "{report:?}");
}
