//! All rules: those that come with riftline, and over them those of the user's folder.

use std::fs;
use std::path::Path;
use std::sync::LazyLock;

use xxhash_rust::xxh3::xxh3_64;

use super::DETECTORS;
use super::rule::Rule;
use crate::catalog::Mistake;

/// Rules in the order of the catalogue, then the user's own by id.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    all: Vec<Rule>,
}

impl Default for Rules {
    fn default() -> Self {
        Self::bundled()
    }
}

impl Rules {
    /// Returns the rules that come with riftline.
    #[must_use]
    pub fn bundled() -> Self {
        static BUNDLED: LazyLock<Vec<Rule>> =
            // A test parses each, so that none is lost here.
            LazyLock::new(|| DETECTORS.iter().filter_map(|one| Rule::parse(one.rule).ok()).collect());
        Self { all: BUNDLED.clone() }
    }

    /// Returns the bundled rules with those of `folder` over them, and what is wrong there. A file `<id>.toml` changes the keys
    /// that it names; one with an unknown id is a rule of its own and must be whole. A folder that does not exist is empty.
    #[must_use]
    pub fn with_folder(folder: &Path) -> (Self, Vec<Mistake>) {
        let mut rules = Self::bundled();
        let mut mistakes = Vec::new();
        let mut files: Vec<_> =
            fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
        files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
        files.sort();
        for path in files {
            let mistake = |line, message| Mistake { path: path.clone(), line, message };
            match fs::read_to_string(&path) {
                Ok(text) => mistakes.extend(rules.put(&text).err().map(|error| mistake(error.line, error.message))),
                Err(error) => mistakes.push(mistake(1, error.to_string())),
            }
        }
        (rules, mistakes)
    }

    fn put(&mut self, text: &str) -> Result<(), super::rule::RuleError> {
        let id = toml::from_str::<toml::Table>(text).ok().and_then(|table| Some(table.get("id")?.as_str()?.to_owned()));
        let bundled = DETECTORS.iter().find(|one| Some(one.id) == id.as_deref());
        let rule = match bundled {
            Some(bundled) => changed(bundled.rule, text)?,
            None => own(text)?,
        };
        match self.all.iter_mut().find(|known| known.id == rule.id) {
            Some(known) => *known = rule,
            None => self.all.push(rule),
        }
        Ok(())
    }

    /// Returns the rules that are looked for.
    pub fn enabled(&self) -> impl Iterator<Item = &Rule> {
        self.all.iter().filter(|rule| rule.enabled)
    }

    /// Returns all rules.
    #[must_use]
    pub fn all(&self) -> &[Rule] {
        &self.all
    }

    /// Returns a number that changes with any change of the rules.
    #[must_use]
    pub fn hash(&self) -> u64 {
        xxh3_64(format!("{:?}", self.all).as_bytes())
    }

    #[must_use]
    pub fn get(&self, id: &str) -> Option<&Rule> {
        self.all.iter().find(|rule| rule.id == id)
    }
}

/// A bundled rule with the keys of `text` in place of its own.
fn changed(bundled: &str, text: &str) -> Result<Rule, super::rule::RuleError> {
    let (Ok(mut whole), Ok(part)) = (toml::from_str::<toml::Table>(bundled), toml::from_str::<toml::Table>(text))
    else {
        return Rule::parse(text);
    };
    for (key, value) in part {
        match (whole.get_mut(&key), value) {
            (Some(toml::Value::Table(known)), toml::Value::Table(new)) => known.extend(new),
            (_, value) => drop(whole.insert(key, value)),
        }
    }
    Rule::parse(&whole.to_string())
}

fn own(text: &str) -> Result<Rule, super::rule::RuleError> {
    let rule = Rule::parse(text)?;
    if rule.sql.is_some() {
        return Ok(rule);
    }
    let message = format!("no rule is named {}: one of your own needs `sql`", rule.id);
    Err(super::rule::RuleError { line: 1, message })
}
