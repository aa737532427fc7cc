//! Types and declarations: `struct`, `variant`, `enum`, `typedef`, `typealias`, arrays and sequences.

use std::rc::Rc;

use super::Error;
use super::lexer::Token;
use super::parser::{Parser, Value};
use crate::ctf::model::{Choice, Class, Labels, Length, Location, Scope};

/// Words of C that make up a name of a type together.
const C_WORDS: [&str; 13] = [
    "void",
    "char",
    "short",
    "int",
    "long",
    "float",
    "double",
    "signed",
    "unsigned",
    "const",
    "_Bool",
    "_Complex",
    "_Imaginary",
];

/// Beginnings of paths that do not depend on where they stand.
const ORIGINS: [(&str, Scope); 6] = [
    ("trace.packet.header.", Scope::PacketHeader),
    ("stream.packet.context.", Scope::PacketContext),
    ("stream.event.header.", Scope::EventHeader),
    ("stream.event.context.", Scope::StreamEventContext),
    ("event.context.", Scope::EventContext),
    ("event.fields.", Scope::Payload),
];

impl Parser {
    /// Reads a type.
    pub(super) fn class(&mut self) -> Result<Rc<Class>, Error> {
        while self.take_name("const") {}
        let Some(Token::Name(word)) = self.peek() else { return Err(self.error("expected a type")) };
        let word = word.clone();
        match word.as_str() {
            "integer" if self.is_second("{") => self.after_word(Self::integer),
            "floating_point" if self.is_second("{") => self.after_word(Self::float),
            "string" => self.after_word(Self::string),
            "struct" => self.after_word(Self::structure),
            "variant" => self.after_word(Self::variant),
            "enum" => self.after_word(Self::enumeration),
            _ => {
                let name = self.type_name()?;
                self.find(&name)
            }
        }
    }

    fn is_second(&self, sign: &str) -> bool {
        matches!(self.peek_second(), Some(Token::Sign(found)) if *found == sign)
    }

    fn after_word(&mut self, read: fn(&mut Self) -> Result<Rc<Class>, Error>) -> Result<Rc<Class>, Error> {
        self.next();
        read(self)
    }

    /// Reads the name of a type, such as `uint8_t`, `unsigned long` or `void *`.
    pub(super) fn type_name(&mut self) -> Result<String, Error> {
        let mut name = self.name()?;
        if C_WORDS.contains(&name.as_str()) {
            while let Some(Token::Name(word)) = self.peek() {
                if !C_WORDS.contains(&word.as_str()) {
                    break;
                }
                if word != "const" {
                    name = format!("{name} {word}");
                }
                self.next();
            }
        }
        while self.take_sign("*") {
            name.push_str(" *");
            while self.take_name("const") {}
        }
        Ok(name)
    }

    /// Reads the optional name of a structure, variant or enumeration.
    fn tag_name(&mut self) -> Option<String> {
        let Some(Token::Name(name)) = self.peek() else { return None };
        let name = name.clone();
        self.next();
        Some(name)
    }

    /// Returns the class that was read under `name`, or makes it known.
    fn named(&mut self, kind: &str, name: Option<String>, class: Option<Rc<Class>>) -> Result<Rc<Class>, Error> {
        match (name, class) {
            (Some(name), Some(class)) => {
                self.declare(format!("{kind} {name}"), class.clone())?;
                Ok(class)
            }
            (Some(name), None) => self.find(&format!("{kind} {name}")),
            (None, Some(class)) => Ok(class),
            (None, None) => Err(self.error(&format!("{kind} has neither name nor body"))),
        }
    }

    fn structure(&mut self) -> Result<Rc<Class>, Error> {
        let name = self.tag_name();
        let members = if self.is_sign("{") { Some(self.nested(Self::members)?) } else { None };
        let mut align = 1;
        if members.is_some() && self.take_name("align") {
            self.expect("(")?;
            let value = Value::Int(self.int()?);
            align = self.alignment(&value)?;
            self.expect(")")?;
        }
        let class = members.map(|members| Class::structure(align, members)).transpose();
        let class = class.map_err(|reason| self.error(&reason))?;
        self.named("struct", name, class)
    }

    /// Reads fields in braces.
    fn members(&mut self) -> Result<Vec<(String, Rc<Class>)>, Error> {
        let mut members: Vec<(String, Rc<Class>)> = Vec::new();
        self.expect("{")?;
        while !self.take_sign("}") {
            if self.alias()? {
                continue;
            }
            let class = self.class()?;
            if self.take_sign(";") {
                continue;
            }
            loop {
                let (name, class) = self.declarator(class.clone())?;
                if members.iter().any(|(known, _)| *known == name) {
                    return Err(self.error(&format!("field {name} is declared twice")));
                }
                members.push((name, class));
                if !self.take_sign(",") {
                    break;
                }
            }
            self.expect(";")?;
        }
        Ok(members)
    }

