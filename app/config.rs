//! Configuration: `config.toml` in the configuration folder, under what is typed and what the environment says.

use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use directories::ProjectDirs;
use toml::de::{DeTable, DeValue};

use crate::chaos::rails::Allowed;
use crate::cli::span_of_time;
use crate::cli::{CommonArgs, When};
use crate::error::Failure;
use crate::format::Format;
use crate::humane::{ParseZoneError, Zone};
use crate::mistake::{Mistake, suggestion};

/// What the configuration file says; nothing where it does not.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Config {
    pub theme: Option<String>,
    pub tz: Option<Zone>,
    pub color: Option<When>,
    pub format: Option<Format>,
    pub store: Option<PathBuf>,
    pub progress: Option<bool>,
    pub mouse: Option<bool>,
    /// How old records of a store may become, in nanoseconds.
    pub retention_age: Option<i64>,
    /// How large a store may become, in bytes.
    pub retention_size: Option<u64>,
    /// Hosts and networks that chaos runs may reach, beside loopback.
    pub chaos_allow: Option<Vec<String>>,
    /// Whether what looks like production may be reached once its exact name was typed.
    pub chaos_allow_production: Option<bool>,
}

/// Everything that is settled before a command runs: what was typed, then the environment, then the configuration file.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    pub config: Config,
    /// Where the configuration was looked for.
    pub config_file: Option<PathBuf>,
    pub mistakes: Vec<Mistake>,
    pub theme: Option<String>,
    pub zone: Zone,
    pub color: When,
    pub has_progress: bool,
    pub is_quiet: bool,
}

/// Takes a value out of the file.
type Setter = fn(&mut Config, &DeValue<'_>) -> Result<(), String>;

/// The keys of `config.toml`, with what each is for.
pub const KEYS: [(&str, &str, Setter); 11] = [
    ("theme", "theme of the workstation", |config, value| set(&mut config.theme, text(value).map(str::to_owned))),
    ("tz", "time zone: utc, local, or an offset such as +02:00", |config, value| set(&mut config.tz, zone(value))),
    ("color", "when to use colours: auto, always, never", |config, value| set(&mut config.color, choice(value))),
    ("format", "format of answers", |config, value| set(&mut config.format, choice(value))),
    ("store", "store to use where none is named", |config, value| set(&mut config.store, text(value).map(path))),
    ("progress", "whether progress is shown", |config, value| set(&mut config.progress, truth(value))),
    ("mouse", "whether the workstation takes the mouse", |config, value| set(&mut config.mouse, truth(value))),
    ("retention_age", "how old records may become, such as 7d", |config, value| {
        set(&mut config.retention_age, text(value).and_then(span_of_time::parse))
    }),
    ("retention_size", "how large a store may become, such as 10GB", |config, value| {
        set(&mut config.retention_size, text(value).and_then(bytes))
    }),
    (
        "chaos_allow",
        "hosts and networks that chaos runs may reach, such as [\"*.staging.internal:443\", \"10.1.0.0/16\"]",
        |config, value| set(&mut config.chaos_allow, allowed(value)),
    ),
    (
        "chaos_allow_production",
        "whether a chaos run may reach what looks like production, once its exact name is typed",
        |config, value| set(&mut config.chaos_allow_production, truth(value)),
    ),
];

impl Settings {
    /// Returns the settings for what was typed in `common`. A file that cannot be read is a failure only if it was named.
    pub fn load(common: &CommonArgs) -> Result<Self, Failure> {
        let config_file = common.config.clone().or_else(default_file);
        let (config, mistakes) = match &config_file {
            Some(file) => read(file, common.config.is_some())?,
            None => Default::default(),
        };
        Ok(Self {
            theme: common.theme.clone().or_else(|| config.theme.clone()),
            zone: common.tz.or(config.tz).unwrap_or_default(),
            color: common.color.or(config.color).unwrap_or_default(),
            has_progress: !common.no_progress && !common.quiet && config.progress.unwrap_or(true),
            is_quiet: common.quiet,
            config,
            config_file,
            mistakes,
        })
    }
}

/// Returns the folders of riftline as XDG names them.
#[must_use]
pub fn folders() -> Option<ProjectDirs> {
    ProjectDirs::from("", "", "riftline")
}

fn default_file() -> Option<PathBuf> {
    Some(folders()?.config_dir().join("config.toml"))
}

fn read(file: &Path, is_named: bool) -> Result<(Config, Vec<Mistake>), Failure> {
    match std::fs::read_to_string(file) {
        Ok(text) => Ok(parse(&text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => Ok(Default::default()),
        Err(error) => Err(Failure::usage(format!("read configuration {}: {error}", file.display()))),
    }
}

/// Reads the text of a configuration file. Every mistake is found in one go; what is right counts.
#[must_use]
pub fn parse(source: &str) -> (Config, Vec<Mistake>) {
    let mut config = Config::default();
    let (table, errors) = DeTable::parse_recoverable(source);
    let mut mistakes: Vec<Mistake> = errors.iter().map(|error| Mistake::toml(source, error)).collect();
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        match KEYS.iter().find(|(known, ..)| *known == name) {
            Some((.., setter)) => mistakes.extend(
                setter(&mut config, value.get_ref())
                    .err()
                    .map(|reason| Mistake::error(source, &value.span(), format!("{name}: {reason}"))),
            ),
            None => mistakes.push(Mistake::warning(source, &key.span(), unknown(name))),
        }
    }
    mistakes.sort_by_key(|mistake| mistake.line);
    (config, mistakes)
}

fn unknown(name: &str) -> String {
    match suggestion(name, KEYS.map(|(known, ..)| known)) {
        none if none.is_empty() => {
            format!("unknown key `{name}`; known are {}", KEYS.map(|(known, ..)| known).join(", "))
        }
        near => format!("unknown key `{name}`{near}"),
    }
}

fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("expected a text in quotes, found {}", value.type_str()))
}

