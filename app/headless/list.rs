//! `riftline traces`, `services`, `edges`, `logs`, `flows`: the views as tables.

use riftline_queries::desk::{Question, Selection};

use super::{Context, answer, source};
use crate::cli::ListArgs;
use crate::error::Failure;

/// Prints the rows of one view that were asked for.
pub fn run(args: &ListArgs, question: fn(Selection) -> Question, context: &Context) -> Result<(), Failure> {
    let limit = answer::limit(args.select.limit);
    let selection = Selection {
        traceql: args.select.traceql.clone(),
        since_ns: args.select.since,
        // One more than is printed tells whether there were more.
        limit: Some(limit + 1),
    };
    let text = args.select.traceql.as_deref();
    let (table, read) = source::ask(&args.from, &question(selection), text, context)?;
    let table = answer::cut(table, limit, args.select.limit.is_some());
    answer::give(&table, args.print, context)?;
    read
}
