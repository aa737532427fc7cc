mod attributes;
mod events;
mod opening;
mod recovery;
pub(crate) mod support;
mod views;
mod writing;
