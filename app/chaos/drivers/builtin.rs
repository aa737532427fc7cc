//! Arms a fault in riftline's own proxy, through the proxy's API. Nothing is lost, and the proxy takes the fault away by itself when
//! it does not hear from the run for five seconds.

mod child;

#[cfg(test)]
mod tests;

use riftline_queries::replay::fault::Fault;
use serde_json::{Value, json};

use self::child::{Child, Started};
use super::toxiproxy::{check_name, describe};
use super::{Entry, Order, Setting, Settings, ask, ask_json, call, get, refuse, shown, target};
use crate::chaos::driver::{Call, Driver, DriverError, Fidelity, Injected, Undo};
use crate::chaos::faults;
use crate::chaos::http::Client;

pub(super) const ENTRY: Entry = Entry {
    name: "builtin",
    about: "riftline's own proxy: every fault, request by request, taken away by itself when the run is gone",
    settings: &[
        Setting {
            name: "api",
            about: "address of the proxy's API; with `upstream`, where the proxy that is started listens for it",
            is_required: false,
            default: Some("http://127.0.0.1:8474"),
        },
        Setting {
            name: "proxy",
            about: "name of the link that stands in the edge, as `GET /proxies` lists it",
            is_required: false,
            default: Some("edge"),
        },
        Setting {
            name: "upstream",
            about: "host and port behind the edge: starts a proxy of its own for this run",
            is_required: false,
            default: None,
        },
        Setting {
            name: "listen",
            about: "host and port that the started proxy takes connections at",
            is_required: false,
            default: Some("127.0.0.1:0"),
        },
        Setting {
            name: "program",
            about: "the riftline that is started as proxy; this one where nothing is said",
            is_required: false,
            default: None,
        },
    ],
    make: |settings, order| Ok(Box::new(Builtin::new(settings, order)?)),
};

/// How long the proxy keeps faults of a run that it does not hear of.
const TTL_MS: u64 = 5_000;

struct Builtin {
    api: String,
    proxy: String,
    /// Name of our fault on the link.
    name: String,
    run: String,
    seed: u64,
    client: Client,
    child: Option<Child>,
    started: Option<Started>,
}

impl Builtin {
    fn new(settings: &Settings, order: &Order) -> Result<Self, DriverError> {
        let proxy = settings.text("proxy").to_owned();
        check_name(&proxy)?;
        let api = settings.url("api")?;
        let child = settings.text_opt("upstream").map(|_| Child::new(settings, &api)).transpose()?;
        let (name, run) = (order.fault_name(), order.run.clone());
        Ok(Self { api, proxy, name, run, seed: order.seed, client: order.client.clone(), child, started: None })
    }

    fn proxy_url(&self) -> String {
        format!("{}/proxies/{}", self.api, self.proxy)
    }

    fn create(&self, fault: &Fault) -> Call {
        let body = json!({
            "name": self.name,
            "type": format!("riftline.{}", fault.kind),
            "attributes": {
                "place": fault.place,
                "when": fault.when,
                "magnitude": fault.magnitude,
                "with": fault.with,
                "run": self.run,
                "seed": self.seed,
            },
        });
        call("POST", format!("{}/toxics", self.proxy_url()), Some(body), &[200])
    }

    fn lease(&self) -> Call {
        self.lease_of(&self.run)
    }

    fn lease_of(&self, whom: &str) -> Call {
        let url = format!("{}/riftline/leases/{whom}", self.api);
        call("PUT", url, Some(json!({ "ttl_ms": TTL_MS })), &[200, 201, 204])
    }

    /// Reads the link; fails unless it is there and forwards.
    fn read(&self) -> Result<Value, DriverError> {
        let url = get(self.proxy_url());
        let proxy = ask_json(&self.client, &Call { accept: vec![200, 404], ..url })?;
        match proxy.get("enabled") {
            Some(Value::Bool(true)) => Ok(proxy),
            Some(_) => Err(DriverError::Missing(format!("link `{}` at {} is disabled", self.proxy, self.api))),
            None => Err(DriverError::Missing(format!("the proxy at {} has no link `{}`", self.api, self.proxy))),
        }
    }

