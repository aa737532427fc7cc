//! The body of a request while it comes: bounded in bytes and in time.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, Incoming, SizeHint};
use tokio::time::{Instant, Sleep, sleep};

use crate::receive::MAX_REQUEST_BYTES;
use crate::receive::admission::Share;
use crate::receive::trouble::Trouble;

/// Longest pause within a body, and longest time for all of it.
const MAX_PAUSE: Duration = Duration::from_secs(10);
const MAX_TIME: Duration = Duration::from_mins(1);

/// A body that counts and looks at the clock.
#[derive(Debug)]
pub(super) struct Timed {
    inner: Incoming,
    share: Share,
    pause: Pin<Box<Sleep>>,
    begun: Instant,
}

impl Timed {
    pub(super) fn new(inner: Incoming, share: Share) -> Self {
        Self { inner, share, pause: Box::pin(sleep(MAX_PAUSE)), begun: Instant::now() }
    }

    fn take(&mut self, data: &Bytes) -> Result<(), Trouble> {
        let is_room = self.share.grow(data.len() as u64);
        // A message of the largest size comes with a few bytes around it.
        if self.share.bytes() > (MAX_REQUEST_BYTES + 1024) as u64 {
            return Err(Trouble::TooLarge);
        }
        if !is_room {
            return Err(Trouble::Busy("more requests come than fit into memory".to_owned()));
        }
        if self.begun.elapsed() > MAX_TIME {
            return Err(Trouble::Slow);
        }
        self.pause.as_mut().reset(Instant::now() + MAX_PAUSE);
        Ok(())
    }
}

impl Body for Timed {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = &mut *self;
        match Pin::new(&mut this.inner).poll_frame(context) {
            Poll::Ready(Some(Ok(frame))) => {
                let taken = frame.data_ref().map_or(Ok(()), |data| this.take(data));
                Poll::Ready(Some(taken.map(|()| frame).map_err(BodyError::from)))
            }
            Poll::Ready(Some(Err(error))) => {
                Poll::Ready(Some(Err(Trouble::Malformed(format!("the request broke off: {error}")).into())))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => this.pause.as_mut().poll(context).map(|()| Some(Err(Trouble::Slow.into()))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

/// A trouble as tonic passes it on: in a status among the causes.
#[derive(Debug, thiserror::Error)]
#[error("{trouble}")]
pub(super) struct BodyError {
    pub trouble: Trouble,
    #[source]
    status: tonic::Status,
}

impl From<Trouble> for BodyError {
    fn from(trouble: Trouble) -> Self {
        Self { status: trouble.clone().into(), trouble }
    }
}
