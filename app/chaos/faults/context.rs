//! Headers that carry the context of a trace, of all propagators that are met in the field, and what faults on them have in common.

use hyper::http::{HeaderMap, HeaderName, HeaderValue};
use riftline_queries::replay::fault::{Fault, Place};

use crate::chaos::faults::{FaultError, Kind, Parameter, Values, unable};

/// Every header that is meant where a fault names none. Those of Datadog begin with [`DATADOG`].
pub(super) const HEADERS: [&str; 13] = [
    "traceparent",
    "tracestate",
    "baggage",
    "b3",
    "x-b3-traceid",
    "x-b3-spanid",
    "x-b3-parentspanid",
    "x-b3-sampled",
    "x-b3-flags",
    "uber-trace-id",
    "x-amzn-trace-id",
    "sw8",
    "grpc-trace-bin",
];

const DATADOG: &str = "x-datadog-";

pub(super) const PARAMETER: Parameter = Parameter {
    name: "headers",
    kind: Kind::Headers,
    about: "which headers; without it all that are known to carry context",
    ..Parameter::OPTIONAL
};

/// Where faults on context can be put.
pub(super) const PLACES: &[Place] = &[Place::Request];

/// The headers that a fault is about.
#[derive(Debug, Clone)]
pub(super) enum Chosen {
    All,
    These(Vec<HeaderName>),
}

impl Chosen {
    /// Reads [`PARAMETER`].
    pub(super) fn read(fault: &Fault, values: &Values) -> Result<Self, FaultError> {
        let Some(names) = values.names(PARAMETER.name) else { return Ok(Self::All) };
        match names.iter().find(|name| HeaderName::try_from(**name).is_err()) {
            Some(name) => unable(&fault.kind, &format!("{name:?} is no name of a header")),
            None => Ok(Self::These(names.iter().filter_map(|name| HeaderName::try_from(*name).ok()).collect())),
        }
    }

    /// Returns those that are there, each once.
    pub(super) fn present(&self, headers: &HeaderMap) -> Vec<HeaderName> {
        headers.keys().filter(|name| self.has(name)).cloned().collect()
    }

    fn has(&self, name: &HeaderName) -> bool {
        match self {
            Self::All => HEADERS.contains(&name.as_str()) || name.as_str().starts_with(DATADOG),
            Self::These(names) => names.contains(name),
        }
    }

    /// Returns all names, for faults that must know them beforehand.
    pub(super) fn names(&self) -> Vec<HeaderName> {
        let datadog = ["x-datadog-trace-id", "x-datadog-parent-id", "x-datadog-sampling-priority", "x-datadog-tags"];
        match self {
            Self::All => HEADERS.into_iter().chain(datadog).map(HeaderName::from_static).collect(),
            Self::These(names) => names.clone(),
        }
    }

    /// Replaces values by what `change` makes of them; returns whether it changed any.
    pub(super) fn change(
        &self,
        headers: &mut HeaderMap,
        mut change: impl FnMut(&HeaderName, &str) -> Option<String>,
    ) -> bool {
        let mut did = false;
        for name in self.present(headers) {
            let old: Vec<HeaderValue> = headers.get_all(&name).iter().cloned().collect();
            let new: Vec<HeaderValue> = old.iter().map(|value| changed(&name, value, &mut change)).collect();
            if new == old {
                continue;
            }
            did = true;
            headers.remove(&name);
            new.into_iter().for_each(|value| {
                headers.append(name.clone(), value);
            });
        }
        did
    }
}

fn changed(
    name: &HeaderName,
    value: &HeaderValue,
    change: &mut impl FnMut(&HeaderName, &str) -> Option<String>,
) -> HeaderValue {
    let new = value.to_str().ok().and_then(|text| change(name, text));
    new.and_then(|text| HeaderValue::try_from(text).ok()).unwrap_or_else(|| value.clone())
}
