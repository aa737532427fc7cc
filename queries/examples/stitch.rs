//! Scores stitching without a store: `stitch [--without urls,logs,links] TRUTH SOURCE…`.
#![expect(clippy::print_stdout, reason = "this is a program for the command line")]

use std::time::Instant;

use riftline_ingest::read::Input;
use riftline_queries::lab::{read, score, truth::Truth};
use riftline_queries::stitch;
use riftline_queries::trace::window::Without;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut without = Without::default();
    if arguments.first().is_some_and(|first| first == "--without") {
        let list = arguments.remove(1);
        arguments.remove(0);
        without = Without { urls: list.contains("urls"), logs: list.contains("logs"), links: list.contains("links") };
    }
    let truth = arguments.remove(0);
    let inputs: Vec<Input> = arguments.into_iter().map(Input::Path).collect();
    let window = read::window(&inputs, without)?;
    let truth = Truth::open(std::path::Path::new(&truth), &window)?;
    let begin = Instant::now();
    let stitches = stitch::stitch(&window);
    let seconds = begin.elapsed().as_secs_f64();
    let (all, edges) = score::score(&window, &truth, &stitches, &stitch::first_come(&window));
    println!(
        "{} spans, {} torn, {} lost, {} stitches in {seconds:.3} s",
        window.len(),
        all.torn,
        truth.lost,
        stitches.len()
    );
    for (name, score) in edges.iter().chain([&("all".to_owned(), all.clone())]) {
        println!(
            "{name:48} torn {:5} accepted {:.4}/{:.4} best {:.4} first come {:.4}",
            score.torn,
            score.precision(),
            score.recall(),
            score.best_guess(),
            score.first_come()
        );
    }
    println!("whole traces {:.4} calibration error {:.4}", all.whole_traces(), all.calibration_error());
    for bin in all.bins.iter().filter(|bin| bin.joins > 0) {
        println!(
            "  {:.1}: {:5} joins, {:.3} right, {:.3} said",
            bin.from,
            bin.joins,
            bin.right as f64 / bin.joins as f64,
            bin.confidence / bin.joins as f64
        );
    }
    Ok(())
}
