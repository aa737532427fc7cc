//! Options of drivers, as experiment files give them.

use serde_json::{Map, Value};

use super::Entry;
use crate::chaos::driver::DriverError;
use crate::chaos::http::Endpoint;

/// One option of a driver. All are texts.
pub struct Setting {
    pub name: &'static str,
    pub about: &'static str,
    pub is_required: bool,
    /// What it is where nothing is said.
    pub default: Option<&'static str>,
}

/// Options that were checked against those that the driver has.
#[derive(Debug, Default)]
pub struct Settings(Map<String, Value>);

impl Settings {
    /// Reads the options of a driver: none unknown, none missing, all texts.
    pub fn read(entry: &Entry, given: &Map<String, Value>) -> Result<Self, DriverError> {
        given.iter().try_for_each(|(name, value)| check(entry, name, value))?;
        let mut all = given.clone();
        for setting in entry.settings.iter().filter(|setting| !given.contains_key(setting.name)) {
            match setting.default {
                Some(default) => _ = all.insert(setting.name.to_owned(), Value::from(default)),
                None if setting.is_required => return Err(missing(entry, setting)),
                None => {}
            }
        }
        Ok(Self(all))
    }

    /// Returns a text; empty where it is not there.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.0.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// Returns a text, if it is there.
    #[must_use]
    pub fn text_opt(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// Returns a URL that can be called, without a slash at its end.
    pub fn url(&self, name: &str) -> Result<String, DriverError> {
        let url = self.text(name).trim_end_matches('/').to_owned();
        Endpoint::parse(&url).map_err(|error| DriverError::Unable(format!("option `{name}`: {error}")))?;
        Ok(url)
    }
}

fn check(entry: &Entry, name: &str, value: &Value) -> Result<(), DriverError> {
    if !entry.settings.iter().any(|setting| setting.name == name) {
        let nearest = nearest(name, entry.settings.iter().map(|setting| setting.name));
        let text = format!("driver {} has no option `{name}`; nearest: `{nearest}`", entry.name);
        return Err(DriverError::Unable(text));
    }
    if !value.is_string() {
        let text = format!("option `{name}` of driver {} is {value}, but must be a text", entry.name);
        return Err(DriverError::Unable(text));
    }
    Ok(())
}

fn missing(entry: &Entry, setting: &Setting) -> DriverError {
    DriverError::Unable(format!("driver {} needs option `{}`: {}", entry.name, setting.name, setting.about))
}

/// Returns the name that takes the fewest changes of a letter; empty where there are no names.
pub fn nearest<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> &'a str {
    crate::mistake::nearest(wanted, names).unwrap_or_default()
}
