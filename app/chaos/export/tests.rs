use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use super::*;
use crate::chaos::drivers::peers;

fn export(api: &str, traffic: &[&str]) -> Export {
    let url = |path: &str| format!("{api}{path}");
    let body = json!({"name": "riftline_exp42_1", "type": "latency", "attributes": {"latency": 2100}});
    let call =
        |method: &str, path: &str, body| Call { method: method.to_owned(), url: url(path), body, accept: vec![200] };
    Export {
        title: "checkout -> payments: 2.1 s stall".to_owned(),
        description: "derived from 412 traces".to_owned(),
        tags: vec!["replay".to_owned(), String::new()],
        arm: vec![call("POST", "/proxies/payments/toxics", Some(body)).into()],
        undo: vec![call("DELETE", "/proxies/payments/toxics/riftline_exp42_1", None).into()],
        health: Some(url("/healthz")),
        traffic: traffic.iter().map(|&word| word.to_owned()).collect(),
        traffic_timeout_s: 60.0,
        configuration: Map::new(),
        extension: Some(json!({"name": "riftline.chaos/v1", "seed": 42})),
    }
}

#[test]
fn calls_become_actions_and_rollbacks_of_stock_providers() {
    let experiment = chaostoolkit(&export("http://127.0.0.1:8474", &["riftline", "chaos", "drive", "--run", "exp42"]));
    assert_eq!(experiment["method"][0]["provider"]["headers"], json!({"Content-Type": "application/json"}));
    assert_eq!(experiment["method"][0]["provider"]["arguments"]["type"], "latency");
    assert_eq!(experiment["method"][1]["provider"]["path"], "riftline");
    assert_eq!(experiment["method"][1]["provider"]["arguments"], json!(["chaos", "drive", "--run", "exp42"]));
    assert_eq!(experiment["rollbacks"][0]["provider"]["method"], "DELETE");
    assert_eq!(experiment["runtime"]["rollbacks"]["strategy"], "always");
    assert_eq!(experiment["tags"], json!(["replay"]), "empty tags are refused by the stock runner");
    assert_eq!(experiment["extensions"][0]["seed"], 42);
}

#[test]
fn an_experiment_of_nothing_still_has_what_the_format_wants() {
    let experiment = chaostoolkit(&Export::default());
    assert!(
        !experiment["title"].as_str().unwrap().is_empty() && !experiment["description"].as_str().unwrap().is_empty()
    );
    assert_eq!((&experiment["method"], &experiment["rollbacks"]), (&json!([]), &json!([])));
    assert_eq!(experiment.get("steady-state-hypothesis"), None);
}

#[test]
fn several_steps_are_numbered_and_programs_are_processes() {
    let step = |word: &str| Step::Command(vec!["kubectl".to_owned(), word.to_owned()]);
    let experiment = chaostoolkit(&Export { arm: vec![step("create"), step("wait")], ..Export::default() });
    assert_eq!(experiment["method"][1]["name"], "inject 2");
    assert_eq!(
        experiment["method"][1]["provider"],
        json!({"type": "process", "path": "kubectl", "arguments": ["wait"]})
    );
}

#[test]
fn an_undo_becomes_calls_or_a_program() {
    let kubernetes = |route| Undo::Kubernetes {
        context: "staging".to_owned(),
        namespace: "shop".to_owned(),
        kind: "NetworkChaos,HTTPChaos".to_owned(),
        name: "riftline-exp42".to_owned(),
        route,
    };
    let [Step::Command(line)] = &undo_steps(&kubernetes(None))[..] else { panic!("one command") };
    assert_eq!(
        line.join(" "),
        "kubectl --context staging --namespace shop delete NetworkChaos,HTTPChaos riftline-exp42 --ignore-not-found"
    );
    assert_eq!(undo_steps(&kubernetes(Some("riftline-exp42".to_owned()))), []);
    assert_eq!(undo_steps(&Undo::Nothing), []);
    let call = Call { method: "DELETE".to_owned(), url: "http://x/".to_owned(), body: None, accept: Vec::new() };
    let http = Undo::Http { calls: vec![call.clone()], verify: call.clone(), residue: "x".to_owned() };
    assert_eq!(undo_steps(&http), [Step::Call(call)]);
}

