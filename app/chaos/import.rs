//! Faults that others wrote down: configurations of Toxiproxy and manifests of Chaos Mesh.
//!
//! What cannot be taken over is said, never left out in silence; fields that nobody knows are named, with the nearest one that is
//! known. A further format is one more file and one line in [`FORMATS`].

mod chaos_mesh;
mod fields;
mod toxiproxy;

use std::collections::BTreeMap;

use riftline_queries::replay::fault::Fault;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Larger files are no configurations.
const MAX_BYTES: usize = 4 << 20;

/// What was found in a file.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Imported {
    pub faults: Vec<Placed>,
    /// Links of Toxiproxy, with or without a fault on them.
    pub links: Vec<Link>,
    /// What was left out or means something else here, one sentence each.
    pub notes: Vec<String>,
}

/// A fault and where it was.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Placed {
    /// Name of the toxic or of the object.
    pub name: String,
    pub fault: Fault,
    pub at: At,
}

/// Where a fault was.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum At {
    /// On the link of this name.
    Link(String),
    /// At pods of a cluster.
    Pods(Pods),
}

/// Pods, as the options of a driver for Kubernetes name them; empty where the file does not say.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
pub struct Pods {
    pub namespace: String,
    /// Labels of the pods that were chosen.
    pub labels: BTreeMap<String, String>,
    /// Labels of the pods on the other side.
    pub peer: BTreeMap<String, String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<u16>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
}

/// What listens where, and whom it forwards to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    pub name: String,
    #[serde(default)]
    pub listen: String,
    #[serde(default)]
    pub upstream: String,
    #[serde(default = "enabled")]
    pub enabled: bool,
}

const fn enabled() -> bool {
    true
}

/// Why a file cannot be taken over at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    #[error("larger than {} MiB: no configuration", MAX_BYTES >> 20)]
    TooLarge,
    #[error("neither JSON nor YAML: {0}")]
    Syntax(String),
    #[error(
        "nothing that is known: expected an array of Toxiproxy's proxies, or objects of apiVersion chaos-mesh.org/v1alpha1"
    )]
    Unknown,
}

/// A format: its name, whether a document is of it, and what reads it.
pub struct Format {
    pub name: &'static str,
    is_of: fn(&Value) -> bool,
    read: fn(&Value, &mut Imported),
}

/// Everything that can be taken over.
pub const FORMATS: [Format; 2] = [
    Format { name: "toxiproxy", is_of: toxiproxy::is_of, read: toxiproxy::read },
    Format { name: "chaos-mesh", is_of: chaos_mesh::is_of, read: chaos_mesh::read },
];

/// Reads a file of any known format: JSON, or YAML of one or several documents.
pub fn read(text: &str) -> Result<Imported, ImportError> {
    let mut imported = Imported::default();
    let mut is_known = false;
    for document in documents(text)? {
        if let Some(format) = FORMATS.iter().find(|format| (format.is_of)(&document)) {
            is_known = true;
            (format.read)(&document, &mut imported);
        } else if !document.is_null() {
            imported.notes.push("a document of another format was left out".to_owned());
        }
    }
    if is_known { Ok(imported) } else { Err(ImportError::Unknown) }
}

fn documents(text: &str) -> Result<Vec<Value>, ImportError> {
    if text.len() > MAX_BYTES {
        return Err(ImportError::TooLarge);
    }
    let wrong = |error: serde_norway::Error| ImportError::Syntax(error.to_string().replace(char::is_control, " "));
    serde_norway::Deserializer::from_str(text).map(|document| Value::deserialize(document).map_err(wrong)).collect()
}

#[cfg(test)]
mod tests;
