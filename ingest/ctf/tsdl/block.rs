//! The blocks of the outermost level: `trace`, `env`, `clock`, `stream`, `event`, `callsite`.

use std::rc::Rc;

use super::Error;
use super::lexer::Token;
use super::parser::{Parser, Value};
use crate::ctf::model::{Class, ClockClass, EventRecordClass, Metadata, Order, StreamClass};

/// What stands left of `=` or `:=`, and what right.
enum Statement {
    Value(String, Value),
    Type(String, Rc<Class>),
}

impl Parser {
    /// Reads the whole metadata.
    pub(crate) fn metadata(&mut self) -> Result<Metadata, Error> {
        let mut metadata = Metadata { version: 1, ..Metadata::default() };
        while !self.is_over() {
            if self.take_sign(";") || self.alias()? {
                continue;
            }
            match self.peek() {
                Some(Token::Name(word)) => {
                    let word = word.clone();
                    self.block(&word, &mut metadata)?;
                }
                _ => return Err(self.error("expected a block or a declaration")),
            }
        }
        Ok(metadata)
    }

    fn block(&mut self, word: &str, metadata: &mut Metadata) -> Result<(), Error> {
        let read = match word {
            "trace" => Self::trace,
            "env" => Self::env,
            "clock" => Self::clock,
            "stream" => Self::stream,
            "event" => Self::event,
            "callsite" => Self::callsite,
            _ => {
                self.class()?;
                return self.expect(";");
            }
        };
        self.next();
        let statements = self.nested(Self::statements)?;
        read(self, statements, metadata)
    }

    /// Reads statements in braces.
    fn statements(&mut self) -> Result<Vec<Statement>, Error> {
        let mut statements = Vec::new();
        self.expect("{")?;
        while !self.take_sign("}") {
            if self.take_sign(";") || self.alias()? {
                continue;
            }
            if ["struct", "variant", "enum"].iter().any(|word| self.is_name(word)) {
                self.class()?;
            } else {
                statements.push(self.statement()?);
            }
            self.expect(";")?;
        }
        Ok(statements)
    }

    fn statement(&mut self) -> Result<Statement, Error> {
        let name = self.path()?;
        if self.take_sign(":=") {
            return Ok(Statement::Type(name, self.class()?));
        }
        self.expect("=")?;
        Ok(Statement::Value(name, self.value()?))
    }

    fn trace(&mut self, statements: Vec<Statement>, metadata: &mut Metadata) -> Result<(), Error> {
        let mut version = (1, 8);
        for statement in statements {
            match statement {
                Statement::Type(name, class) if name == "packet.header" => metadata.packet_header = Some(class),
                Statement::Value(name, value) => match (name.as_str(), &value) {
                    ("byte_order", _) => metadata.is_big_endian = self.order(&value)? == Order::Big,
                    ("uuid", Value::Text(text)) => metadata.uuid = Some(self.uuid(text)?),
                    ("major", Value::Int(major)) => version.0 = *major,
                    ("minor", Value::Int(minor)) => version.1 = *minor,
                    _ => {}
                },
                Statement::Type(..) => {}
            }
        }
        if version.0 != 1 || !(0..=8).contains(&version.1) {
            return Err(self.error(&format!("version {}.{} is not known", version.0, version.1)));
        }
        Ok(())
    }

    fn uuid(&self, text: &str) -> Result<[u8; 16], Error> {
        let digits: Vec<u32> =
            text.chars().filter(|&character| character != '-').map_while(|c| c.to_digit(16)).collect();
        let bytes: Vec<u8> =
            digits.chunks_exact(2).map(|pair| pair.iter().fold(0, |all, digit| all << 4 | *digit as u8)).collect();
        bytes.try_into().map_err(|_| self.error("bad UUID"))
    }

    fn env(&mut self, statements: Vec<Statement>, metadata: &mut Metadata) -> Result<(), Error> {
        for statement in statements {
            let Statement::Value(name, value) = statement else { return Err(self.error("type in env")) };
            let text = match value {
                Value::Int(number) => number.to_string(),
                Value::Text(text) | Value::Name(text) => text,
            };
            metadata.env.push((name, text));
        }
        Ok(())
    }

