//! Arms a fault as a toxic of a Toxiproxy server that others may use too: only what is ours is touched, `/reset` never.
//!
//! API: <https://github.com/Shopify/toxiproxy/blob/v2.12.0/README.md#http-api>.

pub mod toxic;

#[cfg(test)]
pub(super) mod tests;

use std::collections::BTreeSet;

use riftline_queries::replay::fault::Fault;
use serde_json::{Value, json};

use self::toxic::Toxic;
use super::{Entry, Order, Setting, Settings, ask, ask_json, call, get, refuse, shown, target};
use crate::chaos::driver::{Call, Driver, DriverError, Fidelity, Injected, Undo};
use crate::chaos::http::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "toxiproxy",
    about: "a toxic of a Toxiproxy server: acts on bytes of a connection and knows nothing of requests",
    settings: &[
        Setting {
            name: "api",
            about: "address of the server's HTTP API",
            is_required: false,
            default: Some("http://127.0.0.1:8474"),
        },
        Setting {
            name: "proxy",
            about: "name of the proxy that stands in the edge, as `GET /proxies` lists it",
            is_required: true,
            default: None,
        },
    ],
    make: |settings, order| Ok(Box::new(Toxiproxy::new(settings, order)?)),
};

struct Toxiproxy {
    api: String,
    proxy: String,
    /// Name of our toxic.
    name: String,
    client: Client,
    /// The proxy before arming, as the server described it.
    before: Option<Value>,
}

impl Toxiproxy {
    fn new(settings: &Settings, order: &Order) -> Result<Self, DriverError> {
        let proxy = settings.text("proxy").to_owned();
        check_name(&proxy)?;
        let (name, client) = (order.fault_name(), order.client.clone());
        Ok(Self { api: settings.url("api")?, proxy, name, client, before: None })
    }

    fn proxy_url(&self) -> String {
        format!("{}/proxies/{}", self.api, self.proxy)
    }

    fn create(&self, toxic: &Toxic) -> Call {
        let body = json!({
            "name": self.name,
            "type": toxic.kind,
            "stream": toxic.stream,
            "toxicity": toxic.toxicity,
            "attributes": toxic.attributes,
        });
        call("POST", format!("{}/toxics", self.proxy_url()), Some(body), &[200])
    }

    /// Its body is not for the server: by it the proxy is made anew where deleting hangs (see [`super::undo`]).
    fn delete(&self) -> Call {
        call("DELETE", format!("{}/toxics/{}", self.proxy_url(), self.name), self.before.clone(), &[204, 404])
    }

    /// Reads the proxy; fails unless it is there and forwards.
    fn read(&self) -> Result<Value, DriverError> {
        let answer = ask(&self.client, &Call { accept: vec![200, 404], ..get(self.proxy_url()) })?;
        if answer.status == 404 {
            return Err(self.missing());
        }
        let proxy: Value = serde_json::from_str(&answer.body).unwrap_or_default();
        if proxy.get("enabled") != Some(&Value::Bool(true)) {
            let text = format!("proxy `{}` at {} is disabled: enable it first", self.proxy, self.api);
            return Err(DriverError::Missing(text));
        }
        Ok(proxy)
    }

    fn missing(&self) -> DriverError {
        let known = ask_json(&self.client, &get(format!("{}/proxies", self.api)));
        let names = known.ok().and_then(|known| Some(known.as_object()?.keys().cloned().collect::<Vec<_>>()));
        let names = names.filter(|names| !names.is_empty()).map_or("none".to_owned(), |names| names.join(", "));
        DriverError::Missing(format!("{} has no proxy `{}`; it has: {names}", self.api, self.proxy))
    }

    /// Nothing but our toxic may have come or gone meanwhile.
    fn compare(&self, before: &BTreeSet<String>) -> Result<(), DriverError> {
        let after = toxic_names(&self.read()?);
        let mut expected = before.clone();
        expected.insert(self.name.clone());
        if after == expected {
            return Ok(());
        }
        let changed: Vec<&str> = after.symmetric_difference(&expected).map(String::as_str).collect();
        Err(DriverError::Refused {
            call: format!("arming {}", self.name),
            answer: format!("with other changes on proxy `{}` at the same time: {}", self.proxy, changed.join(", ")),
        })
    }
}

/// The name of a proxy becomes part of a URL.
pub(super) fn check_name(name: &str) -> Result<(), DriverError> {
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.:~".contains(letter);
    if name.is_empty() || !name.chars().all(is_plain) {
        let text = format!("option `proxy` is `{name}`, but may only have letters, digits and -_.:~");
        return Err(DriverError::Unable(text));
    }
    Ok(())
}

/// Returns the names of all toxics of a proxy.
fn toxic_names(proxy: &Value) -> BTreeSet<String> {
    let toxics = proxy.get("toxics").and_then(Value::as_array).into_iter().flatten();
    toxics.filter_map(|toxic| Some(toxic.get("name")?.as_str()?.to_owned())).collect()
}

/// Describes a proxy and what is on it already. What a run of ours left there must be undone first.
pub(super) fn describe(name: &str, proxy: &Value) -> Result<Vec<String>, DriverError> {
    let text = |field: &str| proxy.get(field).and_then(Value::as_str).unwrap_or("?");
    let mut found = vec![format!("proxy {name}: {} -> {}", text("listen"), text("upstream"))];
    let names = toxic_names(proxy);
    if let Some(left) = names.iter().find(|toxic| toxic.starts_with("riftline_")) {
        let text =
            format!("toxic {left} of another run is still on proxy `{name}`: end it, or `riftline chaos recover`");
        return Err(DriverError::Missing(text));
    }
    if !names.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        found.push(format!("toxics of others are on it and stay: {}", names.join(", ")));
    }
    Ok(found)
}

impl Driver for Toxiproxy {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        toxic::represent(fault).1
    }

    fn targets(&self) -> Vec<String> {
        vec![target(&self.api)]
    }

    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        let version = ask(&self.client, &get(format!("{}/version", self.api)))?;
        let mut found = vec![format!("Toxiproxy at {}: {}", self.api, version.body.trim())];
        let proxy = self.read()?;
        found.extend(describe(&self.proxy, &proxy)?);
        self.before = Some(proxy);
        Ok(found)
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        toxic::represent(fault).0.map(|toxic| shown(&self.create(&toxic))).into_iter().collect()
    }

    fn calls(&self, fault: &Fault) -> Vec<Call> {
        toxic::represent(fault).0.map(|toxic| self.create(&toxic)).into_iter().collect()
    }

    fn undo(&self) -> Undo {
        let residue = format!("\"{}\"", self.name);
        Undo::Http { calls: vec![self.delete()], verify: get(self.proxy_url()), residue }
    }

    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError> {
        let (toxic, fidelity) = toxic::represent(fault);
        refuse(fault, fidelity.refusal)?;
        let before = toxic_names(&self.read()?);
        if let Some(toxic) = toxic {
            ask(&self.client, &self.create(&toxic))?;
        }
        self.compare(&before)
    }

    /// Looks that the toxic is still there: without it the rest of the run would show nothing.
    fn keep(&mut self) -> Result<(), DriverError> {
        if toxic_names(&self.read()?).contains(&self.name) {
            return Ok(());
        }
        Err(DriverError::Missing(format!(
            "toxic {} is gone from proxy `{}`: somebody took it away",
            self.name, self.proxy
        )))
    }

    /// Toxiproxy counts bytes, not what its toxics do.
    fn injected(&mut self) -> Result<Injected, DriverError> {
        Ok(Injected::default())
    }
}
