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

    /// The request is chosen: changes its head, or adds what happens to it and to its answer.
    fn request(&self, _plan: &mut RequestPlan, _head: &mut Parts, _dice: &mut Dice) {}
}

/// What happens to a connection.
#[derive(Default)]
pub struct ConnectionPlan {
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

/// What a request gets instead of the upstream's answer.
#[derive(Debug, Clone)]
pub enum Instead {
    /// This answer.
    Answer { status: StatusCode, headers: HeaderMap, body: String, trailers: Option<HeaderMap> },
    /// It is cut.
    Cut { how: Cut, moment: Moment },
    /// Nothing, for so long; for ever where it is not said, which means until the client leaves.
    Hang { release: Option<Duration> },
}

/// What happens to a request.
pub struct RequestPlan {
    /// Time added before the request goes on.
    pub request_delay: Duration,
    /// Time added before the answer goes back.
    pub response_delay: Duration,
    /// The first fault that answers wins.
    pub instead: Option<Instead>,
    /// Whether [`Self::instead`] comes before the upstream is asked, or after it has answered.
    pub instead_at: Place,
    pub request_stages: Vec<Box<dyn Stage>>,
    pub response_stages: Vec<Box<dyn Stage>>,
    /// Headers whose letters are mangled on the wire (HTTP/1 only).
    pub mangled_case: Vec<HeaderName>,
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
            mangled_case: Vec::new(),
            swap: None,
        }
    }
}

impl RequestPlan {
    /// Answers instead of the upstream, unless a fault before has done so.
    pub fn instead(&mut self, at: Place, instead: Instead) {
        if self.instead.is_none() {
            (self.instead_at, self.instead) = (at, Some(instead));
        }
    }

    /// Returns the time that is added on purpose.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.request_delay.saturating_add(self.response_delay)
    }
}
