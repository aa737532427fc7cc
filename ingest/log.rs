//! Logs as programs write them: JSON lines, key=value lines, and text with a time near the beginning of the line.

pub mod pattern;
