//! A simulated API server: as much of Kubernetes, Chaos Mesh and Istio as the lifecycle of a fault needs, with switches for what goes
//! wrong. It answers function calls, and HTTP on a loopback port for the real `kubectl`.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use serde_json::{Value, json};

use crate::chaos::manifest::tests::schema;

/// What goes wrong.
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
#[derive(Debug, Clone, Copy, Default)]
pub struct Switches {
    /// Objects of Chaos Mesh never lose their finalizer.
    pub finalizer_sticks: bool,
    /// Chaos Mesh chooses pods, but never hits one.
    pub never_injected: bool,
    /// The duration of every fault is over.
    pub is_over: bool,
    /// So many of the next writes are answered by 409 `Conflict`.
    pub conflicts: u32,
    /// After so many further calls the server does not answer any more.
    pub calls_left: Option<u32>,
    /// The next creation is done, but not answered.
    pub loses_answer: bool,
}

/// The cluster.
#[derive(Debug, Default)]
pub struct Simulated {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// Objects by path.
    objects: BTreeMap<String, Value>,
    switches: Switches,
    version: u64,
    /// Every call: method and path with its query.
    calls: Vec<String>,
}

/// Status and body; nothing where the server does not answer.
pub type Answer = Option<(u16, Value)>;

impl Simulated {
    /// Makes a cluster with a namespace `shop` that welcomes faults, and two pods each of `orders` and of `payments`.
    pub fn shop() -> Arc<Self> {
        let simulated = Self::default();
        simulated
            .put("/api/v1/namespaces/shop", json!({"metadata": {"annotations": {"chaos-mesh.org/inject": "enabled"}}}));
        for (app, number) in [("orders", 0), ("orders", 1), ("payments", 0), ("payments", 1)] {
            let name = format!("{app}-{number}");
            let pod =
                json!({"metadata": {"name": name, "labels": {"app": app}}, "spec": {}, "status": {"phase": "Running"}});
            simulated.put(&format!("/api/v1/namespaces/shop/pods/{name}"), pod);
        }
        Arc::new(simulated)
    }

    pub fn switch(&self, switches: Switches) {
        self.state.lock().unwrap().switches = switches;
    }

    /// Puts an object at a path, as it is.
    pub fn put(&self, path: &str, object: Value) {
        let mut state = self.state.lock().unwrap();
        state.store(path, object);
    }

    /// Takes an object away.
    pub fn remove(&self, path: &str) {
        self.state.lock().unwrap().objects.remove(path);
    }

    pub fn object(&self, path: &str) -> Option<Value> {
        self.state.lock().unwrap().objects.get(path).cloned()
    }

    pub fn calls(&self) -> Vec<String> {
        self.state.lock().unwrap().calls.clone()
    }

    /// Answers one call.
    pub fn answer(&self, method: &str, path_and_query: &str, body: &str) -> Answer {
        let mut state = self.state.lock().unwrap();
        state.calls.push(format!("{method} {path_and_query}"));
        if let Some(left) = &mut state.switches.calls_left {
            if *left == 0 {
                return None;
            }
            *left -= 1;
        }
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        match method {
            "GET" => Some(state.get(path, query)),
            "POST" => state.post(path, query, body),
            "PUT" => Some(state.put(path, body)),
            "DELETE" => Some(state.delete(path)),
            _ => Some(problem(405, "MethodNotAllowed", method)),
        }
    }

    /// Serves HTTP on a free loopback port until the returned runtime is dropped.
    pub fn serve(self: &Arc<Self>) -> (SocketAddr, tokio::runtime::Runtime) {
        let runtime = tokio::runtime::Runtime::new().unwrap();
        let listener = runtime.block_on(tokio::net::TcpListener::bind("127.0.0.1:0")).unwrap();
        let (address, simulated) = (listener.local_addr().unwrap(), Arc::clone(self));
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let simulated = Arc::clone(&simulated);
                tokio::spawn(async move {
                    let service = service_fn(|request| respond(Arc::clone(&simulated), request));
                    // An error is how the server goes away in the middle.
                    let _ = Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service).await;
                });
            }
        });
        (address, runtime)
    }
}

