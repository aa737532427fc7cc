//! Reads a query.
//!
//! ```text
//! query       = conjunction { "||" conjunction } ;
//! conjunction = spanset { "&&" spanset } ;
//! spanset     = "{" [ any ] "}" | "(" query ")" ;
//! any         = all { "||" all } ;
//! all         = term { "&&" term } ;
//! term        = "!" negated | "(" any ")" | operand [ operator operand ] ;
//! negated     = "!" negated | "(" any ")" | attribute ;
//! operand     = field | value ;                      (one of the two operands is a field, the other a value)
//! field       = intrinsic | attribute ;
//! attribute   = [ "span" | "resource" | "event" | "link" | "instrumentation" ] "." key ;
//! key         = { part | '"' quoted '"' } ;          (a part has no space and none of { } ( ) = ~ ! < > & | ^ , ")
//! operator    = "=" | "!=" | "<" | "<=" | ">" | ">=" | "=~" | "!~" ;
//! value       = string | number | duration | "true" | "false" | "nil" | status | kind | "minInt" | "maxInt" ;
//! duration    = [ "-" ] number unit { number unit } ;
//! ```
//!
//! `&&` binds tighter than `||`; Tempo gives both the same rank, so that a query with both and no parentheses may mean
//! something else there. Printing a query always writes the parentheses.

use super::TraceqlError;
use super::ast::{Condition, Field, Operator, Query, Scope, Value};
use super::field::{OPERATORS, SCOPES, find, fit, intrinsic};
use super::literal;
use super::scan::{Scanner, error, is_attribute_char, is_word_char};

/// Deeper nesting of parentheses and negations is refused, so that no query can exhaust the stack.
const MAX_DEPTH: usize = 100;

const STRUCTURAL: [&str; 6] = [">", "<", "~", "!", "&", "with"];

/// Reads `text`.
pub fn parse(text: &str) -> Result<Query, TraceqlError> {
    Parser::new(text).parse()
}

/// What the grammar allows at a place; completion shows it.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expectation {
    Spanset,
    SpansetConnective,
    /// A field, or a value that a field is compared with afterwards.
    Operand,
    Operator(Field),
    Value(Field),
    Connective,
}

pub(super) struct Parser<'a> {
    scanner: Scanner<'a>,
    depth: usize,
    /// What was expected last, and where.
    pub(super) expected: (Expectation, usize),
}

