//! Faults on purpose: plans, runs, the proxy that injects, and the rails that keep all of it off what matters.

pub mod driver;
pub mod drivers;
mod even;
pub mod experiment;
pub mod export;
pub mod faults;
pub mod folder;
pub mod http;
pub mod import;
pub mod journal;
pub mod kubernetes;
pub mod manifest;
pub mod plan;
pub mod proxy;
pub mod rails;
pub mod reaper;
pub mod run;
pub mod standing;
pub mod undo;