    /// Says who answers: a Toxiproxy speaks the same API and knows nothing of our faults.
    fn version(&self) -> Result<String, DriverError> {
        let counters = get(format!("{}/riftline/counters", self.api));
        let answer = self.client.send(&counters).map_err(|error| super::failed(&counters, &error))?;
        if !answer.is_accepted(&counters) {
            let text = format!("{} is not a riftline proxy: for a Toxiproxy server choose driver toxiproxy", self.api);
            return Err(DriverError::Missing(text));
        }
        Ok(ask(&self.client, &get(format!("{}/version", self.api)))?.body.trim().to_owned())
    }
}

/// Reads what one fault did out of the proxy's counters: a list of `{name, hit, unmarked, …}`.
fn tally(counters: &Value, name: &str) -> Option<Injected> {
    let ours = counters.as_array()?.iter().find(|entry| entry.get("name").and_then(Value::as_str) == Some(name))?;
    let count = |field: &str| ours.get(field).and_then(Value::as_u64);
    Some(Injected { faults: count("hit"), unmarked: count("unmarked") })
}

impl Driver for Builtin {
    fn name(&self) -> &'static str {
        ENTRY.name
    }

    fn fidelity(&self, fault: &Fault) -> Fidelity {
        Fidelity { losses: Vec::new(), refusal: faults::compile(fault).err().map(|error| error.to_string()) }
    }

    fn spares_unmarked(&self) -> bool {
        true
    }

    fn targets(&self) -> Vec<String> {
        let child = self.child.as_ref().map(|child| child.upstream.clone());
        [Some(target(&self.api)), child].into_iter().flatten().collect()
    }

    /// Starts the proxy where one was asked for and none answers yet.
    fn preflight(&mut self) -> Result<Vec<String>, DriverError> {
        let mut found = Vec::new();
        if let Some(child) = self.child.as_ref().filter(|_| self.started.is_none()) {
            self.started = child.start(&self.client, self.lease_of(&format!("{}.proxy", self.run)))?;
            let text =
                |started: &Started| format!("started a proxy (process {}) in front of {}", started.id, child.upstream);
            found.extend(self.started.as_ref().map(text));
        }
        found.push(format!("riftline proxy at {}: {}", self.api, self.version()?));
        found.extend(describe(&self.proxy, &self.read()?)?);
        Ok(found)
    }

    fn preview(&self, fault: &Fault) -> Vec<String> {
        vec![shown(&self.lease()), shown(&self.create(fault))]
    }

    fn calls(&self, fault: &Fault) -> Vec<Call> {
        vec![self.lease(), self.create(fault)]
    }

    fn undo(&self) -> Undo {
        let toxic = call("DELETE", format!("{}/toxics/{}", self.proxy_url(), self.name), None, &[204, 404]);
        let residue = format!("\"{}\"", self.name);
        Undo::Http { calls: vec![toxic], verify: get(self.proxy_url()), residue }
    }

    fn arm(&mut self, fault: &Fault) -> Result<(), DriverError> {
        refuse(fault, self.fidelity(fault).refusal)?;
        self.read()?;
        ask(&self.client, &self.lease())?;
        ask(&self.client, &self.create(fault)).map(drop)
    }

    /// Renews the lease. A lease that ran out meanwhile took the fault with it, and that must not pass for a run without effect.
    fn keep(&mut self) -> Result<(), DriverError> {
        ask(&self.client, &self.lease())?;
        self.injected().map(drop)
    }

    fn injected(&mut self) -> Result<Injected, DriverError> {
        let counters = ask_json(&self.client, &get(format!("{}/riftline/counters", self.api)))?;
        let gone = || {
            format!(
                "fault {} is gone from link `{}`: its lease ran out or somebody took it away",
                self.name, self.proxy
            )
        };
        tally(&counters, &self.name).ok_or_else(|| DriverError::Missing(gone()))
    }
}
