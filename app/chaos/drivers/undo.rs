//! Undoing from the journal alone: without the driver that armed, by any process, as often as wanted.

use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ask, call, failed, refused};
use crate::chaos::driver::{Call, DriverError, Undo};
use crate::chaos::http::{Answer, Client, HttpError, Refusal};
use crate::chaos::kubernetes;

/// How often an undo is tried before it is said to have failed.
const TRIES: u32 = 3;
/// Between two tries.
const PAUSE: Duration = Duration::from_millis(200);

/// Undoes what a run armed. What is gone already counts as undone; so does a server of which the system says that nobody listens
/// there any more, since Toxiproxy, Envoy and our proxy keep faults in memory only.
pub fn undo(undo: &Undo) -> Result<(), DriverError> {
    undo_with(undo, &Client::default())
}

/// As [`undo`], with a client whose addresses are pinned.
pub fn undo_with(undo: &Undo, client: &Client) -> Result<(), DriverError> {
    match undo {
        Undo::Nothing => Ok(()),
        Undo::Http { calls, .. } => calls.iter().try_for_each(|call| insist(call, client)),
        Undo::Kubernetes { .. } => kubernetes::undo(undo),
    }
}

/// Looks whether everything is gone. Returns what is left, in words that say how to take it away by hand; nothing if it is clean.
pub fn verify_clean(undo: &Undo) -> Result<Vec<String>, DriverError> {
    verify_clean_with(undo, &Client::default())
}

/// As [`verify_clean`], with a client whose addresses are pinned.
pub fn verify_clean_with(undo: &Undo, client: &Client) -> Result<Vec<String>, DriverError> {
    match undo {
        Undo::Nothing => Ok(Vec::new()),
        Undo::Http { calls, verify, residue } => look(calls, verify, residue, client),
        Undo::Kubernetes { .. } => kubernetes::verify_clean(undo),
    }
}

fn look(calls: &[Call], verify: &Call, residue: &str, client: &Client) -> Result<Vec<String>, DriverError> {
    let answer = match client.send(verify) {
        Err(HttpError::Connect { refusal: Refusal::Refused, .. }) => return Ok(Vec::new()),
        Err(error) => return Err(failed(verify, &error)),
        Ok(answer) => answer,
    };
    if answer.status == 404 || (answer.is_accepted(verify) && !answer.body.contains(residue)) {
        return Ok(Vec::new());
    }
    if !answer.is_accepted(verify) {
        return Err(refused(verify, &answer));
    }
    let by_hand: Vec<String> = calls.iter().map(by_hand).collect();
    Ok(vec![format!("{residue} still stands in {}; by hand: {}", verify.url, by_hand.join(" && "))])
}

/// Returns a call as a command for a shell; deletions need no body.
fn by_hand(call: &Call) -> String {
    let body = call.body.as_ref().filter(|_| call.method != "DELETE");
    let body = body.map(|body| format!(" -d '{}'", body.to_string().replace('\'', "'\\''")));
    format!("curl -X {} '{}'{}", call.method, call.url, body.unwrap_or_default())
}

fn insist(call: &Call, client: &Client) -> Result<(), DriverError> {
    for _ in 1..TRIES {
        if attempt(call, client).is_ok() {
            return Ok(());
        }
        thread::sleep(PAUSE);
    }
    attempt(call, client)
}

fn attempt(call: &Call, client: &Client) -> Result<(), DriverError> {
    match client.send(call) {
        Ok(answer) if is_done(call, &answer) => Ok(()),
        Ok(answer) => Err(refused(call, &answer)),
        Err(HttpError::Connect { refusal: Refusal::Refused, .. }) => Ok(()),
        Err(HttpError::Late { .. }) if owning_proxy(call).is_some() => unblock(call, client),
        Err(error) => Err(failed(call, &error)),
    }
}

fn is_done(call: &Call, answer: &Answer) -> bool {
    answer.is_accepted(call) || (call.method == "DELETE" && answer.status == 404)
}

/// Returns the URL of the proxy whose toxic `call` deletes.
fn owning_proxy(call: &Call) -> Option<&str> {
    let (proxy, toxic) = call.url.rsplit_once("/toxics/")?;
    (call.method == "DELETE" && proxy.contains("/proxies/") && !toxic.contains('/')).then_some(proxy)
}

/// Deleting a toxic can hang in Toxiproxy for ever, with everything that looks at its proxy, while a client does not take its bytes
/// (its issues 159, 210, 412). Deleting the whole proxy still works; what it was, the toxics of others among it, stands in the body of
/// the deletion, which Toxiproxy does not read.
fn unblock(delete: &Call, client: &Client) -> Result<(), DriverError> {
    let Some(proxy) = owning_proxy(delete) else { return Ok(()) };
    let Some(before) = &delete.body else { return switch_off_and_on(delete, proxy, client) };
    ask(client, &call("DELETE", proxy.to_owned(), None, &[204, 404]))?;
    // From here on the edge is cut until the proxy is there again, so that none of this is given up early.
    let (all, _) = proxy.rsplit_once('/').unwrap_or((proxy, ""));
    insist(&call("POST", all.to_owned(), Some(before.clone()), &[201, 409]), client)?;
    let toxics = before.get("toxics").and_then(Value::as_array).into_iter().flatten();
    let create = |toxic: &Value| call("POST", format!("{proxy}/toxics"), Some(toxic.clone()), &[200, 409]);
    toxics.map(create).try_for_each(|call| insist(&call, client))
}

/// Closes the proxy's connections, which helps where the deletion only waits for one of them. The proxy was on when the toxic was put
/// there, or it would not have been.
fn switch_off_and_on(delete: &Call, proxy: &str, client: &Client) -> Result<(), DriverError> {
    let enable = |enabled: bool| call("POST", proxy.to_owned(), Some(json!({ "enabled": enabled })), &[200, 404]);
    // It may answer late for the same reason that the deletion did, and does its work all the same.
    let _ = client.send(&enable(false));
    ask(client, &Call { accept: vec![200, 204, 404], ..delete.clone() })?;
    ask(client, &enable(true)).map(drop)
}
