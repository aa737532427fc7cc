//! `riftline man` and `docs/cli.md`: made from the definitions of the command line.

use std::fmt::Write as _;
use std::io;

use clap::{Arg, Command, CommandFactory};

use super::answer;
use crate::cli::Cli;
use crate::error::Failure;

/// Prints the manual page: riftline itself, then each command.
pub fn run() -> Result<(), Failure> {
    let page = page()?;
    answer::write_out(|out| Ok(out.write_all(&page)?))
}

fn page() -> io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    for sub in command.get_subcommands() {
        let man = clap_mangen::Man::new(sub.clone());
        let heading = format!(".SH \"RIFTLINE {}\"\n", sub.get_name().to_uppercase());
        page.extend_from_slice(heading.as_bytes());
        man.render_synopsis_section(&mut page)?;
        man.render_description_section(&mut page)?;
        man.render_options_section(&mut page)?;
    }
    Ok(page)
}

/// Returns the text of `docs/cli.md`.
#[must_use]
pub fn markdown() -> String {
    let mut command = Cli::command();
    command.build();
    let mut text = String::from(HEAD);
    describe(&command, &mut text);
    for sub in command.get_subcommands() {
        describe(sub, &mut text);
    }
    text
}

const HEAD: &str = "# Command line

Made from the definitions in `app/cli.rs`: `RIFTLINE_BLESS=1 cargo test --release cli_md` writes this file anew.

Data goes to stdout, everything else to stderr. Keys of ndjson are the names of the columns; times are RFC 3339 with nanoseconds, durations are
integers in nanoseconds with `_ns` at the end of their name. Same input and same options give the same bytes (free SQL under its own `ORDER BY`).
Whatever is printed on a terminal is inert. A pipe that is closed ends the command quietly.

| exit | meaning |
| --- | --- |
| 0 | done |
| 1 | done, and the answer is no: nothing has the id that was asked for, `check` found mistakes |
| 2 | usage: unknown option, bad query (with the place under a caret) |
| 3 | input: nothing readable in a source; with `--strict` also if a single record was refused |
| 4 | store: held by another program (says which; a riftline that holds it is asked instead), damaged, written by a newer version |
| 5 | refused for safety |
| 130, 143 | stopped by a signal, everything undone first |
";

fn describe(command: &Command, text: &mut String) {
    let name = command.get_bin_name().unwrap_or("riftline");
    let about = command.get_long_about().or(command.get_about()).map(ToString::to_string).unwrap_or_default();
    let _ = write!(text, "\n## {name}\n\n{about}\n\n");
    let _ = write!(text, "```\n{}\n```\n\n", usage(command));
    let _ = write!(text, "| option | environment | meaning |\n| --- | --- | --- |\n");
    let is_common = |arg: &&Arg| arg.is_global_set() || matches!(arg.get_id().as_str(), "help" | "version");
    let is_root = name == "riftline";
    for arg in command.get_arguments().filter(|arg| is_root || !is_common(arg)) {
        let _ = writeln!(text, "{}", row(arg));
    }
}

fn usage(command: &Command) -> String {
    let usage = command.clone().render_usage().to_string();
    usage.trim_start_matches("Usage: ").trim().replace("\n       ", "\n")
}

fn row(arg: &Arg) -> String {
    let value = || arg.get_value_names().unwrap_or_default().iter().flat_map(|name| [" ", name]).collect::<String>();
    let takes_value = arg.get_action().takes_values();
    let shown = match (arg.get_long(), arg.get_short()) {
        (Some(long), Some(short)) => format!("-{short}, --{long}{}", if takes_value { value() } else { String::new() }),
        (Some(long), None) => format!("--{long}{}", if takes_value { value() } else { String::new() }),
        _ => value().trim().to_owned(),
    };
    let environment = arg.get_env().map(|name| format!("`{}`", name.to_string_lossy())).unwrap_or_default();
    let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
    let values: Vec<String> = arg.get_possible_values().iter().map(|value| value.get_name().to_owned()).collect();
    let values = if takes_value && !values.is_empty() { format!(": {}", values.join(", ")) } else { String::new() };
    format!("| `{}` | {environment} | {}{values} |", shown.replace('|', "\\|"), help.replace('|', "\\|"))
}
