//! Trace trees: assembled from spans, each span exactly once, whatever its parents say.

pub mod assemble;
pub mod critical_path;
pub mod details;
pub mod healed;
pub mod skew;
pub mod spans;
pub mod window;
