//! The lab: measures how often stitching is right, on traces of which the truth is known.

pub mod ablate;
pub mod mask;
pub mod read;
pub mod score;
pub mod truth;
