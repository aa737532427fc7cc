//! What stands between the time and the message.

use crate::log::level;
use crate::log::record::Record;
use crate::log::seek;
use crate::log::text::bracket::{Brackets, is_place};

/// How many words before the level are looked at.
const MAX_BEFORE: usize = 6;

/// How many after it.
const MAX_AFTER: usize = 16;

/// Reads the head of one line.
pub(crate) struct Head<'a> {
    line: &'a [u8],
    at: usize,
    /// The bracket that the time stands in is not closed behind it.
    is_open: bool,
    /// Names are separated by ` - `.
    has_dashes: bool,
    logger: &'a [u8],
    brackets: Brackets<'a>,
}

/// One word of the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Word<'a> {
    /// With what stands in it.
    Bracket(&'a [u8]),
    Plain(&'a [u8]),
}

impl<'a> Head<'a> {
    /// A head that begins behind the time.
    pub(crate) fn new(line: &'a [u8], at: usize) -> Self {
        let mut head = Self { line, at, is_open: false, has_dashes: false, logger: b"", brackets: Brackets::default() };
        let before = line.get(..at).unwrap_or_default();
        let opens = memchr::memchr2_iter(b'[', b'(', before).count();
        let closes = if opens == 0 { 0 } else { memchr::memchr2_iter(b']', b')', before).count() };
        if opens > closes {
            head.is_open = !matches!(head.peek(), Some(b']' | b')'));
            head.at += usize::from(!head.is_open);
        }
        if head.starts_with(b" - ") {
            head.has_dashes = true;
            head.at += 3;
        }
        while matches!(head.peek(), Some(b' ' | b'\t' | b',' | b';' | b':' | b'|' | b'>')) {
            head.at += 1;
        }
        head
    }

    /// Reads up to the message, and returns where that begins.
    pub(crate) fn read(&mut self, record: &mut Record) -> usize {
        let from = self.at;
        if record.severity == 0 && !self.find_level(record) {
            self.at = from;
            (self.brackets, self.logger) = (Brackets::default(), b"");
            if self.is_open {
                self.skip_past(b']');
            }
            if matches!(self.peek(), Some(b'[' | b'(')) {
                self.after_level(record);
            }
        } else {
            self.after_level(record);
        }
        self.brackets.finish(self.logger, record);
        self.at.min(self.line.len())
    }

    /// Goes to the level, past names and numbers before it. False where there is none.
    fn find_level(&mut self, record: &mut Record) -> bool {
        let mut only_numbers = true;
        for num_words in 0..MAX_BEFORE {
            self.spaces();
            let from = self.at;
            let Some(word) = self.word() else { return false };
            let (name, is_marked) = match word {
                Word::Bracket(inner) => (inner.trim_ascii(), true),
                Word::Plain(text) => (text.strip_suffix(b":").unwrap_or(text), text.last() == Some(&b':')),
            };
            let name = name.split(|&byte| byte == b'/').next().unwrap_or(name);
            let is_single = name.len() == 1 && only_numbers && num_words > 0 && name.iter().all(u8::is_ascii_uppercase);
            let severity = if is_single { level::of_name(name) } else { level::of_word(name) };
            if let Some(severity) = severity.filter(|_| is_marked || is_single || self.is_level(name)) {
                record.set_level(name, severity);
                return true;
            }
            if !self.keep(word, from) {
                return false;
            }
            only_numbers &= matches!(word, Word::Plain(text) if text.iter().all(u8::is_ascii_digit));
        }
        false
    }

    /// A level without brackets or a colon is in capitals, or stands apart from the message.
    fn is_level(&self, name: &[u8]) -> bool {
        let is_apart = [&b"\t"[..], b"  ", b" [", b" - ", b" |"].iter().any(|gap| self.starts_with(gap));
        name.iter().all(u8::is_ascii_uppercase) || is_apart
    }

    /// Keeps a word before the level; false where it looks like a message.
    fn keep(&mut self, word: Word<'a>, from: usize) -> bool {
        match word {
            Word::Bracket(inner) => self.brackets.push(inner),
            Word::Plain(text) if text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'#' | b':')) => {
                self.brackets.push_pid(text);
            }
            Word::Plain(b"-" | b"|") => self.has_dashes = true,
            Word::Plain(text) if is_name(text) && self.logger.is_empty() && from > 0 => {
                self.logger = text.strip_suffix(b":").unwrap_or(text);
            }
            Word::Plain(_) => return false,
        }
        true
    }

    fn after_level(&mut self, record: &mut Record) {
        if self.peek() == Some(b':') {
            self.at += 1;
        }
        if self.peek() == Some(b'\t') {
            self.tabs();
            return;
        }
        let mut is_separated = false;
        for _ in 0..MAX_AFTER {
            self.spaces();
            if self.separator(&mut is_separated) {
                continue;
            }
            let from = self.at;
            let is_kept = match self.word() {
                Some(Word::Bracket(inner)) if !is_separated && !self.is_open => {
                    self.brackets.push(inner);
                    true
                }
                Some(Word::Plain(text)) => self.name_or_field(text, from, is_separated, record),
                _ => false,
            };
            if !is_kept {
                self.at = from;
                return;
            }
        }
    }

    /// Skips what separates names from each other and from the message. The last one of a kind is final.
    fn separator(&mut self, is_separated: &mut bool) -> bool {
        if !matches!(self.peek(), Some(b'-' | b':' | b'|')) {
            return false;
        }
        for (separator, is_final) in
            [(&b"--- "[..], false), (b"-- ", true), (b"- ", true), (b": ", true), (b"| ", true)]
        {
            if self.starts_with(separator) && !*is_separated {
                self.at += separator.len();
                self.brackets.has_rule |= !is_final;
                *is_separated = is_final;
                return true;
            }
        }
        false
    }

    /// A logger, a process, fields before a separator.
    fn name_or_field(&mut self, text: &'a [u8], from: usize, is_separated: bool, record: &mut Record) -> bool {
        if self.is_open && text.last() == Some(&b']') {
            self.is_open = false;
            self.logger = text.strip_suffix(b"]").unwrap_or(text);
            return true;
        }
        if is_separated {
            let is_logger = self.has_dashes && self.logger.is_empty() && is_name(text) && self.starts_with(b" - ");
            if is_logger {
                self.logger = text;
                self.at += 3;
            }
            return is_logger;
        }
        let is_pid = text.iter().all(u8::is_ascii_digit) && self.starts_with(b" ---");
        if is_pid || (is_pid_and_thread(text) && self.brackets.is_empty()) {
            self.brackets.push_pid(text);
            return true;
        }
        if memchr::memchr(b'{', text).is_some_and(|at| is_name(text.get(..at).unwrap_or_default())) {
            return self.spans(from, record);
        }
        if memchr::memchr(b'=', text).is_some() {
            return self.fields(from, record);
        }
        if self.logger.is_empty() && self.is_logger(text) {
            self.logger = text.strip_suffix(b":").unwrap_or(text);
            return true;
        }
        false
    }

    /// A name with dots or colons in it, where a separator follows or its last part is that of a class.
    fn is_logger(&self, text: &[u8]) -> bool {
        let name = text.strip_suffix(b":").unwrap_or(text);
        let rest = self.line.get(self.at..).unwrap_or_default().trim_ascii_start();
        let follows = [&b"- "[..], b": ", b"-- ", b"[", b"("].iter().any(|next| rest.starts_with(next));
        let is_path = memchr::memchr(b'.', name).is_some() || memchr::memmem::find(name, b"::").is_some();
        let last = name.rsplit(|&byte| byte == b'.').next().unwrap_or(name);
        let is_class = is_path && last.first().is_some_and(u8::is_ascii_uppercase) && name.len() > last.len();
        let has_fields = is_path && rest.split(|&byte| byte == b' ').next().is_some_and(|word| word.contains(&b'='));
        let is_ended = name.len() < text.len();
        is_name(name) && (follows && !is_ended || is_class || has_fields || (is_ended && is_path))
    }

    /// `request{id=1}:inner{…}: ` of Rust's tracing.
    fn spans(&mut self, from: usize, record: &mut Record) -> bool {
        let rest = self.line.get(from..).unwrap_or_default();
        let Some(len) = memchr::memmem::find(rest, b"}: ") else { return false };
        let spans = rest.get(..=len).unwrap_or_default();
        record.text("spans", spans);
        seek::scan(spans, record);
        self.at = from + len + 3;
        true
    }

    /// Fields in a row with a separator behind them; without one they belong to the message.
    fn fields(&mut self, from: usize, record: &mut Record) -> bool {
        self.at = from;
        let mut to = from;
        loop {
            self.spaces();
            if self.starts_with(b"- ") || self.starts_with(b": ") || self.starts_with(b"| ") {
                break;
            }
            match self.word() {
                Some(Word::Plain(text)) if memchr::memchr(b'=', text).is_some() => to = self.at,
                _ => return false,
            }
        }
        let fields = self.line.get(from..to).unwrap_or_default();
        crate::log::text::bracket::pairs(fields, record);
        true
    }

    /// Names separated by tabs, as zap writes them: `logger`, `file.go:12`, then the message.
    fn tabs(&mut self) {
        while self.peek() == Some(b'\t') {
            self.at += 1;
            let rest = self.line.get(self.at..).unwrap_or_default();
            let Some(len) = memchr::memchr(b'\t', rest) else { return };
            let name = rest.get(..len).unwrap_or_default();
            if memchr::memchr(b' ', name).is_some() || (self.brackets.has_place && !is_place(name)) {
                return;
            }
            if is_place(name) {
                self.brackets.push(name);
                self.at += len + 1;
                return;
            }
            let is_named = rest.get(len + 1..).and_then(|next| next.split(|&byte| byte == b'\t').next());
            if !is_named.is_some_and(is_place) {
                return;
            }
            self.logger = name;
            self.at += len;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn starts_with(&self, text: &[u8]) -> bool {
        self.line.get(self.at..).is_some_and(|rest| rest.starts_with(text))
    }

    fn spaces(&mut self) {
        while matches!(self.peek(), Some(b' ')) {
            self.at += 1;
        }
    }

    fn skip_past(&mut self, wanted: u8) {
        let rest = self.line.get(self.at..).unwrap_or_default();
        self.at += memchr::memchr(wanted, rest).map_or(0, |at| at + 1);
        self.spaces();
    }

    fn word(&mut self) -> Option<Word<'a>> {
        let rest = self.line.get(self.at..).filter(|rest| !rest.is_empty())?;
        let close = match rest.first() {
            Some(b'[') => b']',
            Some(b'(') => b')',
            _ => {
                let len = rest.iter().position(|byte| matches!(byte, b' ' | b'\t')).unwrap_or(rest.len());
                self.at += len;
                return rest.get(..len).filter(|word| !word.is_empty()).map(Word::Plain);
            }
        };
        let len = memchr::memchr(close, rest)?;
        self.at += len + 1;
        rest.get(1..len).map(Word::Bracket)
    }
}

