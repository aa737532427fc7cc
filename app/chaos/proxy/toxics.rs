//! The toxics of Toxiproxy 2.12: one file each. A new one is one more file and one more line in [`TOXICS`].
//!
//! What each does: <https://github.com/Shopify/toxiproxy/blob/v2.12.0/README.md#toxics>. `down` is not among them: it is a link that is
//! not enabled.

mod bandwidth;
mod latency;
mod limit_data;
mod reset_peer;
mod slicer;
mod slow_close;
mod timeout;

#[cfg(test)]
mod testing;

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use riftline_queries::replay::fault::{Unit, When};
use serde_json::{Map, Value};

use crate::chaos::faults::Level;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect};
use crate::chaos::proxy::stage::{Stage, Stream};

/// Every toxic.
pub const TOXICS: &[Entry] = &[
    latency::ENTRY,
    bandwidth::ENTRY,
    slow_close::ENTRY,
    timeout::ENTRY,
    reset_peer::ENTRY,
    slicer::ENTRY,
    limit_data::ENTRY,
];

/// Longer than this nothing is delayed.
const LONGEST: Duration = Duration::from_hours(24);

/// One toxic.
pub struct Entry {
    /// Its type, as Toxiproxy calls it.
    pub name: &'static str,
    /// One sentence.
    pub about: &'static str,
    /// Names of its attributes and their units; all are whole numbers, 0 where nothing is said.
    pub attributes: &'static [(&'static str, &'static str)],
    /// Makes what one direction of one connection goes through.
    make: fn(Arc<Attributes>, Dice) -> Box<dyn Stage>,
}

/// The attributes of a toxic; connections see it at once when they change.
pub struct Attributes {
    entry: &'static Entry,
    values: Vec<AtomicI64>,
}

/// An attribute that is not a whole number.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("attribute {name} is {value}, but must be a whole number")]
pub struct AttributeError {
    pub name: &'static str,
    pub value: String,
}

/// Returns the toxic of this type.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    TOXICS.iter().find(|entry| entry.name == name)
}

impl Attributes {
    /// Makes attributes that are all 0.
    #[must_use]
    pub fn new(entry: &'static Entry) -> Self {
        Self { entry, values: entry.attributes.iter().map(|_| AtomicI64::new(0)).collect() }
    }

    /// Takes the values of `given`. What is not given stays, what is not known is left alone, as in Toxiproxy; nothing is taken where
    /// one is wrong.
    pub fn set(&self, given: &Map<String, Value>) -> Result<(), AttributeError> {
        let wanted = |(name, _): &(&'static str, &str)| match given.get(*name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let wrong = || AttributeError { name, value: value.to_string() };
                value.as_i64().map(Some).ok_or_else(wrong)
            }
        };
        let wanted: Vec<Option<i64>> = self.entry.attributes.iter().map(wanted).collect::<Result<_, _>>()?;
        for (held, wanted) in self.values.iter().zip(wanted) {
            wanted.into_iter().for_each(|value| held.store(value, Ordering::Relaxed));
        }
        Ok(())
    }

    /// Returns all of them, by name.
    #[must_use]
    pub fn to_json(&self) -> Map<String, Value> {
        let pairs = self.entry.attributes.iter().zip(&self.values);
        pairs.map(|((name, _), value)| ((*name).to_owned(), value.load(Ordering::Relaxed).into())).collect()
    }

    /// Returns one that is not negative.
    fn number(&self, name: &str) -> u64 {
        let at = self.entry.attributes.iter().position(|(known, _)| *known == name);
        let value = at.and_then(|at| self.values.get(at)).map(|value| value.load(Ordering::Relaxed));
        value.and_then(|value| u64::try_from(value).ok()).unwrap_or_default()
    }

    /// Returns one that counts milliseconds.
    fn ms(&self, name: &str) -> Duration {
        Duration::from_millis(self.number(name)).min(LONGEST)
    }
}

