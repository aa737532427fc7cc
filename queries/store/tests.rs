mod attributes;
mod opening;
mod recovery;
pub(crate) mod support;
mod views;
mod writing;
