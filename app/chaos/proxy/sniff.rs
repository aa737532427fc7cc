//! What is spoken, from the first bytes of a client.

use std::io;

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt};

/// What a connection carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spoken {
    Http1,
    Http2,
    /// A TLS handshake.
    Tls,
    /// Anything else.
    Raw,
}

/// How HTTP/2 begins (RFC 9113, 3.4).
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// Methods that are known. Others are longer than what is read to find out, or no HTTP.
const METHODS: [&[u8]; 9] =
    [b"GET ", b"POST ", b"PUT ", b"HEAD ", b"DELETE ", b"PATCH ", b"OPTIONS ", b"CONNECT ", b"TRACE "];

/// Reads until it is clear what is spoken; returns that and what was read.
pub(super) async fn sniff(client: &mut (impl AsyncRead + Unpin)) -> io::Result<(Spoken, Bytes)> {
    let mut read = Vec::with_capacity(PREFACE.len());
    loop {
        if let Some(spoken) = guess(&read) {
            return Ok((spoken, read.into()));
        }
        let mut buffer = [0; PREFACE.len()];
        let length = client.read(&mut buffer).await?;
        if length == 0 {
            return Ok((Spoken::Raw, read.into()));
        }
        read.extend(buffer.iter().take(length));
    }
}

/// Returns what `bytes` begin, or nothing as long as that is open.
fn guess(bytes: &[u8]) -> Option<Spoken> {
    let begins = |whole: &[u8]| bytes.starts_with(whole);
    let may_begin = |whole: &[u8]| whole.starts_with(bytes);
    match bytes {
        // A record of type handshake, of any version that there is (RFC 8446, 5.1).
        [] | [0x16] => None,
        [0x16, 3, ..] => Some(Spoken::Tls),
        _ if begins(PREFACE) => Some(Spoken::Http2),
        _ if METHODS.iter().any(|method| begins(method)) => Some(Spoken::Http1),
        _ if may_begin(PREFACE) || METHODS.iter().any(|method| may_begin(method)) => None,
        _ => Some(Spoken::Raw),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn protocols_are_told_apart_as_early_as_they_can_be() {
        assert_eq!(guess(b"GET / HTTP/1.1"), Some(Spoken::Http1));
        assert_eq!(guess(b"POST "), Some(Spoken::Http1));
        assert_eq!(guess(PREFACE), Some(Spoken::Http2));
        assert_eq!(guess(b"\x16\x03\x01"), Some(Spoken::Tls));
        for open in [&b""[..], b"P", b"PR", b"PU", b"GET", b"\x16", b"PRI * HTTP/2.0\r\n"] {
            assert_eq!(guess(open), None, "{open:?}");
        }
        for raw in [&b"*3\r\n"[..], b"GOT ", b"\x00\x00\x00\x12", b"PRINT", b"\x16\x04", b"\r\n"] {
            assert_eq!(guess(raw), Some(Spoken::Raw), "{raw:?}");
        }
    }

    #[tokio::test]
    async fn what_was_read_is_handed_back() {
        let (spoken, read) = sniff(&mut &b"GE"[..]).await.unwrap();
        assert_eq!((spoken, &read[..]), (Spoken::Raw, &b"GE"[..]));
        let (spoken, read) = sniff(&mut &b"GET /with-a-long-path HTTP/1.1"[..]).await.unwrap();
        assert_eq!((spoken, &read[..]), (Spoken::Http1, &b"GET /with-a-long-path HT"[..]));
    }
}
