//! Sends spans to a receiver as fast as it takes them and tells how fast that was:
//! `cargo run --release --workspace --example send -- ADDRESS [SECONDS] [CONNECTIONS] [REQUESTS IN FLIGHT EACH] [SPANS A REQUEST] [SPANS A SECOND]`.
//!
//! Each request is acknowledged once it is durable; the times are those from sending to that. Refusals are sent again after a
//! moment, as SDKs do.
#![expect(clippy::print_stdout, reason = "this is a program for the command line")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use riftline_ingest::testing::{Sender, Template};

/// What is measured.
#[derive(Default)]
struct Measured {
    next: AtomicU64,
    acknowledged: AtomicU64,
    refused: AtomicU64,
    times: Mutex<Vec<Duration>>,
    first_refusal: Mutex<Option<String>>,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut words = std::env::args().skip(1);
    let address = words.next().unwrap_or_else(|| "127.0.0.1:4317".to_owned());
    let mut number = |default: u64| words.next().and_then(|word| word.parse().ok()).unwrap_or(default);
    let (seconds, connections, in_flight) = (number(10), number(4), number(4));
    let (spans, rate) = (number(512), number(0));
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_io().enable_time().build()?;
    let measured = Arc::new(Measured::default());
    let begun = Instant::now();
    runtime.block_on(async {
        let mut tasks = Vec::new();
        for _ in 0..connections {
            let sender = Sender::connect(&address).await?;
            for _ in 0..in_flight {
                let (sender, measured) = (sender.clone(), measured.clone());
                let pace = Pace { begun, spans, rate };
                tasks.push(tokio::spawn(send(sender, measured, pace, Duration::from_secs(seconds))));
            }
        }
        for task in tasks {
            task.await?;
        }
        Ok::<_, Box<dyn std::error::Error>>(())
    })?;
    report(&measured, begun.elapsed(), spans);
    Ok(())
}

/// How much is sent when.
#[derive(Clone, Copy)]
struct Pace {
    begun: Instant,
    spans: u64,
    /// Spans a second; 0: as many as are taken.
    rate: u64,
}

async fn send(mut sender: Sender, measured: Arc<Measured>, pace: Pace, time: Duration) {
    let mut template = Template::new(pace.spans as usize);
    let mut times = Vec::new();
    while pace.begun.elapsed() < time {
        let number = measured.next.fetch_add(1, Ordering::Relaxed);
        if pace.rate > 0 {
            let due = Duration::from_secs_f64((number * pace.spans) as f64 / pace.rate as f64);
            tokio::time::sleep(due.saturating_sub(pace.begun.elapsed())).await;
        }
        let request = template.request(number);
        let begun = Instant::now();
        match sender.send_traces(request).await {
            Ok(rejected) => {
                times.push(begun.elapsed());
                measured.acknowledged.fetch_add(pace.spans - rejected as u64, Ordering::Relaxed);
            }
            Err(status) => {
                measured.refused.fetch_add(pace.spans, Ordering::Relaxed);
                if let Ok(mut first) = measured.first_refusal.lock() {
                    first.get_or_insert_with(|| status.to_string());
                }
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    }
    if let Ok(mut all) = measured.times.lock() {
        all.append(&mut times);
    }
}

fn report(measured: &Measured, elapsed: Duration, spans: u64) {
    let mut times = measured.times.lock().map(|times| times.clone()).unwrap_or_default();
    times.sort_unstable();
    let at =
        |share: f64| times.get(((times.len() as f64 - 1.0).max(0.0) * share) as usize).copied().unwrap_or_default();
    let acknowledged = measured.acknowledged.load(Ordering::Relaxed);
    let rate = acknowledged as f64 / elapsed.as_secs_f64();
    println!("acknowledged {acknowledged} spans in {elapsed:.1?}: {rate:.0} spans/s, {spans} a request");
    println!("refused {} spans", measured.refused.load(Ordering::Relaxed));
    println!("acknowledgement p50 {:.1?}, p99 {:.1?}, worst {:.1?}", at(0.5), at(0.99), at(1.0));
    println!("the sender took {:.2} of a core", cpu_seconds() / elapsed.as_secs_f64());
    if let Some(refusal) = measured.first_refusal.lock().ok().and_then(|first| first.clone()) {
        println!("first refusal: {refusal}");
    }
}

/// Returns what this process has used so far, from `/proc/self/stat`: user and system time in hundredths of a second.
fn cpu_seconds() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(") ").next().unwrap_or_default().split(' ').skip(11).take(2);
    fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
}
