//! The lab: measures how often stitching is right, on traces of which the truth is known.

pub mod ablate;
mod chance;
pub mod mask;
pub mod read;
pub mod score;
pub mod truth;
