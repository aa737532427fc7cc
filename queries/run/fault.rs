//! DuckDB's errors as ours: whose fault it is, and where in the SQL.

use crate::error::AskError;

/// Kinds of errors that the text of the question causes.
const OF_THE_QUESTION: [&str; 13] = [
    "Parser Error",
    "Syntax Error",
    "Binder Error",
    "Catalog Error",
    "Conversion Error",
    "Invalid Input Error",
    "Invalid Error",
    "Invalid type Error",
    "Mismatch Type Error",
    "Out of Range Error",
    "Not implemented Error",
    "Expression Error",
    "Constraint Error",
];

/// Returns `error`, which running `sql` gave, as an answer.
pub(super) fn fault(sql: &str, error: &duckdb::Error) -> AskError {
    let text = match error {
        duckdb::Error::DuckDBFailure(_, Some(message)) => message.clone(),
        other => other.to_string(),
    };
    let (kind, message) = text.split_once(": ").unwrap_or(("", &text));
    let message = said(message);
    match kind {
        "INTERRUPT Error" => AskError::Cancelled,
        "Permission Error" => AskError::Refused { reason: message },
        kind if OF_THE_QUESTION.contains(&kind) => AskError::Bad { message, at: place(sql, &text) },
        _ => AskError::Store { message: format!("{kind}: {message}") },
    }
}

/// The message without the copy of the SQL that DuckDB puts below it.
fn said(message: &str) -> String {
    let lines = message.lines().take_while(|line| !is_quotation(line)).map(str::trim);
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("; ")
}

fn is_quotation(line: &str) -> bool {
    quotation(line).is_some()
}

/// Reads `LINE 3: select x` as (3, 8 characters of frame, `select x`).
fn quotation(line: &str) -> Option<(usize, usize, &str)> {
    let (number, quoted) = line.strip_prefix("LINE ")?.split_once(": ")?;
    Some((number.parse().ok()?, line.len() - quoted.len(), quoted))
}

/// Returns the byte of `sql` that the caret below DuckDB's quotation of it points at.
fn place(sql: &str, text: &str) -> Option<usize> {
    let mut lines = text.lines().skip_while(|line| !is_quotation(line));
    let (number, frame, quoted) = quotation(lines.next()?)?;
    let column = lines.next()?.chars().position(|next| next == '^')?.checked_sub(frame)?;
    let line_start = sql.split_inclusive('\n').take(number.checked_sub(1)?).map(str::len).sum::<usize>();
    let line = sql.get(line_start..)?;
    // Long lines are quoted in part, with dots where something was left out.
    let shown = quoted.trim_end_matches("...");
    let (dots, shown) = shown.strip_prefix("...").map_or((0, shown), |shown| (3, shown));
    let from = line.find(shown)?;
    let before: usize = shown.chars().take(column.checked_sub(dots)?).map(char::len_utf8).sum();
    Some(line_start + from + before)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_leads_to_the_byte() {
        let sql = "select 'ü',\n  foo from spans";
        let text = "Binder Error: Referenced column \"foo\" not found in FROM clause!\nCandidate bindings: \"flags\"\n\n\
                    LINE 2:   foo from spans\n          ^";
        assert_eq!(place(sql, text), Some(15));
        assert_eq!(&sql[15..18], "foo");
        let long = format!("select {} foo from spans", "1 + ".repeat(40));
        let text = "Binder Error: no\n\nLINE 1: ...1 + 1 +  foo from spans\n                    ^";
        assert_eq!(place(&long, text).map(|at| &long[at..at + 3]), Some("foo"));
    }

    #[test]
    fn messages_keep_their_hints_and_lose_the_quotation() {
        assert_eq!(
            said("no such column!\nCandidate bindings: \"a\"\n\nLINE 1: x\n        ^"),
            "no such column!; Candidate bindings: \"a\""
        );
    }

    #[test]
    fn kinds_tell_whose_fault_it_is() {
        let of =
            |text: &str| fault("", &duckdb::Error::DuckDBFailure(duckdb::ffi::Error::new(1), Some(text.to_owned())));
        assert_eq!(of("INTERRUPT Error: Interrupted!"), AskError::Cancelled);
        assert_eq!(of("Permission Error: disabled"), AskError::Refused { reason: "disabled".to_owned() });
        assert_eq!(of("Binder Error: no"), AskError::Bad { message: "no".to_owned(), at: None });
        assert_eq!(
            of("Out of Memory Error: full"),
            AskError::Store { message: "Out of Memory Error: full".to_owned() }
        );
    }
}
