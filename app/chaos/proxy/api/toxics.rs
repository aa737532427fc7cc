//! Toxics on links: those of Toxiproxy by its own types, our faults as `riftline.<fault>`.

mod record;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hyper::StatusCode;
use serde_json::Value;

use self::record::{Change, Input, Record};
use super::Api;
use super::answer::{Answered, ApiError, json as answer, nothing};
use super::route::read;
use crate::chaos::proxy::armed::Armed;
use crate::chaos::proxy::link::Link;

/// What clients said of what they armed, by link and name. What is really armed only the registry knows: leases take faults away,
/// too.
#[derive(Default)]
pub struct Toxics(Mutex<BTreeMap<(String, String), Record>>);

type Records<'a> = MutexGuard<'a, BTreeMap<(String, String), Record>>;

impl Toxics {
    fn lock(&self) -> Records<'_> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns what is armed on a link as clients see it: upstream first, then in the order of arming.
    pub fn of(&self, link: &Link) -> Vec<Value> {
        let records = self.lock();
        let mut all: Vec<Record> = link.armed().iter().map(|armed| record(&records, link, armed)).collect();
        all.sort_by_key(|record| !record.is_upstream());
        all.iter().map(Record::to_json).collect()
    }

    fn get(&self, link: &Link, name: &str) -> Result<Record, ApiError> {
        let armed = link.armed();
        let armed = armed.iter().find(|armed| armed.name == name).ok_or_else(ApiError::no_toxic)?;
        Ok(record(&self.lock(), link, armed))
    }
}

/// Returns what was said of `armed`, or what can be told from it if it was armed by other means than this API.
fn record(records: &Records<'_>, link: &Link, armed: &Arc<Armed>) -> Record {
    let said = records.get(&(link.name.clone(), armed.name.clone()));
    said.filter(|record| record.is_of(armed)).cloned().unwrap_or_else(|| Record::of(armed))
}

pub fn list(api: &Api, link: &str) -> Answered {
    Ok(answer(StatusCode::OK, &api.toxics.of(&*api.registry.link(link)?).into()))
}

pub fn show(api: &Api, link: &str, name: &str) -> Answered {
    let record = api.toxics.get(&*api.registry.link(link)?, name)?;
    Ok(answer(StatusCode::OK, &record.to_json()))
}

pub fn create(api: &Api, link: &str, body: &[u8]) -> Answered {
    let link = api.registry.link(link)?;
    let mut record = read::<Input>(body)?.record()?;
    // Held on to while arming, so that nobody sees the one without the other.
    let mut records = api.toxics.lock();
    if link.armed().iter().any(|armed| armed.name == record.name()) {
        return Err(ApiError::new(StatusCode::CONFLICT, "toxic already exists"));
    }
    let armed = api.registry.arm(&link.name, record.compile()?)?;
    record.is_now(armed);
    let shown = record.to_json();
    forget(&mut records, &link);
    records.insert((link.name.clone(), record.name().to_owned()), record);
    Ok(answer(StatusCode::OK, &shown))
}

/// Drops what was said of faults that are gone.
fn forget(records: &mut Records<'_>, link: &Link) {
    let armed = link.armed();
    records.retain(|(of, _), record| *of != link.name || armed.iter().any(|armed| record.is_of(armed)));
}

pub fn update(api: &Api, link: &str, name: &str, body: &[u8]) -> Answered {
    let link = api.registry.link(link)?;
    let before = api.toxics.get(&link, name)?;
    let mut record = before.changed(&read::<Change>(body)?)?;
    let mut records = api.toxics.lock();
    if record.needs_new_decision(&before) {
        let armed = api.registry.replace(&link.name, record.compile()?)?;
        record.is_now(armed);
    } else {
        // Connections have the new attributes in their hands; this wakes those that wait by the old ones.
        link.rearm(|_| ());
    }
    let shown = record.to_json();
    records.insert((link.name.clone(), name.to_owned()), record);
    Ok(answer(StatusCode::OK, &shown))
}

pub fn delete(api: &Api, link: &str, name: &str) -> Answered {
    api.registry.disarm(link, name)?;
    Ok(nothing(StatusCode::NO_CONTENT))
}
