mod attributes;
mod events;
mod opening;
mod recovery;
mod retention;
pub(crate) mod support;
mod views;
mod writing;
