//! The room that answers: keeps what was read in one embedded columnar store and answers questions about it.
//!
//! Only this room knows DuckDB and Polars; they sit behind the feature `store`, so that grammars, trees and tables compile
//! and fuzz without them.

pub mod cancel;
pub mod catalog;
mod chance;
pub mod desk;
pub mod detect;
pub mod error;
pub mod header;
pub mod lab;
pub mod replay;
pub mod semconv;
pub mod stitch;
pub mod table;
pub mod trace;
pub mod traceql;

#[cfg(feature = "store")]
pub mod analyse;
#[cfg(feature = "store")]
mod ask;
#[cfg(feature = "store")]
pub mod listen;
#[cfg(feature = "store")]
pub mod load;
#[cfg(feature = "store")]
pub mod run;
#[cfg(feature = "store")]
pub mod serve;
#[cfg(feature = "store")]
pub mod settle;
#[cfg(feature = "store")]
pub mod stats;
#[cfg(feature = "store")]
pub mod store;

#[cfg(test)]
#[cfg(feature = "store")]
pub(crate) mod testing;