    fn clock(&mut self, statements: Vec<Statement>, metadata: &mut Metadata) -> Result<(), Error> {
        let mut clock = ClockClass { frequency: 1_000_000_000, ..ClockClass::default() };
        for statement in statements {
            let Statement::Value(name, value) = statement else { return Err(self.error("type in clock")) };
            match (name.as_str(), value) {
                ("name", Value::Name(name) | Value::Text(name)) => clock.name = name,
                ("freq", Value::Int(frequency)) => {
                    clock.frequency = u64::try_from(frequency).unwrap_or(0);
                }
                ("offset_s", Value::Int(seconds)) => clock.offset_seconds = i64::try_from(seconds).unwrap_or(0),
                ("offset", Value::Int(cycles)) => self.offset(&mut clock, cycles)?,
                ("absolute", Value::Name(name)) => clock.is_unix_epoch = name.eq_ignore_ascii_case("true"),
                ("absolute", Value::Int(number)) => clock.is_unix_epoch = number != 0,
                _ => {}
            }
        }
        if clock.name.is_empty() || clock.frequency == 0 {
            return Err(self.error("clock has no name or no frequency"));
        }
        clock.id.clone_from(&clock.name);
        metadata.clocks.push(clock);
        Ok(())
    }

    /// Keeps an offset in cycles, which may be negative.
    fn offset(&self, clock: &mut ClockClass, cycles: i128) -> Result<(), Error> {
        if let Ok(cycles) = u64::try_from(cycles) {
            clock.offset_cycles = cycles;
            return Ok(());
        }
        let frequency = i128::from(clock.frequency.max(1));
        let seconds = i64::try_from(cycles.div_euclid(frequency)).map_err(|_| self.error("bad offset of a clock"))?;
        clock.offset_seconds = clock.offset_seconds.saturating_add(seconds);
        clock.offset_cycles = cycles.rem_euclid(frequency) as u64;
        Ok(())
    }

    fn stream(&mut self, statements: Vec<Statement>, metadata: &mut Metadata) -> Result<(), Error> {
        let mut stream = StreamClass::default();
        for statement in statements {
            match statement {
                Statement::Value(name, value) if name == "id" => stream.id = self.id(&value)?,
                Statement::Type(name, class) => match name.as_str() {
                    "packet.context" => stream.packet_context = Some(class),
                    "event.header" => stream.event_header = Some(class),
                    "event.context" => stream.event_context = Some(class),
                    _ => {}
                },
                Statement::Value(..) => {}
            }
        }
        if metadata.streams.iter().any(|known| known.id == stream.id) {
            return Err(self.error(&format!("stream {} is declared twice", stream.id)));
        }
        metadata.streams.push(stream);
        Ok(())
    }

    fn id(&self, value: &Value) -> Result<u64, Error> {
        let Value::Int(id) = value else { return Err(self.error("id is no number")) };
        u64::try_from(*id).map_err(|_| self.error("id is negative"))
    }

    fn event(&mut self, statements: Vec<Statement>, metadata: &mut Metadata) -> Result<(), Error> {
        let mut event = EventRecordClass::default();
        for statement in statements {
            match statement {
                Statement::Value(name, value) => match (name.as_str(), value) {
                    ("id", value) => event.id = self.id(&value)?,
                    ("stream_id", value) => event.stream = Some(self.id(&value)?),
                    ("name", Value::Text(name) | Value::Name(name)) => event.name = name,
                    _ => {}
                },
                Statement::Type(name, class) => match name.as_str() {
                    "context" => event.context = Some(class),
                    "fields" => event.payload = Some(class),
                    _ => {}
                },
            }
        }
        metadata.events.push(event);
        Ok(())
    }

    /// Where an event is in the source is of no use for reading it.
    #[expect(clippy::unnecessary_wraps, clippy::unused_self, reason = "one shape for all blocks")]
    fn callsite(&mut self, _statements: Vec<Statement>, _metadata: &mut Metadata) -> Result<(), Error> {
        Ok(())
    }
}