/// A server that keeps every request line and its body. `/healthz` is answered 200 until the fault is armed if `falls_ill`.
fn staging(falls_ill: bool) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let (address, seen) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::<String>::new())));
    let requests = Arc::clone(&seen);
    thread::spawn(move || {
        for stream in listener.incoming() {
            answer(&stream.unwrap(), falls_ill, &requests);
        }
    });
    (address, seen)
}

fn answer(stream: &TcpStream, falls_ill: bool, requests: &Mutex<Vec<String>>) {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    let _ = reader.read_line(&mut line);
    let (request, mut length) = (line.trim().trim_end_matches(" HTTP/1.1").to_owned(), 0);
    loop {
        line.clear();
        if reader.read_line(&mut line).unwrap_or(0) <= 2 {
            break;
        }
        if let Some(value) = line.to_lowercase().strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    let _ = reader.read_exact(&mut body);
    let mut requests = requests.lock().unwrap();
    let is_armed = requests.iter().any(|request| request.starts_with("POST"));
    requests.push(format!("{request} {}", String::from_utf8_lossy(&body)).trim().to_owned());
    let status = if falls_ill && is_armed && request.contains("healthz") { "500 Ill" } else { "200 OK" };
    let mut stream = stream;
    let _ = write!(stream, "HTTP/1.1 {status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
}

/// Runs the stock program in `folder`; nothing where it is not installed.
fn chaos(folder: &Path, arguments: &[&str]) -> Option<bool> {
    let program = peers::find("python/bin/chaos")?;
    let output = Command::new(program).args(arguments).current_dir(folder).env("HOME", folder).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    println!("{said}");
    Some(output.status.success())
}

/// Runs an export with the stock program; returns what the server saw, and the journal.
fn run(falls_ill: bool) -> Option<(Vec<String>, Value)> {
    let folder = tempfile::tempdir().unwrap();
    let (address, seen) = staging(falls_ill);
    let experiment = chaostoolkit(&export(&format!("http://{address}"), &["true", "--run", "exp42"]));
    fs::write(folder.path().join("experiment.json"), experiment.to_string()).unwrap();
    assert!(chaos(folder.path(), &["validate", "experiment.json"])?, "stock `chaos validate` takes it");
    chaos(folder.path(), &["run", "experiment.json"])?;
    let journal = fs::read_to_string(folder.path().join("journal.json")).unwrap();
    let seen = seen.lock().unwrap().clone();
    Some((seen, serde_json::from_str(&journal).unwrap()))
}

#[test]
fn the_stock_program_arms_drives_and_undoes() {
    let Some((seen, journal)) = run(false) else { return };
    assert_eq!(journal["status"], "completed");
    let changes: Vec<&String> = seen.iter().filter(|request| !request.starts_with("GET")).collect();
    assert!(changes[0].starts_with("POST /proxies/payments/toxics {"), "{seen:?}");
    assert!(changes[0].contains(r#""latency": 2100"#) || changes[0].contains(r#""latency":2100"#), "{seen:?}");
    assert_eq!(changes[1], "DELETE /proxies/payments/toxics/riftline_exp42_1");
    assert!(seen[0].starts_with("GET /healthz"), "health is asked first: {seen:?}");
    assert_eq!(journal["run"][1]["activity"]["name"], "drive");
    assert_eq!(journal["run"][1]["output"]["status"], 0);
}

#[test]
fn the_stock_program_undoes_also_when_staging_falls_ill() {
    let Some((seen, journal)) = run(true) else { return };
    assert_eq!(journal["deviated"], true);
    assert!(seen.iter().any(|request| request.starts_with("DELETE")), "{seen:?}");
}
