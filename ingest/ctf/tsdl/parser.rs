//! What all parts of the grammar share: looking at words, names of types and where they are known.

use std::collections::HashMap;
use std::rc::Rc;

use super::lexer::Token;
use super::{Error, at_line};
use crate::ctf::model::{Class, MAX_DEPTH};

/// Reads words one after the other.
pub(crate) struct Parser {
    tokens: Vec<(Token, usize)>,
    at: usize,
    /// Names of types, those of the innermost block last. Structures, variants and enumerations are known as `struct name`.
    scopes: Vec<HashMap<String, Rc<Class>>>,
    depth: usize,
}

/// A value that is no type.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i128),
    Text(String),
    /// A name, or several with dots.
    Name(String),
}

impl Parser {
    pub(crate) fn new(tokens: Vec<(Token, usize)>) -> Self {
        Self { tokens, at: 0, scopes: vec![HashMap::new()], depth: 0 }
    }

    pub(crate) fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    pub(crate) fn peek_second(&self) -> Option<&Token> {
        self.tokens.get(self.at + 1).map(|(token, _)| token)
    }

    pub(crate) fn next(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.at += 1;
        token
    }

    pub(crate) fn error(&self, reason: &str) -> Error {
        let (_, line) =
            self.tokens.get(self.at).or(self.tokens.last()).map_or((None, 1), |(token, line)| (Some(token), *line));
        at_line(line, reason)
    }

    pub(crate) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    pub(crate) fn is_name(&self, name: &str) -> bool {
        matches!(self.peek(), Some(Token::Name(found)) if found == name)
    }

    /// Goes past `sign` if it comes next.
    pub(crate) fn take_sign(&mut self, sign: &str) -> bool {
        let is_next = self.is_sign(sign);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn take_name(&mut self, name: &str) -> bool {
        let is_next = self.is_name(name);
        self.at += usize::from(is_next);
        is_next
    }

    pub(crate) fn expect(&mut self, sign: &str) -> Result<(), Error> {
        if self.take_sign(sign) { Ok(()) } else { Err(self.error(&format!("expected {sign}"))) }
    }

    pub(crate) fn name(&mut self) -> Result<String, Error> {
        if let Some(Token::Name(name)) = self.next() {
            return Ok(name);
        }
        self.at = self.at.saturating_sub(1);
        Err(self.error("expected a name"))
    }

    /// Reads names with dots (or arrows) between them.
    pub(crate) fn path(&mut self) -> Result<String, Error> {
        let mut path = self.name()?;
        while self.take_sign(".") || self.take_sign("->") {
            path.push('.');
            path.push_str(&self.name()?);
        }
        Ok(path)
    }

    pub(crate) fn value(&mut self) -> Result<Value, Error> {
        if matches!(self.peek(), Some(Token::Name(_))) {
            return self.path().map(Value::Name);
        }
        if let Some(Token::Text(text)) = self.peek() {
            let text = text.clone();
            self.at += 1;
            return Ok(Value::Text(text));
        }
        self.int().map(Value::Int)
    }

    /// Reads a number with or without sign.
    pub(crate) fn int(&mut self) -> Result<i128, Error> {
        let is_negative = self.take_sign("-");
        self.take_sign("+");
        match self.peek() {
            Some(&Token::Number(number)) => {
                self.at += 1;
                Ok(if is_negative { -i128::from(number) } else { i128::from(number) })
            }
            _ => Err(self.error("expected a number")),
        }
    }

    /// Runs `read` one level deeper, with names of types of its own.
    pub(crate) fn nested<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        if self.depth >= MAX_DEPTH {
            return Err(self.error("nested too deep"));
        }
        self.depth += 1;
        self.scopes.push(HashMap::new());
        let result = read(self);
        self.scopes.pop();
        self.depth -= 1;
        result
    }

    pub(crate) fn declare(&mut self, name: String, class: Rc<Class>) -> Result<(), Error> {
        let error = self.error(&format!("{name} is declared twice"));
        match self.scopes.last_mut().and_then(|scope| scope.insert(name, class)) {
            Some(_) => Err(error),
            None => Ok(()),
        }
    }

    pub(crate) fn find(&self, name: &str) -> Result<Rc<Class>, Error> {
        let found = self.scopes.iter().rev().find_map(|scope| scope.get(name));
        found.cloned().ok_or_else(|| self.error(&format!("type {name} is not declared")))
    }

    pub(crate) fn is_over(&self) -> bool {
        self.at >= self.tokens.len()
    }
}