enum Operand {
    Field(Field),
    Value(Value),
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { scanner: Scanner { text, at: 0 }, depth: 0, expected: (Expectation::Spanset, 0) }
    }

    pub(super) fn parse(&mut self) -> Result<Query, TraceqlError> {
        let query = self.query()?;
        match self.scanner.peek() {
            None => Ok(query),
            Some('|') => Err(self.scanner.error("pipelines are not supported yet: only spanset filters, && and ||")),
            Some(')') => Err(self.scanner.error("there is no ( for this )")),
            Some(_) if STRUCTURAL.iter().any(|symbol| self.scanner.rest().starts_with(symbol)) => {
                Err(self.scanner.error("only && and || between spansets are supported yet"))
            }
            Some(_) => Err(self.scanner.error("expected && or || or the end of the query after a spanset")),
        }
    }

    fn query(&mut self) -> Result<Query, TraceqlError> {
        let parts = self.separated("||", &Expectation::SpansetConnective, Self::conjunction)?;
        Ok(one_or(parts, Query::Any))
    }

    fn conjunction(&mut self) -> Result<Query, TraceqlError> {
        let parts = self.separated("&&", &Expectation::SpansetConnective, Self::spanset)?;
        Ok(one_or(parts, Query::All))
    }

    fn spanset(&mut self) -> Result<Query, TraceqlError> {
        self.expect(Expectation::Spanset);
        if self.scanner.eat("(") {
            let query = self.deeper(Self::query)?;
            return self.close(")", "expected ) after the spansets").map(|()| query);
        }
        if !self.scanner.eat("{") {
            return Err(self.scanner.error("expected a spanset filter such as { status = error }"));
        }
        self.expect(Expectation::Operand);
        if self.scanner.eat("}") {
            return Ok(Query::Filter(Condition::Always(true)));
        }
        let condition = self.any()?;
        self.close("}", "expected && or || or } after a condition")?;
        Ok(Query::Filter(condition))
    }

    fn any(&mut self) -> Result<Condition, TraceqlError> {
        let parts = self.separated("||", &Expectation::Connective, Self::all)?;
        Ok(one_or(parts, Condition::Any))
    }

    fn all(&mut self) -> Result<Condition, TraceqlError> {
        let parts = self.separated("&&", &Expectation::Connective, Self::term)?;
        Ok(one_or(parts, Condition::All))
    }

    fn term(&mut self) -> Result<Condition, TraceqlError> {
        self.expect(Expectation::Operand);
        if self.scanner.eat("!") {
            return self.deeper(Self::negated);
        }
        if self.scanner.eat("(") {
            return self.deeper(Self::group);
        }
        let start = self.scanner.at;
        match self.operand()? {
            Operand::Field(field) => self.after_field(field, start),
            Operand::Value(value) => self.after_value(value, start),
        }
    }

    fn group(&mut self) -> Result<Condition, TraceqlError> {
        let condition = self.any()?;
        self.close(")", "expected && or || or ) after a condition").map(|()| condition)
    }

    fn negated(&mut self) -> Result<Condition, TraceqlError> {
        self.expect(Expectation::Operand);
        let condition = if self.scanner.eat("!") {
            self.deeper(Self::negated)?
        } else if self.scanner.eat("(") {
            self.group()?
        } else {
            self.negated_attribute()?
        };
        Ok(Condition::Not(Box::new(condition)))
    }

    fn negated_attribute(&mut self) -> Result<Condition, TraceqlError> {
        let start = self.scanner.at;
        let Operand::Field(field @ Field::Attribute { .. }) = self.operand()? else {
            return Err(error(start, "expected ( or an attribute after !"));
        };
        self.scanner.skip_space();
        if self.peek_operator().is_some() {
            return Err(error(start, "put the comparison in parentheses: !( … )"));
        }
        Ok(is_true(field))
    }

    fn after_field(&mut self, field: Field, start: usize) -> Result<Condition, TraceqlError> {
        let written = self.scanner.text[start..self.scanner.at].to_owned();
        self.expect(Expectation::Operator(field.clone()));
        let Some(operator) = self.operator() else {
            let is_end = self.scanner.rest().is_empty();
            let ends_here = self.scanner.rest().starts_with(['}', ')', '&', '|']);
            if matches!(field, Field::Attribute { .. }) && ends_here && !is_end {
                return Ok(is_true(field));
            }
            return Err(self.scanner.error(format!("expected a comparison (= != < <= > >= =~ !~) after `{written}`")));
        };
        self.expect(Expectation::Value(field.clone()));
        let at = self.scanner.at;
        match self.operand()? {
            Operand::Value(value) => self.comparison(field, operator, value, at),
            Operand::Field(_) => Err(error(at, "comparing two fields is not supported yet: expected a value")),
        }
    }

    fn after_value(&mut self, value: Value, start: usize) -> Result<Condition, TraceqlError> {
        self.scanner.skip_space();
        let at = self.scanner.at;
        let Some(operator) = self.operator() else {
            return match value {
                Value::Bool(truth) => Ok(Condition::Always(truth)),
                _ => Err(self.scanner.error("expected a comparison after this value")),
            };
        };
        let turned = turned(operator).ok_or_else(|| error(at, "the regular expression stands on the right"))?;
        self.expect(Expectation::Operand);
        match self.operand()? {
            Operand::Field(field) => self.comparison(field, turned, value, start),
            Operand::Value(_) => Err(error(start, "one side of a comparison is an attribute or an intrinsic")),
        }
    }

    fn comparison(
        &mut self,
        field: Field,
        operator: Operator,
        value: Value,
        value_at: usize,
    ) -> Result<Condition, TraceqlError> {
        let value = fit(&field, operator, value).map_err(|message| error(value_at, message))?;
        self.expect(Expectation::Connective);
        if self.scanner.rest().starts_with(['+', '-', '*', '/', '%', '^']) {
            return Err(self.scanner.error("arithmetic is not supported yet"));
        }
        Ok(Condition::Comparison { field, operator, value })
    }

    fn operand(&mut self) -> Result<Operand, TraceqlError> {
        match self.scanner.peek() {
            Some('"' | '`') => self.scanner.string().map(|text| Operand::Value(Value::Text(text))),
            Some('0'..='9' | '-' | '+') => self.scanner.number().map(Operand::Value),
            Some('.') => self.attribute(Scope::Any).map(Operand::Field),
            Some(next) if next.is_ascii_alphabetic() => self.word(),
            Some('}') => Err(self.scanner.error("expected a condition before }")),
            None => Err(self.scanner.error("the query ends here: expected a field or a value")),
            Some(_) => {
                Err(self.scanner.error("expected an attribute such as span.http.route, an intrinsic or a value"))
            }
        }
    }

    fn attribute(&mut self, scope: Scope) -> Result<Field, TraceqlError> {
        self.scanner.eat(".");
        Ok(Field::Attribute { scope, key: self.scanner.attribute_key()? })
    }

    fn word(&mut self) -> Result<Operand, TraceqlError> {
        let start = self.scanner.at;
        let word = self.scanner.take_while(is_word_char);
        if self.scanner.rest().starts_with('.') {
            return match find(&SCOPES, word) {
                Some(scope) => self.attribute(scope).map(Operand::Field),
                None => Err(self.without_scope(start)),
            };
        }
        if let Some(intrinsic) = intrinsic(word) {
            return Ok(Operand::Field(Field::Intrinsic(intrinsic)));
        }
        literal::word(word).map(Operand::Value).ok_or_else(|| self.without_scope(start))
    }

    fn without_scope(&mut self, start: usize) -> TraceqlError {
        self.scanner.at = start;
        let name = self.scanner.take_while(is_attribute_char);
        if name.starts_with("parent.") {
            return error(start, "attributes of the parent are not supported yet");
        }
        error(start, format!("unknown name `{name}`: an attribute has a scope, such as span.{name} or .{name}"))
    }

    fn operator(&mut self) -> Option<Operator> {
        let (operator, symbol) = self.peek_operator()?;
        self.scanner.eat(symbol);
        Some(operator)
    }

    fn peek_operator(&self) -> Option<(Operator, &'static str)> {
        OPERATORS.into_iter().find(|(_, symbol)| self.scanner.rest().starts_with(symbol))
    }

    /// Reads `part` once or more, with `separator` between.
    fn separated<T>(
        &mut self,
        separator: &str,
        expectation: &Expectation,
        part: fn(&mut Self) -> Result<T, TraceqlError>,
    ) -> Result<Vec<T>, TraceqlError> {
        let mut parts = vec![part(self)?];
        self.expect(expectation.clone());
        while self.scanner.eat(separator) {
            parts.push(part(self)?);
            self.expect(expectation.clone());
        }
        Ok(parts)
    }

    fn deeper<T>(&mut self, part: fn(&mut Self) -> Result<T, TraceqlError>) -> Result<T, TraceqlError> {
        if self.depth == MAX_DEPTH {
            return Err(self.scanner.error("nested too deeply"));
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    fn close(&mut self, symbol: &str, message: &str) -> Result<(), TraceqlError> {
        self.scanner.skip_space();
        if self.scanner.eat(symbol) { Ok(()) } else { Err(self.scanner.error(message)) }
    }

    /// Notes what may come next. A word that the cursor touches is still being written: what it may be stays expected.
    fn expect(&mut self, expectation: Expectation) {
        let before = self.scanner.at;
        self.scanner.skip_space();
        let is_end = self.scanner.rest().is_empty();
        let touches_word = before == self.scanner.at && before > self.expected.1 && ends_in_word(self.scanner.text);
        if !(is_end && touches_word) {
            self.expected = (expectation, self.scanner.at);
        }
    }
}

fn ends_in_word(text: &str) -> bool {
    text.ends_with(|last: char| is_attribute_char(last) || last == '`')
}

fn one_or<T>(mut parts: Vec<T>, many: fn(Vec<T>) -> T) -> T {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => many(parts.into_iter().chain(last).collect()),
    }
}

fn is_true(field: Field) -> Condition {
    Condition::Comparison { field, operator: Operator::Equal, value: Value::Bool(true) }
}

/// Returns the operator that says the same with the sides exchanged.
fn turned(operator: Operator) -> Option<Operator> {
    match operator {
        Operator::Equal | Operator::NotEqual => Some(operator),
        Operator::Less => Some(Operator::Greater),
        Operator::LessOrEqual => Some(Operator::GreaterOrEqual),
        Operator::Greater => Some(Operator::Less),
        Operator::GreaterOrEqual => Some(Operator::LessOrEqual),
        Operator::Matches | Operator::MatchesNot => None,
    }
}
