//! Decodes and merges CTF traces without storing them: for timing, and for looking at what was read.
//!
//! `cargo run --release -p riftline-ingest --example ctf -- FOLDER...`

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use riftline_ingest::convention::Conventions;
use riftline_ingest::format::{self, Settings};
use riftline_ingest::read::Limits;

fn main() {
    let settings =
        Settings { conventions: Arc::new(Conventions::default()), limits: Limits::default(), patterns: Arc::default() };
    for folder in std::env::args().skip(1) {
        read(Path::new(&folder), &settings);
    }
}

#[expect(clippy::print_stdout, reason = "what it measured is its output")]
fn read(folder: &Path, settings: &Settings) {
    let begun = Instant::now();
    let Some(format) = format::of_folder(folder) else {
        println!("{}: no recording", folder.display());
        return;
    };
    let mut recording = match format.open(folder, settings) {
        Ok(recording) => recording,
        Err(error) => {
            println!("{error}");
            return;
        }
    };
    let (mut events, mut rejects, mut lost) = (0, 0, 0);
    let mut first = None;
    while let Some(batch) = recording.next() {
        events += batch.events.len();
        rejects += batch.rejects.count;
        lost += batch.gaps.iter().filter_map(|gap| gap.lost).sum::<u64>();
        first = first.or_else(|| batch.rejects.kept.first().map(|reject| reject.reason.clone()));
    }
    let seconds = begun.elapsed().as_secs_f64();
    println!(
        "{}: {events} events, {lost} lost, {rejects} rejects, {seconds:.3} s {}",
        folder.display(),
        first.unwrap_or_default()
    );
}
