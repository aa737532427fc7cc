//! `riftline findings --dry-run`: what the rules of a folder would change.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use riftline_queries::desk::{Desk, Question};
use riftline_queries::detect::Rules;
use riftline_queries::table::{Cell, Column, Table, Values};

use super::super::{Context, answer, say, source};
use super::chosen;
use crate::cli::FindingsArgs;
use crate::error::Failure;
use crate::rules;

/// What is compared of a finding: severity, occurrences, confidence.
type Said = (String, i64, f64);

/// Prints the findings that come, go or change with the rules of `folder`. The store keeps its own.
pub(super) fn run(args: &FindingsArgs, folder: &Path, context: &Context) -> Result<(), Failure> {
    let (tried, mistakes) = Rules::with_folder(folder);
    for mistake in &mistakes {
        say::warning(context, &format!("{}:{}: {}", mistake.path.display(), mistake.line, mistake.message));
    }
    let (store, _temporary) = source::open_here(&args.from, context)?;
    let question = Question::Findings(chosen(args));
    let ask = || store.ask(&question, &context.cancel).map_err(|error| Failure::asking(error, None));
    store.set_rules(rules::load().0);
    let before = ask()?;
    store.set_rules(Arc::new(tried));
    let after = ask();
    store.set_rules(rules::load().0);
    ask()?;
    drop(store);
    answer::give(&difference(&before, &after?), args.print, context)
}

fn difference(before: &Table, after: &Table) -> Table {
    let (before, after) = (by_subject(before), by_subject(after));
    let keys: std::collections::BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
    let mut columns: [Vec<Option<Box<str>>>; 5] = Default::default();
    for key in keys {
        let (old, new) = (before.get(&key), after.get(&key));
        let change = match (old, new) {
            (None, _) => "new",
            (_, None) => "gone",
            (Some(old), Some(new)) if old == new => "same",
            _ => "changed",
        };
        let cells = [change.to_owned(), key.0, key.1, said(old), said(new)];
        columns.iter_mut().zip(cells).for_each(|(column, cell)| column.push(Some(cell.into())));
    }
    let names = ["change", "rule", "subject", "before", "after"];
    let column =
        |(name, values): (&str, Vec<Option<Box<str>>>)| Column { name: name.to_owned(), values: Values::Text(values) };
    Table { columns: names.into_iter().zip(columns).map(column).collect(), is_cut: false }
}

fn said(finding: Option<&Said>) -> String {
    finding.map_or_else(String::new, |(severity, occurrences, confidence)| {
        format!("{severity} {occurrences} {confidence:.2}")
    })
}

fn by_subject(table: &Table) -> BTreeMap<(String, String), Said> {
    let text = |row: usize, name: &str| match table.get(row, name) {
        Cell::Text(text) => text.to_owned(),
        _ => String::new(),
    };
    let finding = |row: usize| {
        let occurrences = if let Cell::Int(count) = table.get(row, "occurrences") { count } else { 0 };
        let confidence = if let Cell::Double(share) = table.get(row, "confidence") { share } else { 0.0 };
        ((text(row, "rule"), text(row, "subject")), (text(row, "severity"), occurrences, confidence))
    };
    (0..table.num_rows()).map(finding).collect()
}