/// Reads the words before the time.
pub(crate) fn prefix(prefix: &[u8], record: &mut Record) {
    for word in prefix.split(|byte| matches!(byte, b' ' | b'\t' | b'[' | b']' | b'|' | b':' | b'-' | b'(')) {
        match level::of_word(word) {
            Some(severity) if record.severity == 0 => record.set_level(word, severity),
            _ if word.is_empty() => {}
            _ if word.iter().all(u8::is_ascii_digit) => record.typed(b"process.pid", word),
            _ if prefix.contains(&b'|') && record.service.is_empty() => record.service.extend_from_slice(word),
            _ => {}
        }
    }
}

/// Tells whether a word can be the name of a logger.
fn is_name(text: &[u8]) -> bool {
    let text = text.strip_suffix(b":").unwrap_or(text);
    let is_letter = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'$' | b':' | b'/' | b'-');
    text.first().is_some_and(|first| first.is_ascii_alphabetic() || *first == b'_') && text.iter().all(is_letter)
}

/// `17190#17190:` of nginx.
fn is_pid_and_thread(text: &[u8]) -> bool {
    text.contains(&b'#')
        && text.last() == Some(&b':')
        && text.iter().all(|byte| byte.is_ascii_digit() || matches!(byte, b'#' | b':'))
}