fn truth(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false, found {}", value.type_str()))
}

/// Reads an allow-list; an entry that covers too much is a mistake.
fn allowed(value: &DeValue<'_>) -> Result<Vec<String>, String> {
    let list = value.as_array().ok_or_else(|| format!("expected a list of texts, found {}", value.type_str()))?;
    let entry = |value: &toml::Spanned<DeValue<'_>>| {
        let entry = text(value.get_ref())?;
        Allowed::parse(entry).map_err(|error| error.to_string())?;
        Ok(entry.to_owned())
    };
    list.iter().map(entry).collect()
}

fn choice<T: ValueEnum>(value: &DeValue<'_>) -> Result<T, String> {
    let name = text(value)?;
    T::from_str(name, false).map_err(|_| {
        let names: Vec<String> =
            T::value_variants().iter().filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned())).collect();
        format!("`{name}` is not one of {}", names.join(", "))
    })
}

fn zone(value: &DeValue<'_>) -> Result<Zone, String> {
    text(value)?.parse().map_err(|error: ParseZoneError| error.to_string())
}

/// Reads a number of bytes: `500MB`, `10GB`, `2GiB`.
fn bytes(text: &str) -> Result<u64, String> {
    const UNITS: [(&str, f64); 8] = [
        ("KiB", 1024.0),
        ("MiB", 1_048_576.0),
        ("GiB", 1_073_741_824.0),
        ("TiB", 1_099_511_627_776.0),
        ("kB", 1e3),
        ("MB", 1e6),
        ("GB", 1e9),
        ("TB", 1e12),
    ];
    let wrong = || format!("`{text}` is no size: write a number with a unit, such as 500MB or 10GB");
    let unit = UNITS.iter().find_map(|(unit, size)| Some((text.trim().strip_suffix(unit)?, size)));
    let (number, size) = unit.ok_or_else(wrong)?;
    let number: f64 = number.trim().parse().map_err(|_| wrong())?;
    if number.is_finite() && number > 0.0 { Ok((number * size) as u64) } else { Err(wrong()) }
}

fn set<T>(place: &mut Option<T>, value: Result<T, String>) -> Result<(), String> {
    value.map(|value| *place = Some(value))
}

/// Expands `~/` as a shell would.
fn path(text: &str) -> PathBuf {
    let home = || directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match text.strip_prefix("~/") {
        Some(rest) => home().map_or_else(|| PathBuf::from(text), |home| home.join(rest)),
        None => PathBuf::from(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "theme = 'night'\ntz = '+02:00'\ncolor = 'never'\nformat = 'csv'\nstore = '/tmp/a.rift'\nprogress = false\nmouse = true\nretention_age = '7d'\nretention_size = '1.5GB'\nchaos_allow = ['10.1.0.0/16']\nchaos_allow_production = false\n";
        let (config, mistakes) = parse(text);
        assert_eq!(mistakes, []);
        let expected = Config {
            theme: Some("night".to_owned()),
            tz: Some(Zone::Fixed(7_200)),
            color: Some(When::Never),
            format: Some(Format::Csv),
            store: Some(PathBuf::from("/tmp/a.rift")),
            progress: Some(false),
            mouse: Some(true),
            retention_age: Some(7 * 86_400_000_000_000),
            retention_size: Some(1_500_000_000),
            chaos_allow: Some(vec!["10.1.0.0/16".to_owned()]),
            chaos_allow_production: Some(false),
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn every_mistake_has_its_place_and_the_rest_counts() {
        let text = "theme = 3\n\ncolour = 'never'\n  format = 'xml'\nmouse = true\n";
        let (config, mistakes) = parse(text);
        let shown: Vec<_> =
            mistakes.iter().map(|mistake| (mistake.line, mistake.message.as_str(), mistake.is_warning)).collect();
        assert_eq!(
            shown,
            [
                (1, "theme: expected a text in quotes, found integer", false),
                (3, "unknown key `colour` (did you mean `color`?)", true),
                (4, "format: `xml` is not one of table, json, ndjson, csv, markdown, parquet, arrow", false),
            ]
        );
        assert_eq!(config.mouse, Some(true));
    }

    #[test]
    fn broken_toml_names_the_line() {
        let (_, mistakes) = parse("theme = 'a'\nmouse = \n");
        assert_eq!(mistakes.first().map(|mistake| mistake.line), Some(2), "{mistakes:?}");
    }
}
