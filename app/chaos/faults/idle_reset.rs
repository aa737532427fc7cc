//! A connection that is forgotten on the way: after so long without a byte it is reset, and the client learns of it at once, or only
//! when it uses the connection again.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use riftline_queries::replay::fault::{Fault, Place};
use tokio::time::Instant;

use crate::chaos::faults::{Entry, FaultError, Kind, Level, Parameter, Values};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::effect::{ConnectionPlan, Effect};
use crate::chaos::proxy::stage::{Stage, Step, Stream};

pub(super) const ENTRY: Entry = Entry {
    name: "idle-reset",
    about: "resets a connection that had no byte for a while, as load balancers and sidecars do",
    level: Level::Connection,
    places: &[Place::Connection],
    has_magnitude: false,
    parameters: &[
        Parameter {
            name: "after_ms",
            kind: Kind::Number { least: 1.0, most: 86_400_000.0 },
            unit: "ms",
            is_required: true,
            about: "time without a byte in either direction",
            ..Parameter::OPTIONAL
        },
        Parameter {
            name: "half_open",
            kind: Kind::Flag,
            default: Some("true"),
            about: "the client is not told: its next bytes are answered with RST; otherwise RST as soon as the time is over",
            ..Parameter::OPTIONAL
        },
    ],
    compile,
};

#[expect(clippy::unnecessary_wraps, reason = "the list has one form for all")]
fn compile(_fault: &Fault, values: &Values) -> Result<Box<dyn Effect>, FaultError> {
    let after = Duration::from_secs_f64(values.number("after_ms") / 1e3);
    Ok(Box::new(IdleReset { after, half_open: values.flag("half_open") }))
}

struct IdleReset {
    after: Duration,
    half_open: bool,
}

impl Effect for IdleReset {
    fn connect(&self, plan: &mut ConnectionPlan, _dice: &mut Dice) {
        let last = Arc::new(Mutex::new(Instant::now()));
        for stream in [Stream::Up, Stream::Down] {
            let (after, half_open) = (self.after, self.half_open);
            plan.stages.push((stream, Box::new(Idle { last: last.clone(), after, half_open, is_over: false })));
        }
    }
}

/// One direction; both know of the last byte of either.
struct Idle {
    last: Arc<Mutex<Instant>>,
    after: Duration,
    half_open: bool,
    is_over: bool,
}

impl Idle {
    fn end(&self) -> Instant {
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) + self.after
    }
}

impl Stage for Idle {
    fn step(&mut self, step: Step, out: &mut Vec<Step>) {
        let due = step.due();
        if due >= self.end() {
            self.is_over = true;
            out.push(Step::Reset { due });
            return;
        }
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = due;
        out.push(step);
    }

    fn alarm(&self) -> Option<Instant> {
        (!self.half_open && !self.is_over).then(|| self.end())
    }

    fn ring(&mut self, now: Instant, out: &mut Vec<Step>) {
        self.is_over = true;
        out.push(Step::Reset { due: now });
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn pair(half_open: bool) -> (Instant, Idle, Idle) {
        let (start, after) = (Instant::now(), Duration::from_mins(5));
        let last = Arc::new(Mutex::new(start));
        let idle = |last: &Arc<Mutex<Instant>>| Idle { last: last.clone(), after, half_open, is_over: false };
        (start, idle(&last), idle(&last))
    }

    fn step(idle: &mut Idle, due: Instant) -> bool {
        let mut out = Vec::new();
        idle.step(Step::Send { bytes: Bytes::from_static(b"x"), due }, &mut out);
        out == [Step::Reset { due }]
    }

    #[test]
    fn bytes_of_either_direction_keep_a_connection() {
        let (start, mut up, mut down) = pair(true);
        let at = |s| start + Duration::from_secs(s);
        assert!(!step(&mut down, at(200)));
        assert!(!step(&mut up, at(499)));
        assert!(step(&mut up, at(799)));
        assert_eq!(up.alarm(), None);
    }

    #[test]
    fn the_client_is_told_at_once_unless_half_open() {
        let (start, mut up, _) = pair(false);
        assert_eq!(up.alarm(), Some(start + Duration::from_mins(5)));
        let mut out = Vec::new();
        up.ring(start, &mut out);
        assert_eq!((out, up.alarm()), (vec![Step::Reset { due: start }], None));
    }
}
