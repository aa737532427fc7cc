//! Brings derived views up to date.
