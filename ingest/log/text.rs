//! Text with a time near the beginning of the line: Python's logging, logback, log4j, Spring Boot, zap's console, nginx's
//! error log, `env_logger`, gunicorn, and whatever else puts time, level and names before its message.
//!
//! ```text
//! line   = [ prefix ] time head message
//! prefix = level | "[" any "]" | number | name "|"
//! head   = { level | "[" any "]" | "(" any ")" | number | logger | key "=" value | separator }
//! ```
//!
//! Lines that begin no record (stack traces) belong to the one before them.

pub(crate) mod bracket;
mod head;

use crate::format::Settings;
use crate::log::json::JsonLines;
use crate::log::level;
use crate::log::record::Record;
use crate::log::stream::{Grammar, Wrong};
use crate::log::text::head::Head;
use crate::log::time::{Stamp, Times};

/// How far from the beginning of the line the time may stand.
const MAX_PREFIX: usize = 80;

/// Reads text; also what other formats do not recognise within their files.
pub(crate) struct TextReader {
    json: JsonLines,
}

/// The format `log-text`: all of it is read by [`TextReader`].
pub(crate) struct TextLines;

impl Grammar for TextLines {
    fn begins(&self, line: &[u8]) -> bool {
        begins(line)
    }

    fn continues(&self) -> bool {
        true
    }

    fn read(&mut self, _text: &[u8], _record: &mut Record) -> Result<bool, Wrong> {
        Ok(false)
    }
}

/// Tells whether a line begins a record.
#[inline]
pub(crate) fn begins(line: &[u8]) -> bool {
    find(line, Times::default()).is_some() || leading_level(line).is_some()
}

/// Tells whether a line is surely of a log: it has a date, or a level where it has none.
pub(crate) fn is_log(line: &[u8]) -> bool {
    let Some((from, stamp)) = find(line, Times::default()) else {
        return leading_level(line).is_some_and(|level| level.is_sure);
    };
    // Events as babeltrace2 prints them: `[time] (+0.000000123) host event: …`.
    if line.get(from + stamp.len..).is_some_and(|rest| rest.starts_with(b"] (+")) {
        return false;
    }
    if !stamp.is_time_only && !stamp.is_epoch {
        return true;
    }
    let mut record = Record { max_bytes: usize::MAX, ..Record::default() };
    let mut head = Head::new(line, stamp.len);
    head.read(&mut record);
    record.severity != 0
}

/// Tells whether a line may follow a record within a log: indented, or part of a stack trace.
pub(crate) fn is_continuation(line: &[u8]) -> bool {
    let starts =
        ["Caused by:", "Traceback ", "goroutine ", "During handling", "The above exception", "Suppressed:", "}", ")"];
    line.first().is_none_or(u8::is_ascii_whitespace) || starts.iter().any(|start| line.starts_with(start.as_bytes()))
}

impl TextReader {
    pub(crate) fn new(settings: &Settings) -> Self {
        Self { json: JsonLines::new(settings) }
    }

    /// Reads a record.
    pub(crate) fn read(&mut self, text: &[u8], record: &mut Record) {
        let len = memchr::memchr(b'\n', text).unwrap_or(text.len());
        let (line, more) = text.split_at(len);
        let Some((from, stamp)) = find(line, record.times) else {
            without_time(text, line, record);
            return;
        };
        record.set_stamp(stamp);
        let mut head = Head::new(line, from + stamp.len);
        if from > 0 {
            head::prefix(line.get(..from).unwrap_or_default(), record);
        }
        let at = head.read(record);
        let line = line.get(at..).unwrap_or_default();
        let line = self.fields(line, record);
        if record.body.is_empty() {
            record.body.extend_from_slice(line);
        }
        record.body.extend_from_slice(more);
    }

    /// Takes the fields of an object that is the whole body, as programs write it to syslog.
    pub(crate) fn unwrap_body(&mut self, record: &mut Record) {
        if record.body_is_json {
            return;
        }
        let inner = std::mem::take(&mut record.body);
        let (num_bytes, time_ns) = (record.attributes.len(), record.time_ns);
        if !matches!(self.json.read(&inner, record), Ok(true)) {
            record.attributes.truncate(num_bytes);
            record.body.clear();
            record.body_is_json = false;
        }
        record.time_ns = time_ns.or(record.time_ns);
        if record.body.is_empty() {
            record.body = inner;
        }
    }

    /// Takes the object at the end of a line, as zap's console writes it, or that the message is; returns what is left.
    fn fields<'a>(&mut self, line: &'a [u8], record: &mut Record) -> &'a [u8] {
        let line = container_stream(line, record);
        if line.last() != Some(&b'}') {
            return line;
        }
        let at =
            if line.first() == Some(&b'{') { Some(0) } else { memchr::memmem::find(line, b"\t{").map(|tab| tab + 1) };
        let Some(object) = at.and_then(|at| line.get(at..)) else { return line };
        let kept = (record.attributes.len(), record.time_ns, record.body.len());
        match self.json.read(object, record) {
            Ok(true) if at != Some(0) => {
                record.time_ns = kept.1;
                line.get(..at.unwrap_or(0)).unwrap_or_default().trim_ascii_end()
            }
            Ok(true) if !record.body.is_empty() => b"",
            _ => {
                record.attributes.truncate(kept.0);
                (record.time_ns, record.body_is_json) = (kept.1, false);
                record.body.truncate(kept.2);
                line
            }
        }
    }
}

