//! The API against the real Toxiproxy server, and with clients that other people wrote.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::testing;
use crate::chaos::drivers::peers::{self, Server};
use crate::chaos::faults::{FAULTS, Kind};
use crate::chaos::http::{Client, Reply, RequestSpec};

fn ask(api: &str, method: &str, path: &str, body: &str) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let spec =
        RequestSpec { method: method.to_owned(), url: format!("{api}{path}"), headers, body: body.as_bytes().to_vec() };
    Client::default().request(&spec).unwrap()
}

fn ask_json(api: &str, method: &str, path: &str, body: &Value) -> (u16, Value) {
    let reply = ask(api, method, path, &body.to_string());
    (reply.status, serde_json::from_slice(&reply.body).unwrap_or_default())
}

/// Calls in the order of their making. `FREE` is a port that nobody listens on, `API` that of the API itself.
const SCRIPT: &[(&str, &str, &str)] = &[
    ("GET", "/proxies", ""),
    ("POST", "/proxies", r#"{"name":"a","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#),
    ("POST", "/proxies", r#"{"name":"a","listen":"127.0.0.1:0","upstream":"127.0.0.1:9"}"#),
    ("POST", "/proxies", r#"{"name":"off","listen":"127.0.0.1:0","upstream":"127.0.0.1:9","enabled":false}"#),
    ("POST", "/proxies", r#"{"name":"taken","listen":"127.0.0.1:API","upstream":"127.0.0.1:9"}"#),
    ("POST", "/proxies", r#"{"name":"b"}"#),
    ("POST", "/proxies", r#"{"upstream":"b"}"#),
    ("POST", "/proxies", r#"{"name":5}"#),
    ("POST", "/proxies", "{"),
    ("POST", "/proxies", ""),
    ("GET", "/proxies", ""),
    ("GET", "/proxies/a", ""),
    ("GET", "/proxies/none", ""),
    ("DELETE", "/proxies/none", ""),
    ("PATCH", "/proxies/none", "{}"),
    ("PUT", "/proxies/a", "{}"),
    ("GET", "/none", ""),
    ("POST", "/proxies/a/toxics", r#"{"type":"latency"}"#),
    ("POST", "/proxies/a/toxics", r#"{"type":"latency"}"#),
    ("POST", "/proxies/a/toxics", r#"{"type":"late"}"#),
    ("POST", "/proxies/a/toxics", r#"{"type":"latency","stream":"sideways"}"#),
    ("POST", "/proxies/a/toxics", r#"{"name":"w","type":"latency","attributes":{"latency":"x"}}"#),
    ("POST", "/proxies/a/toxics", r#"{"name":"w","type":"latency","attributes":{"latency":1.5}}"#),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"name":"u","type":"timeout","stream":"upstream","toxicity":0.5,"attributes":{"timeout":9}}"#,
    ),
    (
        "POST",
        "/proxies/a/toxics",
        r#"{"name":"s","type":"slicer","attributes":{"average_size":7,"size_variation":2,"delay":3}}"#,
    ),
    ("POST", "/proxies/a/toxics", r#"{"name":"b","type":"bandwidth","attributes":{"rate":9}}"#),
    ("POST", "/proxies/a/toxics", r#"{"name":"c","type":"slow_close","attributes":{"delay":9}}"#),
    ("POST", "/proxies/a/toxics", r#"{"name":"r","type":"reset_peer","attributes":{"timeout":9}}"#),
    ("POST", "/proxies/a/toxics", r#"{"name":"l","type":"limit_data","attributes":{"bytes":9,"unknown":1}}"#),
    ("GET", "/proxies/a/toxics", ""),
    ("GET", "/proxies/a/toxics/u", ""),
    ("GET", "/proxies/a/toxics/none", ""),
    ("PATCH", "/proxies/a/toxics/u", r#"{"attributes":{"timeout":10}}"#),
    ("POST", "/proxies/a/toxics/u", r#"{"toxicity":0.1,"attributes":{}}"#),
    ("PATCH", "/proxies/a/toxics/u", r#"{"attributes":{"timeout":true}}"#),
    ("PATCH", "/proxies/a/toxics/none", "{}"),
    ("DELETE", "/proxies/a/toxics/u", ""),
    ("DELETE", "/proxies/a/toxics/u", ""),
    ("GET", "/proxies/none/toxics", ""),
    ("POST", "/proxies/none/toxics", r#"{"type":"latency"}"#),
    ("POST", "/proxies/a", r#"{"enabled":false}"#),
    ("PATCH", "/proxies/a", r#"{"enabled":true,"upstream":"127.0.0.1:10"}"#),
    ("POST", "/proxies/a", r#"{"enabled":"yes"}"#),
    (
        "POST",
        "/populate",
        r#"[{"name":"a","listen":"127.0.0.1:FREE","upstream":"127.0.0.1:11"},{"name":"p","listen":"127.0.0.1:0","upstream":"127.0.0.1:12","enabled":false}]"#,
    ),
    ("POST", "/populate", r#"[{"name":"q"}]"#),
    ("POST", "/populate", r#"[{"name":"q","upstream":"x"},{"upstream":"x"}]"#),
    ("POST", "/populate", "[]"),
    ("POST", "/populate", "{}"),
    ("GET", "/proxies", ""),
    ("POST", "/reset", ""),
    ("GET", "/reset", ""),
    ("GET", "/proxies", ""),
    ("DELETE", "/proxies/a", ""),
    ("DELETE", "/proxies/a", ""),
];

/// Makes all calls; returns what each was answered, without what must differ: ports, and how a language words its errors.
fn transcript(api: &str) -> Vec<String> {
    let (free, own) = (peers::free_port().to_string(), api.rsplit_once(':').unwrap().1);
    let fill = |text: &str| text.replace("FREE", &free).replace("API", own);
    let answers = SCRIPT.iter().map(|(method, path, body)| {
        let reply = ask(api, method, path, &fill(body));
        let kind = reply.header("content-type").unwrap_or("nothing").to_owned();
        let text = String::from_utf8(reply.body).unwrap();
        let told = serde_json::from_str(&text).map_or(text, |value| alike(value).to_string());
        format!("{method} {path} {body}: {} {kind} {told}", reply.status)
    });
    answers.collect()
}

fn alike(value: Value) -> Value {
    match value {
        Value::Object(members) => {
            let ours = members.into_iter().filter(|(name, _)| name != "Logger");
            ours.map(|(name, value)| {
                let value = match (name.as_str(), value.as_str()) {
                    ("listen", Some(listen)) => Value::from(listen.split(':').next().unwrap()),
                    ("error", Some(text)) if text.starts_with("bad request body: ") => Value::from("bad request body"),
                    ("error", Some(text)) if text.contains("listen") => Value::from("cannot listen"),
                    _ => alike(value),
                };
                (name, value)
            })
            .collect()
        }
        Value::Array(values) => values.into_iter().map(alike).collect(),
        Value::Number(number) => Value::from(number.as_f64()),
        other => other,
    }
}

#[test]
fn the_same_calls_get_the_same_answers_as_from_the_real_server() {
    let Some(program) = peers::find("bin/toxiproxy-server") else { return };
    let port = peers::free_port();
    let mut command = Command::new(program);
    command.args(["-host", "127.0.0.1", "-port", &port.to_string()]).stdout(Stdio::null()).stderr(Stdio::null());
    let _server = Server::start(command, port);
    let theirs = transcript(&format!("http://127.0.0.1:{port}"));
    let ours = transcript(&testing::start().api);
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!(ours, theirs);
    }
    assert_eq!(ours.len(), SCRIPT.len());
}

/// Sends bytes as they are; returns the status line and what follows.
fn raw(api: &str, text: &str) -> String {
    let mut stream = TcpStream::connect(api.trim_start_matches("http://")).unwrap();
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    let _ = stream.read_to_string(&mut answer);
    answer
}

#[test]
fn browsers_and_borrowed_names_are_refused() {
    let ours = testing::start();
    let version =
        |headers: &str| raw(&ours.api, &format!("GET /version HTTP/1.1\r\nconnection: close\r\n{headers}\r\n"));
    assert!(version("host: 127.0.0.1\r\n").starts_with("HTTP/1.1 200"));
    assert!(version("host: evil.example\r\n").starts_with("HTTP/1.1 403"));
    let browser = version("host: 127.0.0.1\r\nuser-agent: Mozilla/5.0\r\n");
    assert!(browser.starts_with("HTTP/1.1 403") && browser.ends_with("User agent not allowed\n"), "{browser}");
}

#[test]
fn a_long_body_is_refused() {
    let ours = testing::start();
    let reply = ask(&ours.api, "POST", "/proxies", &" ".repeat((1 << 20) + 1));
    assert_eq!(reply.status, 413);
}

#[test]
fn every_fault_of_ours_is_a_toxic_that_lives_as_long_as_its_lease() {
    let ours = testing::start();
    let link = json!({"name": "a", "listen": "127.0.0.1:0", "upstream": peers::echo().to_string()});
    ask_json(&ours.api, "POST", "/proxies", &link);
    let attributes = json!({
        "place": "request", "when": {"share": 0.5}, "magnitude": {"dist": "fixed", "ms": 5}, "with": {}, "run": "x", "seed": 3,
    });
    let toxic = json!({"name": "riftline_x_1", "type": "riftline.latency", "attributes": attributes});
    let (status, shown) = ask_json(&ours.api, "POST", "/proxies/a/toxics", &toxic);
    assert_eq!((status, &shown["attributes"]), (200, &attributes), "{shown}");
    let (_, counters) = ask_json(&ours.api, "GET", "/riftline/counters", &Value::Null);
    assert_eq!(
        (&counters[0]["run"], &counters[0]["hit"], &counters[0]["kind"]),
        (&json!("x"), &json!(0), &json!("latency"))
    );
    let lease = |method: &str| ask_json(&ours.api, method, "/riftline/leases/x", &json!({"ttl_ms": 60_000}));
    assert_eq!(lease("PUT"), (200, json!({"run": "x", "ttl_ms": 60_000, "renewed": true})));
    assert_eq!(ask_json(&ours.api, "GET", "/riftline/leases", &Value::Null).1[0]["run"], "x");
    assert_eq!((lease("DELETE").0, lease("DELETE").0), (204, 404));
    assert_eq!(ask_json(&ours.api, "GET", "/proxies/a/toxics", &Value::Null).1, json!([]), "gone with the lease");
}

#[test]
fn a_fault_that_is_wrong_is_refused_with_what_is_wrong() {
    let ours = testing::start();
    let link = json!({"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "protocol": "tcp"});
    assert_eq!(ask_json(&ours.api, "POST", "/proxies", &link).1["protocol"], "tcp");
    let refused = |kind: &str, attributes: Value| {
        let body = json!({"type": kind, "attributes": attributes});
        let (status, answer) = ask_json(&ours.api, "POST", "/proxies/a/toxics", &body);
        assert_eq!(status, 400, "{answer}");
        answer["error"].as_str().unwrap().to_owned()
    };
    assert!(refused("riftline.latencie", json!({})).contains("latency"));
    assert!(refused("riftline.latency", json!({"whem": {}})).contains("whem"));
    let magnitude = json!({"magnitude": {"dist": "fixed", "ms": 1}});
    assert!(refused("riftline.latency", magnitude).contains("raw bytes"));
}

#[test]
fn counts_are_there_for_prometheus() {
    let ours = testing::start();
    let link = json!({"name": "a\"b", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9"});
    ask_json(&ours.api, "POST", "/proxies", &link);
    let page = String::from_utf8(ask(&ours.api, "GET", "/metrics", "").body).unwrap();
    assert!(page.contains("# TYPE toxiproxy_proxy_received_bytes_total counter"), "{page}");
    assert!(page.contains("proxy=\"a\\\"b\",upstream=\"127.0.0.1:9\"} 0"), "{page}");
}

/// Runs a program of somebody else against our API; returns what it printed.
fn run(mut command: Command) -> String {
    let output = command.output().unwrap();
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}");
    text
}

#[test]
fn the_javascript_client_works_unchanged() {
    let Some(node) = peers::find("node") else { return };
    let modules = peers::folder().join("node/node_modules");
    if !modules.join("toxiproxy-node-client").is_dir() {
        eprintln!("skipped: no toxiproxy-node-client in {} (see .ci/peers)", modules.display());
        return;
    }
    let ours = testing::start();
    let mut command = Command::new(node);
    command.arg("-e").arg(include_str!("tests/client.js")).env("NODE_PATH", modules);
    command.env("API", &ours.api).env("UPSTREAM", peers::echo().to_string());
    assert_eq!(run(command).trim(), "all of it");
}

#[test]
fn the_chaos_toolkit_drives_us_unchanged() {
    let Some(chaos) = peers::find("python/bin/chaos") else { return };
    let ours = testing::start();
    let folder = tempfile::tempdir().unwrap();
    let experiment = include_str!("tests/experiment.json")
        .replace("API", &ours.api)
        .replace("UPSTREAM_PORT", &peers::echo().port().to_string());
    std::fs::write(folder.path().join("experiment.json"), experiment).unwrap();
    let mut command = Command::new(chaos);
    command.args(["--no-version-check", "run", "experiment.json"]).current_dir(folder.path());
    run(command);
    let journal: Value = serde_json::from_slice(&std::fs::read(folder.path().join("journal.json")).unwrap()).unwrap();
    assert_eq!((&journal["status"], &journal["deviated"]), (&json!("completed"), &json!(false)), "{journal}");
    let failed: Vec<&Value> =
        journal["run"].as_array().unwrap().iter().filter(|step| step["status"] != "succeeded").collect();
    assert_eq!(failed, Vec::<&Value>::new());
    assert_eq!(ours.registry.links().len(), 0, "its rollback deleted the proxy");
}

#[test]
fn every_fault_of_the_list_can_be_armed_by_the_api() {
    let ours = testing::start();
    let link = json!({"name": "a", "listen": "127.0.0.1:0", "upstream": "127.0.0.1:9", "protocol": "http"});
    ask_json(&ours.api, "POST", "/proxies", &link);
    for entry in FAULTS {
        let required = entry.parameters.iter().filter(|parameter| parameter.is_required);
        let mut with: serde_json::Map<String, Value> =
            required.map(|parameter| (parameter.name.to_owned(), example(parameter.kind))).collect();
        if entry.name == "error" {
            // It takes one of two.
            with.insert("status".to_owned(), json!(503));
        }
        let magnitude = entry.has_magnitude.then(|| json!({"dist": "fixed", "ms": 5.0}));
        let attributes = json!({"place": entry.places[0], "magnitude": magnitude, "with": with});
        let body = json!({"type": format!("riftline.{}", entry.name), "attributes": attributes});
        let (status, shown) = ask_json(&ours.api, "POST", "/proxies/a/toxics", &body);
        assert_eq!((status, &shown["name"]), (200, &json!(format!("riftline.{}_downstream", entry.name))), "{shown}");
    }
    let (_, all) = ask_json(&ours.api, "GET", "/proxies/a/toxics", &Value::Null);
    assert_eq!(all.as_array().unwrap().len(), FAULTS.len());
}

/// Returns a value that a parameter takes.
fn example(kind: Kind) -> Value {
    match kind {
        Kind::Number { least, .. } => json!(least),
        Kind::Whole { least, .. } => json!(least),
        Kind::Flag => json!(true),
        Kind::Text => json!("x-renamed"),
        Kind::Choice(choices) => json!(choices[0]),
        Kind::Headers => json!(["traceparent"]),
    }
}

/// A raw connection through a proxy of ours, and both its ends.
fn raw_connection(ours: &testing::Ours) -> (TcpStream, TcpStream) {
    let upstream = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = upstream.local_addr().unwrap().to_string();
    let link = json!({"name": "raw", "listen": "127.0.0.1:0", "upstream": address, "protocol": "tcp"});
    let (_, link) = ask_json(&ours.api, "POST", "/proxies", &link);
    let client = TcpStream::connect(link["listen"].as_str().unwrap()).unwrap();
    (client, upstream.accept().unwrap().0)
}

#[test]
fn a_connection_that_waits_hears_of_new_attributes() {
    let ours = testing::start();
    let (mut client, mut server) = raw_connection(&ours);
    let toxic = |method: &str, path: &str, timeout: u32| {
        let body = json!({"name": "t", "type": "timeout", "attributes": {"timeout": timeout}});
        assert_eq!(ask_json(&ours.api, method, path, &body).0, 200);
    };
    toxic("POST", "/proxies/raw/toxics", 0);
    while ours.registry.link("raw").unwrap().armed()[0].tally().hit == 0 {
        std::thread::yield_now();
    }
    server.write_all(b"swallowed").unwrap();
    toxic("PATCH", "/proxies/raw/toxics/t", 20);
    assert_eq!(client.read(&mut [0; 16]).unwrap(), 0, "closed in order, and nothing came through");
}

#[test]
fn what_a_toxic_holds_back_comes_at_once_when_it_is_taken_away() {
    let ours = testing::start();
    let (mut client, mut server) = raw_connection(&ours);
    let body = json!({"name": "b", "type": "bandwidth", "attributes": {"rate": 0}});
    ask_json(&ours.api, "POST", "/proxies/raw/toxics", &body);
    while ours.registry.link("raw").unwrap().armed()[0].tally().hit == 0 {
        std::thread::yield_now();
    }
    server.write_all(b"held back").unwrap();
    client.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
    assert!(client.read(&mut [0; 16]).is_err(), "nothing passes at no rate");
    ask(&ours.api, "DELETE", "/proxies/raw/toxics/b", "");
    client.set_read_timeout(None).unwrap();
    let mut heard = [0; 9];
    client.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"held back");
}

/// A toxic on no connection does nothing, not even to those that exist (Toxiproxy's issue 603).
#[test]
fn no_toxicity_changes_nothing() {
    let ours = testing::start();
    let (mut client, mut server) = raw_connection(&ours);
    let body = json!({"name": "t", "type": "timeout", "toxicity": 0, "attributes": {"timeout": 1}});
    ask_json(&ours.api, "POST", "/proxies/raw/toxics", &body);
    while ours.registry.link("raw").unwrap().armed()[0].tally().matched == 0 {
        std::thread::yield_now();
    }
    server.write_all(b"through").unwrap();
    ask(&ours.api, "DELETE", "/proxies/raw/toxics/t", "");
    server.write_all(b" and on").unwrap();
    let mut heard = [0; 14];
    client.read_exact(&mut heard).unwrap();
    assert_eq!(&heard, b"through and on");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever is said, the API answers, and a proxy that it has afterwards can be described.
    #[test]
    fn any_body_is_answered(kind in "[a-z_.]{0,12}|latency|slicer|bandwidth|riftline\\.latency", body in any_json()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let api = super::Api { registry: Arc::default(), toxics: super::toxics::Toxics::default() };
        let status = runtime.block_on(async {
            super::proxies::create(&api, br#"{"name":"a","upstream":"127.0.0.1:9","enabled":false}"#).await.unwrap();
            let text = json!({"type": kind, "attributes": body, "toxicity": body.clone()}).to_string();
            let created = super::toxics::create(&api, "a", text.as_bytes());
            let text = json!({"type": kind, "attributes": body}).to_string();
            let second = super::toxics::create(&api, "a", text.as_bytes());
            let _ = super::proxies::update(&api, "a", body.to_string().as_bytes()).await;
            super::proxies::populate(&api, json!([body]).to_string().as_bytes()).await;
            assert_eq!(super::proxies::list(&api).status(), 200);
            [created, second].map(|answered| answered.map_or_else(|error| error.status, |answer| answer.status()))
        });
        prop_assert!(status.iter().all(|status| [200, 400, 409].contains(&status.as_u16())), "{status:?}");
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z:0-9.]{0,9}".prop_map(Value::from),
    ];
    let names = "latency|jitter|rate|delay|average_size|size_variation|when|with|place|magnitude|run|seed|share|name|listen|enabled";
    leaf.prop_recursive(3, 16, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::btree_map(names, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
