use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::*;
use crate::chaos::driver::Undo;

pub fn order() -> Order {
    Order { run: "exp-42".to_owned(), number: 1, seed: 7, client: Client::default() }
}

fn options(value: Value) -> Map<String, Value> {
    serde_json::from_value(value).unwrap()
}

#[test]
fn every_driver_can_be_made_by_name_and_says_what_it_is() {
    let enough =
        options(json!({"proxy": "a", "context": "c", "namespace": "n", "labels": "a=b", "host": "h", "port": "80"}));
    for entry in DRIVERS {
        let needed = enough.iter().filter(|(name, _)| entry.settings.iter().any(|setting| setting.name == *name));
        let needed = needed.map(|(name, value)| (name.clone(), value.clone())).collect();
        let driver = match make(entry.name, &needed, &order()) {
            Err(DriverError::Missing(what)) => {
                eprintln!("skipped: {what}");
                continue;
            }
            made => made.unwrap(),
        };
        assert_eq!(driver.name(), entry.name);
        assert!(!entry.about.is_empty(), "{}", entry.name);
        assert!(entry.name == "litmus" || !driver.targets().is_empty(), "{}", entry.name);
    }
}

#[test]
fn what_is_not_known_is_named_with_the_nearest() {
    let message = |name: &str, value: Value| make(name, &options(value), &order()).err().unwrap().to_string();
    assert!(message("toxyproxy", json!({})).contains("nearest: `toxiproxy`"));
    assert!(message("toxiproxy", json!({"proxi": "a"})).contains("nearest: `proxy`"));
    assert!(message("toxiproxy", json!({})).contains("needs option `proxy`"));
    assert!(message("toxiproxy", json!({"proxy": 3})).contains("must be a text"));
    assert!(message("toxiproxy", json!({"proxy": "../reset"})).contains("option `proxy`"));
    assert!(message("toxiproxy", json!({"proxy": "a", "api": "8474"})).contains("option `api`"));
    let order = Order { run: "a/../b".to_owned(), ..order() };
    assert!(make("toxiproxy", &options(json!({"proxy": "a"})), &order).is_err());
}

/// Answers one connection after the other with the next of `answers` and keeps the first line of each request.
struct Script {
    address: String,
    seen: Arc<Mutex<Vec<String>>>,
}

fn script(answers: &'static [&'static str]) -> Script {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let seen: Arc<Mutex<Vec<String>>> = Arc::default();
    let (lines, at) = (seen.clone(), AtomicUsize::new(0));
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut bytes = [0; 2048];
            let count = stream.read(&mut bytes).unwrap_or(0);
            let text = String::from_utf8_lossy(&bytes[..count]).into_owned();
            lines.lock().unwrap().push(text.lines().next().unwrap_or_default().replace(" HTTP/1.1", ""));
            match answers.get(at.fetch_add(1, Ordering::Relaxed)) {
                // Held open and never answered.
                Some(&"hang") => std::mem::forget(stream),
                Some(answer) => _ = stream.write_all(answer.as_bytes()),
                None => {}
            }
        }
    });
    Script { address, seen }
}

fn delete_toxic(address: &str) -> Undo {
    let proxy = format!("http://{address}/proxies/a");
    Undo::Http {
        calls: vec![call("DELETE", format!("{proxy}/toxics/riftline_x_1"), None, &[204])],
        verify: get(proxy),
        residue: "\"riftline_x_1\"".to_owned(),
    }
}

const GONE: &str = "HTTP/1.1 204 No Content\r\n\r\n";
const CREATED: &str = "HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}";
const ABSENT: &str = "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n";
const BROKEN: &str = "HTTP/1.1 500 Oh\r\ncontent-length: 0\r\n\r\n";
const CLEAN: &str = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}";
const LEFT: &str = "HTTP/1.1 200 OK\r\ncontent-length: 14\r\n\r\n\"riftline_x_1\"";

#[test]
fn an_undo_survives_the_journal_and_works_twice() {
    let server = script(&[GONE, ABSENT]);
    let text = serde_json::to_string(&delete_toxic(&server.address)).unwrap();
    let read: Undo = serde_json::from_str(&text).unwrap();
    undo(&read).unwrap();
    undo(&read).unwrap();
    assert_eq!(*server.seen.lock().unwrap(), ["DELETE /proxies/a/toxics/riftline_x_1"; 2]);
}

#[test]
fn an_undo_is_tried_three_times() {
    let server = script(&[BROKEN, BROKEN, GONE]);
    undo(&delete_toxic(&server.address)).unwrap();
    let server = script(&[BROKEN, BROKEN, BROKEN, GONE]);
    assert!(matches!(undo(&delete_toxic(&server.address)), Err(DriverError::Refused { .. })));
    assert_eq!(server.seen.lock().unwrap().len(), 3);
}

#[test]
fn a_server_that_is_gone_took_its_faults_along() {
    let undo = delete_toxic(&format!("127.0.0.1:{}", peers::free_port()));
    super::undo(&undo).unwrap();
    assert_eq!(verify_clean(&undo).unwrap(), Vec::<String>::new());
}

#[test]
fn a_deletion_that_hangs_is_freed_by_making_the_proxy_anew() {
    let server = script(&["hang", GONE, BROKEN, CREATED, CLEAN]);
    let mut undo = delete_toxic(&server.address);
    let before =
        json!({"name": "a", "listen": "127.0.0.1:1", "upstream": "127.0.0.1:2", "toxics": [{"name": "theirs"}]});
    if let Undo::Http { calls, .. } = &mut undo {
        calls[0].body = Some(before);
    }
    undo_with(&undo, &Client::new(Duration::from_secs(1))).unwrap();
    let (toxic, others) = ("DELETE /proxies/a/toxics/riftline_x_1", "POST /proxies/a/toxics");
    let calls = [toxic, "DELETE /proxies/a", "POST /proxies", "POST /proxies", others];
    assert_eq!(*server.seen.lock().unwrap(), calls);
}

#[test]
fn a_proxy_that_nobody_described_is_switched_off_and_on() {
    let server = script(&["hang", CLEAN, GONE, CLEAN]);
    undo_with(&delete_toxic(&server.address), &Client::new(Duration::from_secs(1))).unwrap();
    let delete = "DELETE /proxies/a/toxics/riftline_x_1";
    assert_eq!(*server.seen.lock().unwrap(), [delete, "POST /proxies/a", delete, "POST /proxies/a"]);
}

#[test]
fn residue_is_told_with_the_command_that_takes_it_away() {
    let server = script(&[LEFT, CLEAN, ABSENT, BROKEN]);
    let undo = delete_toxic(&server.address);
    let residue = verify_clean(&undo).unwrap();
    assert!(residue[0].contains("curl -X DELETE 'http://127.0.0.1"), "{residue:?}");
    assert_eq!(verify_clean(&undo).unwrap(), Vec::<String>::new());
    assert_eq!(verify_clean(&undo).unwrap(), Vec::<String>::new(), "the proxy itself is gone");
    assert!(verify_clean(&undo).is_err(), "nobody can say");
}

#[test]
fn nothing_needs_no_undo() {
    assert!(undo(&Undo::Nothing).is_ok() && verify_clean(&Undo::Nothing).unwrap().is_empty());
}
