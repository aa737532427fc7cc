use std::ops::ControlFlow;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use super::message::{Greeting, PROTOCOL};
use super::*;
use crate::cancel::Cancel;
use crate::desk::{Desk, Question, Selection};
use crate::error::AskError;
use crate::load::LoadEvent;
use crate::table::Cell;
use crate::testing::{shop, shop_lines};

fn served() -> (Arc<Store>, Server, Client) {
    let store = Arc::new(shop());
    let server = Server::start(store.clone(), || ()).unwrap();
    let client = Client::connect(store.path()).unwrap();
    (store, server, client)
}

fn sql(sql: &str) -> Question {
    Question::Sql { sql: sql.to_owned(), max_rows: None }
}

#[test]
fn the_holder_gives_the_same_answers_and_errors() {
    let (store, _server, client) = served();
    assert_eq!(client.pid(), std::process::id());
    let cancel = Cancel::default();
    for question in [
        Question::Traces(Selection::default()),
        Question::Trace { id: "bbbb".to_owned() },
        Question::Trace { id: "aaaa".to_owned() },
        Question::Trace { id: "cccc".to_owned() },
        Question::Services(Selection::default()),
        Question::Edges(Selection::default()),
        Question::Logs(Selection::default()),
        Question::Flows(Selection::default()),
        sql("select * from spans order by row"),
        sql("select 1 where false"),
        sql("select nosuch from spans"),
        sql("drop view spans"),
    ] {
        assert_eq!(client.ask(&question, &cancel), store.ask(&question, &cancel), "{question:?}");
    }
}

#[test]
fn the_socket_is_its_user_s_alone_and_goes_with_the_server() {
    let (store, server, client) = served();
    let path = server.path().to_owned();
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(std::fs::metadata(path.parent().unwrap()).unwrap().permissions().mode() & 0o777, 0o700);
    drop(server);
    assert!(!path.exists());
    assert!(Client::connect(store.path()).is_err());
    let error = client.ask(&sql("select 1"), &Cancel::default()).unwrap_err();
    assert!(matches!(&error, AskError::Holder { message, .. } if message.contains("closed the store")), "{error:?}");
}

#[test]
fn a_socket_that_was_left_behind_is_replaced() {
    let store = Arc::new(shop());
    let path = socket::path_for(store.path()).unwrap();
    drop(socket::bind(&path).unwrap());
    assert!(path.exists() && Client::connect(store.path()).is_err());
    let _server = Server::start(store.clone(), || ()).unwrap();
    assert!(Client::connect(store.path()).is_ok());
}

#[test]
fn a_client_that_gives_up_cancels_its_question() {
    let (_store, server, client) = served();
    let cancel = Cancel::default();
    std::thread::scope(|scope| {
        let (send, answer) = sync_channel(1);
        let (asking, runaway) = (cancel.clone(), client.clone());
        scope.spawn(move || {
            let endless = sql("select count(*) from range(100000000000) a, range(1000) b where a.range * b.range = 7");
            send.send(runaway.ask(&endless, &asking)).unwrap();
        });
        cancel.stop();
        assert_eq!(answer.recv().unwrap(), Err(AskError::Cancelled));
    });
    // Waits for every question that is still answered: this ends because the question was cancelled.
    drop(server);
}

#[test]
fn a_closing_server_cancels_what_it_answers() {
    let (_store, server, client) = served();
    std::thread::scope(|scope| {
        let asked = scope.spawn(|| {
            let endless = sql("select count(*) from range(100000000000) a, range(1000) b where a.range * b.range = 7");
            client.ask(&endless, &Cancel::default())
        });
        drop(server);
        let error = asked.join().unwrap().unwrap_err();
        assert!(matches!(error, AskError::Cancelled | AskError::Holder { .. }), "{error:?}");
    });
}

#[test]
fn sources_are_read_through_the_holder() {
    let store = Arc::new(Store::temporary().unwrap());
    let (told, loaded) = sync_channel(1);
    let _server = Server::start(store.clone(), move || told.send(()).unwrap()).unwrap();
    let client = Client::connect(store.path()).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("spans.jsonl");
    std::fs::write(&file, shop_lines()).unwrap();
    let request = LoadRequest { inputs: vec![file.to_str().unwrap().to_owned()], format: None, settle: true };
    let mut events = Vec::new();
    let summary = client.load(&request, &Cancel::default(), &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    assert_eq!(summary.unwrap().sources[0].spans, 6);
    assert!(events.iter().any(|event| matches!(event, LoadEvent::Committed { .. })), "{events:?}");
    loaded.recv().unwrap();
    let count = client.ask(&sql("select count(*) n from traces"), &Cancel::default()).unwrap();
    assert_eq!(count.get(0, "n"), Cell::Int(3));
}

#[test]
fn another_version_is_refused_with_its_name() {
    let (store, server, _client) = served();
    let request = format!("{{\"protocol\":{},\"asked\":\"ping\"}}", PROTOCOL + 1);
    let stream = socket::connect(server.path()).unwrap();
    frame::write_message(&mut &stream, request.as_bytes()).unwrap();
    let (kind, message) = frame::read_frame(&mut &stream).unwrap();
    assert_eq!(kind, frame::Kind::Error);
    let text = String::from_utf8(message).unwrap();
    assert!(text.contains("another version") && text.contains(&Greeting::ours().pid.to_string()), "{text}");
    drop(store);
}

#[test]
fn a_holder_that_says_nothing_sensible_is_an_error() {
    let store = shop();
    let path = socket::path_for(store.path()).unwrap();
    let listener: UnixListener = socket::bind(&path).unwrap();
    std::thread::scope(|scope| {
        scope.spawn(|| drop(listener.accept()));
        assert!(Client::connect(store.path()).is_err());
    });
    std::fs::remove_file(path).unwrap();
}

#[test]
fn the_place_of_a_store_that_nobody_holds_is_here() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.rift");
    assert!(matches!(open_or_connect(&path), Ok(Place::Here(_))));
    let error = open_or_connect(folder.path()).unwrap_err();
    assert!(!matches!(error, OpenStoreError::Held { .. }), "{error}");
}
