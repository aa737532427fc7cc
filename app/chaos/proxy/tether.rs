//! A socket that can be cut from elsewhere: whoever holds the [`Tether`] decides how it ends, whoever owns the socket when.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use crate::chaos::proxy::link::Link;

/// Which end of a link a socket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    Client,
    Upstream,
}

/// Says how the two sockets of a connection end.
#[derive(Debug, Clone, Default)]
pub struct Tether(Arc<Ends>);

#[derive(Debug, Default)]
struct Ends {
    client: AtomicBool,
    upstream: AtomicBool,
}

impl Tether {
    /// From now on both sockets end with `RST` instead of `FIN`, as soon as they are dropped.
    pub fn reset(&self) {
        self.reset_side(Side::Client);
        self.reset_side(Side::Upstream);
    }

    /// From now on one of them ends with `RST`.
    pub fn reset_side(&self, side: Side) {
        self.end(side).store(true, Ordering::Release);
    }

    /// Tells whether one of them ends with `RST`.
    #[must_use]
    pub fn is_reset(&self, side: Side) -> bool {
        self.end(side).load(Ordering::Acquire)
    }

    fn end(&self, side: Side) -> &AtomicBool {
        match side {
            Side::Client => &self.0.client,
            Side::Upstream => &self.0.upstream,
        }
    }
}

/// A TCP connection of a link: counts its bytes, and ends as its tether says.
pub struct Tethered {
    socket: TcpStream,
    tether: Tether,
    link: Arc<Link>,
    side: Side,
}

impl Tethered {
    pub fn new(socket: TcpStream, tether: Tether, link: Arc<Link>, side: Side) -> Self {
        Self { socket, tether, link, side }
    }

    /// Waits until the other side has said something, or has ended the connection, and tells whether it begins as a server of HTTP/2
    /// may before it was asked: with SETTINGS (RFC 9113, 3.4). Takes nothing away.
    pub async fn greets_in_http2(&self) -> bool {
        const SETTINGS: u8 = 4;
        let mut head = [0; 9];
        // Whatever is wrong is found out by whoever reads.
        let length = self.socket.peek(&mut head).await.unwrap_or(0);
        length == head.len() && head[3..] == [SETTINGS, 0, 0, 0, 0, 0]
    }

    fn counters(&self) -> (&AtomicU64, &AtomicU64) {
        let traffic = &self.link.traffic;
        match self.side {
            Side::Client => (&traffic.from_client, &traffic.to_client),
            Side::Upstream => (&traffic.from_upstream, &traffic.to_upstream),
        }
    }

    fn wrote(&self, written: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(length)) = &written {
            self.counters().1.fetch_add(*length as u64, Ordering::Relaxed);
        }
        written
    }
}

impl Drop for Tethered {
    fn drop(&mut self) {
        if self.tether.is_reset(self.side) {
            // Where the socket is gone already there is nothing to reset.
            let _ = self.socket.set_zero_linger();
        }
    }
}

impl AsyncRead for Tethered {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let read = Pin::new(&mut self.socket).poll_read(context, buffer);
        let length = buffer.filled().len().saturating_sub(before);
        self.counters().0.fetch_add(length as u64, Ordering::Relaxed);
        read
    }
}

impl AsyncWrite for Tethered {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write(context, bytes);
        self.wrote(written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        pieces: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.socket).poll_write_vectored(context, pieces);
        self.wrote(written)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.tether.is_reset(self.side) {
            return Poll::Ready(Ok(()));
        }
        Pin::new(&mut self.socket).poll_shutdown(context)
    }
}
