//! Prints the faults that are derived from an incident in files, without a store: `derive [--json] trace ID SOURCE…`,
//! `derive finding NAME SOURCE…`, or `derive all SOURCE…` for all findings, the slowest request and the first that failed.
#![expect(clippy::print_stdout, reason = "this is a program for the command line")]

use riftline_ingest::read::Input;
use riftline_queries::detect::{Case, Rules, detect};
use riftline_queries::lab::read;
use riftline_queries::replay::derive::{About, Derived, Options, Refusal, derive};
use riftline_queries::replay::id::TraceId;
use riftline_queries::stitch;
use riftline_queries::trace::window::{Window, Without};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let is_json = arguments.first().is_some_and(|first| first == "--json");
    arguments.drain(..usize::from(is_json));
    let is_all = arguments.first().is_some_and(|first| first == "all");
    let words: Vec<String> = arguments.drain(..arguments.len().min(if is_all { 1 } else { 2 })).collect();
    let inputs: Vec<Input> = arguments.into_iter().map(Input::Path).collect();
    let window = read::window(&inputs, Without::default())?;
    let stitches = stitch::stitch(&window);
    let findings = detect(&Case::new(&window, &stitches), &Rules::bundled());
    let abouts = match words.iter().map(String::as_str).collect::<Vec<_>>().as_slice() {
        ["trace", id] => vec![About::Trace(TraceId(u128::from_str_radix(id, 16)?))],
        ["finding", name] => vec![About::Finding((*name).to_owned())],
        _ => {
            let named = findings.iter().map(|finding| About::Finding(format!("{} {}", finding.rule, finding.subject)));
            named.chain(typical(&window)).collect()
        }
    };
    for about in abouts {
        let result = derive(&window, &stitches, &findings, &about, &Options::default());
        match result {
            Ok(derived) if is_json => println!("{}", serde_json::to_string_pretty(&derived)?),
            result => show(&about, &result)?,
        }
    }
    Ok(())
}

/// The slowest request and the first that failed.
fn typical(window: &Window) -> Vec<About> {
    let roots = || window.spans().filter(|&span| window.is_root(span));
    let slowest = roots().max_by_key(|&span| window.duration_ns(span));
    let failed = roots().find(|&span| window.status.get(span as usize) == Some(&2));
    slowest.into_iter().chain(failed).map(|span| About::Trace(TraceId(window.trace_id(span)))).collect()
}

fn show(about: &About, result: &Result<Derived, Refusal>) -> Result<(), serde_json::Error> {
    println!("\n== {}", serde_json::to_string(about)?);
    let derived = match result {
        Ok(derived) => derived,
        Err(refusal) => {
            println!("refused: {refusal}");
            return Ok(());
        }
    };
    println!("{}: {} incident, {} baseline", derived.operation, derived.num_incident, derived.num_baseline);
    for one in &derived.candidates {
        println!("{:.2} {} -> {} {}", one.confidence, one.edge.client, one.edge.server, one.edge.operation);
        println!("     {}", serde_json::to_string(&one.fault)?);
        println!("     {} (share {:.3} to {:.3})", one.why, one.share.low, one.share.high);
        one.notes.iter().for_each(|note| println!("     note: {note}"));
        one.evidence.iter().for_each(|span| println!("     {} {}: {}", span.trace_id, span.span_id, span.says));
    }
    derived.warnings.iter().for_each(|warning| println!("  warning: {warning}"));
    println!("  hosts {:?} environments {:?} services {:?}", derived.hosts, derived.environments, derived.services);
    derived.requests.iter().take(2).for_each(|request| println!("  {request:?}"));
    println!("  finding {:?}", derived.finding);
    Ok(())
}
