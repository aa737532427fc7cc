//! Parts of screens: they draw what they are given.

pub mod bar;
pub mod editor;
pub mod frame;
pub mod input;
pub mod line;
pub mod prose;
pub mod scroll;
pub mod span_bar;
pub mod text;
pub mod time_axis;
pub mod tree;
