//! Moves bytes both ways between two ends: with half-close, with backpressure, and through the stages of the faults that act on bytes.

use std::future::pending;
use std::io;
use std::pin::pin;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadHalf, WriteHalf, split};
use tokio::time::{Instant, sleep_until};

use crate::chaos::proxy::effect::Cut;
use crate::chaos::proxy::stage::{Chain, Step};
use crate::chaos::proxy::subject::Subject;
use crate::chaos::proxy::tether::Tether;

/// Buffers begin small and grow when they are filled, so that many quiet connections cost little.
const SMALL: usize = 2 << 10;
const LARGE: usize = 64 << 10;

/// Forwards until both directions have ended, one of them fails, or the connection is cut. A reset of one end resets the other.
pub(super) async fn forward<C, U>(client: C, upstream: U, subject: &mut Subject, tether: &Tether)
where
    C: AsyncRead + AsyncWrite + Send,
    U: AsyncRead + AsyncWrite + Send,
{
    let (client_reads, client_writes) = split(client);
    let (upstream_reads, upstream_writes) = split(upstream);
    let mut up = Half::new(client_reads, upstream_writes);
    let mut down = Half::new(upstream_reads, client_writes);
    let cut = until_cut(&mut up, &mut down, subject).await;
    match cut {
        Some(Cut::Close) => {
            // Whoever has gone already need not be told.
            let _ = up.writes.shutdown().await;
            let _ = down.writes.shutdown().await;
        }
        Some(_) => tether.reset(),
        None => {}
    }
}

async fn until_cut<C, U>(up: &mut Half<C, U>, down: &mut Half<U, C>, subject: &mut Subject) -> Option<Cut>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    let mut closed = pin!(subject.closed());
    loop {
        let (mut up_chain, mut down_chain) = (std::mem::take(&mut subject.up), std::mem::take(&mut subject.down));
        let over = tokio::select! {
            biased;
            () = &mut closed => Some(Some(Cut::Close)),
            () = subject.changed() => None,
            cut = both(up, &mut up_chain, down, &mut down_chain) => Some(cut),
        };
        (subject.up, subject.down) = (up_chain, down_chain);
        if let Some(cut) = over {
            return cut;
        }
        if let Some(cut) = subject.decide() {
            return Some(cut);
        }
    }
}

/// Runs both directions; may be dropped at any time and called again.
async fn both<C, U>(
    up: &mut Half<C, U>,
    up_chain: &mut Chain,
    down: &mut Half<U, C>,
    down_chain: &mut Chain,
) -> Option<Cut>
where
    C: AsyncRead + AsyncWrite,
    U: AsyncRead + AsyncWrite,
{
    while !(up.is_over && down.is_over) {
        let cut = tokio::select! {
            cut = up.run(up_chain), if !up.is_over => cut,
            cut = down.run(down_chain), if !down.is_over => cut,
        };
        if cut.is_some() {
            return cut;
        }
    }
    None
}

/// One direction.
struct Half<R, W> {
    reads: ReadHalf<R>,
    writes: WriteHalf<W>,
    buffer: Vec<u8>,
    /// What of `buffer` is still to be written.
    unwritten: std::ops::Range<usize>,
    /// What of a step is still to be written.
    rest: Bytes,
    needs_flush: bool,
    is_read_out: bool,
    is_over: bool,
}

impl<R: AsyncRead, W: AsyncWrite> Half<R, W> {
    fn new(reads: ReadHalf<R>, writes: WriteHalf<W>) -> Self {
        Self {
            reads,
            writes,
            buffer: Vec::new(),
            unwritten: 0..0,
            rest: Bytes::new(),
            needs_flush: false,
            is_read_out: false,
            is_over: false,
        }
    }

    /// Moves bytes until this direction is over (nothing is returned) or the connection is to be cut. A failure is a reset.
    async fn run(&mut self, chain: &mut Chain) -> Option<Cut> {
        self.carry(chain).await.unwrap_or(Some(Cut::Reset))
    }

    async fn carry(&mut self, chain: &mut Chain) -> io::Result<Option<Cut>> {
        loop {
            self.write_out().await?;
            let now = Instant::now();
            match chain.due(now) {
                Some(Step::Send { bytes, .. }) => self.rest = bytes,
                Some(Step::End { .. }) => return self.end().await,
                Some(Step::Close { .. }) => return Ok(Some(Cut::Close)),
                Some(Step::Reset { .. }) => return Ok(Some(Cut::Reset)),
                None if self.is_read_out && chain.is_empty() => return self.end().await,
                None => self.wait(chain).await?,
            }
        }
    }

    /// Waits until something is read or due.
    async fn wait(&mut self, chain: &mut Chain) -> io::Result<()> {
        let (due, may_read) = (chain.next_due(), !self.is_read_out && chain.has_room());
        if may_read {
            self.grow();
        }
        let length = tokio::select! {
            length = self.reads.read(&mut self.buffer), if may_read => length?,
            () = until(due) => return Ok(()),
        };
        self.is_read_out = length == 0;
        if chain.is_empty() {
            self.unwritten = 0..length;
            return Ok(());
        }
        let due = Instant::now();
        let bytes = self.buffer.get(..length).map(Bytes::copy_from_slice).unwrap_or_default();
        chain.push(if self.is_read_out { Step::End { due } } else { Step::Send { bytes, due } });
        Ok(())
    }

    async fn write_out(&mut self) -> io::Result<()> {
        while let Some(bytes) = self.buffer.get(self.unwritten.clone()).filter(|bytes| !bytes.is_empty()) {
            self.unwritten.start += some(self.writes.write(bytes).await?)?;
            self.needs_flush = true;
        }
        while !self.rest.is_empty() {
            let length = some(self.writes.write(&self.rest).await?)?;
            self.rest.advance(length);
            self.needs_flush = true;
        }
        if self.needs_flush {
            self.writes.flush().await?;
            self.needs_flush = false;
        }
        Ok(())
    }

    /// Tells the other end that no more comes.
    async fn end(&mut self) -> io::Result<Option<Cut>> {
        match self.writes.shutdown().await {
            // It has closed its socket before: that direction is over all the same.
            Err(error) if error.kind() != io::ErrorKind::NotConnected => return Err(error),
            _ => self.is_over = true,
        }
        Ok(None)
    }

    fn grow(&mut self) {
        let was_filled = self.unwritten.end == self.buffer.len();
        if was_filled && self.buffer.len() < LARGE {
            self.buffer.resize((self.buffer.len() * 4).clamp(SMALL, LARGE), 0);
        }
    }
}

fn some(length: usize) -> io::Result<usize> {
    if length == 0 { Err(io::ErrorKind::WriteZero.into()) } else { Ok(length) }
}

async fn until(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => pending().await,
    }
}
