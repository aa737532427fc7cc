//! JSON lines: one object a record, in any order and under any of the usual names.

use crate::format::Settings;
use crate::log::ansi;
use crate::log::level;
use crate::log::record::Record;
use crate::log::role::{self, Role};
use crate::log::stream::{Grammar, Wrong};
use crate::log::time::Times;
use crate::log::value::Copier;
use crate::marks::Mark;
use crate::otlp::json::cursor::{Cursor, Fault, Skeleton, Why};
use crate::otlp::json::field::next_key;
use crate::otlp::json::unescape::unescape;
use crate::otlp::key::KeyTable;
use crate::otlp::text::replace;

/// Reads JSON lines.
pub(crate) struct JsonLines {
    settings: Settings,
    keys: KeyTable,
    /// What each key of `keys` means.
    roles: Vec<Role>,
    copier: Copier,
    text: Vec<u8>,
    held: Held,
}

/// Fields that may turn out to be attributes after all: rank, key and place of the value.
#[derive(Debug, Default)]
struct Held {
    time: Option<Candidate>,
    body: Option<Candidate>,
    service: Option<Candidate>,
    name: Option<Candidate>,
    has_level: bool,
    has_pid: bool,
    /// Time in two fields.
    seconds: Option<i64>,
    nanos: i64,
    num_members: usize,
    is_flat: bool,
}

#[derive(Debug, Clone, Copy)]
struct Candidate {
    rank: u8,
    key: usize,
    at: usize,
}

/// Tells whether a line begins an object. Those that are indented stand inside another one.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    match line.first() {
        Some(b'{') => true,
        Some(0) => line.iter().find(|byte| **byte != 0) == Some(&b'{'),
        _ => false,
    }
}