/// Takes off `stdout F ` of Kubernetes' container logs.
fn container_stream<'a>(line: &'a [u8], record: &mut Record) -> &'a [u8] {
    for (prefix, stream) in [(&b"stdout F "[..], "stdout"), (b"stderr F ", "stderr")] {
        if let Some(rest) = line.strip_prefix(prefix) {
            record.text("log.iostream", stream.as_bytes());
            return rest;
        }
    }
    line
}

/// A level that a line begins with.
struct LeadingLevel {
    severity: u8,
    /// Bytes of its name.
    len: usize,
    /// Where the message begins.
    end: usize,
    /// Whether nothing but a log begins so.
    is_sure: bool,
    /// Seconds since the program began, in brackets.
    is_counted: bool,
}

/// `WARNING:root:message` of Python, `INFO[0012] message` of logrus, `ERROR: message`.
fn leading_level(line: &[u8]) -> Option<LeadingLevel> {
    let len = line.iter().take(10).position(|byte| !byte.is_ascii_uppercase())?;
    let severity = level::of_word(line.get(..len)?)?;
    let rest = line.get(len..)?;
    let is_digits = |digits: &[u8]| digits.len() >= 4 && digits.iter().all(u8::is_ascii_digit);
    match rest.first()? {
        b':' => {
            let name = rest
                .get(1..)?
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_'))
                .count();
            let is_sure = name > 0 && rest.get(name + 1) == Some(&b':');
            let end = len + 1 + rest.get(1..)?.iter().take_while(|byte| **byte == b' ').count();
            Some(LeadingLevel { severity, len, end, is_sure, is_counted: false })
        }
        b'[' => {
            let close = rest.iter().take(12).position(|&byte| byte == b']')?;
            let is_counted = is_digits(rest.get(1..close)?);
            is_counted.then_some(LeadingLevel { severity, len, end: len + close + 1, is_sure: true, is_counted })
        }
        _ => None,
    }
}

fn without_time(text: &[u8], line: &[u8], record: &mut Record) {
    let Some(level) = leading_level(line) else {
        record.body.extend_from_slice(text);
        return;
    };
    record.set_level(line.get(..level.len).unwrap_or_default(), level.severity);
    let message = text.get(level.end..).unwrap_or_default();
    if level.is_counted {
        let elapsed = line.get(level.len + 1..level.end - 1).unwrap_or_default();
        let zeros = elapsed.iter().take_while(|byte| **byte == b'0').count().min(elapsed.len() - 1);
        record.typed(b"elapsed_s", elapsed.get(zeros..).unwrap_or_default());
        crate::log::logfmt::after_message(message.trim_ascii_start(), record);
        return;
    }
    let name = message.iter().position(|&byte| byte == b':').filter(|_| level.is_sure).unwrap_or(0);
    if name > 0 {
        record.text("logger", message.get(..name).unwrap_or_default());
    }
    record.body.extend_from_slice(message.get(name + usize::from(name > 0)..).unwrap_or_default().trim_ascii_start());
}

/// Returns where the time of a line stands, and the time.
#[inline]
fn find(line: &[u8], times: Times) -> Option<(usize, Stamp)> {
    let first = *line.first()?;
    if first.is_ascii_digit()
        && let Some(stamp) = times.read(line)
    {
        return is_ended(line, stamp.len).then_some((0, stamp));
    }
    if matches!(first, b' ' | b'\t') {
        return None;
    }
    if matches!(first, b'[' | b'(' | b'<')
        && let Some(stamp) = times.read(line.get(1..)?)
    {
        return is_ended(line, 1 + stamp.len).then_some((1, stamp));
    }
    if first.is_ascii_uppercase()
        && let Some(stamp) = times.read(line)
    {
        return is_ended(line, stamp.len).then_some((0, stamp));
    }
    find_later(line, times)
}

/// The time stands behind a level, a name in brackets, or the name of a container.
fn find_later(line: &[u8], times: Times) -> Option<(usize, Stamp)> {
    let near = line.get(..MAX_PREFIX).unwrap_or(line);
    for at in 1..near.len() {
        let (Some(&before), Some(&byte)) = (line.get(at - 1), line.get(at)) else { break };
        let is_start =
            byte.is_ascii_digit() && matches!(before, b' ' | b'[' | b'(' | b'|' | b'\t' | b'=' | b'"' | b']');
        if !is_start {
            continue;
        }
        if let Some(stamp) = times.read(line.get(at..)?) {
            let is_whole = !stamp.is_time_only && !stamp.is_epoch && is_ended(line, at + stamp.len);
            return (is_whole && is_prefix(line.get(..at)?)).then_some((at, stamp));
        }
    }
    None
}

/// Tells whether what stands before a time is no message: levels, numbers, brackets, and names before a bar.
fn is_prefix(prefix: &[u8]) -> bool {
    let mut words = prefix.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).peekable();
    let mut num_words = 0;
    while let Some(word) = words.next() {
        num_words += 1;
        let is_bar = |word: &[u8]| word == b"|";
        let is_closed = word.first() == Some(&b'[') || matches!(word, b"[" | b"(" | b"-" | b"|" | b":");
        let bare = word.strip_suffix(b":").unwrap_or(word);
        let is_plain = level::of_word(bare).is_some() || word.iter().all(u8::is_ascii_digit);
        let is_named =
            words.peek().is_some_and(|next| is_bar(next)) || word.last() == Some(&b'|') || word.last() == Some(&b'=');
        if num_words > 4 || !(is_closed || is_plain || is_named) {
            return false;
        }
    }
    true
}

/// Tells whether a time is not part of something longer.
#[inline]
fn is_ended(line: &[u8], at: usize) -> bool {
    !line.get(at).is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
}
