//! Colours of SQL: a rough scanner, one line at a time; it judges nothing.

use crate::theme::Role;

/// Words that SQL gives a meaning, as this console's users write them.
pub const KEYWORDS: &[&str] = &[
    "all",
    "and",
    "as",
    "asc",
    "between",
    "by",
    "case",
    "cast",
    "coalesce",
    "count",
    "cross",
    "desc",
    "describe",
    "distinct",
    "else",
    "end",
    "except",
    "exists",
    "explain",
    "false",
    "filter",
    "from",
    "full",
    "group",
    "having",
    "ilike",
    "in",
    "inner",
    "intersect",
    "interval",
    "is",
    "join",
    "lateral",
    "left",
    "like",
    "limit",
    "not",
    "null",
    "offset",
    "on",
    "or",
    "order",
    "outer",
    "over",
    "partition",
    "pivot",
    "qualify",
    "recursive",
    "right",
    "select",
    "semi",
    "show",
    "summarize",
    "then",
    "true",
    "union",
    "unnest",
    "unpivot",
    "using",
    "values",
    "when",
    "where",
    "window",
    "with",
    "within",
];

/// Returns the parts of `line` with their roles; `is_open` tells whether a block comment is open, before and after.
pub fn line<'a>(line: &'a str, is_open: &mut bool) -> Vec<(&'a str, Role)> {
    let mut parts = Vec::new();
    let mut rest = line;
    while !rest.is_empty() {
        let (len, role) = if *is_open { block(rest, is_open) } else { token(rest, is_open) };
        let (part, after) = rest.split_at(len.clamp(1, rest.len()));
        parts.push((part, role));
        rest = after;
    }
    parts
}

/// Returns the length of the rest of a block comment.
fn block(rest: &str, is_open: &mut bool) -> (usize, Role) {
    let end = rest.find("*/");
    *is_open = end.is_none();
    (end.map_or(rest.len(), |end| end + 2), Role::Comment)
}

fn token(rest: &str, is_open: &mut bool) -> (usize, Role) {
    let first = rest.chars().next().unwrap_or(' ');
    match first {
        _ if rest.starts_with("--") => (rest.len(), Role::Comment),
        _ if rest.starts_with("/*") => {
            *is_open = true;
            block(rest, is_open)
        }
        '\'' => (quoted(rest, '\''), Role::Literal),
        '"' => (quoted(rest, '"'), Role::Name),
        '0'..='9' => (run(rest, |letter| letter.is_alphanumeric() || letter == '.' || letter == '_'), Role::Literal),
        _ if first.is_alphabetic() || first == '_' => {
            let len = run(rest, is_word);
            let is_keyword = rest.get(..len).is_some_and(is_keyword);
            (len, if is_keyword { Role::Keyword } else { Role::Name })
        }
        _ => (first.len_utf8(), Role::Text),
    }
}

/// Tells whether `letter` can be part of a name.
pub fn is_word(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_'
}

fn is_keyword(word: &str) -> bool {
    KEYWORDS.contains(&word.to_lowercase().as_str())
}

fn run(text: &str, is_in: impl Fn(char) -> bool) -> usize {
    text.find(|letter| !is_in(letter)).unwrap_or(text.len())
}

/// Returns the length of a quoted text, its quotes included; to the end of the line where it is not closed.
fn quoted(rest: &str, quote: char) -> usize {
    rest.char_indices().skip(1).find(|(_, letter)| *letter == quote).map_or(rest.len(), |(at, _)| at + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_line_are_told_apart_and_nothing_is_lost() {
        let text = "SELECT \"a b\", 'it', 12.5 /* x";
        let mut is_open = false;
        let parts = line(text, &mut is_open);
        assert!(is_open);
        assert_eq!(parts.iter().map(|(part, _)| *part).collect::<String>(), text);
        let roles: Vec<Role> = parts.iter().filter(|(part, _)| part.trim().len() > 1).map(|(_, role)| *role).collect();
        assert_eq!(roles, [Role::Keyword, Role::Name, Role::Literal, Role::Literal, Role::Comment]);
        assert_eq!(line("y */ from", &mut is_open)[0], ("y */", Role::Comment));
        assert!(!is_open);
        assert_eq!(line("é日'open", &mut is_open).len(), 2);
    }
}
