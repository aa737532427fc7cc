//! Bodies on their way: passed as they come, made up by a fault, slowed and cut by stages, or broken off.

use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use hyper::body::{Body as HttpBody, Frame, Incoming, SizeHint};
use hyper::http::HeaderMap;
use tokio::time::{Instant, Sleep, sleep_until};

use crate::chaos::proxy::effect::Cut;
use crate::chaos::proxy::http::Visit;
use crate::chaos::proxy::http::exchange::Gone;
use crate::chaos::proxy::stage::{Chain, Stage, Step};

/// A body of a request or an answer.
pub(super) enum Body {
    /// As it comes.
    Passed(Incoming),
    /// Made up.
    Given(VecDeque<Frame<Bytes>>),
    /// Through the stages of faults.
    Staged(Box<Staged>),
    /// Broken off.
    Broken(Box<Broken>),
}

impl Body {
    /// Returns a body of this text and these trailers.
    pub(super) fn given(text: String, trailers: Option<HeaderMap>) -> Self {
        let data = (!text.is_empty()).then(|| Frame::data(Bytes::from(text)));
        Self::Given(data.into_iter().chain(trailers.map(Frame::trailers)).collect())
    }

    /// Sends the body through stages.
    pub(super) fn staged(self, stages: Vec<Box<dyn Stage>>, visit: &Arc<Visit>) -> Self {
        if stages.is_empty() {
            return self;
        }
        let mut chain = Chain::default();
        stages.into_iter().for_each(|stage| chain.add(0, stage));
        Self::Staged(Box::new(Staged {
            inner: self,
            chain,
            trailers: None,
            is_read_out: false,
            ending: None,
            alarm: None,
            visit: visit.clone(),
        }))
    }

    /// Breaks the body off: at once, or in the midst of it.
    pub(super) fn broken(self, how: Cut, in_midst: bool, visit: &Arc<Visit>) -> Self {
        let state = if in_midst { Breaking::Open } else { Breaking::Flushing };
        Self::Broken(Box::new(Broken { inner: self, how, state, visit: visit.clone() }))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Gone;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        match &mut *self {
            Self::Passed(body) => Pin::new(body).poll_frame(context).map_err(Gone::Upstream),
            Self::Given(frames) => Poll::Ready(frames.pop_front().map(Ok)),
            Self::Staged(staged) => staged.poll(context),
            Self::Broken(broken) => broken.poll(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed(body) => body.is_end_stream(),
            Self::Given(frames) => frames.is_empty(),
            Self::Staged(staged) => staged.inner.is_end_stream() && staged.chain.is_idle(),
            Self::Broken(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed(body) => body.size_hint(),
            Self::Given(frames) => {
                SizeHint::with_exact(frames.iter().filter_map(Frame::data_ref).map(|data| data.len() as u64).sum())
            }
            // The length that was announced stays as it is, also where less will come.
            Self::Staged(staged) => staged.inner.size_hint(),
            Self::Broken(broken) => broken.inner.size_hint(),
        }
    }
}

/// A body that goes through stages.
pub(super) struct Staged {
    inner: Body,
    chain: Chain,
    trailers: Option<HeaderMap>,
    is_read_out: bool,
    ending: Option<Cut>,
    alarm: Option<Pin<Box<Sleep>>>,
    visit: Arc<Visit>,
}

impl Staged {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        loop {
            if let Some(how) = self.ending {
                return Poll::Ready(Some(Err(self.cut(how))));
            }
            match self.chain.due(Instant::now()) {
                Some(Step::Send { bytes, .. }) => return Poll::Ready(Some(Ok(Frame::data(bytes)))),
                Some(Step::End { .. }) => return Poll::Ready(self.trailers.take().map(|map| Ok(Frame::trailers(map)))),
                Some(Step::Close { .. }) => return self.end(Cut::Close, context),
                Some(Step::Reset { .. }) => return self.end(Cut::Reset, context),
                None => {}
            }
            if self.fill(context)? {
                continue;
            }
            ready!(self.wait(context));
        }
    }

    /// Cuts after what has passed has reached the socket: the connection flushes when a body has nothing for it.
    fn end(&mut self, how: Cut, context: &Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        self.ending = Some(how);
        context.waker().wake_by_ref();
        Poll::Pending
    }

    fn cut(&self, how: Cut) -> Gone {
        self.visit.cut(how);
        Gone::Cut
    }

    /// Takes what the body has; tells whether that was anything.
    fn fill(&mut self, context: &mut Context<'_>) -> Result<bool, Gone> {
        if self.is_read_out || !self.chain.has_room() {
            return Ok(false);
        }
        let due = Instant::now();
        match Pin::new(&mut self.inner).poll_frame(context)? {
            Poll::Pending => return Ok(false),
            Poll::Ready(None) => {
                self.is_read_out = true;
                self.chain.push(Step::End { due });
            }
            Poll::Ready(Some(frame)) => match frame.into_data() {
                Ok(bytes) => self.chain.push(Step::Send { bytes, due }),
                Err(frame) => self.trailers = frame.into_trailers().ok(),
            },
        }
        Ok(true)
    }

    /// Waits until something is due; without end where nothing ever is, or until more of the body comes.
    fn wait(&mut self, context: &mut Context<'_>) -> Poll<()> {
        let Some(due) = self.chain.next_due() else { return Poll::Pending };
        let alarm = self.alarm.get_or_insert_with(|| Box::pin(sleep_until(due)));
        if alarm.deadline() != due {
            alarm.as_mut().reset(due);
        }
        alarm.as_mut().poll(context)
    }
}

/// A body that does not come to its end.
pub(super) struct Broken {
    inner: Body,
    how: Cut,
    state: Breaking,
    visit: Arc<Visit>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Breaking {
    /// The first half of what comes first still passes.
    Open,
    /// What has passed is to reach the socket first.
    Flushing,
    Broken,
}

impl Broken {
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Gone>>> {
        match self.state {
            Breaking::Open => {
                let frame = ready!(Pin::new(&mut self.inner).poll_frame(context)?);
                self.state = Breaking::Flushing;
                let data = frame.and_then(|frame| frame.into_data().ok()).filter(|data| data.len() > 1);
                let Some(data) = data else { return self.poll(context) };
                Poll::Ready(Some(Ok(Frame::data(data.slice(..data.len() / 2)))))
            }
            Breaking::Flushing => {
                self.state = Breaking::Broken;
                // The connection flushes when a body has nothing for it.
                context.waker().wake_by_ref();
                Poll::Pending
            }
            Breaking::Broken => {
                self.visit.cut(self.how);
                Poll::Ready(Some(Err(Gone::Cut)))
            }
        }
    }
}
