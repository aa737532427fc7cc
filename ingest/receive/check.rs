//! Decodes a request to tell what of it cannot be taken, before it is acknowledged.
//!
//! The same decoders make the rows later, so both come to the same result.

use std::sync::{Mutex, PoisonError};

use hashbrown::HashMap;

use crate::batch::Batch;
use crate::format::{self, Decoder, End, Opening, Settings, Window};
use crate::otlp::json::Signal;
use crate::otlp::proto::OtlpProto;
use crate::receive::kind::Payload;

/// What is in a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Checked {
    pub records: u64,
    pub rejects: u64,
    /// Of the first reject.
    pub first_reason: Option<String>,
}

/// Checks requests, several at a time.
pub(super) struct Checker {
    settings: Settings,
    /// Decoders that nobody uses now.
    idle: Mutex<HashMap<Payload, Vec<Box<dyn Decoder>>>>,
}

impl Checker {
    pub(super) fn new(settings: Settings) -> Self {
        Self { settings, idle: Mutex::new(HashMap::new()) }
    }

    /// Tells what is in a request; nothing where no format here reads it.
    pub(super) fn check(&self, payload: Payload, bytes: &[u8]) -> Option<Checked> {
        let mut decoder = self.lend(payload)?;
        let mut checked = Checked::default();
        decode_request(decoder.as_mut(), bytes, 0, &mut |batch| checked.count(&batch));
        decoder.take(true).iter().for_each(|batch| checked.count(batch));
        self.lock().entry(payload).or_default().push(decoder);
        Some(checked)
    }

    fn lend(&self, payload: Payload) -> Option<Box<dyn Decoder>> {
        let idle = self.lock().get_mut(&payload).and_then(Vec::pop);
        idle.or_else(|| decoder(payload, &self.settings))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<Payload, Vec<Box<dyn Decoder>>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Checked {
    fn count(&mut self, batch: &Batch) {
        self.records = self.records.saturating_add(batch.num_records() as u64);
        self.rejects = self.rejects.saturating_add(batch.rejects.count);
        if self.first_reason.is_none() {
            self.first_reason = batch.rejects.kept.first().map(|reject| reject.reason.clone());
        }
    }
}

/// Returns a decoder of requests; nothing where this riftline has no format for them.
#[must_use]
pub fn decoder(payload: Payload, settings: &Settings) -> Option<Box<dyn Decoder>> {
    let signal = match payload {
        Payload::Traces => Signal::Spans,
        Payload::Logs => Signal::Logs,
        Payload::Metrics => Signal::Metrics,
        _ => return format::by_name(payload.format()).map(|format| format.decoder(settings, &Opening::default())),
    };
    Some(OtlpProto::request_decoder(signal, settings))
}

/// Decodes one whole request, which begins at `offset` of its source. Batches that are full go to `full`; what has not filled
/// one stays with the decoder.
pub fn decode_request(decoder: &mut dyn Decoder, bytes: &[u8], offset: u64, full: &mut dyn FnMut(Batch)) {
    let mut at = 0_usize;
    while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
        let from = offset.saturating_add(at as u64);
        let window = Window { bytes: rest, offset: from, line: 1, line_offset: offset, end: End::Last };
        at = at.saturating_add(decoder.decode(&window).max(1));
        decoder.take(false).into_iter().for_each(&mut *full);
    }
}
