//! Configuration: `config.toml` in the configuration folder, under what is typed and what the environment says.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use directories::ProjectDirs;
use toml::de::{DeTable, DeValue};

use crate::cli::parse::distance;
use crate::cli::{CommonArgs, When};
use crate::error::Failure;
use crate::format::Format;
use crate::humane::Zone;

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
}

/// A mistake in a file that users write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    pub file: String,
    /// 1-based; 0 where the whole file is meant.
    pub line: usize,
    /// 1-based, in characters; 0 where the whole line is meant.
    pub column: usize,
    pub message: String,
    /// Nothing breaks, but something is not as its writer thinks.
    pub is_warning: bool,
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
pub const KEYS: [(&str, &str, Setter); 7] = [
    ("theme", "theme of the workstation", |config, value| Ok(config.theme = Some(text(value)?.to_owned()))),
    ("tz", "time zone: utc, local, or an offset such as +02:00", |config, value| {
        Ok(config.tz = Some(text(value)?.parse().map_err(|error: crate::humane::ParseZoneError| error.to_string())?))
    }),
    ("color", "when to use colours: auto, always, never", |config, value| Ok(config.color = Some(choice(value)?))),
    ("format", "format of answers", |config, value| Ok(config.format = Some(choice(value)?))),
    ("store", "store to use where none is named", |config, value| Ok(config.store = Some(path(text(value)?)))),
    ("progress", "whether progress is shown", |config, value| Ok(config.progress = Some(truth(value)?))),
    ("mouse", "whether the workstation takes the mouse", |config, value| Ok(config.mouse = Some(truth(value)?))),
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
        Ok(text) => Ok(parse(&text, &file.display().to_string())),
        Err(error) if error.kind() == io::ErrorKind::NotFound && !is_named => Ok(Default::default()),
        Err(error) => Err(Failure::usage(format!("read configuration {}: {error}", file.display()))),
    }
}

/// Reads the text of a configuration file. Every mistake is found in one go; what is right counts.
#[must_use]
pub fn parse(text: &str, file: &str) -> (Config, Vec<Mistake>) {
    let mut config = Config::default();
    let (table, errors) = DeTable::parse_recoverable(text);
    let mut mistakes: Vec<Mistake> = errors
        .iter()
        .map(|error| Mistake::at(file, text, error.span().map_or(0, |span| span.start), error.message()))
        .collect();
    for (key, value) in table.get_ref() {
        let name: &str = key.get_ref();
        match KEYS.iter().find(|(known, ..)| *known == name) {
            Some((.., set)) => {
                if let Err(reason) = set(&mut config, value.get_ref()) {
                    mistakes.push(Mistake::at(file, text, value.span().start, &format!("{name}: {reason}")));
                }
            }
            None => mistakes.push(Mistake { is_warning: true, ..unknown(file, text, key.span().start, name) }),
        }
    }
    mistakes.sort_by_key(|mistake| (mistake.line, mistake.column));
    (config, mistakes)
}

fn unknown(file: &str, text: &str, at: usize, name: &str) -> Mistake {
    let nearest = KEYS.iter().map(|(known, ..)| (distance(known, name), *known)).min();
    let hint = match nearest {
        Some((changes, known)) if changes <= 2 => format!("; did you mean `{known}`?"),
        _ => format!("; known are {}", KEYS.map(|(known, ..)| known).join(", ")),
    };
    Mistake::at(file, text, at, &format!("unknown key `{name}`{hint}"))
}

fn text<'a>(value: &'a DeValue<'_>) -> Result<&'a str, String> {
    value.as_str().ok_or_else(|| format!("expected a text in quotes, found {}", value.type_str()))
}

fn truth(value: &DeValue<'_>) -> Result<bool, String> {
    value.as_bool().ok_or_else(|| format!("expected true or false, found {}", value.type_str()))
}

fn choice<T: ValueEnum>(value: &DeValue<'_>) -> Result<T, String> {
    let name = text(value)?;
    T::from_str(name, false).map_err(|_| {
        let names: Vec<String> =
            T::value_variants().iter().filter_map(|one| Some(one.to_possible_value()?.get_name().to_owned())).collect();
        format!("`{name}` is not one of {}", names.join(", "))
    })
}

/// Expands `~/` as a shell would.
fn path(text: &str) -> PathBuf {
    let home = || directories::UserDirs::new().map(|dirs| dirs.home_dir().to_owned());
    match text.strip_prefix("~/") {
        Some(rest) => home().map_or_else(|| PathBuf::from(text), |home| home.join(rest)),
        None => PathBuf::from(text),
    }
}

impl Mistake {
    /// Returns a mistake at byte `at` of `text`.
    #[must_use]
    pub fn at(file: &str, text: &str, at: usize, message: &str) -> Self {
        let before = text.get(..at).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let column = before.get(line_start..).unwrap_or_default().chars().count() + 1;
        let line = before.matches('\n').count() + 1;
        Self { file: file.to_owned(), line, column, message: message.trim().replace('\n', ", "), is_warning: false }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = if self.is_warning { "warning: " } else { "" };
        match (self.line, self.column) {
            (0, _) => write!(formatter, "{}: {kind}{}", self.file, self.message),
            (line, 0) => write!(formatter, "{}:{line}: {kind}{}", self.file, self.message),
            (line, column) => write!(formatter, "{}:{line}:{column}: {kind}{}", self.file, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_read() {
        let text = "theme = 'night'\ntz = '+02:00'\ncolor = 'never'\nformat = 'csv'\nstore = '/tmp/a.rift'\nprogress = false\nmouse = true\n";
        let (config, mistakes) = parse(text, "config.toml");
        assert_eq!(mistakes, []);
        let expected = Config {
            theme: Some("night".to_owned()),
            tz: Some(Zone::Fixed(7_200)),
            color: Some(When::Never),
            format: Some(Format::Csv),
            store: Some(PathBuf::from("/tmp/a.rift")),
            progress: Some(false),
            mouse: Some(true),
        };
        assert_eq!(config, expected);
    }

    #[test]
    fn every_mistake_has_its_place_and_the_rest_counts() {
        let text = "theme = 3\n\ncolour = 'never'\n  format = 'xml'\nmouse = true\n";
        let (config, mistakes) = parse(text, "c");
        let shown: Vec<String> = mistakes.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "c:1:9: theme: expected a text in quotes, found integer",
                "c:3:1: warning: unknown key `colour`; did you mean `color`?",
                "c:4:12: format: `xml` is not one of table, json, ndjson, csv, markdown, parquet, arrow",
            ]
        );
        assert_eq!(config.mouse, Some(true));
    }

    #[test]
    fn broken_toml_names_the_line() {
        let (_, mistakes) = parse("theme = 'a'\nmouse = \n", "c");
        assert_eq!(mistakes.first().map(|mistake| mistake.line), Some(2), "{mistakes:?}");
    }
}
