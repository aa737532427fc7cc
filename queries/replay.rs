//! From a recorded incident to a fault that can be injected elsewhere, and whether what happened there was the same.
//!
//! Everything here is a function of spans in memory ([`crate::trace::window::Window`]): no store, no network, no clock.

pub mod assertions;
pub mod derive;
pub mod edge;
pub mod fault;
pub mod id;
pub mod judge;
pub mod path_key;
