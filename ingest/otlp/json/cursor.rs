//! Reads JSON tokens from a window of bytes.
//!
//! Commas are taken as white space: what they separate is clear without them. Whatever else is wrong is a [`Fault`]
//! with its place. Running off the end of the window is a fault of its own, because more bytes may follow.

use crate::otlp::json::recover::begins_request;
use crate::otlp::text::find_stop;

/// Why reading stopped, and where in the window.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fault {
    pub at: usize,
    pub why: Why,
}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// The window ends here.
    End,
    LineEndInText,
    BadNumber,
    BadId,
    BadEnum,
    BadBool,
    NoText,
    NoObject,
    NoArray,
    NoKey,
    NoColon,
    NoValue,
    /// An object among the requests has none of their keys.
    NoRequest,
    /// The key of a request stands inside a record: the line before was cut off.
    RequestInside,
}

impl Why {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::End => "input ends",
            Self::LineEndInText => "line ends inside a text",
            Self::BadNumber => "invalid number",
            Self::BadId => "invalid id",
            Self::BadEnum => "unknown name",
            Self::BadBool => "neither true nor false",
            Self::NoText => "expected a text",
            Self::NoObject => "expected {",
            Self::NoArray => "expected [",
            Self::NoKey => "expected a key or }",
            Self::NoColon => "expected a colon",
            Self::NoValue => "expected a value",
            Self::NoRequest => "neither resourceSpans nor resourceLogs nor resourceMetrics",
            Self::RequestInside => "cut off: a request begins inside it",
        }
    }
}

/// A text as it stands between its quotes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RawText<'a> {
    pub bytes: &'a [u8],
    /// Whether it has escapes or control characters.
    pub has_escapes: bool,
    pub is_ascii: bool,
}

/// A place in a window.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    pub bytes: &'a [u8],
    pub at: usize,
}

impl<'a> Cursor<'a> {
    #[inline]
    pub(crate) fn fault<T>(&self, why: Why) -> Result<T, Fault> {
        Err(Fault { at: self.at, why: if self.at >= self.bytes.len() { Why::End } else { why } })
    }

    #[inline]
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    #[inline]
    pub(crate) fn skip_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t' | b',') = self.peek() {
            self.at = self.at.wrapping_add(1);
        }
    }

    /// Skips white space and the byte `wanted`; tells whether it stood there.
    #[inline]
    pub(crate) fn take(&mut self, wanted: u8) -> bool {
        self.skip_space();
        let is_there = self.peek() == Some(wanted);
        self.at = self.at.wrapping_add(usize::from(is_there));
        is_there
    }

    #[inline]
    pub(crate) fn expect(&mut self, wanted: u8, why: Why) -> Result<(), Fault> {
        if self.take(wanted) { Ok(()) } else { self.fault(why) }
    }

    /// Reads a text with its quotes.
    #[inline]
    pub(crate) fn text(&mut self) -> Result<RawText<'a>, Fault> {
        if self.peek() != Some(b'"') {
            self.skip_space();
            if self.peek() != Some(b'"') {
                return self.fault(Why::NoText);
            }
        }
        let from = self.at.wrapping_add(1);
        let (mut at, mut has_escapes, mut high) = (from, false, 0);
        loop {
            let (stop, seen) = find_stop(self.bytes, at);
            high |= seen;
            match self.bytes.get(stop) {
                Some(b'"') => {
                    self.at = stop.wrapping_add(1);
                    let bytes = self.bytes.get(from..stop).unwrap_or_default();
                    return Ok(RawText { bytes, has_escapes, is_ascii: high == 0 });
                }
                Some(b'\n') => return Err(Fault { at: stop, why: Why::LineEndInText }),
                Some(b'\\') => at = stop.wrapping_add(2),
                Some(_) => at = stop.wrapping_add(1),
                None => return Err(Fault { at: self.bytes.len(), why: Why::End }),
            }
            has_escapes = true;
        }
    }

    /// Skips a value of any form and depth, unless it is a request: those do not stand inside anything.
    pub(crate) fn skip_value(&mut self) -> Result<(), Fault> {
        self.skip_space();
        match self.peek() {
            Some(b'"') => self.text().map(drop),
            Some(b'{' | b'[') => {
                let rest = self.bytes.get(self.at..).unwrap_or_default();
                if begins_request(rest) {
                    return self.fault(Why::RequestInside);
                }
                let mut skeleton = Skeleton::default();
                let len = skeleton.advance(rest);
                match len {
                    Some(len) => {
                        self.at += len;
                        Ok(())
                    }
                    None if skeleton.is_broken => Err(Fault { at: self.at, why: Why::LineEndInText }),
                    None => Err(Fault { at: self.bytes.len(), why: Why::End }),
                }
            }
            Some(b'}' | b']' | b':') | None => self.fault(Why::NoValue),
            Some(_) => {
                self.word()?;
                Ok(())
            }
        }
    }

    /// Reads a number, `true`, `null` or any other bare word.
    #[inline]
    pub(crate) fn word(&mut self) -> Result<&'a [u8], Fault> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let is_end =
            |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t' | b',' | b'}' | b']' | b':' | b'"' | b'{' | b'[');
        match rest.iter().position(is_end) {
            None => Err(Fault { at: self.bytes.len(), why: Why::End }),
            Some(0) => self.fault(Why::NoValue),
            Some(len) => {
                self.at += len;
                Ok(rest.get(..len).unwrap_or_default())
            }
        }
    }

    /// Skips `null` where it stands here.
    #[inline]
    pub(crate) fn take_null(&mut self) -> bool {
        self.skip_space();
        let is_null = self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(b"null"));
        self.at += if is_null { 4 } else { 0 };
        is_null
    }
}

/// Finds the end of an object, array or text without looking at what it holds; goes on where the last window ended.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Skeleton {
    depth: u64,
    in_text: bool,
    is_escaped: bool,
    /// A line ended inside a text, which JSON does not allow.
    pub is_broken: bool,
}

impl Skeleton {
    /// Returns the length up to the closing bracket, or nothing where the bytes end before it or are broken.
    pub(crate) fn advance(&mut self, bytes: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            at += 1;
            if self.is_escaped {
                self.is_escaped = false;
            } else if self.in_text {
                match byte {
                    b'"' => {
                        self.in_text = false;
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    b'\\' => self.is_escaped = true,
                    b'\n' => {
                        self.is_broken = true;
                        return None;
                    }
                    _ => at = find_stop(bytes, at).0,
                }
            } else {
                match byte {
                    b'"' => self.in_text = true,
                    b'{' | b'[' => self.depth += 1,
                    b'}' | b']' => {
                        self.depth = self.depth.saturating_sub(1);
                        if self.depth == 0 {
                            return Some(at);
                        }
                    }
                    _ => {}
                }
            }
        }
        None
    }
}
