//! The Chaos view on a folder of its own: experiments, runs as their journals tell them, and what was left behind.

use std::cell::RefCell;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use insta::assert_snapshot;
use riftline::chaos::driver::{Call, Undo};
use riftline::chaos::folder::{Runs, Turn};
use riftline::chaos::journal::{Event, Journal};
use riftline::chaos::{experiment, undo};
use riftline::tui::Preferences;
use riftline::tui::effect::{Answer, Slot};
use riftline::view::ViewId;
use riftline::view::chaos::ask::{Ask, Brought, Errand};
use riftline::view::chaos::child::Said;
use riftline_queries::cancel::Cancel;
use riftline_queries::error::AskError;
use riftline_queries::replay::derive::About;
use riftline_queries::trace::window::Window;
use serde_json::{Value, json};

use super::desk::Desk;
use super::{LARGE, SMALL, Screen, analysed};

const RUN: &str = "1120T140233-ab12";

const EXPERIMENT: &str = "
title: 'orders -> payments: latency of 2100 ms (1800 to 2900), 18 %'
description: Calls of payments took 2.1 s longer in 74 of 412 requests. Derived from 412 traces that show it and 5130 that do not.
configuration: {staging: 'http://127.0.0.1:18080'}
steady-state-hypothesis:
  title: staging answers
  probes: [{type: probe, name: answers, tolerance: [200, 204], provider: {type: http, url: '${staging}/checkout/1', timeout: 3}}]
method: []
extensions:
- name: riftline.chaos/v1
  incident:
    about: trace 4bf92f3577b34da6a3ce929d0e0e4736
    traces: [4bf92f3577b34da6a3ce929d0e0e4736, 68bf78901f2a4c11b2d3e4f5a6b7c8d9]
    baseline: [747ec639aa00112233445566778899aa]
    warnings: [the shape between p90 and p99 rests on 7 requests]
  target: {environment: staging, url: '${staging}', edge: {client: orders, server: payments, operation: POST /charge}}
  driver: {name: builtin, api: 'http://127.0.0.1:8474', proxy: orders-payments}
  fault: {kind: latency, magnitude: {dist: empirical, quantiles: [[0.5, 2100], [0.9, 2380], [0.99, 2900]]}, when: {share: 0.18}}
  traffic: {requests: 60, list: [{method: GET, path: /checkout/1}]}
  abort: [{probe: answers, fails: 3}]
  expect: reproduced
";

/// Answers what only reads, and remembers what was asked.
#[derive(Default)]
pub struct Lab {
    asked: RefCell<Vec<Ask>>,
}

impl Lab {
    pub fn answer(&self, errand: &Errand) -> Option<Answer> {
        self.asked.borrow_mut().push(errand.ask.clone());
        let is_read = match &errand.ask {
            Ask::Shelf | Ask::Report(_) | Ask::Stop(_) => true,
            // The next news would be waited for.
            Ask::Follow(followed) => followed.num_bytes == 0,
            _ => false,
        };
        is_read.then(|| {
            errand.clone().go(&|_, _| Ok(Window::default()), &Cancel::default()).map_or_else(Answer::Failed, boxed)
        })
    }
}

fn boxed(brought: Brought) -> Answer {
    Answer::Chaos(Box::new(brought))
}

/// A data folder.
struct Bench {
    data: tempfile::TempDir,
}

impl Bench {
    fn empty() -> Self {
        Self { data: tempfile::tempdir().unwrap() }
    }

    fn with_experiment() -> Self {
        let bench = Self::empty();
        bench.write("4bf92f35.yaml", EXPERIMENT, 0);
        bench
    }

    fn runs(&self) -> Runs {
        Runs::of(self.data.path())
    }

