//! TSDL, the language of CTF 1.8 metadata.
//!
//! Specification: <https://diamon.org/ctf/v1.8.3/>. Words and a parser that goes down the grammar and makes field classes at
//! once: every type has to be declared before it is used. What may be declared later (the native byte order, clocks, the
//! fields that lengths and tags refer to) is left open for [`super::resolve`].

mod block;
mod declare;
mod lexer;
mod number;
mod parser;

use super::model::Metadata;

/// What is wrong, with the line.
pub(crate) type Error = String;

/// Returns what the text declares.
pub(crate) fn parse(text: &str) -> Result<Metadata, Error> {
    parser::Parser::new(lexer::tokens(text)?).metadata()
}

fn at_line(line: usize, reason: &str) -> Error {
    format!("line {line}: {reason}")
}
