//! A stream whose beginning can be looked at before it is read.

use std::io::{self, Read};

/// A stream with its beginning.
pub(crate) struct Peeked<'a> {
    head: Vec<u8>,
    /// How much of the head was read out again.
    at: usize,
    error: Option<io::Error>,
    is_ended: bool,
    inner: Box<dyn Read + 'a>,
}

impl<'a> Peeked<'a> {
    pub(crate) fn new(inner: Box<dyn Read + 'a>) -> Self {
        Self { head: Vec::new(), at: 0, error: None, is_ended: false, inner }
    }

    /// Looks at the first `len` bytes; fewer where the stream ends or rests before, or fails (then the error comes when
    /// the bytes before it were read).
    pub(crate) fn peek(&mut self, len: usize) -> &[u8] {
        while self.head.len() < len && !self.is_ended && self.error.is_none() {
            let from = self.head.len();
            self.head.resize(len, 0);
            let result = self.inner.read(self.head.get_mut(from..).unwrap_or_default());
            self.head.truncate(from + result.as_ref().map_or(0, |len| *len));
            match result {
                Ok(0) => self.is_ended = true,
                Ok(_) => {}
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) => self.error = Some(error),
            }
        }
        self.head.get(..len).unwrap_or(&self.head)
    }

    /// Looks on until `is_enough` says so of what is there; a stream that rests before is waited for.
    pub(crate) fn peek_until(&mut self, len: usize, is_enough: impl Fn(&[u8]) -> bool) -> &[u8] {
        while self.peek(len).len() < len && !self.is_over() && !is_enough(&self.head) {}
        self.peek(0);
        self.head.get(..len).unwrap_or(&self.head)
    }

    /// Tells whether nothing comes after what was looked at.
    pub(crate) fn is_over(&self) -> bool {
        self.is_ended || self.error.is_some()
    }

    /// Returns the error that ended the stream before its first byte.
    pub(crate) fn take_first_error(&mut self) -> Option<io::Error> {
        if self.head.is_empty() { self.error.take() } else { None }
    }
}

impl Read for Peeked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = self.head.get(self.at..).unwrap_or_default();
        if rest.is_empty() {
            return match self.error.take() {
                Some(error) => Err(error),
                None if self.is_ended => Ok(0),
                None => self.inner.read(buffer),
            };
        }
        let len = rest.len().min(buffer.len());
        if let (Some(place), Some(bytes)) = (buffer.get_mut(..len), rest.get(..len)) {
            place.copy_from_slice(bytes);
        }
        self.at += len;
        Ok(len)
    }
}
