//! Threads that decode pieces of streams.

use std::sync::Arc;
use std::thread;

use crossbeam_channel::{Receiver, Sender, bounded};

use crate::batch::Batch;
use crate::format::{Decoder, End, Format, MAX_RECORDS, Opening, Settings, Window};

/// A piece of a stream that begins and ends between two units.
pub(crate) struct Job {
    pub format: &'static dyn Format,
    pub opening: Arc<Opening>,
    pub bytes: Vec<u8>,
    pub from: Mark,
    /// Where reading may resume after the piece: its end, or its beginning where the last unit is not whole.
    pub to: Mark,
    pub line: u64,
    pub line_offset: u64,
    pub batches: Sender<Box<Batch>>,
}

/// A place in a stream and the hash of all before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Mark {
    pub offset: u64,
    pub hash: u64,
}

/// Starts the threads; they end when the sender is gone.
pub(crate) fn start(num_threads: usize, settings: &Settings) -> Sender<Job> {
    let num_threads = num_threads.max(1);
    let (sender, jobs) = bounded(num_threads);
    for _ in 0..num_threads {
        let (jobs, settings) = (jobs.clone(), settings.clone());
        thread::spawn(move || work(&jobs, &settings));
    }
    sender
}

fn work(jobs: &Receiver<Job>, settings: &Settings) {
    let mut last: Option<(Arc<Opening>, Box<dyn Decoder>)> = None;
    for job in jobs {
        let mut decoder = match last.take() {
            Some((opening, decoder)) if Arc::ptr_eq(&opening, &job.opening) => decoder,
            _ => job.format.decoder(settings, &job.opening),
        };
        decoder.set_batch_records(MAX_RECORDS);
        decode(&job, decoder.as_mut(), settings);
        last = Some((job.opening, decoder));
    }
}

/// Decodes a piece; of its batches only the last lets reading resume after it.
fn decode(job: &Job, decoder: &mut dyn Decoder, settings: &Settings) {
    let mut at = 0;
    while at < job.bytes.len() {
        let bytes = job.bytes.get(at..).unwrap_or_default();
        let offset = job.from.offset + at as u64;
        let before = job.bytes.get(..at).unwrap_or_default();
        let line = job.line + memchr::memchr_iter(b'\n', before).count() as u64;
        let line_offset =
            memchr::memrchr(b'\n', before).map_or(job.line_offset, |last| job.from.offset + last as u64 + 1);
        let len = decoder.decode(&Window { bytes, offset, line, line_offset, end: End::Last });
        at += len.max(1);
        let is_done = at >= job.bytes.len();
        let mut batches = decoder.take(is_done);
        if is_done && batches.is_empty() {
            batches.push(Batch::new(&settings.conventions));
        }
        let last = batches.len();
        for (number, batch) in batches.into_iter().enumerate() {
            let to = if is_done && number + 1 == last { job.to } else { job.from };
            if job.batches.send(stamped(batch, job.from, to)).is_err() {
                return;
            }
        }
    }
}

/// Returns the batch with the stretch that it stands for.
pub(crate) fn stamped(mut batch: Batch, from: Mark, to: Mark) -> Box<Batch> {
    (batch.from_offset, batch.to_offset, batch.prefix_hash) = (from.offset, to.offset, to.hash);
    Box::new(batch)
}