    /// Writes an experiment file that is `age` seconds old.
    fn write(&self, name: &str, text: &str, age: u64) {
        let folder = self.data.path().join("chaos").join("experiments");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join(name), text).unwrap();
        let file = File::options().write(true).open(folder.join(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_000_000 - age)).unwrap();
    }

    fn experiment(&self) -> PathBuf {
        self.data.path().join("chaos").join("experiments").join("4bf92f35.yaml")
    }

    /// Begins a run of the experiment, up to its fault arm.
    fn run(&self, run: &str) -> Journal {
        let folder = self.runs().folder(run);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("experiment.yaml"), EXPERIMENT).unwrap();
        let experiment = experiment::read::parse(EXPERIMENT, Path::new("experiment.yaml")).unwrap();
        let mut journal = Journal::open(&folder, run, "run").unwrap();
        journal.write(Event::Plan, "builtin", None, json!({"title": experiment.title})).unwrap();
        let confirmed = json!({"hash": experiment.hash(), "environment": "staging"});
        journal.note(Event::Confirm, confirmed).unwrap();
        journal.note(Event::Arm, json!({"arm": "baseline"})).unwrap();
        journal.note(Event::Sample, sample("baseline", 60, 0)).unwrap();
        journal.write(Event::Intent, "builtin", Some(armed(run)), Value::Null).unwrap();
        journal.write(Event::Armed, "builtin", None, Value::Null).unwrap();
        journal.note(Event::Arm, json!({"arm": "fault"})).unwrap();
        journal.note(Event::Sample, sample("fault", 12, 2)).unwrap();
        journal.note(Event::Sample, sample("fault", 42, 7)).unwrap();
        journal
    }

    /// Does a run to its end.
    fn finished(&self, run: &str) {
        let mut journal = self.run(run);
        journal.write(Event::Disarm, "builtin", Some(armed(run)), json!({"reason": "the arm is over"})).unwrap();
        journal.write(Event::Injected, "builtin", None, json!({"faults": 11})).unwrap();
        journal.write(Event::Verified, "builtin", Some(armed(run)), Value::Null).unwrap();
        journal.note(Event::Arm, json!({"arm": "recovery"})).unwrap();
        journal.note(Event::Score, json!({"outcome": "PARTIAL", "passed": false, "score": null})).unwrap();
        journal.note(Event::End, json!({"spans": 1804})).unwrap();
        fs::write(self.runs().folder(run).join("verdict.txt"), verdict()).unwrap();
    }

    fn open(&self, size: (u16, u16)) -> Screen {
        let preferences = Preferences { chaos_folder: Some(self.data.path().to_owned()), ..Preferences::default() };
        Screen::open_with(Desk::shop(), size, &preferences, false).press("8")
    }
}

fn sample(arm: &str, answered: u32, failed: u32) -> Value {
    json!({
        "arm": arm, "planned": 60, "answered": answered, "failed": failed, "rate": 4.9, "p50_ms": 41.0,
        "p99_ms": 2_890.0, "in_flight": 3, "dropped": 0, "injected": if arm == "fault" { json!(7) } else { Value::Null },
        "control_error_rate": 0.0, "control_p95_ratio": 1.1,
    })
}

fn armed(run: &str) -> Undo {
    let url = format!("http://127.0.0.1:8474/proxies/orders-payments/toxics/riftline_{run}_1");
    let call = Call { method: "DELETE".to_owned(), url: url.clone(), body: None, accept: vec![404] };
    let verify = Call { method: "GET".to_owned(), url, body: None, accept: Vec::new() };
    Undo::Http { calls: vec![call], verify, residue: format!("riftline_{run}") }
}

fn verdict() -> String {
    let figures = |what: &str, left: &str, right: &str| format!("{what:<62} {left:>18} {right:>18}\n");
    let text = [
        "PARTIAL: fail (expected: reproduced)\n",
        "0.61 of an achievable 0.88, no fault scores 0.12: 64 % of the way, 95 % interval 51 to 77 %\n",
        "\ngates\nok            injected: the proxy hit 11 requests, the spans of 11 show it\n\n",
        &figures("latency, ms: p50 / p90 / p99", "incident", "staging"),
        &figures(
            "  gateway GET /checkout > orders POST /orders > payments POST",
            "2103 / 2380 / 2891",
            "210 / 238 / 292",
        ),
        &figures("  gateway GET /checkout", "2210 / 2501 / 3004", "2150 / 2444 / 2990"),
        "\n",
        &figures("errors, times a request", "incident", "staging"),
        &figures("  requests that failed", "74 of 412", "0 of 60"),
    ];
    text.concat()
}

/// Takes out what is different in every run of the tests.
macro_rules! assert_chaos {
    ($name:literal, $screen:expr) => {
        insta::with_settings!({ snapshot_path => "../snapshots", filters => vec![
            (r"\d\d-\d\d \d\d:\d\d", "11-20 14:02"),
            (r"\d\d:\d\d:\d\d\.\d{3}", "14:02:33.456"),
        ]}, { assert_snapshot!($name, $screen.seen($name)) })
    };
}

/// A run that some process does at the moment.
fn under_way(bench: &Bench) -> (Turn, Journal) {
    (bench.runs().take_turn().unwrap(), bench.run(RUN))
}

#[test]
fn without_experiments_the_view_says_where_they_come_from() {
    assert_chaos!("chaos-empty-80", Bench::empty().open(SMALL));
    assert_chaos!("chaos-empty-160", Bench::empty().open(LARGE));
    let screen = Screen::open(Desk::shop(), SMALL).press("8");
    assert!(screen.seen("nowhere").contains("RIFTLINE_DATA"), "{}", screen.seen("nowhere"));
}

