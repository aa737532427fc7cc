//! What a fault does once it hits: it writes into the plan of a connection or of a request. The proxy then does what the plan says.

use std::sync::Arc;
use std::time::Duration;

use hyper::http::request::Parts;
use hyper::http::{HeaderMap, HeaderName, StatusCode};
use riftline_queries::replay::fault::Place;

use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::stage::{Stage, Stream};
use crate::chaos::proxy::swap::Swap;

/// What a compiled fault does. Faults override the one that belongs to their level.
pub trait Effect: Send + Sync {
    /// The connection is chosen: adds what happens to its bytes.
    fn connect(&self, _plan: &mut ConnectionPlan, _dice: &mut Dice) {}

    /// The request is chosen: changes its head, or adds what happens to it and to its answer. Returns whether there was anything to
    /// do: a header cannot be dropped where there is none.
    fn request(&self, _plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) -> bool {
        false
    }
}

/// What happens to a connection.
#[derive(Default)]
pub struct ConnectionPlan {
    /// The connection was made just now; otherwise the fault was armed while it was there.
    pub is_new: bool,
    /// How many connections of the link are open, this one among them.
    pub num_open: usize,
    /// The connection is not served at all.
    pub refuse: Option<Cut>,
    /// What bytes go through, by direction.
    pub stages: Vec<(Stream, Box<dyn Stage>)>,
}

/// How a connection or stream is ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// `RST` of the connection; of HTTP/2 `RST_STREAM`.
    Reset,
    /// `FIN` of the connection, whatever is still missing.
    Close,
    /// HTTP/2 only: `GOAWAY`, then as [`Self::Reset`].
    GoAway,
}

/// When a request is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// Before any of the answer.
    Before,
    /// After the headers of the answer.
    Headers,
    /// In the midst of the answer's body.
    Body,
}

/// An answer that is made up.
#[derive(Debug, Clone)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
    pub trailers: Option<HeaderMap>,
}

/// What a request gets instead of the upstream's answer.
#[derive(Debug, Clone)]
pub enum Instead {
    /// This answer.
    Answer(Box<Answer>),
    /// It is cut.
    Cut { how: Cut, moment: Moment },
}

/// How the name of a header is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Letters {
    /// `TRACEPARENT`
    Upper,
    /// `traceparent`
    Lower,
    /// `Traceparent`, `X-B3-Traceid`
    Title,
}

/// What happens to a request.
pub struct RequestPlan {
    /// Time added before the request goes on; [`Duration::MAX`] holds it until the fault is disarmed or the client leaves.
    pub request_delay: Duration,
    /// Time added before the answer goes back.
    pub response_delay: Duration,
    /// Set by [`Self::instead`].
    pub instead: Option<Instead>,
    /// Whether [`Self::instead`] comes before the upstream is asked, or after it has answered.
    pub instead_at: Place,
    pub request_stages: Vec<Box<dyn Stage>>,
    pub response_stages: Vec<Box<dyn Stage>>,
    /// Headers whose letters are other ones on the wire (HTTP/1 only).
    pub letters: Vec<(HeaderName, Letters)>,
    /// Context waits here for another request to exchange it with.
    pub swap: Option<Arc<Swap>>,
}

impl Default for RequestPlan {
    fn default() -> Self {
        Self {
            request_delay: Duration::ZERO,
            response_delay: Duration::ZERO,
            instead: None,
            instead_at: Place::Request,
            request_stages: Vec::new(),
            response_stages: Vec::new(),
            letters: Vec::new(),
            swap: None,
        }
    }
}

impl RequestPlan {
    /// Answers instead of the upstream, unless a fault before does so; returns whether this one does.
    pub fn instead(&mut self, at: Place, instead: Instead) -> bool {
        if self.instead.is_some() {
            return false;
        }
        (self.instead_at, self.instead) = (at, Some(instead));
        true
    }

    /// Returns the time that is added on purpose.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.request_delay.saturating_add(self.response_delay)
    }

    /// Adds time before the request goes on, or before its answer goes back.
    pub fn delay_at(&mut self, place: Place, added: Duration) {
        let delay = if place == Place::Response { &mut self.response_delay } else { &mut self.request_delay };
        *delay = delay.saturating_add(added);
    }

    /// Sends the body of the request or of its answer through a stage.
    pub fn stage_at(&mut self, place: Place, stage: Box<dyn Stage>) {
        let stages = if place == Place::Response { &mut self.response_stages } else { &mut self.request_stages };
        stages.push(stage);
    }
}
