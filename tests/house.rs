//! The one test binary: one module a subject.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod support;

mod arrows;
mod chaos;
mod cli;
mod crash;
mod findings;
mod follow;
mod formats;
mod listen;
mod picture;
mod samples;
mod screens;
mod second_terminal;
mod waterfall;
mod workstation;
