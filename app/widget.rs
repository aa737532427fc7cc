//! Parts of screens: they draw what they are given.

pub mod bar;
pub mod frame;
pub mod input;
pub mod scroll;
pub mod text;
