//! Decodes values: to be looked at (headers), to be passed over, or as typed JSON.

use std::borrow::Cow;

use super::bits::{Bits, Fault, mask, signed};
use super::model::{Encoding, Meaning, NUM_ROLES, Role};
use super::plan::{Choice, IntNode, Len, Node, Slot, contains, key};
use crate::otlp::text::{write_bool, write_bytes, write_double, write_int, write_string, write_unsigned};

/// Longest JSON of one value.
const MAX_JSON_BYTES: usize = 8 << 20;

/// Longest array of elements that take no room.
const MAX_EMPTY: u64 = 4096;

/// What was met so far in a stream that later values depend on.
#[derive(Debug, Clone, Default)]
pub(crate) struct State {
    /// Lengths and selectors.
    pub slots: Vec<u64>,
    /// The stream's clock.
    pub clock: u64,
    roles: [Option<u64>; NUM_ROLES],
    /// Widths of what is in `roles`.
    widths: [u32; NUM_ROLES],
}

impl State {
    /// Returns the state of a stream of which nothing was read.
    pub(crate) fn new(num_slots: usize) -> Self {
        Self { slots: vec![0; num_slots], ..Self::default() }
    }

    pub(crate) fn role(&self, role: Role) -> Option<u64> {
        self.roles.get(role as usize).copied().flatten()
    }

    pub(crate) fn width(&self, role: Role) -> u32 {
        self.widths.get(role as usize).copied().unwrap_or(64)
    }

    /// Forgets what the last packet told.
    pub(crate) fn begin_packet(&mut self) {
        self.roles = [None; NUM_ROLES];
    }

    fn slot(&self, slot: Slot) -> u64 {
        self.slots.get(slot.number).copied().unwrap_or(0)
    }

    #[inline]
    fn note(&mut self, node: &IntNode, value: u64, bits: u32) {
        if node.is_clock {
            self.advance(value, bits);
        }
        if let Some(place) = node.slot.and_then(|slot| self.slots.get_mut(slot)) {
            *place = value;
        }
        if let (true, Some(place)) = (node.role != Role::None, self.roles.get_mut(node.role as usize)) {
            *place = Some(value);
            if let Some(width) = self.widths.get_mut(node.role as usize) {
                *width = bits;
            }
        }
    }

    /// Sets the clock to the next value whose lowest bits are `value`: it wraps around at most once.
    #[inline]
    fn advance(&mut self, value: u64, bits: u32) {
        if bits >= 64 {
            self.clock = value;
            return;
        }
        let mask = mask(bits);
        let high = if value < self.clock & mask { self.clock.wrapping_add(mask).wrapping_add(1) } else { self.clock };
        self.clock = high & !mask | value;
    }
}

/// Reads an integer; one with a sign as the pattern of its 64 bits.
#[inline]
pub(crate) fn int(node: &IntNode, bits: &mut Bits<'_>, state: &mut State) -> Result<u64, Fault> {
    let (raw, width) = if node.is_variable {
        bits.variable()?
    } else {
        bits.align(node.align);
        (bits.number(node.bits, node.is_big)?, node.bits)
    };
    let raw = if node.is_reversed { raw.reverse_bits() >> (64 - width.clamp(1, 64)) } else { raw };
    let value = if node.is_signed { signed(raw, width) as u64 } else { raw };
    if node.is_noted {
        state.note(node, value, width);
    }
    Ok(value)
}

/// Reads a floating point number.
#[inline]
pub(crate) fn float(width: u32, align: u64, is_big: bool, bits: &mut Bits<'_>) -> Result<f64, Fault> {
    bits.align(align);
    let raw = bits.number(width, is_big)?;
    Ok(match width {
        64 => f64::from_bits(raw),
        32 => f64::from(f32::from_bits(raw as u32)),
        _ => half(raw as u16),
    })
}

/// Returns a floating point number of 16 bits.
fn half(raw: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(raw >> 10 & 31), f64::from(raw & 1023));
    let size = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + mantissa) * 2_f64.powi(exponent - 25),
    };
    if raw >> 15 == 1 { -size } else { size }
}

/// Returns how many elements or bytes follow.
pub(crate) fn len(len: Len, state: &State) -> u64 {
    match len {
        Len::Fixed(len) => len,
        Len::Slot(slot) => state.slot(slot),
    }
}

/// Returns the bytes of the text that comes next; nothing if `node` is no text.
pub(crate) fn text<'a>(node: &Node, bits: &mut Bits<'a>, state: &State) -> Result<Option<(&'a [u8], Encoding)>, Fault> {
    Ok(match node {
        Node::Text(encoding) => Some((bits.text(unit(*encoding))?, *encoding)),
        Node::Chars { len, encoding } => {
            let bytes = bits.bytes(self::len(*len, state))?;
            Some((ended(bytes, unit(*encoding)), *encoding))
        }
        Node::TextArray { align, len } => {
            bits.align(*align);
            Some((ended(bits.bytes(self::len(*len, state))?, 1), Encoding::Utf8))
        }
        _ => None,
    })
}

