//! stub
use crate::cli::chaos::PlanArgs;
use crate::error::Failure;
use crate::headless::Context;
pub fn run(_: &PlanArgs, _: &Context) -> Result<(), Failure> {
    Err(Failure::usage("not yet"))
}
