//! Mistakes in files that users write (themes, keymap), with the place, for `riftline check` and the screen.

use std::ops::Range;

/// One mistake in a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mistake {
    /// Counted from 1.
    pub line: usize,
    /// A lower-case fragment: what is wrong and what is possible instead.
    pub message: String,
    /// Whether the rest is used all the same.
    pub is_warning: bool,
}

impl Mistake {
    /// Returns a mistake at a byte range of `source` that makes the text unusable.
    #[must_use]
    pub fn error(source: &str, at: &Range<usize>, message: impl Into<String>) -> Self {
        Self { line: line_of(source, at.start), message: message.into(), is_warning: false }
    }

    /// Returns a mistake at a byte range of `source` beside which the rest is used.
    #[must_use]
    pub fn warning(source: &str, at: &Range<usize>, message: impl Into<String>) -> Self {
        Self { is_warning: true, ..Self::error(source, at, message) }
    }

    /// Returns what the TOML parser found wrong with `source`.
    #[must_use]
    pub fn toml(source: &str, error: &toml::de::Error) -> Self {
        Self::error(source, &error.span().unwrap_or(0..0), error.message())
    }
}

/// Returns the line, counted from 1, that the byte `offset` of `source` is in.
fn line_of(source: &str, offset: usize) -> usize {
    source.bytes().take(offset).filter(|&byte| byte == b'\n').count() + 1
}

/// Returns ` (did you mean …?)` where `name` is close to one of `known`, else nothing.
pub fn suggestion<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> String {
    let nearest = known.into_iter().map(|candidate| (distance(name, candidate), candidate)).min();
    match nearest {
        Some((steps, candidate)) if steps <= name.len().div_ceil(3) => format!(" (did you mean `{candidate}`?)"),
        _ => String::new(),
    }
}

/// Returns the one of `known` that is closest to `name`, however far that is.
pub fn nearest<'a>(name: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    known.into_iter().min_by_key(|candidate| distance(name, candidate))
}

/// Returns how many letters have to change to get from one word to the other (Levenshtein).
fn distance(from: &str, to: &str) -> usize {
    let target: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=target.len()).collect();
    for (index, letter) in from.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], index + 1);
        for (column, other) in target.iter().enumerate() {
            let change = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = change.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mistake_names_the_line_it_is_in() {
        assert_eq!(Mistake::error("a\nbc\nd", &(3..4), "x").line, 2);
        assert_eq!(Mistake::error("", &(0..0), "x").line, 1);
    }

    #[test]
    fn a_near_name_is_suggested_and_a_far_one_is_not() {
        assert_eq!(suggestion("acent", ["accent", "error"]), " (did you mean `accent`?)");
        assert_eq!(suggestion("zebra", ["accent", "error"]), "");
    }
}