/// Returns how many bytes a unit of an encoding has.
fn unit(encoding: Encoding) -> usize {
    match encoding {
        Encoding::Utf8 => 1,
        Encoding::Utf16(_) => 2,
        Encoding::Utf32(_) => 4,
    }
}

/// Returns what stands before the first zero.
fn ended(bytes: &[u8], unit: usize) -> &[u8] {
    let end = match unit {
        1 => memchr::memchr(0, bytes),
        _ => bytes.chunks_exact(unit).position(|unit| unit.iter().all(|&byte| byte == 0)).map(|at| at * unit),
    };
    end.and_then(|end| bytes.get(..end)).unwrap_or(bytes)
}

/// Returns a text as UTF-8; what is none is replaced.
#[inline]
pub(crate) fn utf8(bytes: &[u8], encoding: Encoding) -> Cow<'_, [u8]> {
    match encoding {
        Encoding::Utf8 if bytes.is_ascii() || simdutf8::basic::from_utf8(bytes).is_ok() => Cow::Borrowed(bytes),
        Encoding::Utf8 => Cow::Owned(String::from_utf8_lossy(bytes).into_owned().into_bytes()),
        Encoding::Utf16(is_big) => {
            let units = bytes.chunks_exact(2).filter_map(|pair| pair.try_into().ok());
            let units = units.map(|pair| if is_big { u16::from_be_bytes(pair) } else { u16::from_le_bytes(pair) });
            let text: String =
                char::decode_utf16(units).map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            Cow::Owned(text.into_bytes())
        }
        Encoding::Utf32(is_big) => {
            let units = bytes.chunks_exact(4).filter_map(|unit| unit.try_into().ok());
            let units = units.map(|unit| if is_big { u32::from_be_bytes(unit) } else { u32::from_le_bytes(unit) });
            let text: String = units.map(|unit| char::from_u32(unit).unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
            Cow::Owned(text.into_bytes())
        }
    }
}

/// Returns the option that is selected.
fn choice<'a>(options: &'a [Choice], selector: Slot, state: &State) -> Result<&'a Choice, Fault> {
    let key = selector.key(state.slot(selector));
    let found = options.iter().find(|option| contains(&option.ranges, key));
    found.ok_or_else(|| Fault::Bad(format!("variant has no option for tag {}", shown(key, selector.is_signed))))
}

fn shown(key: i64, is_signed: bool) -> String {
    if is_signed { key.to_string() } else { (key as u64 ^ 1 << 63).to_string() }
}

/// Checks that an array may be so long: elements take room, or are few.
fn check_len(len: u64, bits: &Bits<'_>) -> Result<(), Fault> {
    if len > bits.left().saturating_add(MAX_EMPTY) { Err(Fault::Short) } else { Ok(()) }
}

/// Counts elements that take no room.
fn check_progress(before: u64, bits: &Bits<'_>, num_empty: &mut u64) -> Result<(), Fault> {
    *num_empty += u64::from(bits.at == before);
    if *num_empty > MAX_EMPTY {
        return Err(Fault::Bad(format!("array of more than {MAX_EMPTY} elements that take no room")));
    }
    Ok(())
}

/// Passes over a value; keeps what has to be kept of it.
pub(crate) fn scan(node: &Node, bits: &mut Bits<'_>, state: &mut State) -> Result<(), Fault> {
    match node {
        Node::Int(node) => int(node, bits, state).map(|_| ()),
        Node::Struct { align, members } => {
            bits.align(*align);
            members.iter().try_for_each(|(_, member)| scan(member, bits, state))
        }
        Node::Variant { selector, options } => scan(&choice(options, *selector, state)?.node, bits, state),
        Node::Blob { len } => bits.bytes(self::len(*len, state)).map(|_| ()),
        _ => json(node, bits, state, &mut Vec::new()),
    }
}

/// Appends a value as typed JSON. An integer with labels is an object within arrays; within structures its label is a member of
/// its own.
pub(crate) fn json(node: &Node, bits: &mut Bits<'_>, state: &mut State, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut num_empty = 0;
    Writer { from: out.len(), num_empty: &mut num_empty }.write(node, bits, state, out)
}

struct Writer<'a> {
    /// Where the JSON begins.
    from: usize,
    num_empty: &'a mut u64,
}

