//! Only one SELECT passes, as DuckDB's own parser reads it.

use duckdb::Connection;
use serde::Deserialize;
use serde::de::IgnoredAny;

use crate::error::AskError;

/// What `json_serialize_sql` says. Its tree is not looked at: it may be nested deeply.
#[derive(Deserialize)]
struct Parsed {
    error: bool,
    #[serde(default)]
    error_type: String,
    #[serde(default)]
    error_message: String,
    position: Option<String>,
    #[serde(default)]
    statements: Vec<IgnoredAny>,
}

/// Fails where `sql` is not exactly one SELECT.
pub(super) fn check(connection: &Connection, sql: &str) -> Result<(), AskError> {
    if let Some(at) = sql.find('\0') {
        return Err(AskError::Bad { message: "a NUL character is not SQL".to_owned(), at: Some(at) });
    }
    let parsed = parse(connection, sql)?;
    match parsed {
        Parsed { error: true, error_type, .. } if error_type == "not implemented" => Err(refused(sql)),
        Parsed { error: true, error_message, position, .. } => {
            let at = position.and_then(|position| position.parse().ok()).filter(|&at| at <= sql.len());
            Err(AskError::Bad { message: error_message, at })
        }
        Parsed { statements, .. } => match statements.len() {
            0 => Err(AskError::Bad { message: "expected a SELECT".to_owned(), at: Some(0) }),
            1 => Ok(()),
            count => Err(AskError::Refused { reason: format!("one SELECT at a time, these are {count}") }),
        },
    }
}

/// Returns where the statement begins, behind spaces and comments.
pub(super) fn begin(sql: &str) -> usize {
    let mut rest = sql.trim_start();
    loop {
        let after = if let Some(comment) = rest.strip_prefix("--") {
            comment.split_once('\n').map_or("", |(_, after)| after)
        } else if rest.starts_with("/*") {
            &rest[comment_len(rest)..]
        } else {
            return sql.len() - rest.len();
        };
        rest = after.trim_start();
    }
}

/// Returns the length of the comment that `text` begins with; comments nest.
fn comment_len(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while let Some(next) = text.get(at..).and_then(|rest| rest.find(['/', '*'])) {
        at += next;
        match text.as_bytes().get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") if depth <= 1 => return at + 2,
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    text.len()
}

fn parse(connection: &Connection, sql: &str) -> Result<Parsed, AskError> {
    let answer: Result<String, _> =
        connection.query_row("SELECT CAST(json_serialize_sql(CAST(? AS VARCHAR)) AS VARCHAR)", [sql], |row| row.get(0));
    let answer = answer.map_err(|error| super::fault::fault(sql, &error))?;
    serde_json::from_str(&answer).map_err(|error| AskError::Store { message: format!("check the SQL: {error}") })
}

fn refused(sql: &str) -> AskError {
    let word: String = sql.chars().take_while(char::is_ascii_alphabetic).take(20).collect();
    let what = if word.is_empty() { String::new() } else { format!(", not {}", word.to_ascii_uppercase()) };
    AskError::Refused { reason: format!("only one SELECT is run{what}: the store cannot be changed by SQL") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_begin_behind_spaces_and_comments() {
        for (sql, rest) in [
            (" \n-- a\n-- b\n select 1", "select 1"),
            ("/* a /* b */ * / c */select", "select"),
            ("-- only", ""),
            ("/* open", ""),
            ("/*", ""),
            ("-1", "-1"),
            ("", ""),
        ] {
            assert_eq!(&sql[begin(sql)..], rest, "{sql}");
        }
    }
}
