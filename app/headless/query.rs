//! `riftline query`: one SELECT, a named query, a TraceQL filter, or what there is to ask.

use std::io::Read;
use std::path::Path;

use riftline_queries::desk::Question;
use riftline_queries::semconv;
use riftline_queries::traceql;

use super::{Context, answer, source};
use crate::cli::{FromArgs, QueryArgs};
use crate::error::Failure;

/// What is asked, in SQL, and what of it the user wrote.
struct Asked {
    sql: String,
    /// The text that a mistake is shown in, where a user wrote it.
    written: Option<String>,
    /// The words that are sources.
    sources: Vec<String>,
}

/// Answers, or lists the named queries.
pub fn run(args: &QueryArgs, context: &Context) -> Result<(), Failure> {
    if args.allow_external {
        return Err(Failure::Refused(
            "reading files and the network from SQL is not offered; read sources with `riftline ingest`".to_owned(),
        ));
    }
    if args.list {
        return answer::give(&super::named::table(context), args.print, context);
    }
    let asked = asked(args, context)?;
    let from = FromArgs { sources: asked.sources, store: args.store.clone() };
    let limit = answer::limit(args.limit);
    let question = Question::Sql { sql: asked.sql, max_rows: Some(limit) };
    let (mut table, read) = source::ask(&from, &question, asked.written.as_deref(), context)?;
    table.is_cut &= args.limit.is_none();
    answer::give(&table, args.print, context)?;
    read
}

fn asked(args: &QueryArgs, context: &Context) -> Result<Asked, Failure> {
    let sources = args.words.clone();
    if let Some(name) = &args.name {
        let (parameters, sources) = split_parameters(sources);
        let sql = super::named::sql(name, &parameters, context)?;
        return Ok(Asked { sql, written: None, sources });
    }
    if let Some(file) = &args.file {
        let sql = read_sql(file)?;
        return Ok(Asked { written: Some(sql.clone()), sql, sources });
    }
    if let Some(filter) = &args.traceql {
        let sql = spans_of(filter)?;
        return Ok(Asked { sql, written: None, sources });
    }
    if args.summary {
        return Ok(Asked { sql: super::named::SUMMARY.to_owned(), written: None, sources });
    }
    first_word_is_sql(sources)
}

fn first_word_is_sql(mut words: Vec<String>) -> Result<Asked, Failure> {
    if words.is_empty() {
        return Err(Failure::usage(
            "nothing asked: write a SELECT, or -n NAME, -f FILE.sql, --traceql FILTER, --list, --summary",
        ));
    }
    let sql = words.remove(0);
    if !sql.contains(char::is_whitespace) && Path::new(&sql).is_file() {
        return Err(Failure::usage(format!("write the SELECT first, then {sql}; -f reads a SELECT from a file")));
    }
    Ok(Asked { written: Some(sql.clone()), sql, sources: words })
}

/// Tells `key=value` from sources: a file of that name is a source.
fn split_parameters(words: Vec<String>) -> (Vec<(String, String)>, Vec<String>) {
    let mut parameters = Vec::new();
    let mut sources = Vec::new();
    for word in words {
        let is_key =
            |key: &str| !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || letter == '_');
        match word.split_once('=') {
            Some((key, value)) if is_key(key) && !Path::new(&word).is_file() => {
                parameters.push((key.to_owned(), value.to_owned()));
            }
            _ => sources.push(word),
        }
    }
    (parameters, sources)
}

fn read_sql(file: &str) -> Result<String, Failure> {
    let mut sql = String::new();
    let read = match file {
        "-" => std::io::stdin().lock().read_to_string(&mut sql).map(|_| ()),
        path => std::fs::read_to_string(path).map(|text| sql = text),
    };
    read.map_err(|error| Failure::Input(format!("read {file}: {error}")))?;
    Ok(sql)
}

/// Returns the SELECT for the spans that match a TraceQL filter, by time.
fn spans_of(filter: &str) -> Result<String, Failure> {
    let query = traceql::parse(filter).map_err(|error| Failure::usage_at(&error.message, filter, Some(error.at)))?;
    let conventions = semconv::conventions();
    let condition = traceql::compile_spans_condition(&query, &conventions);
    let traces = traceql::compile(&query, &conventions);
    Ok(format!(
        "select s.* from spans s where {condition} and s.trace_id in ({traces}) order by s.start_ns, s.trace_id, s.span_id"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn parameters_are_told_from_sources() {
        let (parameters, sources) = split_parameters(words(&["service=a=b", "x.jsonl", "a/b=c", "=x"]));
        assert_eq!(parameters, [("service".to_owned(), "a=b".to_owned())]);
        assert_eq!(sources, words(&["x.jsonl", "a/b=c", "=x"]));
    }

    #[test]
    fn a_filter_that_is_no_traceql_has_a_caret() {
        let failure = spans_of("{ status == error }").unwrap_err();
        assert_eq!(failure.exit_code(), 2);
        assert!(failure.to_string().contains('^'), "{failure}");
    }

    #[test]
    fn nothing_asked_is_a_usage_mistake() {
        let failure = asked(&QueryArgs::default(), &Context::default()).map(|_| ()).unwrap_err();
        assert_eq!(failure.exit_code(), 2);
    }
}
