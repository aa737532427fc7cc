//! Reads files and tells how fast: `cargo run --release -p riftline-ingest --example decode -- THREADS FILE…`.
//!
//! With 0 threads the files are read into memory first, and only decoding is timed, on one thread: the best of ten runs.
#![expect(clippy::print_stdout, reason = "this is a program for the command line")]

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Instant;

use riftline_ingest::batch::Batch;
use riftline_ingest::convention::{Convention, Conventions, ValueType};
use riftline_ingest::format::{self, End, Opening, Settings, Window};
use riftline_ingest::read::{Event, Input, Limits, NoHistory, ReadOptions, read};

fn convention(key: &str, value: ValueType, aliases: &[&str]) -> Convention {
    Convention {
        key: key.to_owned(),
        column: key.replace('.', "_"),
        value,
        aliases: aliases.iter().map(|&alias| alias.to_owned()).collect(),
        on_spans: true,
    }
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let num_threads = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(1);
    let inputs: Vec<Input> = arguments.map(Input::Path).collect();
    let conventions = Conventions::new(vec![
        convention("http.request.method", ValueType::Text, &["http.method"]),
        convention("url.path", ValueType::Text, &[]),
        convention("http.response.status_code", ValueType::Int, &["http.status_code"]),
        convention("server.address", ValueType::Text, &["net.peer.name"]),
        convention("user_agent.original", ValueType::Text, &["http.user_agent"]),
        convention("thread.id", ValueType::Int, &[]),
    ]);
    let options = ReadOptions {
        conventions: Arc::new(conventions),
        format: None,
        num_threads,
        limits: Limits::default(),
        patterns: Arc::default(),
    };
    if num_threads == 0 {
        for input in &inputs {
            decode_in_memory(input, &options);
        }
        return;
    }
    let begin = Instant::now();
    let (mut records, mut rejects, mut bytes, mut first) = (0, 0, 0, None);
    read(&inputs, &options, &NoHistory, &mut |event| {
        match event {
            Event::Batch(batch) => {
                records += batch.num_records();
                rejects += batch.rejects.count;
                first.get_or_insert_with(|| begin.elapsed());
                for reject in batch.rejects.kept.iter().take(3) {
                    println!(
                        "{}:{} @{} {}: {}",
                        reject.line, reject.column, reject.offset, reject.reason, reject.excerpt
                    );
                }
            }
            Event::Closed(end) => {
                bytes += end.bytes;
                println!("{end:?}");
            }
            Event::Opened(info) => println!("{info:?}"),
            Event::Failed { name, error } => println!("{name}: {error}"),
            Event::Progress(_) => {}
        }
        ControlFlow::Continue(())
    });
    let seconds = begin.elapsed().as_secs_f64();
    let (rate, megabytes) = (records as f64 / seconds / 1e6, bytes as f64 / seconds / 1e6);
    println!(
        "{records} records, {rejects} rejects, {seconds:.3} s: {rate:.2} M records/s, {megabytes:.0} MB/s; first batch after {first:?}"
    );
}

fn decode_in_memory(input: &Input, options: &ReadOptions) {
    const PIECE: usize = 4 << 20;
    let Input::Path(path) = input else { return };
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) => return println!("{path}: {error}"),
    };
    let settings =
        Settings { conventions: options.conventions.clone(), limits: options.limits, patterns: Arc::default() };
    let Some(format) = format::recognise(&bytes, true, &settings) else { return println!("{path}: not recognised") };
    let mut best = (f64::INFINITY, 0);
    for _ in 0..10 {
        let (begin, mut decoder, mut records, mut at) =
            (Instant::now(), format.decoder(&settings, &Opening::default()), 0, 0);
        while let Some(rest) = bytes.get(at..).filter(|rest| !rest.is_empty()) {
            let piece = rest.get(..format.cut(rest, PIECE).unwrap_or(rest.len())).unwrap_or(rest);
            let window = Window { bytes: piece, offset: at as u64, line: 1, line_offset: 0, end: End::Last };
            at += decoder.decode(&window).max(1);
            records += decoder.take(true).iter().map(Batch::num_records).sum::<usize>();
        }
        best = if begin.elapsed().as_secs_f64() < best.0 { (begin.elapsed().as_secs_f64(), records) } else { best };
    }
    let (seconds, records) = best;
    let (rate, megabytes) = (records as f64 / seconds / 1e6, bytes.len() as f64 / seconds / 1e6);
    println!("{}: {records} records in {seconds:.3} s: {rate:.2} M records/s, {megabytes:.0} MB/s", format.name());
}
