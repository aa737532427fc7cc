//! Pipes and terminals: bytes come when they come.
//!
//! A thread of its own reads them, so that a reader can tell "nothing now" (an error of kind `WouldBlock` after a short
//! wait) from "nothing more", and show what came so far.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, bounded};

/// How long bytes are waited for before what is there is worked on.
const PATIENCE: Duration = Duration::from_millis(40);
const BUFFER_BYTES: usize = 64 << 10;
const NUM_BUFFERS: usize = 32;

/// Turns "nothing now" off for layers that cannot go on after an error.
#[derive(Debug, Clone, Default)]
pub(crate) struct Switch(Arc<AtomicBool>);

impl Switch {
    /// From now on reading waits until bytes come.
    pub(crate) fn wait_always(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The reading end of a live stream.
pub(crate) struct Live {
    buffers: Receiver<io::Result<Vec<u8>>>,
    buffer: Vec<u8>,
    at: usize,
    switch: Switch,
}

impl Live {
    pub(crate) fn new(mut inner: impl Read + Send + 'static, switch: Switch) -> Self {
        let (sender, buffers) = bounded(NUM_BUFFERS);
        thread::spawn(move || {
            loop {
                let mut buffer = vec![0; BUFFER_BYTES];
                let result = match inner.read(&mut buffer) {
                    Ok(0) => return,
                    Ok(len) => {
                        buffer.truncate(len);
                        Ok(buffer)
                    }
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Err(error) => Err(error),
                };
                let is_last = result.is_err();
                if sender.send(result).is_err() || is_last {
                    return;
                }
            }
        });
        Self { buffers, buffer: Vec::new(), at: 0, switch }
    }

    fn refill(&mut self) -> io::Result<bool> {
        let received = if self.switch.0.load(Ordering::Relaxed) {
            self.buffers.recv().map_err(|_| RecvTimeoutError::Disconnected)
        } else {
            self.buffers.recv_timeout(PATIENCE)
        };
        match received {
            Ok(buffer) => {
                (self.buffer, self.at) = (buffer?, 0);
                Ok(true)
            }
            Err(RecvTimeoutError::Timeout) => Err(io::ErrorKind::WouldBlock.into()),
            Err(RecvTimeoutError::Disconnected) => Ok(false),
        }
    }
}

impl Read for Live {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.buffer.len() && !self.refill()? {
            return Ok(0);
        }
        let rest = self.buffer.get(self.at..).unwrap_or_default();
        let len = rest.len().min(buffer.len());
        if let (Some(place), Some(bytes)) = (buffer.get_mut(..len), rest.get(..len)) {
            place.copy_from_slice(bytes);
        }
        self.at += len;
        Ok(len)
    }
}