#[test]
fn an_experiment_is_told_in_words() {
    assert_chaos!("chaos-experiment-80", Bench::with_experiment().open(SMALL));
    assert_chaos!("chaos-experiment-160", Bench::with_experiment().open(LARGE));
    assert_chaos!("chaos-experiment-read-80", Bench::with_experiment().open(SMALL).press("enter G"));
}

#[test]
fn a_broken_file_says_what_is_wrong_where_and_harms_no_terminal() {
    let bench = Bench::with_experiment();
    bench.write("typo.yaml", &EXPERIMENT.replace("  expect:", "  expct:"), 10);
    bench.write("bad\u{1b}[31m.yaml", "title: [\u{1b}[2J", 20);
    bench.write(
        "wrong.yaml",
        &EXPERIMENT.replace("share: 0.18", "share: 7").replace("title: 'orders", "title: 'new"),
        30,
    );
    assert_chaos!("chaos-broken-80", bench.open(SMALL).press("j"));
    let seen = bench.open(SMALL).press("j j j").seen("mistakes");
    assert!(seen.contains("fault.when.share: 7 is not"), "{seen}");
    assert!(!seen.contains('\u{1b}'));
}

#[test]
fn a_run_under_way_shows_its_rates_against_what_would_end_it() {
    let bench = Bench::with_experiment();
    let _run = under_way(&bench);
    assert_chaos!("chaos-live-80", bench.open(SMALL).press("j tab"));
    assert_chaos!("chaos-live-160", bench.open(LARGE).press("j"));
}

#[test]
fn a_verdict_stands_beside_its_steps_and_journal() {
    let bench = Bench::with_experiment();
    bench.finished(RUN);
    assert_chaos!("chaos-verdict-80", bench.open(SMALL).press("j enter"));
    assert_chaos!("chaos-verdict-160", bench.open(LARGE).press("j"));
    assert_chaos!("chaos-journal-160", bench.open(LARGE).press("j J"));
    let back = bench.open(SMALL).press("j enter esc");
    assert_eq!(back.seen("back"), bench.open(SMALL).press("j").seen("list"));
}

#[test]
fn what_a_run_left_behind_is_on_top_with_the_commands_that_undo_it() {
    let bench = Bench::with_experiment();
    undo::mark(&bench.runs(), RUN).unwrap();
    drop(bench.run(RUN));
    assert_chaos!("chaos-left-80", bench.open(SMALL));
    assert_chaos!("chaos-left-160", bench.open(LARGE).press("j"));
}

#[test]
fn a_journal_that_was_changed_says_so() {
    let bench = Bench::with_experiment();
    bench.finished(RUN);
    let path = bench.runs().folder(RUN).join("journal.jsonl");
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"failed\":2", "\"failed\":0", 1)).unwrap();
    let seen = bench.open(LARGE).press("j").seen("changed");
    assert!(seen.contains("journal changed") && seen.contains("was changed behind our back from line 8 on"), "{seen}");
}

#[test]
fn only_the_exact_name_of_the_environment_starts_a_run() {
    let bench = Bench::with_experiment();
    let begun = |screen: &Screen| {
        let asked = screen.desk.lab.asked.borrow();
        asked.iter().filter(|ask| matches!(ask, Ask::Begin { .. })).count()
    };
    assert_chaos!("chaos-confirm-80", bench.open(SMALL).press("R").typed("stag"));
    for wrong in ["Staging", "stagin", "staging ", "yes"] {
        let screen = bench.open(SMALL).press("R").typed(wrong).press("enter");
        assert_eq!(begun(&screen), 0, "{wrong}");
        assert!(screen.seen("wrong").contains("nothing was started"), "{}", screen.seen("wrong"));
    }
    assert_eq!(begun(&bench.open(SMALL).press("R").typed("staging").press("esc")), 0);
    let screen = bench.open(SMALL).press("R").typed("staging").press("enter");
    let hash = experiment::read::parse(EXPERIMENT, Path::new("")).unwrap().hash();
    let wanted = Ask::Begin { experiment: bench.experiment(), hash };
    assert_eq!(screen.desk.lab.asked.borrow().last(), Some(&wanted));
}

#[test]
fn a_run_under_way_is_stopped_and_no_other_one_begins() {
    for key in ["s", "ctrl-c"] {
        let bench = Bench::with_experiment();
        let _run = under_way(&bench);
        let screen = bench.open(SMALL).press("R");
        assert!(screen.seen("refused").contains("is under way; s stops it"), "{}", screen.seen("refused"));
        let screen = screen.press(key);
        assert!(bench.runs().stop_file(RUN).exists());
        assert!(screen.seen("stopping").contains("asked to stop"), "{}", screen.seen("stopping"));
    }
}

