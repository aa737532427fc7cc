//! Experiments for others: a file that the stock Chaos Toolkit runs, with nothing but its own providers `http` and `process`.
//!
//! Format: <https://chaostoolkit.org/reference/api/experiment/>. Two things a stock run does not do: it goes on where a call is
//! answered by an error (only the journal shows the status), and nothing is undone after `kill -9`. With the strategy `always`, which
//! is written here and is not its default, it does undo when it is interrupted.

use serde_json::{Map, Value, json};

use super::driver::{Call, Undo};

/// How long a call may take, in seconds.
const CALL_TIMEOUT_S: u32 = 5;
/// How long the health probe may take, in seconds.
const PROBE_TIMEOUT_S: u32 = 3;

/// What an experiment is made of.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Export {
    pub title: String,
    pub description: String,
    pub tags: Vec<String>,
    /// Injects.
    pub arm: Vec<Step>,
    /// Takes it back, in this order.
    pub undo: Vec<Step>,
    /// URL that answers 200 while staging is well.
    pub health: Option<String>,
    /// Program and arguments that send the requests: `riftline chaos drive --run exp42`. Ends when they were sent.
    pub traffic: Vec<String>,
    /// How long [`Self::traffic`] may take, in seconds.
    pub traffic_timeout_s: f64,
    /// Values for `${…}` in calls: `{"staging": {"type": "env", "key": "STAGING_URL"}}`.
    pub configuration: Map<String, Value>,
    /// Our own part, with its `name`; the stock runner leaves it alone.
    pub extension: Option<Value>,
}

/// One thing that is done.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Call(Call),
    /// A program and its arguments.
    Command(Vec<String>),
}

impl From<Call> for Step {
    fn from(call: Call) -> Self {
        Self::Call(call)
    }
}

/// Returns the steps that do what an [`Undo`] says.
#[must_use]
pub fn undo_steps(undo: &Undo) -> Vec<Step> {
    match undo {
        // A route can only be taken out by reading what is there; the stock runner cannot.
        Undo::Nothing | Undo::Kubernetes { route: Some(_), .. } => Vec::new(),
        Undo::Http { calls, .. } => calls.iter().cloned().map(Step::Call).collect(),
        Undo::Kubernetes { context, namespace, kind, name, route: None } => {
            let line =
                ["kubectl", "--context", context, "--namespace", namespace, "delete", kind, name, "--ignore-not-found"];
            vec![Step::Command(line.iter().map(|&word| word.to_owned()).collect())]
        }
    }
}

/// Returns the experiment.
#[must_use]
pub fn chaostoolkit(export: &Export) -> Value {
    let mut method: Vec<Value> = numbered("inject", &export.arm);
    if !export.traffic.is_empty() {
        method.push(action("drive", &command(&export.traffic, Some(export.traffic_timeout_s))));
    }
    let mut experiment = json!({
        "title": or(&export.title, "a recorded fault, replayed"),
        "description": or(&export.description, "made by riftline from a recorded incident"),
        "tags": export.tags.iter().filter(|tag| !tag.is_empty()).collect::<Vec<_>>(),
        "configuration": export.configuration,
        "method": method,
        "rollbacks": numbered("undo", &export.undo),
        "runtime": {"rollbacks": {"strategy": "always"}, "hypothesis": {"strategy": "continuously"}},
        "extensions": export.extension.iter().collect::<Vec<_>>(),
    });
    if let (Some(url), Value::Object(fields)) = (&export.health, &mut experiment) {
        fields.insert("steady-state-hypothesis".to_owned(), hypothesis(url));
    }
    experiment
}

/// The format wants a title and a description that say something.
fn or<'a>(text: &'a str, otherwise: &'a str) -> &'a str {
    if text.trim().is_empty() { otherwise } else { text }
}

fn hypothesis(url: &str) -> Value {
    let provider = json!({"type": "http", "url": url, "timeout": PROBE_TIMEOUT_S});
    let probe = json!({"type": "probe", "name": "health", "tolerance": 200, "provider": provider});
    json!({"title": "staging answers", "probes": [probe]})
}

/// Returns actions called `name`, or `name 1`, `name 2`, … where there are several.
fn numbered(name: &str, steps: &[Step]) -> Vec<Value> {
    let name = |at: usize| if steps.len() == 1 { name.to_owned() } else { format!("{name} {}", at + 1) };
    steps.iter().enumerate().map(|(at, step)| action(&name(at), &provider(step))).collect()
}

fn action(name: &str, provider: &Value) -> Value {
    json!({"type": "action", "name": name, "provider": provider})
}

fn provider(step: &Step) -> Value {
    match step {
        Step::Command(line) => command(line, None),
        Step::Call(call) => http(call),
    }
}

fn http(call: &Call) -> Value {
    let mut provider = json!({"type": "http", "method": call.method, "url": call.url, "timeout": CALL_TIMEOUT_S});
    if let Some(body) = &call.body {
        // Only with exactly this header are the arguments sent as JSON.
        provider["headers"] = json!({"Content-Type": "application/json"});
        provider["arguments"] = body.clone();
    }
    provider
}

fn command(line: &[String], timeout_s: Option<f64>) -> Value {
    let (path, arguments) = line.split_first().map_or(("", &[][..]), |(path, rest)| (path.as_str(), rest));
    let mut provider = json!({"type": "process", "path": path, "arguments": arguments});
    if let Some(seconds) = timeout_s.filter(|seconds| *seconds > 0.0) {
        provider["timeout"] = json!(seconds);
    }
    provider
}

#[cfg(test)]
mod tests;
