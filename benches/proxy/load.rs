//! A small load generator for `benches/proxy.sh`: `rustc -O load.rs`, nothing else is needed.
//!
//! `load rate HOST:PORT REQUESTS_PER_S CONNECTIONS SECONDS` sends GET requests at fixed times and measures each from the time it was
//! due, so that a proxy that stalls pays for every request that had to wait. Prints p50, p90, p99 and p99.9 in microseconds.
//!
//! `load hold HOST:PORT CONNECTIONS` opens that many connections, sends one request on each, and holds them until its input ends.

use std::env::args;
use std::io::{self, Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nHost: bench\r\nUser-Agent: load\r\nAccept: */*\r\n\r\n";

fn main() -> io::Result<()> {
    let args: Vec<String> = args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["rate", address, rate, connections, seconds] => {
            print_quantiles(&rate_load(address, number(rate)?, number(connections)?, number(seconds)?)?);
            Ok(())
        }
        ["hold", address, connections] => hold(address, number(connections)?),
        _ => Err(io::Error::other("usage: load rate HOST:PORT RATE CONNECTIONS SECONDS | load hold HOST:PORT CONNECTIONS")),
    }
}

fn number(text: &str) -> io::Result<u32> {
    text.parse().map_err(|_| io::Error::other(format!("{text} is no number")))
}

/// Returns all latencies, sorted.
fn rate_load(address: &str, rate: u32, connections: u32, seconds: u32) -> io::Result<Vec<Duration>> {
    let period = Duration::from_secs(1) * connections / rate;
    let start = Instant::now() + Duration::from_millis(200);
    let workers: Vec<_> = (0..connections)
        .map(|worker| {
            let address = address.to_owned();
            let first = start + period * worker / connections;
            thread::spawn(move || one_connection(&address, first, period, rate * seconds / connections))
        })
        .collect();
    let mut all = Vec::new();
    for worker in workers {
        all.extend(worker.join().map_err(|_| io::Error::other("a worker failed"))??);
    }
    all.sort_unstable();
    Ok(all)
}

fn one_connection(address: &str, first: Instant, period: Duration, count: u32) -> io::Result<Vec<Duration>> {
    let mut stream = connect(address)?;
    let mut latencies = Vec::with_capacity(count as usize);
    for request in 0..count {
        let due = first + period * request;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        ask(&mut stream)?;
        latencies.push(due.elapsed());
    }
    Ok(latencies)
}

fn connect(address: &str) -> io::Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

/// Sends one request and reads its answer, which ends with a line that says so.
fn ask(stream: &mut TcpStream) -> io::Result<()> {
    stream.write_all(REQUEST)?;
    let (mut buffer, mut filled) = ([0; 4096], 0);
    loop {
        match stream.read(&mut buffer[filled..])? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            length => filled += length,
        }
        if buffer[..filled].ends_with(b"end\n") {
            return Ok(());
        }
    }
}

fn print_quantiles(latencies: &[Duration]) {
    let at = |share: f64| latencies[((latencies.len() - 1) as f64 * share) as usize].as_micros();
    println!("{} {} {} {}", at(0.5), at(0.9), at(0.99), at(0.999));
}

fn hold(address: &str, connections: u32) -> io::Result<()> {
    let held: Vec<TcpStream> = (0..connections)
        .map(|_| {
            let mut stream = connect(address)?;
            ask(&mut stream)?;
            Ok(stream)
        })
        .collect::<io::Result<_>>()?;
    println!("held {}", held.len());
    io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}
