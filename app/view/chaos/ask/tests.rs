use std::fs;

use riftline_queries::replay::derive::About;
use riftline_queries::replay::id::TraceId;
use riftline_queries::trace::window::Window;
use serde_json::json;

use super::*;
use crate::chaos::journal::{Event, Journal};
use crate::view::chaos::shelf::experiments_folder;

fn go(data_folder: &Path, ask: Ask, cancel: &Cancel) -> Result<Brought, AskError> {
    Errand { data_folder: data_folder.to_owned(), ask }.go(&|_, _| Ok(Window::default()), cancel)
}

#[test]
fn an_empty_folder_has_an_empty_shelf_and_stays_empty() {
    let data = tempfile::tempdir().unwrap();
    let brought = go(data.path(), Ask::Shelf, &Cancel::default()).unwrap();
    assert!(matches!(brought, Brought::Shelf(shelf) if shelf == Shelf::default()));
}

#[test]
fn a_file_that_is_no_experiment_is_listed_with_the_reason() {
    let data = tempfile::tempdir().unwrap();
    let folder = experiments_folder(data.path());
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("broken.yaml"), "title: [").unwrap();
    fs::write(folder.join("notes.txt"), "no experiment").unwrap();
    let Ok(Brought::Shelf(shelf)) = go(data.path(), Ask::Shelf, &Cancel::default()) else { panic!("no shelf") };
    assert_eq!(shelf.experiments.len(), 1);
    assert_eq!(shelf.experiments[0].title(), "broken.yaml");
    assert!(shelf.experiments[0].read.as_ref().is_err_and(|error| error.contains("broken.yaml:")));
}

#[test]
fn what_was_not_recorded_is_refused_and_no_file_is_made() {
    let data = tempfile::tempdir().unwrap();
    let about = About::Trace(TraceId(7));
    let wanted = Wanted { about, name: "7".to_owned(), words: "trace 7".to_owned(), time_ns: 0 };
    let refused = go(data.path(), Ask::Plan(Box::new(wanted)), &Cancel::default());
    assert!(matches!(refused, Err(AskError::Refused { .. })), "{refused:?}");
    assert!(!experiments_folder(data.path()).exists());
}

#[test]
fn news_come_when_the_journal_grows_and_at_the_end_of_the_run() {
    let data = tempfile::tempdir().unwrap();
    let runs = Runs::of(data.path());
    let turn = runs.take_turn().unwrap();
    fs::create_dir_all(runs.folder("r1")).unwrap();
    let mut journal = Journal::open(&runs.folder("r1"), "r1", "run").unwrap();
    journal.note(Event::Sample, json!({"arm": "fault", "answered": 3})).unwrap();
    let mut followed = Followed { run: Some("r1".to_owned()), ..Followed::default() };
    let news = go(data.path(), Ask::Follow(followed.clone()), &Cancel::default()).unwrap();
    let Brought::News { report: Some(report), is_over: false } = news else { panic!("{news:?}") };
    assert_eq!(report.samples().last().map(|sample| sample.answered), Some(3));
    followed.num_bytes = report.num_bytes;
    drop(turn);
    let news = go(data.path(), Ask::Follow(followed), &Cancel::default()).unwrap();
    assert!(matches!(news, Brought::News { report: Some(_), is_over: true }), "{news:?}");
}

#[test]
fn following_ends_when_nobody_looks_any_more() {
    let data = tempfile::tempdir().unwrap();
    let _turn = Runs::of(data.path()).take_turn().unwrap();
    let cancel = Cancel::default();
    cancel.stop();
    let followed = Followed { run: Some("r1".to_owned()), ..Followed::default() };
    assert!(matches!(go(data.path(), Ask::Follow(followed), &cancel), Err(AskError::Cancelled)));
}

#[test]
fn a_run_is_stopped_by_its_stop_file() {
    let data = tempfile::tempdir().unwrap();
    let runs = Runs::of(data.path());
    fs::create_dir_all(runs.folder("r1")).unwrap();
    let followed = Followed { run: Some("r1".to_owned()), ..Followed::default() };
    assert!(matches!(go(data.path(), Ask::Stop(followed), &Cancel::default()), Ok(Brought::Stopping)));
    assert!(runs.stop_file("r1").exists());
}
