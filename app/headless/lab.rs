//! `riftline lab`: tears traces in known ways, joins them again, and tells how often that is right.

mod ablate;
mod scores;

use riftline_queries::lab::mask::{Masked, mask};
use riftline_queries::lab::{read, score::score, truth::Truth};
use riftline_queries::stitch;
use riftline_queries::trace::window::{self, Window};

use super::{Context, answer, source};
use crate::cli::{CalibrateArgs, LabCommand, LabStitchArgs, Without};
use crate::error::Failure;
use scores::Scores;

/// Share of the healthy calls that `calibrate` tears: the rest is left to learn from.
const MASKED: f64 = 0.5;

/// Runs one command of the lab.
pub fn run(command: &LabCommand, context: &Context) -> Result<(), Failure> {
    match command {
        LabCommand::Ablate(args) => ablate::run(args, context),
        LabCommand::Stitch(args) => stitch(args, context),
        LabCommand::Calibrate(args) => calibrate(args, context),
    }
}

fn stitch(args: &LabStitchArgs, context: &Context) -> Result<(), Failure> {
    let window = window(&args.sources, &args.without)?;
    let truth = Truth::open(&args.truth, &window).map_err(|error| Failure::Input(error.to_string()))?;
    let mut scores = Scores::default();
    measure(&window, &truth, "", &mut scores);
    answer::give(&scores.table(), args.print, context)
}

/// Tears what is healthy, once between services and once inside of them.
fn calibrate(args: &CalibrateArgs, context: &Context) -> Result<(), Failure> {
    let mut scores = Scores::default();
    for (what, name) in [(Masked::Calls, "calls: "), (Masked::Work, "inside: ")] {
        let (window, truth) = mask(&window(&args.sources, &args.without)?, what, MASKED, args.seed);
        measure(&window, &truth, name, &mut scores);
    }
    answer::give(&scores.table(), args.print, context)
}

fn measure(window: &Window, truth: &Truth, name: &str, scores: &mut Scores) {
    let stitches = stitch::stitch(window);
    let (all, edges) = score(window, truth, &stitches, &stitch::first_come(window));
    scores.push(name, &all, &edges);
}

fn window(sources: &[String], without: &[Without]) -> Result<Window, Failure> {
    let without = window::Without {
        urls: without.contains(&Without::Urls),
        logs: without.contains(&Without::Logs),
        links: without.contains(&Without::Links),
    };
    read::window(&source::inputs(sources), without).map_err(|error| Failure::Input(error.to_string()))
}
