//! `integer`, `floating_point` and `string`, and the values of their attributes.

use std::rc::Rc;

use super::Error;
use super::parser::{Parser, Value};
use crate::ctf::model::{Class, Encoding, Int, MAX_ALIGN, Order};

impl Parser {
    /// Reads `name = value;` up to the closing brace.
    fn attributes(&mut self) -> Result<Vec<(String, Value)>, Error> {
        let mut attributes = Vec::new();
        self.expect("{")?;
        while !self.take_sign("}") {
            let name = self.name()?;
            self.expect("=")?;
            attributes.push((name, self.value()?));
            self.expect(";")?;
        }
        Ok(attributes)
    }

    pub(super) fn integer(&mut self) -> Result<Rc<Class>, Error> {
        let mut int = Int::default();
        for (name, value) in self.attributes()? {
            match name.as_str() {
                "size" => int.bits = self.size(&value)?,
                "align" => int.align = self.alignment(&value)?,
                "signed" => int.is_signed = self.truth(&value)?,
                "byte_order" => int.order = self.order(&value)?,
                "encoding" => int.is_text = !matches!(&value, Value::Name(name) | Value::Text(name) if name == "none"),
                "map" => int.clock = self.clock_name(&value)?,
                _ => {}
            }
        }
        if int.bits == 0 {
            return Err(self.error("integer has no size"));
        }
        if int.align == 0 {
            int.align = if int.bits.is_multiple_of(8) { 8 } else { 1 };
        }
        Ok(Rc::new(Class::Int(int)))
    }

    fn size(&self, value: &Value) -> Result<u32, Error> {
        match value {
            Value::Int(bits @ 1..=64) => Ok(*bits as u32),
            _ => Err(self.error("size of an integer is not 1 to 64 bits")),
        }
    }

    pub(super) fn alignment(&self, value: &Value) -> Result<u64, Error> {
        match value {
            Value::Int(align) if (1..=i128::from(MAX_ALIGN)).contains(align) && align.count_ones() == 1 => {
                Ok(*align as u64)
            }
            _ => Err(self.error("alignment is no power of two, or too large")),
        }
    }

    fn truth(&self, value: &Value) -> Result<bool, Error> {
        match value {
            Value::Int(number) => Ok(*number != 0),
            Value::Name(name) if name.eq_ignore_ascii_case("true") => Ok(true),
            Value::Name(name) if name.eq_ignore_ascii_case("false") => Ok(false),
            _ => Err(self.error("expected true or false")),
        }
    }

    pub(super) fn order(&self, value: &Value) -> Result<Order, Error> {
        let (Value::Name(name) | Value::Text(name)) = value else { return Err(self.error("unknown byte order")) };
        match name.as_str() {
            "le" => Ok(Order::Little),
            "be" | "network" => Ok(Order::Big),
            "native" => Ok(Order::Native),
            _ => Err(self.error("unknown byte order")),
        }
    }

    /// Reads `clock.NAME.value`.
    fn clock_name(&self, value: &Value) -> Result<Option<String>, Error> {
        let (Value::Name(name) | Value::Text(name)) = value else { return Err(self.error("bad map of an integer")) };
        let clock = name.strip_prefix("clock.").and_then(|rest| rest.strip_suffix(".value"));
        Ok(clock.map(str::to_owned))
    }

    pub(super) fn float(&mut self) -> Result<Rc<Class>, Error> {
        let (mut digits, mut align, mut order) = ((0, 0), 1, Order::Native);
        for (name, value) in self.attributes()? {
            match (name.as_str(), &value) {
                ("exp_dig", Value::Int(number)) => digits.0 = *number,
                ("mant_dig", Value::Int(number)) => digits.1 = *number,
                ("align", _) => align = self.alignment(&value)?,
                ("byte_order", _) => order = self.order(&value)?,
                _ => {}
            }
        }
        let bits = match digits {
            (5, 11) => 16,
            (8, 24) => 32,
            (11, 53) => 64,
            _ => return Err(self.error("floating point number is not of 16, 32 or 64 bits")),
        };
        Ok(Rc::new(Class::Float { bits, align, order }))
    }

    pub(super) fn string(&mut self) -> Result<Rc<Class>, Error> {
        if self.is_sign("{") {
            self.attributes()?;
        }
        Ok(Rc::new(Class::Text(Encoding::Utf8)))
    }
}