/// Arms a toxic: on `toxicity` (0 to 1) of the connections of a link, in one direction.
#[must_use]
pub fn arm(name: String, attributes: Arc<Attributes>, stream: Stream, toxicity: f64, seed: u64) -> Armed {
    let when = When { share: toxicity, unit: Unit::Connection, ..When::default() };
    Armed::from_effect(name, Level::Connection, Box::new(Toxic { attributes, stream }), when, seed)
}

struct Toxic {
    attributes: Arc<Attributes>,
    stream: Stream,
}

impl Effect for Toxic {
    fn connect(&self, plan: &mut ConnectionPlan, dice: &mut Dice) {
        let stage = (self.attributes.entry.make)(self.attributes.clone(), Dice::new(&[dice.number()]));
        plan.stages.push((self.stream, stage));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;
    use tokio::time::Instant;

    use super::*;
    use crate::chaos::proxy::stage::{Chain, Step};

    fn map(value: Value) -> Map<String, Value> {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn attributes_take_what_is_theirs() {
        let attributes = Attributes::new(find("latency").unwrap());
        attributes.set(&map(json!({"latency": 100, "colour": "red"}))).unwrap();
        attributes.set(&map(json!({"jitter": 20}))).unwrap();
        assert_eq!(attributes.to_json(), map(json!({"latency": 100, "jitter": 20})));
        let error = attributes.set(&map(json!({"latency": 5, "jitter": "20"}))).unwrap_err();
        assert_eq!(error.to_string(), "attribute jitter is \"20\", but must be a whole number");
        assert_eq!(attributes.to_json(), map(json!({"latency": 100, "jitter": 20})), "all or nothing");
        assert!(attributes.set(&map(json!({"latency": 1.5}))).is_err());
    }

    #[test]
    fn negative_and_huge_values_do_no_harm() {
        let attributes = Attributes::new(find("latency").unwrap());
        attributes.set(&map(json!({"latency": -5, "jitter": i64::MAX}))).unwrap();
        assert_eq!((attributes.ms("latency"), attributes.ms("jitter")), (Duration::ZERO, LONGEST));
    }

    #[test]
    fn all_types_of_toxiproxy_are_there() {
        let mut names: Vec<&str> = TOXICS.iter().map(|entry| entry.name).collect();
        names.sort_unstable();
        let theirs = ["bandwidth", "latency", "limit_data", "reset_peer", "slicer", "slow_close", "timeout"];
        assert_eq!(names, theirs);
    }

    /// Sends pieces through a toxic; returns what comes out at the end of its chain, with when it is due.
    fn through(kind: &str, attributes: &Map<String, Value>, pieces: &[Vec<u8>]) -> Vec<Step> {
        let held = Arc::new(Attributes::new(find(kind).unwrap()));
        held.set(attributes).unwrap();
        let mut chain = Chain::default();
        chain.add(1, (held.entry.make)(held.clone(), Dice::new(&[7])));
        let start = Instant::now();
        for (bytes, at) in pieces.iter().zip(0..) {
            let due = start + Duration::from_millis(at);
            chain.push(Step::Send { bytes: bytes.clone().into(), due });
        }
        chain.push(Step::End { due: start + Duration::from_secs(1) });
        let end = start + LONGEST * 100;
        std::iter::from_fn(|| chain.take(end)).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn toxics_of_time_keep_every_byte_in_order(
            kind in "latency|bandwidth|slow_close|slicer",
            values in prop::collection::vec(0_i64..2_000, 3),
            pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..600), 1..8),
        ) {
            let names = find(&kind).unwrap().attributes.iter().map(|(name, _)| (*name).to_owned());
            let attributes = names.zip(values).map(|(name, value)| (name, Value::from(value))).collect();
            let steps = through(&kind, &attributes, &pieces);
            prop_assert!(steps.windows(2).all(|pair| pair[0].due() <= pair[1].due()));
            let bytes = |step: &Step| if let Step::Send { bytes, .. } = step { bytes.to_vec() } else { Vec::new() };
            prop_assert_eq!(steps.iter().flat_map(bytes).collect::<Vec<u8>>(), pieces.concat());
            let ended = matches!(steps.last(), Some(Step::End { .. }));
            prop_assert!(ended, "the end comes last");
        }
    }
}
