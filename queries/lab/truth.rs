//! What is known to be true about torn traces.
//!
//! Two forms of JSON lines are read, one line a span:
//!
//! ```text
//! {"child_trace":…,"child_span":…,"parent_trace":…,"parent_span":…,"original_trace":…,"both_kept":true}
//! {"true_trace_id":…,"true_parent_span_id":…,"trace_id":…,"span_id":…,"parent_span_id":…,"published":true}
//! ```
//!
//! The first lists what was torn; the second lists all spans, torn are those whose published parent is not the true one.

use std::path::Path;

use hashbrown::HashMap;
use riftline_ingest::source::read_unpacked;
use serde::Deserialize;

use crate::trace::window::{NONE, Window};

/// The true parents of torn spans.
#[derive(Debug, Default)]
pub struct Truth {
    /// Torn spans of which both sides are there: child, parent, and a number for the trace that it was.
    pub torn: Vec<(u32, u32, u32)>,
    /// How many torn spans have lost a side.
    pub lost: usize,
}

/// A truth could not be read; `line` is 1-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("read the truth: line {line}: {message}")]
pub struct TruthError {
    pub line: usize,
    pub message: String,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Line {
    Torn {
        child_trace: String,
        child_span: String,
        parent_trace: String,
        parent_span: String,
        original_trace: String,
    },
    Span {
        true_trace_id: String,
        true_parent_span_id: String,
        trace_id: String,
        span_id: String,
        parent_span_id: String,
    },
}

impl Truth {
    /// Reads a truth from a file, gzip or not.
    pub fn open(path: &Path, window: &Window) -> Result<Self, TruthError> {
        let bytes = read_unpacked(path)
            .map_err(|error| TruthError { line: 0, message: format!("{}: {error}", path.display()) })?;
        Self::read(&String::from_utf8_lossy(&bytes), window)
    }

    /// Reads a truth about the spans of `window`.
    pub fn read(text: &str, window: &Window) -> Result<Self, TruthError> {
        let mut reader = Reader::new(window);
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let line =
                serde_json::from_str(line).map_err(|error| TruthError { line: at + 1, message: error.to_string() })?;
            reader.line(line);
        }
        Ok(reader.finish())
    }
}

struct Reader {
    by_ids: HashMap<(u128, u64), u32>,
    /// Spans of lost traces' ids are found by their own id alone.
    by_span: HashMap<u64, u32>,
    originals: HashMap<String, u32>,
    truth: Truth,
}

impl Reader {
    fn new(window: &Window) -> Self {
        let mut by_ids = HashMap::with_capacity(window.len());
        let mut by_span = HashMap::with_capacity(window.len());
        for span in window.spans() {
            let id = window.span_id[span as usize];
            by_ids.insert((window.trace_id(span), id), span);
            by_span.insert(id, span);
        }
        Self { by_ids, by_span, originals: HashMap::new(), truth: Truth::default() }
    }

    fn line(&mut self, line: Line) {
        match line {
            Line::Torn { child_trace, child_span, parent_trace, parent_span, original_trace } => {
                let child = self.by_ids.get(&(trace(&child_trace), span(&child_span))).copied();
                let parent = self.by_ids.get(&(trace(&parent_trace), span(&parent_span))).copied();
                self.push(child, parent, original_trace);
            }
            Line::Span { true_trace_id, true_parent_span_id, trace_id, span_id, parent_span_id } => {
                if true_parent_span_id == parent_span_id || true_parent_span_id.is_empty() {
                    return;
                }
                let child = self.by_ids.get(&(trace(&trace_id), span(&span_id))).copied();
                let parent = self.by_span.get(&span(&true_parent_span_id)).copied();
                self.push(child, parent, true_trace_id);
            }
        }
    }

    fn push(&mut self, child: Option<u32>, parent: Option<u32>, original: String) {
        let (Some(child), Some(parent)) = (child, parent) else {
            self.truth.lost += 1;
            return;
        };
        let next = self.originals.len() as u32;
        let original = *self.originals.entry(original).or_insert(next);
        self.truth.torn.push((child, parent, original));
    }

    fn finish(mut self) -> Truth {
        self.truth.torn.retain(|&(child, parent, _)| child != NONE && parent != NONE);
        self.truth.torn.sort_unstable();
        self.truth
    }
}

fn trace(text: &str) -> u128 {
    u128::from_str_radix(text, 16).unwrap_or(0)
}

fn span(text: &str) -> u64 {
    u64::from_str_radix(text, 16).unwrap_or(0)
}
