use std::path::Path;

use super::check::check;
use super::read::{ReadError, parse};
use super::*;

const SMALL: &str = "
title: orders -> payments stalls
description: derived from an incident
configuration: {staging: 'http://127.0.0.1:18080'}
steady-state-hypothesis:
  title: staging answers
  probes: [{type: probe, name: ready, tolerance: 200, provider: {type: http, url: '${staging}/healthz', timeout: 3}}]
method: []
extensions:
- name: riftline.chaos/v1
  target: {environment: staging, url: '${staging}', edge: {client: orders, server: payments}}
  driver: {name: builtin, api: 'http://127.0.0.1:8474', proxy: orders-payments}
  fault: {kind: latency, magnitude: {dist: fixed, ms: 800}, when: {share: 0.5}}
  traffic: {requests: 30, list: [{method: GET, path: /checkout/1}]}
  abort: [{metric: control.error_rate, gt: 0.05, for_s: 10}, {probe: ready, fails: 3}]
  expect: tolerated
";

fn small() -> Experiment {
    parse(SMALL, Path::new("small.yaml")).unwrap()
}

fn message(text: &str) -> String {
    parse(text, Path::new("small.yaml")).unwrap_err().to_string()
}

#[test]
fn a_file_comes_back_as_it_was_in_both_notations() {
    let experiment = small();
    assert!((experiment.plan.traffic.rps - 5.0).abs() < f64::EPSILON);
    assert_eq!(experiment.plan.driver.options["proxy"], "orders-payments");
    assert_eq!(check(&experiment), Vec::<String>::new());
    for text in [experiment.to_yaml(), experiment.to_value().to_string()] {
        let again = parse(&text, Path::new("again")).unwrap();
        assert_eq!(again, experiment);
        assert_eq!(again.hash(), experiment.hash());
    }
}

#[test]
fn an_unknown_field_is_named_with_its_line_and_the_nearest_known_one() {
    let text = SMALL.replace("  expect: tolerated", "  expct: tolerated");
    let line = text.lines().position(|line| line.contains("expct")).unwrap() + 1;
    let message = message(&text);
    assert!(message.starts_with(&format!("small.yaml:{line}: extensions.")), "{message}");
    assert!(message.ends_with("(did you mean `expect`?)"), "{message}");
    let nested = SMALL.replace("share: 0.5", "shore: 0.5");
    assert!(self::message(&nested).contains("fault.when"), "{}", self::message(&nested));
}

#[test]
fn what_is_no_experiment_of_ours_is_said_so() {
    let foreign = "title: a\ndescription: b\nmethod: []\n";
    assert!(matches!(parse(foreign, Path::new("a")), Err(ReadError::NotOurs { .. })));
    assert!(message("title: [").starts_with("small.yaml:"));
    assert!(message("{\"title\": 3").starts_with("small.yaml:1"));
}

#[test]
fn every_mistake_is_found_in_one_go() {
    let mut experiment = small();
    experiment.plan.limits.duration_s = 6_000.0;
    experiment.plan.fault.when.share = 1.5;
    experiment.plan.traffic.list.clear();
    experiment.plan.abort.push(AbortRule::Probe { probe: "raedy".to_owned(), fails: 1 });
    experiment.plan.target.url = "${nowhere}".to_owned();
    let mistakes = check(&experiment).join("\n");
    for place in ["limits.duration_s", "fault.when.share", "traffic.list", "raedy", "${nowhere}"] {
        assert!(mistakes.contains(place), "{place} in {mistakes}");
    }
}
