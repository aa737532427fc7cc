//! Logs as programs write them: JSON lines, key=value lines, and text with a time near the beginning of the line.
//!
//! A line, or several that belong together, is a record of `LogBatch`: time, severity, body, the trace and span that it
//! names, and everything else as typed attributes. What is common to all is in `stream` (lines to records) and `record`
//! (record to row); a grammar a format says which lines begin a record and reads it.

pub mod format;
pub mod pattern;

mod access;
mod ansi;
mod custom;
mod ids;
mod json;
mod klog;
mod level;
mod logfmt;
mod origin;
mod recognise;
mod record;
mod role;
mod seek;
mod stream;
mod syslog;
mod text;
mod time;
mod value;

#[cfg(test)]
mod tests;