impl Writer<'_> {
    fn write(&mut self, node: &Node, bits: &mut Bits<'_>, state: &mut State, out: &mut Vec<u8>) -> Result<(), Fault> {
        if out.len().saturating_sub(self.from) > MAX_JSON_BYTES {
            return Err(Fault::Bad(format!("value is longer than {MAX_JSON_BYTES} bytes")));
        }
        match node {
            Node::Int(node) => write_int_node(node, bits, state, out)?,
            Node::Float { bits: width, align, is_big } => write_double(out, float(*width, *align, *is_big, bits)?),
            Node::Struct { align, members } => self.structure(*align, members, bits, state, out)?,
            Node::Array { align, len, element } => {
                bits.align(*align);
                self.array(self::len(*len, state), element, bits, state, out)?;
            }
            Node::Blob { len } => write_bytes(out, bits.bytes(self::len(*len, state))?, false),
            Node::Variant { selector, options } => {
                let choice = choice(options, *selector, state)?;
                out.push(b'{');
                self.member(&choice.name, &choice.node, bits, state, out)?;
                out.push(b'}');
            }
            Node::Optional { selector, ranges, node } => {
                if contains(ranges, selector.key(state.slot(*selector))) {
                    return self.write(node, bits, state, out);
                }
                out.extend_from_slice(b"null");
            }
            Node::Text(_) | Node::Chars { .. } | Node::TextArray { .. } => {
                if let Some((bytes, encoding)) = text(node, bits, state)? {
                    write_string(out, &utf8(bytes, encoding));
                }
            }
        }
        Ok(())
    }

    fn structure(
        &mut self,
        align: u64,
        members: &[(String, Node)],
        bits: &mut Bits<'_>,
        state: &mut State,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        bits.align(align);
        out.push(b'{');
        for (number, (name, node)) in members.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            self.member(name, node, bits, state, out)?;
        }
        out.push(b'}');
        Ok(())
    }

    fn member(
        &mut self,
        name: &str,
        node: &Node,
        bits: &mut Bits<'_>,
        state: &mut State,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        write_string(out, name.as_bytes());
        out.push(b':');
        let Node::Int(int) = node else { return self.write(node, bits, state, out) };
        let value = self::int(int, bits, state)?;
        write_number(int, value, out);
        if let Some(label) = label(int, value) {
            out.push(b',');
            write_string(out, format!("{name}_label").as_bytes());
            out.push(b':');
            write_string(out, label.as_bytes());
        }
        Ok(())
    }

    fn array(
        &mut self,
        len: u64,
        element: &Node,
        bits: &mut Bits<'_>,
        state: &mut State,
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        check_len(len, bits)?;
        out.push(b'[');
        for number in 0..len {
            if number > 0 {
                out.push(b',');
            }
            let before = bits.at;
            self.write(element, bits, state, out)?;
            check_progress(before, bits, self.num_empty)?;
        }
        out.push(b']');
        Ok(())
    }
}

/// Writes an integer; one with a label as an object of both.
fn write_int_node(node: &IntNode, bits: &mut Bits<'_>, state: &mut State, out: &mut Vec<u8>) -> Result<(), Fault> {
    let value = int(node, bits, state)?;
    let label = label(node, value);
    if label.is_some() {
        out.extend_from_slice(b"{\"value\":");
    }
    write_number(node, value, out);
    if let Some(label) = label {
        out.extend_from_slice(b",\"label\":");
        write_string(out, label.as_bytes());
        out.push(b'}');
    }
    Ok(())
}

fn write_number(node: &IntNode, value: u64, out: &mut Vec<u8>) {
    match node.meaning {
        Meaning::Bool => write_bool(out, value != 0),
        _ if node.is_signed => write_int(out, value as i64),
        _ => write_unsigned(out, value),
    }
}

/// Returns the labels of a value, `A` or `A, B`; nothing where it has none.
pub(crate) fn label(node: &IntNode, value: u64) -> Option<Cow<'_, str>> {
    let labels = node.labels.as_deref()?;
    let has_flag = |from: i64, to: i64| {
        // Ranges of flags are numbers of bits.
        let (from, to) = (from as u64 ^ 1 << 63, to as u64 ^ 1 << 63);
        (from..=to.min(63)).any(|bit| value >> bit & 1 == 1)
    };
    let is_named = |ranges: &[(i64, i64)]| match node.meaning {
        Meaning::Flags => ranges.iter().any(|&(from, to)| has_flag(from, to)),
        _ => contains(ranges, key(value, node.is_signed)),
    };
    let mut found = labels.iter().filter(|label| is_named(&label.ranges)).map(|label| label.name.as_str());
    let first = found.next()?;
    let mut all = Cow::Borrowed(first);
    for name in found {
        let text = all.to_mut();
        text.push_str(", ");
        text.push_str(name);
    }
    Some(all)
}
