//! The built-in proxy: a process that forwards named links and injects what it is told to. It injects nothing until told, and nothing
//! any more once whoever told it is not heard of (see [`lease`]).
//!
//! ```text
//! client ─► listener ─► connection ─┬─► pump (raw bytes) ─────────────► upstream
//!                                   └─► http (requests, one by one) ──► upstream
//!                          registry: links, what is armed, leases
//! ```

pub mod api;
pub mod armed;
mod connection;
pub mod dice;
pub mod effect;
mod http;
mod io;
pub mod lease;
pub mod link;
mod listener;
mod mark;
pub mod otlp;
mod proof;
mod pump;
pub mod registry;
mod serve;
mod sniff;
pub mod stage;
mod subject;
pub mod swap;
mod tether;
mod tls;
pub mod toxics;
mod upstream;
pub mod when;

pub use serve::{Options, ProxyError, Running, run, serve};

#[cfg(test)]
mod tests;