#[test]
fn a_dry_run_and_what_it_says_stand_on_the_right() {
    let bench = Bench::with_experiment();
    let mut screen = bench.open(SMALL).press("d");
    assert_eq!(screen.desk.lab.asked.borrow().last(), Some(&Ask::DryRun(bench.experiment())));
    let text = "error: refused: payments looks like production (\u{1b}[31mprod)\n".to_owned();
    let slot = Slot { owner: riftline::tui::effect::Owner::View(ViewId::Chaos), name: "dry run" };
    let answer = boxed(Brought::DryRun(Said { text, is_good: false }));
    screen.send(riftline::tui::effect::Event::Answer { slot, answer });
    let seen = screen.seen("dry-run");
    assert!(seen.contains("what a run would do") && seen.contains("payments looks like"), "{seen}");
    assert!(!seen.contains('\u{1b}'));
    assert!(!screen.press("esc").seen("gone").contains("payments looks like"));
}

#[test]
fn from_an_incident_trace_one_key_leads_to_the_trace() {
    let bench = Bench::with_experiment();
    let mut screen = bench.open(LARGE).press("tab g");
    let lines = 60;
    for _ in 0..lines {
        screen = screen.press("j");
        let marked = screen.seen("marked");
        if marked.lines().any(|line| line.contains("│▌") && line.contains("traces        4bf92f35")) {
            break;
        }
    }
    assert_eq!(screen.press("enter").state.shown, ViewId::Trace);
}

#[test]
fn a_finding_is_replayed_and_a_refusal_says_why() {
    let bench = Bench::empty();
    let mut screen = analysed(Desk::shop(), SMALL);
    screen.state.shared.chaos_folder = Some(bench.data.path().to_owned());
    let mut screen = screen.press("1 r");
    let asked = screen.desk.lab.asked.borrow().last().cloned();
    let Some(Ask::Plan(wanted)) = asked else { panic!("{asked:?}") };
    assert_eq!(wanted.about, About::Finding("b3-not-read shop/gateway -> shop/orders".to_owned()));
    assert_eq!(wanted.name, "b3-not-read");
    let slot = Slot { owner: riftline::tui::effect::Owner::State, name: "replay" };
    let reason =
        "nothing sets finding b3-not-read apart from 300 other requests of gateway: no error, no excess of time"
            .to_owned();
    let answer = Answer::Failed(AskError::Refused { reason });
    screen.send(riftline::tui::effect::Event::Answer { slot, answer });
    let seen = screen.seen("refusal");
    assert!(seen.contains("this cannot be replayed") && seen.contains("no excess of time"), "{seen}");
    let screen = screen.press("esc");
    assert!(!screen.seen("closed").contains("cannot be replayed"));
    assert_eq!(screen.state.shown, ViewId::Triage);
}

#[test]
fn an_experiment_that_was_derived_is_shown() {
    let bench = Bench::with_experiment();
    bench.write("a-newer-one.yaml", &EXPERIMENT.replace("title: 'orders", "title: 'newer"), 0);
    let preferences = Preferences { chaos_folder: Some(bench.data.path().to_owned()), ..Preferences::default() };
    let mut screen = Screen::open_with(Desk::shop(), SMALL, &preferences, false);
    let slot = Slot { owner: riftline::tui::effect::Owner::State, name: "replay" };
    let answer = boxed(Brought::Planned(bench.experiment()));
    screen.send(riftline::tui::effect::Event::Answer { slot, answer });
    assert_eq!(screen.state.shown, ViewId::Chaos);
    let selected = screen.state.view().unwrap().selected(&screen.state.shared);
    assert_eq!(selected.texts.first(), Some(&("file", bench.experiment().display().to_string())));
}

#[test]
fn nothing_is_followed_once_another_view_is_shown() {
    let bench = Bench::with_experiment();
    let _run = under_way(&bench);
    let screen = bench.open(SMALL);
    let is_followed = |screen: &Screen| screen.state.shared.pending.iter().any(|slot| slot.name == "follow");
    assert!(is_followed(&screen));
    let screen = screen.press("2");
    assert!(!is_followed(&screen));
    assert!(is_followed(&screen.press("8")));
}

#[test]
fn no_size_panics() {
    let bench = Bench::with_experiment();
    undo::mark(&bench.runs(), RUN).unwrap();
    drop(bench.run(RUN));
    let mut screen = bench.open(SMALL);
    for keys in ["j", "tab", "G", "J", "esc k", "R"] {
        screen = screen.press(keys);
        for (width, height) in [(1, 1), (0, 0), (2, 40), (80, 1), (80, 24), (81, 25), (300, 100), (500, 24)] {
            let area = ratatui::layout::Rect::new(0, 0, width, height);
            screen.send(riftline::tui::effect::Event::Resize(area));
            assert_eq!(screen.draw().area, area);
        }
        screen.send(riftline::tui::effect::Event::Resize(ratatui::layout::Rect::new(0, 0, 80, 24)));
    }
}
