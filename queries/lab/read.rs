//! Reads files straight into a window.

use std::ops::ControlFlow;
use std::sync::Arc;

use riftline_ingest::convention::Conventions;
use riftline_ingest::error::OpenError;
use riftline_ingest::read::{Event, Input, Limits, NoHistory, ReadOptions, read as read_inputs};

use crate::semconv;
use crate::trace::window::{Builder, Window, Without, from_batch};

/// Reads all spans and logs of `inputs`, without the evidence that `without` names.
pub fn window(inputs: &[Input], without: Without) -> Result<Window, OpenError> {
    let conventions: Arc<Conventions> = semconv::conventions();
    let options = ReadOptions {
        conventions: conventions.clone(),
        format: None,
        num_threads: 1,
        limits: Limits::default(),
        patterns: Arc::default(),
    };
    let mut builder = Builder::default();
    builder.without = without;
    let mut failure = None;
    read_inputs(inputs, &options, &NoHistory, &mut |event| {
        match event {
            Event::Batch(batch) => from_batch::push(&mut builder, &batch, &conventions),
            Event::Failed { error, .. } => failure = failure.take().or(Some(error)),
            Event::Opened(_) | Event::Progress(_) | Event::Closed(_) => {}
        }
        ControlFlow::Continue(())
    });
    failure.map_or_else(|| Ok(builder.finish()), Err)
}
