//! What bytes of one direction go through: stages that delay, cut, slice or end them.
//!
//! A stage never waits. It says when things are due, and whoever moves the bytes ([`crate::chaos::proxy::pump`], or a shaped body)
//! keeps to it. So a stage is tested without a clock, delays of several chunks overlap as they do on a real wire, and one and the
//! same stage works on a connection and on the body of an answer.

use std::collections::VecDeque;

use bytes::Bytes;
use tokio::time::Instant;

/// A direction of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Stream {
    /// From the client to the upstream.
    Up,
    /// From the upstream to the client.
    Down,
}

/// What happens on one direction, and not before when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Bytes go on.
    Send { bytes: Bytes, due: Instant },
    /// The sender has said all (half-close).
    End { due: Instant },
    /// Both directions are closed in order.
    Close { due: Instant },
    /// Both directions are reset.
    Reset { due: Instant },
}

impl Step {
    /// Returns when it is due.
    #[must_use]
    pub fn due(&self) -> Instant {
        match self {
            Self::Send { due, .. } | Self::End { due } | Self::Close { due } | Self::Reset { due } => *due,
        }
    }

    /// Returns the same, due no earlier than `earliest`.
    #[must_use]
    pub fn not_before(mut self, earliest: Instant) -> Self {
        match &mut self {
            Self::Send { due, .. } | Self::End { due } | Self::Close { due } | Self::Reset { due } => {
                *due = earliest.max(*due);
            }
        }
        self
    }

    /// Makes it due at `latest`, if it was due later.
    fn hasten(&mut self, latest: Instant) {
        match self {
            Self::Send { due, .. } | Self::End { due } | Self::Close { due } | Self::Reset { due } => {
                *due = latest.min(*due);
            }
        }
    }

    fn len(&self) -> usize {
        if let Self::Send { bytes, .. } = self { bytes.len() } else { 0 }
    }
}

/// One thing that is done to the bytes of one direction of one connection or body.
pub trait Stage: Send + Sync {
    /// Takes what the stage before lets go and pushes to `out` what goes on: nothing (swallowed), one or several.
    fn step(&mut self, step: Step, out: &mut Vec<Step>);

    /// Tells whether it holds so much that nothing more may come for now.
    fn is_full(&self) -> bool {
        false
    }

    /// Tells when [`Self::ring`] is to be called although nothing came.
    fn alarm(&self) -> Option<Instant> {
        None
    }

    /// The alarm is due. Must move the alarm on or take it away.
    fn ring(&mut self, _now: Instant, _out: &mut Vec<Step>) {}

    /// Returns what still happens when the fault is taken away during the connection; usually nothing, and bytes flow again.
    fn removed(&mut self, _now: Instant) -> Vec<Step> {
        Vec::new()
    }
}

/// The stages of one direction, in order, and what they let go but is not due yet.
#[derive(Default)]
pub struct Chain {
    /// Each with the number of the fault that it belongs to.
    stages: Vec<(u64, Box<dyn Stage>)>,
    queue: VecDeque<Step>,
    num_bytes: usize,
}

/// How many bytes may wait in a chain before nothing more is read.
const ROOM: usize = 1 << 20;

impl Chain {
    /// Tells whether bytes may pass by the chain.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.stages.is_empty() && self.queue.is_empty()
    }

    /// Tells whether nothing waits in the chain.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.queue.is_empty()
    }

    /// Tells whether more may be pushed.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.num_bytes < ROOM && !self.stages.iter().any(|(_, stage)| stage.is_full())
    }

    /// Adds a stage of the fault with this number behind the others.
    pub fn add(&mut self, fault: u64, stage: Box<dyn Stage>) {
        self.stages.push((fault, stage));
    }

    /// Tells whether a stage of this fault is here.
    #[must_use]
    pub fn has(&self, fault: u64) -> bool {
        self.stages.iter().any(|(owner, _)| *owner == fault)
    }

    /// Takes away stages whose fault is not `kept` any more, and lets go at once what they held back.
    pub fn retain(&mut self, kept: impl Fn(u64) -> bool, now: Instant) {
        let mut at = 0;
        while let Some((owner, stage)) = self.stages.get_mut(at) {
            if kept(*owner) {
                at += 1;
                continue;
            }
            let rest = stage.removed(now);
            self.stages.remove(at);
            self.queue.iter_mut().for_each(|step| step.hasten(now));
            rest.into_iter().for_each(|step| self.through(at, step));
        }
    }

    /// Sends a step through all stages.
    pub fn push(&mut self, step: Step) {
        self.through(0, step);
    }

    /// Returns when [`Self::take`] or [`Self::ring`] has something to do next.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        let alarms = self.stages.iter().filter_map(|(_, stage)| stage.alarm());
        alarms.chain(self.queue.front().map(Step::due)).min()
    }

    /// Calls the stages whose alarm is due.
    pub fn ring(&mut self, now: Instant) {
        for at in 0..self.stages.len() {
            let mut out = Vec::new();
            if let Some((_, stage)) = self.stages.get_mut(at)
                && stage.alarm().is_some_and(|alarm| alarm <= now)
            {
                stage.ring(now, &mut out);
            }
            out.into_iter().for_each(|step| self.through(at + 1, step));
        }
    }

    /// Calls stages whose alarm is due, then returns the next step if it is due.
    pub fn due(&mut self, now: Instant) -> Option<Step> {
        if self.is_empty() {
            return None;
        }
        self.ring(now);
        self.take(now)
    }

    /// Returns the next step if it is due. What comes later is never due earlier.
    pub fn take(&mut self, now: Instant) -> Option<Step> {
        if self.queue.front()?.due() > now {
            return None;
        }
        let step = self.queue.pop_front()?;
        self.num_bytes = self.num_bytes.saturating_sub(step.len());
        Some(step)
    }

    /// Sends a step through the stages from the one at `first` on.
    fn through(&mut self, first: usize, step: Step) {
        let mut steps = vec![step];
        for (_, stage) in self.stages.iter_mut().skip(first) {
            let mut out = Vec::with_capacity(steps.len());
            steps.into_iter().for_each(|step| stage.step(step, &mut out));
            steps = out;
        }
        steps.into_iter().for_each(|step| self.keep(step));
    }

    fn keep(&mut self, step: Step) {
        // A cut does not wait for the bytes before it; everything else stays in order.
        let earliest = self.queue.back().map(Step::due).filter(|_| !matches!(step, Step::Reset { .. }));
        let step = earliest.map_or(step.clone(), |earliest| step.not_before(earliest));
        self.num_bytes += step.len();
        let at = self.queue.partition_point(|other| other.due() <= step.due());
        self.queue.insert(at, step);
    }
}
