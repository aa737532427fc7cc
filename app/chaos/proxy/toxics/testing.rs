//! Drives one stage of a toxic without sockets or clock.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::time::Instant;

use super::{Attributes, find};
use crate::chaos::proxy::dice::Dice;
use crate::chaos::proxy::stage::{Stage, Step};

/// A stage, and the moment that its times are told from.
pub struct Bench {
    pub stage: Box<dyn Stage>,
    pub attributes: Arc<Attributes>,
    pub start: Instant,
}

impl Bench {
    pub fn new(kind: &str, attributes: &Value) -> Self {
        let entry = find(kind).unwrap();
        let values = Arc::new(Attributes::new(entry));
        values.set(attributes.as_object().unwrap()).unwrap();
        let start = Instant::now();
        Self { stage: (entry.make)(values.clone(), Dice::new(&[1])), attributes: values, start }
    }

    pub fn at(&self, ms: u64) -> Instant {
        self.start + Duration::from_millis(ms)
    }

    /// Sends `length` bytes at `ms`; returns what goes on, in words: `3 bytes at 20`.
    pub fn send(&mut self, length: usize, ms: u64) -> Vec<String> {
        let due = self.at(ms);
        self.step(Step::Send { bytes: Bytes::from(vec![b'x'; length]), due })
    }

    /// The sender has said all.
    pub fn end(&mut self, ms: u64) -> Vec<String> {
        let due = self.at(ms);
        self.step(Step::End { due })
    }

    fn step(&mut self, step: Step) -> Vec<String> {
        let mut out = Vec::new();
        self.stage.step(step, &mut out);
        out.iter().map(|step| self.words(step)).collect()
    }

    pub fn words(&self, step: &Step) -> String {
        let ms = step.due().saturating_duration_since(self.start).as_secs_f64() * 1e3;
        match step {
            Step::Send { bytes, .. } => format!("{} bytes at {ms}", bytes.len()),
            Step::End { .. } => format!("end at {ms}"),
            Step::Close { .. } => format!("close at {ms}"),
            Step::Reset { .. } => format!("reset at {ms}"),
        }
    }
}