    /// Reads the name of a field and the lengths behind it.
    fn declarator(&mut self, class: Rc<Class>) -> Result<(String, Rc<Class>), Error> {
        let name = self.name()?;
        let class = self.lengths(class)?;
        Ok((name, class))
    }

    fn lengths(&mut self, element: Rc<Class>) -> Result<Rc<Class>, Error> {
        let mut lengths = Vec::new();
        while self.take_sign("[") {
            lengths.push(match self.value()? {
                Value::Int(len @ 0..) => Length::Fixed(u64::try_from(len).unwrap_or(u64::MAX)),
                Value::Name(path) => Length::Field(location(&path)),
                _ => return Err(self.error("bad length of an array")),
            });
            self.expect("]")?;
        }
        let wrapped = lengths.into_iter().rev().try_fold(element, |element, len| Class::array(1, len, element));
        wrapped.map_err(|reason| self.error(&reason))
    }

    fn variant(&mut self) -> Result<Rc<Class>, Error> {
        let name = self.tag_name();
        let mut tag = None;
        if self.take_sign("<") {
            tag = Some(location(&self.path()?));
            self.expect(">")?;
        }
        let options = if self.is_sign("{") { Some(self.nested(Self::members)?) } else { None };
        let choice = |(name, class)| Choice { name, ranges: None, class };
        let class = options.map(|options| Class::variant(None, options.into_iter().map(choice).collect())).transpose();
        let class = class.map_err(|reason| self.error(&reason))?;
        let class = self.named("variant", name, class)?;
        match (&*class, tag) {
            (Class::Variant { options, depth, .. }, Some(tag)) => {
                Ok(Rc::new(Class::Variant { depth: *depth, selector: Some(tag), options: options.clone() }))
            }
            _ => Ok(class),
        }
    }

    fn enumeration(&mut self) -> Result<Rc<Class>, Error> {
        let name = self.tag_name();
        let container = if self.take_sign(":") { Some(self.class()?) } else { None };
        if !self.is_sign("{") {
            return self.named("enum", name, None);
        }
        let container = match container {
            Some(container) => container,
            None => self.find("int")?,
        };
        let Class::Int(int) = &*container else {
            return Err(self.error("enumeration of something that is no integer"));
        };
        let labels = self.labels()?;
        let class = Class::Int(crate::ctf::model::Int { labels: Some(Rc::new(labels)), ..int.clone() });
        self.named("enum", name, Some(Rc::new(class)))
    }

    /// Reads `A, B = 1, "C" = 2 ... 5` in braces.
    fn labels(&mut self) -> Result<Labels, Error> {
        let (mut labels, mut next): (Labels, i128) = (Labels::new(), 0);
        self.expect("{")?;
        while !self.take_sign("}") {
            let name = match self.value()? {
                Value::Name(name) | Value::Text(name) => name,
                Value::Int(_) => return Err(self.error("expected a label")),
            };
            let (mut from, mut to) = (next, next);
            if self.take_sign("=") {
                from = self.int()?;
                to = if self.take_sign("...") { self.int()? } else { from };
            }
            if from > to {
                return Err(self.error("range of a label is empty"));
            }
            next = to + 1;
            labels.push((name, vec![(from, to)]));
            if !self.take_sign(",") {
                self.expect("}")?;
                break;
            }
        }
        Ok(labels)
    }

    /// Reads a `typedef` or `typealias`, if one comes next.
    pub(super) fn alias(&mut self) -> Result<bool, Error> {
        if self.take_name("typealias") {
            let class = self.class()?;
            let class = self.lengths(class)?;
            self.expect(":=")?;
            let name = self.type_name()?;
            self.declare(name, class)?;
        } else if self.take_name("typedef") {
            let class = self.class()?;
            loop {
                let (name, class) = self.declarator(class.clone())?;
                self.declare(name, class)?;
                if !self.take_sign(",") {
                    break;
                }
            }
        } else {
            return Ok(false);
        }
        self.expect(";")?;
        Ok(true)
    }
}

/// Returns where a path leads.
fn location(path: &str) -> Location {
    let found = ORIGINS.iter().find_map(|(prefix, scope)| path.strip_prefix(prefix).map(|rest| (*scope, rest)));
    let (origin, path) = found.map_or((None, path), |(scope, rest)| (Some(scope), rest));
    Location { origin, up: None, names: path.split('.').map(str::to_owned).collect() }
}
