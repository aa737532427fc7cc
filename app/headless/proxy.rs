//! `riftline proxy`.
use super::Context;
use crate::cli::chaos::ProxyArgs;
use crate::error::Failure;
pub fn run(_args: &ProxyArgs, _context: &Context) -> Result<(), Failure> {
    Err(Failure::usage("not yet"))
}