impl JsonLines {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self {
            settings: settings.clone(),
            keys: KeyTable::new(),
            roles: Vec::new(),
            copier: Copier::new(settings.limits),
            text: Vec::new(),
            held: Held::default(),
        }
    }

    /// Tells whether a line is a log record: it has a time, and a level, a body or nothing but plain fields.
    pub(crate) fn is_log(&mut self, line: &[u8]) -> bool {
        let mut record = Record { max_bytes: self.settings.limits.value_bytes, ..Record::default() };
        let is_read = begins(line) && self.object(&mut Cursor { bytes: line, at: 0 }, &mut record).is_ok();
        let held = &self.held;
        let says = held.has_level || held.body.is_some() || (held.is_flat && held.num_members > 2);
        is_read && record.time_ns.is_some() && says
    }

    /// Tells whether a head begins with a log record of several lines.
    pub(crate) fn is_spread_log(&mut self, head: &[u8]) -> bool {
        let len = if begins(head) && self.goes_on(head.split(|&byte| byte == b'\n').next().unwrap_or_default()) {
            Skeleton::default().advance(head)
        } else {
            None
        };
        let is_log = len.and_then(|len| head.get(..len)).is_some_and(|object| self.is_log(object));
        is_log && (self.held.has_level || self.held.body.is_some())
    }

    /// Reads an object and all its members.
    pub(crate) fn object(&mut self, cursor: &mut Cursor<'_>, record: &mut Record) -> Result<(), Fault> {
        self.held = Held { is_flat: true, ..Held::default() };
        cursor.expect(b'{', Why::NoObject)?;
        self.members(cursor, record)?;
        self.finish(*cursor, record)
    }

    fn members(&mut self, cursor: &mut Cursor<'_>, record: &mut Record) -> Result<(), Fault> {
        while let Some(name) = next_key(cursor)? {
            let has_escapes = memchr::memchr(b'\\', name).is_some();
            if has_escapes {
                unescape(name, &mut self.text);
            }
            let name = if has_escapes { &self.text } else { name };
            let key = self.keys.number(name, &self.settings.conventions);
            let role = self.role(key);
            self.held.num_members += 1;
            self.member(cursor, key, role, record)?;
        }
        Ok(())
    }

    #[inline]
    fn role(&mut self, key: usize) -> Role {
        if !self.keys.is_kept(key) {
            return Role::Attribute;
        }
        while self.roles.len() <= key {
            let text = self.keys.get(self.roles.len()).text.clone();
            self.roles.push(role::of(&text));
        }
        self.roles.get(key).copied().unwrap_or(Role::Attribute)
    }

    #[inline]
    fn member(&mut self, cursor: &mut Cursor<'_>, key: usize, role: Role, record: &mut Record) -> Result<(), Fault> {
        let from = *cursor;
        let is_taken = match role {
            Role::Attribute | Role::Seconds | Role::Nanos => false,
            Role::Time(rank) => self.time(cursor, key, rank, record)?,
            Role::Body(rank) => return self.body(cursor, key, rank, record),
            Role::Service(rank) => self.service(cursor, key, rank, record)?,
            Role::Name => self.name(cursor, key)?,
            Role::Members if cursor.peek() == Some(b'{') => {
                cursor.at += 1;
                return self.members(cursor, record);
            }
            Role::Pid => {
                self.held.has_pid = true;
                let out = record.member_json(b"\"process.pid\":");
                return self.copier.value(cursor, out, 0);
            }
            _ => self.simple(cursor, role, record)?,
        };
        if is_taken {
            return Ok(());
        }
        *cursor = from;
        self.attribute(cursor, key, record)
    }

    fn attribute(&mut self, cursor: &mut Cursor<'_>, key: usize, record: &mut Record) -> Result<(), Fault> {
        let is_object = cursor.peek() == Some(b'{');
        self.held.is_flat &= !is_object && cursor.peek() != Some(b'[');
        if is_object {
            self.look_into(*cursor, key, record)?;
        }
        let out = record.member_json(&self.keys.get(key).json);
        self.copier.value(cursor, out, 0)
    }

    /// Takes what the members of an object mean; the object stays an attribute.
    fn look_into(&mut self, mut cursor: Cursor<'_>, key: usize, record: &mut Record) -> Result<(), Fault> {
        let object = self.keys.get(key).text.clone();
        cursor.at += 1;
        while let Some(name) = next_key(&mut cursor)? {
            let from = cursor;
            let is_taken = match role::of_member(&object, name) {
                Role::Time(rank) => self.time(&mut cursor, 0, rank, record)?,
                role @ (Role::Seconds | Role::Nanos) => self.half_time(&mut cursor, role),
                Role::Service(_) if record.service.is_empty() && self.scalar(&mut cursor, record)? => {
                    replace(&mut record.service, &self.text);
                    true
                }
                role @ (Role::Level(_) | Role::Trace | Role::Span | Role::Flags | Role::Host) => {
                    self.simple(&mut cursor, role, record)?
                }
                _ => false,
            };
            if !is_taken {
                cursor = from;
                cursor.skip_value()?;
            }
        }
        Ok(())
    }

    /// Reads a text or a bare word into `self.text`; false for objects, arrays and null.
    #[inline]
    fn scalar(&mut self, cursor: &mut Cursor<'_>, record: &mut Record) -> Result<bool, Fault> {
        match cursor.peek() {
            Some(b'"') => {
                let (text, marks) = self.copier.text(cursor.text()?);
                record.notes.marks |= marks;
                replace(&mut self.text, text);
            }
            Some(b'{' | b'[') => return Ok(false),
            _ => replace(&mut self.text, cursor.word()?),
        }
        Ok(self.text != b"null")
    }

    fn time(&mut self, cursor: &mut Cursor<'_>, key: usize, rank: u8, record: &mut Record) -> Result<bool, Fault> {
        let at = cursor.at;
        let is_text = cursor.peek() == Some(b'"');
        if !self.scalar(cursor, record)? {
            return Ok(false);
        }
        let stamp = if is_text { record.times.read_all(&self.text) } else { None };
        let ns = stamp.map(|stamp| stamp.ns).or_else(|| Times::of_number(&self.text));
        let Some(ns) = ns else { return Ok(false) };
        let is_finer =
            record.time_ns.is_some_and(|known| known % SECOND == 0 && ns != known && ns - ns % SECOND == known);
        let is_better = self.held.time.is_none_or(|held| rank < held.rank);
        if !is_better && !is_finer {
            return Ok(false);
        }
        record.time_ns = Some(ns);
        if stamp.is_some_and(|stamp| stamp.is_assumed) {
            record.notes.mark(Mark::DateAssumed);
        }
        let displaced = self.held.time.replace(Candidate { rank, key, at });
        self.demote(displaced, *cursor, record)?;
        Ok(key != 0)
    }

    fn half_time(&mut self, cursor: &mut Cursor<'_>, role: Role) -> bool {
        let Ok(number) = crate::otlp::json::number::signed(cursor) else { return false };
        match role {
            Role::Seconds => self.held.seconds = number.checked_mul(SECOND),
            _ => self.held.nanos = number.clamp(0, SECOND - 1),
        }
        true
    }

    fn body(&mut self, cursor: &mut Cursor<'_>, key: usize, rank: u8, record: &mut Record) -> Result<(), Fault> {
        let at = cursor.at;
        let is_worse = self.held.body.is_some_and(|held| held.rank <= rank);
        if is_worse || (rank > 0 && cursor.peek() != Some(b'"')) {
            return self.attribute(cursor, key, record);
        }
        record.body.clear();
        record.body_is_json = !matches!(cursor.peek(), Some(b'"'));
        if record.body_is_json {
            self.copier.value(cursor, &mut record.body, 0)?;
            if record.body == b"null" {
                record.body.clear();
                record.body_is_json = false;
            }
        } else {
            let (text, marks) = self.copier.text(cursor.text()?);
            record.notes.marks |= marks;
            record.body.extend_from_slice(text);
            uncoloured(&mut record.body);
        }
        let displaced = self.held.body.replace(Candidate { rank, key, at });
        self.demote(displaced, *cursor, record)
    }

    fn service(&mut self, cursor: &mut Cursor<'_>, key: usize, rank: u8, record: &mut Record) -> Result<bool, Fault> {
        let at = cursor.at;
        let is_worse = self.held.service.is_some_and(|held| held.rank <= rank);
        if is_worse || cursor.peek() != Some(b'"') || !self.scalar(cursor, record)? || self.text.is_empty() {
            return Ok(false);
        }
        replace(&mut record.service, &self.text);
        let displaced = self.held.service.replace(Candidate { rank, key, at });
        self.demote(displaced, *cursor, record)?;
        Ok(true)
    }

    fn name(&mut self, cursor: &mut Cursor<'_>, key: usize) -> Result<bool, Fault> {
        if self.held.name.is_some() || cursor.peek() != Some(b'"') {
            return Ok(false);
        }
        self.held.name = Some(Candidate { rank: 0, key, at: cursor.at });
        cursor.skip_value()?;
        Ok(true)
    }

    /// Makes a field an attribute that was taken for something else before.
    fn demote(&mut self, candidate: Option<Candidate>, cursor: Cursor<'_>, record: &mut Record) -> Result<(), Fault> {
        match candidate {
            Some(Candidate { key, at, .. }) if key != 0 => {
                self.attribute(&mut Cursor { bytes: cursor.bytes, at }, key, record)
            }
            _ => Ok(()),
        }
    }

    /// Fields of which the first that says something counts.
    fn simple(&mut self, cursor: &mut Cursor<'_>, role: Role, record: &mut Record) -> Result<bool, Fault> {
        if !self.scalar(cursor, record)? {
            return Ok(false);
        }
        let text = self.text.trim_ascii();
        Ok(match role {
            Role::Level(scale) if !self.held.has_level => {
                let number = crate::log::time::number(text);
                let severity = match number {
                    Some(number) => level::of_number(number, scale),
                    None => level::of_name(text),
                };
                let is_level =
                    severity.is_some() || record.severity_text.is_empty() && number.is_none() && text.len() > 1;
                if is_level {
                    record.set_level(text, severity.unwrap_or(0));
                }
                self.held.has_level = severity.is_some();
                is_level
            }
            Role::Trace => text.is_empty() || record.set_trace(text),
            Role::Span => text.is_empty() || record.set_span(text),
            Role::Flags => {
                let digits = std::str::from_utf8(text).unwrap_or_default();
                let flags = u32::from_str_radix(digits, 16).ok();
                record.context.flags = flags.or(record.context.flags);
                flags.is_some()
            }
            Role::Host if record.host.is_empty() && !text.is_empty() => {
                replace(&mut record.host, text);
                true
            }
            _ => false,
        })
    }

    /// Reads the object that the text is which a container's log wraps: `{"log":"{…}\n","stream":"stdout","time":…}`.
    fn unwrap_body(&mut self, record: &mut Record) {
        while record.body.last() == Some(&b'\n') {
            record.body.pop();
        }
        if record.body_is_json || !begins(&record.body) {
            return;
        }
        let inner = std::mem::take(&mut record.body);
        let (num_bytes, time_ns) = (record.attributes.len(), record.time_ns);
        if self.object(&mut Cursor { bytes: &inner, at: 0 }, record).is_err() {
            record.attributes.truncate(num_bytes);
            (record.body, record.time_ns, record.body_is_json) = (inner, time_ns, false);
        }
    }

    /// What can be told only when all fields are known.
    fn finish(&mut self, cursor: Cursor<'_>, record: &mut Record) -> Result<(), Fault> {
        if let (None, Some(seconds)) = (record.time_ns, self.held.seconds) {
            record.time_ns = seconds.checked_add(self.held.nanos);
        }
        if let Some(name) = self.held.name.take() {
            let is_service = record.service.is_empty() && self.held.has_pid && !record.host.is_empty();
            if !is_service {
                return self.demote(Some(name), cursor, record);
            }
            self.scalar(&mut Cursor { bytes: cursor.bytes, at: name.at }, record)?;
            replace(&mut record.service, &self.text);
        }
        Ok(())
    }
}

