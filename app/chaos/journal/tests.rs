use std::fs;
use std::os::unix::fs::PermissionsExt;

use serde_json::json;

use super::*;
use crate::chaos::driver::Call;

fn undo(name: &str) -> Undo {
    let call =
        Call { method: "DELETE".to_owned(), url: format!("http://127.0.0.1:1/{name}"), body: None, accept: vec![404] };
    Undo::Http { calls: vec![call.clone()], verify: call, residue: name.to_owned() }
}

#[test]
fn what_is_armed_is_open_until_it_is_verified_gone() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "r1", "run").unwrap();
    journal.write(Event::Intent, "toxiproxy", Some(undo("a")), Value::Null).unwrap();
    journal.write(Event::Intent, "toxiproxy", Some(undo("b")), Value::Null).unwrap();
    journal.write(Event::Disarm, "toxiproxy", Some(undo("a")), Value::Null).unwrap();
    let told = Told::read(&folder.path().join(FILE)).unwrap();
    assert_eq!(told.open_undos().len(), 2, "trying is not enough");
    journal.write(Event::Verified, "toxiproxy", Some(undo("a")), Value::Null).unwrap();
    let told = Told::read(&folder.path().join(FILE)).unwrap();
    assert_eq!(told.open_undos(), [("toxiproxy".to_owned(), undo("b"))]);
    assert_eq!(told.changed_from, None);
    assert_eq!(fs::metadata(folder.path().join(FILE)).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_changed_line_shows() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "r1", "run").unwrap();
    for number in 0..4 {
        journal.note(Event::Sample, json!({"requests": number})).unwrap();
    }
    let path = folder.path().join(FILE);
    let text = fs::read_to_string(&path).unwrap();
    fs::write(&path, text.replacen("\"requests\":1", "\"requests\":9", 1)).unwrap();
    assert_eq!(Told::read(&path).unwrap().changed_from, Some(2));
}

#[test]
fn a_line_that_was_cut_off_does_not_stand_in_the_way() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "r1", "run").unwrap();
    journal.note(Event::Plan, Value::Null).unwrap();
    let path = folder.path().join(FILE);
    let whole = fs::read_to_string(&path).unwrap();
    fs::write(&path, format!("{whole}{{\"seq\":1,\"ts")).unwrap();
    let mut journal = Journal::open(folder.path(), "r1", "recover").unwrap();
    journal.note(Event::End, Value::Null).unwrap();
    let told = Told::read(&path).unwrap();
    let seen: Vec<(u64, &str)> = told.records.iter().map(|record| (record.seq, record.actor.as_str())).collect();
    assert_eq!(seen, [(0, "run"), (1, "recover")]);
    assert_eq!(told.changed_from, None);
}

#[test]
fn secrets_are_not_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::open(folder.path(), "r1", "run").unwrap();
    journal
        .note(Event::Plan, json!({"headers": [{"Authorization": "Bearer abc"}], "api_key": "abc", "url": "u"}))
        .unwrap();
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    assert!(!text.contains("abc") && text.contains("\"url\":\"u\""), "{text}");
}
