//! Prints what detectors find in files, without a store: `findings [--json] [--without urls,logs,links] SOURCE…`.
#![expect(clippy::print_stdout, reason = "this is a program for the command line")]

use std::time::Instant;

use riftline_ingest::read::Input;
use riftline_queries::detect::{Case, Rules, detect};
use riftline_queries::lab::read;
use riftline_queries::stitch;
use riftline_queries::trace::window::Without;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_json = arguments.first().is_some_and(|first| first == "--json");
    if is_json {
        arguments.remove(0);
    }
    let mut without = Without::default();
    if arguments.first().is_some_and(|first| first == "--without") {
        let list = arguments.drain(..arguments.len().min(2)).next_back().unwrap_or_default();
        without = Without { urls: list.contains("urls"), logs: list.contains("logs"), links: list.contains("links") };
    }
    let inputs: Vec<Input> = arguments.into_iter().map(Input::Path).collect();
    let window = read::window(&inputs, without)?;
    let begin = Instant::now();
    let stitches = stitch::stitch(&window);
    let case = Case::new(&window, &stitches);
    let findings = detect(&case, &Rules::bundled());
    println!(
        "{} spans, {} stitches, {} findings in {:.3} s",
        window.len(),
        stitches.len(),
        findings.len(),
        begin.elapsed().as_secs_f64()
    );
    for finding in findings {
        let severity = finding.severity.name();
        println!(
            "{severity:4} {} {:.2} {}: {}/{}",
            finding.rule, finding.confidence, finding.subject, finding.occurrences, finding.out_of
        );
        println!("     {} (side: {})", finding.evidence["why"], finding.evidence["side"]);
        if is_json {
            println!("     {}", serde_json::to_string(&finding.evidence)?);
            println!("     {}", finding.fix);
        }
    }
    Ok(())
}
