//! stub
use crate::cli::chaos::ExportChaosArgs;
use crate::error::Failure;
pub fn run(_: &ExportChaosArgs) -> Result<(), Failure> {
    Err(Failure::usage("not yet"))
}
