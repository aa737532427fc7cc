//! Named queries: those that come with riftline and those of the user's folder.

use std::path::PathBuf;

use riftline_queries::catalog::{Catalog, Mistake, NamedQuery};
use riftline_queries::header::Parameter;
use riftline_queries::table::{Column, Table, Values};

use super::{Context, say};
use crate::config;
use crate::error::Failure;

/// What a store holds, in one row.
pub const SUMMARY: &str = "\
select
  (select count(*) from spans) as spans,
  (select count(*) from traces) as traces,
  (select count(distinct service) from spans) as services,
  (select count(*) from logs) as logs,
  (select count(*) from metrics) as metrics,
  (select count(*) from sources) as sources,
  (select count(*) from rejects) as rejects,
  (select min(start) from spans) as first,
  (select max(start) from spans) as last";

/// Returns the folder of the user's own queries.
#[must_use]
pub fn folder() -> Option<PathBuf> {
    Some(config::folders()?.config_dir().join("queries"))
}

/// Returns all named queries, and what is wrong with the user's own.
#[must_use]
pub fn catalog() -> (Catalog, Vec<Mistake>) {
    folder().map_or_else(|| (Catalog::bundled(), Vec::new()), |folder| Catalog::with_folder(&folder))
}

/// Returns the SQL of the query `name` with its parameters filled in.
pub fn sql(name: &str, parameters: &[(String, String)], context: &Context) -> Result<String, Failure> {
    let catalog = warned(context);
    let query =
        catalog.find(name).map_err(|error| Failure::usage(format!("{error}; `riftline query --list` lists them")))?;
    query.bind(parameters).map_err(|error| Failure::usage(error.to_string()))
}

/// Returns a table with a row a query.
#[must_use]
pub fn table(context: &Context) -> Table {
    let catalog = warned(context);
    let text = |value: fn(&NamedQuery) -> String| {
        Values::Text(catalog.queries().iter().map(|query| Some(value(query).into())).collect())
    };
    let columns = [
        ("name", text(|query| query.name.clone())),
        ("title", text(|query| query.header.title.clone())),
        ("parameters", text(|query| query.header.parameters.iter().map(parameter).collect::<Vec<_>>().join(" "))),
        ("description", text(|query| query.header.description.clone())),
        ("file", Values::Text(catalog.queries().iter().map(file).collect())),
    ];
    let columns = columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect();
    Table { columns, is_cut: false }
}

fn parameter(parameter: &Parameter) -> String {
    format!("{}={}", parameter.name, parameter.default)
}

fn file(query: &NamedQuery) -> Option<Box<str>> {
    Some(query.path.as_ref()?.display().to_string().into())
}

fn warned(context: &Context) -> Catalog {
    let (catalog, mistakes) = catalog();
    for mistake in mistakes {
        say::warning(context, &format!("{}:{}: {}", mistake.path.display(), mistake.line, mistake.message));
    }
    catalog
}
