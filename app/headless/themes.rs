//! `riftline themes`: the themes there are, the user's own and those that come with riftline.

use riftline_queries::table::{Column, Table, Values};

use super::{Context, answer};
use crate::cli::PrintArgs;
use crate::config;
use crate::error::Failure;
use crate::theme::catalog::{DEFAULT, Themes};

/// Prints a row a theme.
pub fn run(print: PrintArgs, context: &Context) -> Result<(), Failure> {
    answer::give(&table(&themes(context), context), print, context)
}

/// Returns where themes are found, in the colours that this terminal shows.
#[must_use]
pub fn themes(context: &Context) -> Themes {
    let folder = config::folders().map(|folders| folders.config_dir().join("themes"));
    Themes { folder, depth: context.color_depth() }
}

fn table(themes: &Themes, context: &Context) -> Table {
    let current = context.settings.theme.as_deref().unwrap_or(DEFAULT);
    let names = themes.names();
    let text =
        |value: &dyn Fn(&str) -> String| Values::Text(names.iter().map(|name| Some(value(name).into())).collect());
    let description = |name: &str| themes.load(name).map_or_else(|error| error.to_string(), |theme| theme.doc.clone());
    let columns = vec![
        Column { name: "theme".to_owned(), values: text(&|name| name.to_owned()) },
        Column { name: "description".to_owned(), values: text(&description) },
        Column {
            name: "is_current".to_owned(),
            values: Values::Bool(names.iter().map(|name| Some(name == current)).collect()),
        },
    ];
    Table { columns, is_cut: false }
}
