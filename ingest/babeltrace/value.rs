//! Values as babeltrace2 prints them.

use crate::otlp::text::{write_double, write_int, write_string, write_unsigned};

/// Deepest nesting that is read.
const MAX_DEPTH: usize = 64;

/// A member of a structure.
#[derive(Debug, PartialEq)]
pub(super) struct Member<'a> {
    pub name: &'a str,
    pub value: Value,
}

/// A value. Numbers beyond 64 bits with a sign are typed JSON, as arrays and structures are.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Int(i64),
    Double(f64),
    Text(String),
    Label(Option<String>, i64),
    Json(String),
}

/// Returns how long the braces that `text` begins with are, up to the one that closes them.
pub(super) fn balanced(text: &str) -> Option<usize> {
    let (mut depth, mut is_text, mut is_escaped) = (0_usize, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' if is_text => is_escaped = true,
            b'"' => is_text = !is_text,
            b'{' | b'[' | b'(' if !is_text => depth += 1,
            b'}' | b']' | b')' if !is_text => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Reads ` a = 1, b = "x" `.
pub(super) fn members(text: &str) -> Option<Vec<Member<'_>>> {
    let mut found = Vec::new();
    for part in split(text)? {
        let (name, value) = part.split_once(" = ")?;
        found.push(Member { name, value: read(value, 0)? });
    }
    Some(found)
}

/// Splits at the commas that are in no braces and no text.
fn split(text: &str) -> Option<Vec<&str>> {
    let (mut parts, mut from, mut at) = (Vec::new(), 0, 0);
    let bytes = text.as_bytes();
    while let Some(&byte) = bytes.get(at) {
        match byte {
            b'{' | b'[' | b'(' => at += balanced(text.get(at..)?)?,
            b'"' => at += quoted(text.get(at..)?)?,
            b',' => {
                parts.push(text.get(from..at)?.trim());
                at += 1;
                from = at;
            }
            _ => at += 1,
        }
    }
    parts.push(text.get(from..)?.trim());
    parts.retain(|part| !part.is_empty());
    Some(parts)
}

/// Returns how long the text in quotes is that `text` begins with.
fn quoted(text: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn read(text: &str, depth: usize) -> Option<Value> {
    let text = text.trim();
    match text.as_bytes().first()? {
        b'"' => Some(Value::Text(unescaped(text.strip_prefix('"')?.strip_suffix('"')?))),
        b'(' => label(text),
        b'{' | b'[' => {
            let mut json = Vec::new();
            write(text, depth, &mut json)?;
            String::from_utf8(json).ok().map(Value::Json)
        }
        _ => Some(number(text)),
    }
}

/// `( "GET" : container = 0 )`, `( <unknown> : container = 7 )`.
fn label(text: &str) -> Option<Value> {
    let inner = text.strip_prefix('(')?.strip_suffix(')')?;
    let (names, value) = inner.rsplit_once(": container = ")?;
    let names: Vec<String> = split(names)?.iter().map(|name| unescaped(name.trim_matches('"'))).collect();
    let label = names.join(", ");
    let label = Some(label).filter(|label| label != "<unknown>");
    match number(value.trim()) {
        Value::Int(number) => Some(Value::Label(label, number)),
        other => Some(other),
    }
}

fn number(text: &str) -> Value {
    if let Ok(number) = text.parse::<i64>() {
        return Value::Int(number);
    }
    if let Some(number) = hexadecimal(text) {
        return i64::try_from(number).map_or_else(|_| unsigned(number), Value::Int);
    }
    if let Ok(number) = text.parse::<u64>() {
        return unsigned(number);
    }
    match text.parse::<f64>() {
        Ok(number) => Value::Double(number),
        Err(_) => Value::Text(text.to_owned()),
    }
}

fn hexadecimal(text: &str) -> Option<u64> {
    if let Some(digits) = text.strip_prefix("0x") {
        return u64::from_str_radix(digits, 16).ok();
    }
    u64::from_str_radix(text.strip_prefix("0b")?, 2).ok()
}

fn unsigned(number: u64) -> Value {
    let mut json = Vec::new();
    write_unsigned(&mut json, number);
    Value::Json(String::from_utf8(json).unwrap_or_default())
}

/// Writes a structure or an array as JSON. Elements of arrays stand after their number: `[0] = 7`.
fn write(text: &str, depth: usize, json: &mut Vec<u8>) -> Option<()> {
    (depth < MAX_DEPTH).then_some(())?;
    let is_array = text.starts_with('[');
    let inner = text.get(1..text.len().checked_sub(1)?)?;
    json.push(if is_array { b'[' } else { b'{' });
    for (number, part) in split(inner)?.into_iter().enumerate() {
        if number > 0 {
            json.push(b',');
        }
        let (name, value) = part.split_once(" = ").unwrap_or(("", part));
        if !is_array {
            write_string(json, name.as_bytes());
            json.push(b':');
        }
        write_value(value.trim(), depth, json)?;
    }
    json.push(if is_array { b']' } else { b'}' });
    Some(())
}

fn write_value(text: &str, depth: usize, json: &mut Vec<u8>) -> Option<()> {
    if text.starts_with(['{', '[']) {
        return write(text, depth + 1, json);
    }
    match read(text, depth)? {
        Value::Int(number) => write_int(json, number),
        Value::Double(number) => write_double(json, number),
        Value::Text(text) => write_string(json, text.as_bytes()),
        Value::Json(inner) => json.extend_from_slice(inner.as_bytes()),
        Value::Label(label, number) => {
            json.extend_from_slice(b"{\"value\":");
            write_int(json, number);
            if let Some(label) = label {
                json.extend_from_slice(b",\"label\":");
                write_string(json, label.as_bytes());
            }
            json.push(b'}');
        }
    }
    Some(())
}

/// Takes back the escapes of C that babeltrace2 writes.
fn unescaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        if letter != '\\' {
            out.push(letter);
            continue;
        }
        match letters.next() {
            Some('n') => out.push('\n'),
            Some('t') => out.push('\t'),
            Some('r') => out.push('\r'),
            Some('a') => out.push('\u{7}'),
            Some('b') => out.push('\u{8}'),
            Some('v') => out.push('\u{b}'),
            Some('f') => out.push('\u{c}'),
            Some(plain @ ('"' | '\\' | '?' | '\'')) => out.push(plain),
            Some(other) => out.extend(['\\', other]),
            None => out.push('\\'),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_values_of_every_kind() {
        let text = r#" a = 1, b = -2.5, c = "x, \"y\" }", d = ( "GET" : container = 0 ), e = ( <unknown> : container = 9 ), f = [ [0] = 7, [1] = { g = 0xFFFFFFFFFFFFFFFF } ], h = [ ], i = 0x1F "#;
        let found = members(text).unwrap();
        let values: Vec<Value> = found.iter().map(|member| member.value.clone()).collect();
        assert_eq!(
            values,
            [
                Value::Int(1),
                Value::Double(-2.5),
                Value::Text("x, \"y\" }".to_owned()),
                Value::Label(Some("GET".to_owned()), 0),
                Value::Label(None, 9),
                Value::Json("[7,{\"g\":18446744073709551615}]".to_owned()),
                Value::Json("[]".to_owned()),
                Value::Int(31),
            ]
        );
        assert_eq!(members(" a = [ 1 "), None);
        assert_eq!(members(" a = \"b "), None);
    }
}