async fn respond(
    simulated: Arc<Simulated>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Box<dyn std::error::Error + Send + Sync>> {
    let method = request.method().to_string();
    let path = request.uri().path_and_query().map_or_else(String::new, ToString::to_string);
    let body = request.into_body().collect().await?.to_bytes();
    let (status, body) =
        simulated.answer(&method, &path, &String::from_utf8_lossy(&body)).ok_or("the server is away")?;
    let response = Response::builder().status(status).header("content-type", "application/json");
    Ok::<_, Infallible>(response.body(Full::new(Bytes::from(body.to_string())))?).map_err(Into::into)
}

impl State {
    fn store(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }

    fn get(&mut self, path: &str, query: &str) -> (u16, Value) {
        let served = |version: &str| json!({"kind": "APIGroup", "versions": [{"version": version}]});
        match path {
            "/version" => return (200, json!({"major": "1", "minor": "32", "gitVersion": "v1.32.0"})),
            "/apis/chaos-mesh.org" => return (200, served("v1alpha1")),
            "/apis/networking.istio.io" => return (200, served("v1")),
            _ => {}
        }
        self.reconcile(path);
        let found = self.objects.get(path).cloned();
        let is_list = path
            .rsplit('/')
            .next()
            .is_some_and(|last| ["pods", "virtualservices"].contains(&last) || last.ends_with("chaos"));
        match found {
            Some(object) => (200, object),
            None if is_list => (200, json!({"items": self.list(path, query)})),
            None => problem(404, "NotFound", path),
        }
    }

    fn list(&self, path: &str, query: &str) -> Vec<Value> {
        let wanted = query.split('&').find_map(|part| part.strip_prefix("labelSelector="));
        let wanted = wanted.unwrap_or_default().replace("%3D", "=");
        let has_labels = |object: &Value| {
            wanted
                .split("%2C")
                .filter_map(|one| one.split_once('='))
                .all(|(name, value)| object["metadata"]["labels"][name] == value)
        };
        let under = format!("{path}/");
        self.objects
            .iter()
            .filter(|(key, object)| key.starts_with(&under) && has_labels(object))
            .map(|(_, object)| object.clone())
            .collect()
    }

    /// Does what the controllers of Chaos Mesh would: at each look at an object it gets one step further.
    fn reconcile(&mut self, path: &str) {
        let Some(mut object) =
            self.objects.get(path).filter(|object| object["apiVersion"] == "chaos-mesh.org/v1alpha1").cloned()
        else {
            return;
        };
        if object["metadata"]["deletionTimestamp"].is_string() {
            if !self.switches.finalizer_sticks {
                self.objects.remove(path);
            }
            return;
        }
        let is_selected = object["status"]["conditions"][0]["type"] == "Selected";
        let is_injected = is_selected && !self.switches.never_injected;
        object["status"] = json!({
            "conditions": [
                {"type": "Selected", "status": "True"},
                {"type": "AllInjected", "status": if is_injected { "True" } else { "False" }}],
            "experiment": {"desiredPhase": if self.switches.is_over { "Stop" } else { "Run" }, "containerRecords": [{
                "id": "shop/payments-0", "selectorKey": ".",
                "phase": if is_injected { "Injected" } else { "Not Injected" },
                "injectedCount": u32::from(is_injected), "recoveredCount": 0}]}});
        self.store(path, object);
    }

    fn conflicts(&mut self) -> bool {
        let conflicts = self.switches.conflicts > 0;
        self.switches.conflicts -= u32::from(conflicts);
        conflicts
    }

    fn post(&mut self, path: &str, query: &str, body: &str) -> Answer {
        let Ok(mut object) = serde_json::from_str::<Value>(body) else {
            return Some(problem(400, "BadRequest", "no JSON"));
        };
        let wrong = schema::of_object(&object);
        if !wrong.is_empty() {
            return Some(problem(422, "Invalid", &wrong.join("; ")));
        }
        let path = format!("{path}/{}", object["metadata"]["name"].as_str().unwrap());
        if self.objects.contains_key(&path) {
            return Some(problem(409, "AlreadyExists", &path));
        }
        if query.contains("dryRun=All") {
            return Some((201, object));
        }
        if self.conflicts() {
            return Some(problem(409, "Conflict", &path));
        }
        if object["apiVersion"] == "chaos-mesh.org/v1alpha1" {
            object["metadata"]["finalizers"] = json!(["chaos-mesh/records"]);
        }
        let object = self.store(&path, object);
        if std::mem::take(&mut self.switches.loses_answer) { None } else { Some((201, object)) }
    }

    fn put(&mut self, path: &str, body: &str) -> (u16, Value) {
        let Ok(object) = serde_json::from_str::<Value>(body) else { return problem(400, "BadRequest", "no JSON") };
        let Some(there) = self.objects.get(path).cloned() else { return problem(404, "NotFound", path) };
        let is_stale = there["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"];
        if self.conflicts() || is_stale {
            // Whoever wrote in between left a trace of it.
            let mut changed = there;
            changed["metadata"]["annotations"]["edited"] = json!("by others");
            self.store(path, changed);
            return problem(409, "Conflict", path);
        }
        (200, self.store(path, object))
    }

    fn delete(&mut self, path: &str) -> (u16, Value) {
        let Some(mut object) = self.objects.get(path).cloned() else { return problem(404, "NotFound", path) };
        if object["metadata"]["finalizers"].is_null() {
            self.objects.remove(path);
            return (200, json!({"kind": "Status", "status": "Success"}));
        }
        object["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        (200, self.store(path, object))
    }
}

fn problem(status: u16, reason: &str, about: &str) -> (u16, Value) {
    let message = format!("{reason}: {about}");
    (
        status,
        json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": status, "message": message}),
    )
}
