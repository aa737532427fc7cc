//! Names of headers in other letters than they came in, on the wire of HTTP/1. Elsewhere names have no letters of their own, so this
//! is done to the bytes of a request's head while they are written.

use std::io;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use hyper::http::HeaderName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::chaos::proxy::effect::Letters;

/// What is written differently in the next request.
#[derive(Clone, Default)]
pub(super) struct Lettering(Arc<Shared>);

#[derive(Default)]
struct Shared {
    is_set: AtomicBool,
    names: Mutex<Vec<(HeaderName, Letters)>>,
}

impl Lettering {
    /// Sets what is written differently in the request that is sent next.
    pub(super) fn set(&self, names: &[(HeaderName, Letters)]) {
        if names.is_empty() && !self.is_set() {
            return;
        }
        *self.0.names.lock().unwrap_or_else(PoisonError::into_inner) = names.to_vec();
        self.0.is_set.store(!names.is_empty(), Ordering::Release);
    }

    fn is_set(&self) -> bool {
        self.0.is_set.load(Ordering::Acquire)
    }

    fn of(&self, name: &[u8]) -> Option<Letters> {
        let names = self.0.names.lock().unwrap_or_else(PoisonError::into_inner);
        names
            .iter()
            .find(|(known, _)| known.as_str().as_bytes().eq_ignore_ascii_case(name))
            .map(|(_, letters)| *letters)
    }
}

/// Writes heads of requests as a [`Lettering`] says.
pub(super) struct Rewriting<S> {
    inner: S,
    lettering: Lettering,
    /// What is written of the current line.
    line: Vec<u8>,
}

impl<S> Rewriting<S> {
    pub(super) fn new(inner: S, lettering: Lettering) -> Self {
        Self { inner, lettering, line: Vec::new() }
    }

    /// Returns `bytes`, as they go on after what is written, in other letters.
    fn rewrite(&self, bytes: &[u8]) -> Vec<u8> {
        let mut whole = [self.line.as_slice(), bytes].concat();
        let last_line = whole.windows(4).position(|end| end == b"\r\n\r\n").unwrap_or(whole.len());
        let head_end = if whole.starts_with(b"\r\n") { 0 } else { last_line };
        let (head, _) = whole.split_at_mut(head_end);
        for line in head.split_mut(|byte| *byte == b'\n') {
            let length = line.iter().position(|byte| *byte == b':').unwrap_or(0);
            let (name, _) = line.split_at_mut(length);
            if let Some(letters) = self.lettering.of(name) {
                spell(name, letters);
            }
        }
        whole.split_off(self.line.len())
    }

    /// Notes what was written; forgets the lettering once the head is over.
    fn wrote(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.line.push(*byte);
            if *byte != b'\n' {
                continue;
            }
            let is_over = self.line == b"\r\n";
            self.line.clear();
            if is_over {
                self.lettering.set(&[]);
                return;
            }
        }
    }
}

fn spell(name: &mut [u8], letters: Letters) {
    let mut begins = true;
    for byte in name {
        *byte = match letters {
            Letters::Title if !begins => byte.to_ascii_lowercase(),
            Letters::Upper | Letters::Title => byte.to_ascii_uppercase(),
            Letters::Lower => byte.to_ascii_lowercase(),
        };
        begins = *byte == b'-';
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Rewriting<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Rewriting<S> {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if !self.lettering.is_set() {
            return Pin::new(&mut self.inner).poll_write(context, bytes);
        }
        let rewritten = self.rewrite(bytes);
        let written = Pin::new(&mut self.inner).poll_write(context, &rewritten);
        if let Poll::Ready(Ok(length)) = &written {
            self.wrote(rewritten.get(..*length).unwrap_or_default());
        }
        written
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if !self.lettering.is_set() {
            return Pin::new(&mut self.inner).poll_write_vectored(context, pieces);
        }
        let first = pieces.iter().find(|piece| !piece.is_empty());
        self.poll_write(context, first.map_or(&[][..], |piece| piece))
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(context)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_named_headers_of_the_head_change_wherever_writes_end() {
        let head: &[u8] =
            b"GET /baggage: HTTP/1.1\r\nbaggage: baggage: a\r\nX-b3-TraceId: 1\r\nhost: b\r\n\r\nbaggage: body";
        let wanted: &[u8] =
            b"GET /baggage: HTTP/1.1\r\nBAGGAGE: baggage: a\r\nX-B3-Traceid: 1\r\nhost: b\r\n\r\nbaggage: body";
        let names = [
            (HeaderName::from_static("baggage"), Letters::Upper),
            (HeaderName::from_static("x-b3-traceid"), Letters::Title),
        ];
        for end in 0..head.len() {
            let mut rewriting = Rewriting::new((), Lettering::default());
            rewriting.lettering.set(&names);
            // The first write took only a part of what was offered.
            let first = rewriting.rewrite(head);
            rewriting.wrote(&first[..end]);
            let second =
                if rewriting.lettering.is_set() { rewriting.rewrite(&head[end..]) } else { head[end..].to_vec() };
            assert_eq!([&first[..end], &second].concat(), wanted, "{end}");
            rewriting.wrote(&second);
            assert!(!rewriting.lettering.is_set());
        }
    }
}