/// The rank of bodies that may hold a record of their own.
const WRAPPED: u8 = 2;

/// Takes colours out of a text.
fn uncoloured(text: &mut Vec<u8>) {
    if ansi::is_in(text) {
        let mut plain = Vec::with_capacity(text.len());
        ansi::strip(text, &mut plain);
        *text = plain;
    }
}

/// A second in nanoseconds.
const SECOND: i64 = 1_000_000_000;

impl Grammar for JsonLines {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        false
    }

    /// An object of several lines, as log4j2's `JsonLayout` writes them.
    fn goes_on(&self, line: &[u8]) -> bool {
        line.first() == Some(&b'{') && !line.trim_ascii_end().ends_with(b"}")
    }

    fn read(&mut self, text: &[u8], record: &mut Record) -> Result<bool, Wrong> {
        if !begins(text) {
            return Ok(false);
        }
        let mut cursor = Cursor { bytes: text, at: 0 };
        let result = self.object(&mut cursor, record);
        if result.is_ok() && self.held.body.is_some_and(|body| body.rank == WRAPPED) {
            self.unwrap_body(record);
        }
        record.notes.marks |= self.copier.take_marks();
        result.map_err(|fault| Wrong { at: fault.at, reason: fault.why.text() })?;
        if text
            .get(cursor.at..)
            .is_some_and(|rest| rest.iter().any(|byte| !byte.is_ascii_whitespace() && *byte != b','))
        {
            return Err(Wrong { at: cursor.at, reason: "more than one object in a line" });
        }
        Ok(true)
    }
}
