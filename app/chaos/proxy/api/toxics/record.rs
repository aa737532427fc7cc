//! One toxic as clients write and read it, and the armed fault that it becomes.

use std::sync::Arc;

use hyper::StatusCode;
use riftline_queries::replay::fault::Fault;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::chaos::proxy::api::answer::ApiError;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::stage::Stream;
use crate::chaos::proxy::toxics::{self, Attributes};

/// What the types of our own faults begin with.
const OURS: &str = "riftline.";

/// What a client says of a new toxic.
#[derive(Debug, Deserialize)]
pub struct Input {
    #[serde(default)]
    name: String,
    #[serde(default, rename = "type")]
    kind: String,
    stream: Option<String>,
    toxicity: Option<f64>,
    attributes: Option<Map<String, Value>>,
}

/// What a client says of a toxic that is there.
#[derive(Debug, Deserialize)]
pub struct Change {
    toxicity: Option<f64>,
    attributes: Option<Map<String, Value>>,
}

/// A toxic.
#[derive(Clone)]
pub struct Record {
    name: String,
    /// Its type.
    kind: String,
    stream: Stream,
    toxicity: f64,
    attributes: Held,
    armed: Option<Arc<Armed>>,
}

#[derive(Clone)]
enum Held {
    /// Of Toxiproxy's types.
    Toxic(Arc<Attributes>),
    /// Of ours: a fault without its kind, and the run that it belongs to.
    Fault(Map<String, Value>),
}

/// What `attributes` of our types hold beside the fault.
#[derive(Debug, Default, Deserialize)]
struct Belonging {
    run: Option<String>,
    #[serde(default)]
    seed: u64,
}

impl Input {
    pub fn record(self) -> Result<Record, ApiError> {
        let stream = stream(self.stream.as_deref().unwrap_or("downstream"))?;
        let name = if self.name.is_empty() { format!("{}_{}", self.kind, stream_name(stream)) } else { self.name };
        let given = self.attributes.unwrap_or_default();
        let attributes = hold(&self.kind, given)?;
        let toxicity = self.toxicity.unwrap_or(1.0);
        Ok(Record { name, kind: self.kind, stream, toxicity, attributes, armed: None })
    }
}

fn stream(name: &str) -> Result<Stream, ApiError> {
    match name.to_ascii_lowercase().as_str() {
        "upstream" => Ok(Stream::Up),
        "downstream" => Ok(Stream::Down),
        _ => {
            let text = "stream was invalid, can be either upstream or downstream";
            Err(ApiError::new(StatusCode::BAD_REQUEST, text))
        }
    }
}

fn stream_name(stream: Stream) -> &'static str {
    match stream {
        Stream::Up => "upstream",
        Stream::Down => "downstream",
    }
}

fn hold(kind: &str, given: Map<String, Value>) -> Result<Held, ApiError> {
    if kind.starts_with(OURS) {
        return Ok(Held::Fault(given));
    }
    let entry = toxics::find(kind).ok_or_else(|| ApiError::new(StatusCode::BAD_REQUEST, "invalid toxic type"))?;
    let attributes = Attributes::new(entry);
    attributes.set(&given).map_err(ApiError::bad_body)?;
    Ok(Held::Toxic(Arc::new(attributes)))
}

impl Record {
    /// Describes what was armed by other means than this API.
    pub fn of(armed: &Arc<Armed>) -> Self {
        let fault = armed.fault.as_ref();
        let kind = fault.map_or("unknown", |fault| fault.kind.as_str());
        let mut members = fault.and_then(|fault| serde_json::to_value(fault).ok()).unwrap_or_default();
        let mut attributes = members.as_object_mut().map(std::mem::take).unwrap_or_default();
        attributes.remove("kind");
        attributes.insert("run".to_owned(), armed.run.clone().into());
        Self {
            name: armed.name.clone(),
            kind: format!("{OURS}{kind}"),
            stream: Stream::Down,
            toxicity: 1.0,
            attributes: Held::Fault(attributes),
            armed: Some(armed.clone()),
        }
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn is_upstream(&self) -> bool {
        self.stream == Stream::Up
    }

    /// Tells whether this is what was said of `armed`.
    pub fn is_of(&self, armed: &Arc<Armed>) -> bool {
        self.armed.as_ref().is_some_and(|ours| Arc::ptr_eq(ours, armed))
    }

    pub fn is_now(&mut self, armed: Arc<Armed>) {
        self.armed = Some(armed);
    }

    pub fn to_json(&self) -> Value {
        let attributes = match &self.attributes {
            Held::Toxic(attributes) => attributes.to_json(),
            Held::Fault(attributes) => attributes.clone(),
        };
        json!({
            "name": self.name,
            "type": self.kind,
            "stream": stream_name(self.stream),
            "toxicity": self.toxicity,
            "attributes": attributes,
        })
    }

    /// Returns this with what `change` says.
    pub fn changed(&self, change: &Change) -> Result<Self, ApiError> {
        let mut record = self.clone();
        record.toxicity = change.toxicity.unwrap_or(self.toxicity);
        let given = change.attributes.clone().unwrap_or_default();
        match &mut record.attributes {
            Held::Toxic(attributes) => attributes.set(&given).map_err(ApiError::bad_body)?,
            Held::Fault(attributes) => attributes.extend(given),
        }
        Ok(record)
    }

    /// Tells whether connections must be chosen anew. New attributes of Toxiproxy's types alone reach them as they are.
    pub fn needs_new_decision(&self, before: &Self) -> bool {
        matches!(self.attributes, Held::Fault(_)) || self.toxicity.to_bits() != before.toxicity.to_bits()
    }

    /// Makes what can be armed.
    pub fn compile(&self) -> Result<Armed, ApiError> {
        match &self.attributes {
            Held::Toxic(attributes) => {
                let share = if self.toxicity.is_finite() { self.toxicity.clamp(0.0, 1.0) } else { 1.0 };
                Ok(toxics::arm(self.name.clone(), attributes.clone(), self.stream, share, seed(&self.name)))
            }
            Held::Fault(attributes) => self.fault(attributes.clone()),
        }
    }

    fn fault(&self, mut attributes: Map<String, Value>) -> Result<Armed, ApiError> {
        if self.toxicity.to_bits() != 1.0_f64.to_bits() {
            let text = "toxicity is for Toxiproxy's own types: say attributes.when.share";
            return Err(ApiError::new(StatusCode::BAD_REQUEST, text));
        }
        let belonging =
            ["run", "seed"].into_iter().filter_map(|name| Some((name.to_owned(), attributes.remove(name)?)));
        let belonging = Value::Object(belonging.filter(|(_, value)| !value.is_null()).collect());
        let belonging: Belonging = serde_json::from_value(belonging).map_err(ApiError::bad_body)?;
        attributes.retain(|_, value| !value.is_null());
        attributes.insert("kind".to_owned(), self.kind.trim_start_matches(OURS).into());
        let fault: Fault = serde_json::from_value(Value::Object(attributes)).map_err(ApiError::bad_body)?;
        Armed::new(self.name.clone(), belonging.run, fault, belonging.seed)
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, error.to_string()))
    }
}

/// The same toxic chooses the same connections, by their order of arrival.
fn seed(name: &str) -> u64 {
    name.bytes().fold(0, |seed, byte| seed.rotate_left(5) ^ u64::from(byte))
}
