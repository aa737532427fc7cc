//! perf: what `perf script` and `perf sched timehist` print, and what `perf data convert --to-json` writes.

mod sample;
pub(crate) mod script;
pub(crate) mod timehist;

pub use sample::PerfJson;
pub use script::PerfScript;
pub use timehist::PerfTimehist;
