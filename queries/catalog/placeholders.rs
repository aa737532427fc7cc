//! Finds `$name` in SQL, outside strings, quoted names and comments.

use crate::header::{HeaderError, is_name};

/// Returns every parameter that `sql` names, with its 1-based line.
pub(super) fn find(sql: &str) -> Result<Vec<(String, usize)>, HeaderError> {
    let mut found = Vec::new();
    for piece in pieces(sql) {
        let line = 1 + sql[..piece.from].matches('\n').count();
        match piece.name {
            Some("") => {
                let message = "$ begins a parameter: expected a name of lower-case letters after it".to_owned();
                return Err(HeaderError { line, message });
            }
            Some(name) => found.push((name.to_owned(), line)),
            None => {}
        }
    }
    Ok(found)
}

/// Returns `sql` with every `$name` replaced.
pub(super) fn replace<E>(sql: &str, mut literal: impl FnMut(&str) -> Result<String, E>) -> Result<String, E> {
    let mut replaced = String::with_capacity(sql.len());
    for piece in pieces(sql) {
        match piece.name {
            Some(name) if is_name(name) => replaced.push_str(&literal(name)?),
            _ => replaced.push_str(piece.text),
        }
    }
    Ok(replaced)
}

struct Piece<'a> {
    from: usize,
    text: &'a str,
    /// The name behind a `$`.
    name: Option<&'a str>,
}

/// Cuts `sql` into parameters, quoted parts, comments and what lies between.
fn pieces(sql: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut from = 0;
    std::iter::from_fn(move || {
        let rest = sql.get(from..).filter(|rest| !rest.is_empty())?;
        let len = piece_len(rest);
        let text = &rest[..len];
        let piece = Piece { from, text, name: text.strip_prefix('$') };
        from += len;
        Some(piece)
    })
}

fn piece_len(rest: &str) -> usize {
    let through = |begin: usize, end: &str| {
        rest.get(begin..).and_then(|inside| inside.find(end)).map_or(rest.len(), |at| begin + at + end.len())
    };
    match rest.as_bytes() {
        [b'\'', ..] => through(1, "'"),
        [b'"', ..] => through(1, "\""),
        [b'-', b'-', ..] => through(2, "\n"),
        [b'/', b'*', ..] => through(2, "*/"),
        [b'$', ..] => {
            let is_part = |next: char| next.is_ascii_alphanumeric() || next == '_';
            rest[1..].find(|next| !is_part(next)).map_or(rest.len(), |end| end + 1)
        }
        // A sign that turned out to begin nothing is a piece of its own.
        [b'-' | b'/', ..] => 1,
        _ => rest.find(['\'', '"', '-', '/', '$']).unwrap_or(rest.len()),
    }
}
