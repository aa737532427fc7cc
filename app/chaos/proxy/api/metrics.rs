//! Counts for Prometheus (text format 0.0.4): bytes as Toxiproxy counts them with `-proxy-metrics`, and our own.

use std::fmt::Write;
use std::sync::atomic::{AtomicU64, Ordering};

use hyper::StatusCode;

use super::Api;
use super::answer::{Answer, text};
use super::proxies::listens_on;
use crate::chaos::proxy::link::Link;

pub fn show(api: &Api) -> Answer {
    let links = api.registry.links();
    let mut page = String::new();
    head(&mut page, "toxiproxy_proxy_received_bytes_total", "counter");
    links.iter().for_each(|link| bytes(&mut page, "received", link));
    head(&mut page, "toxiproxy_proxy_sent_bytes_total", "counter");
    links.iter().for_each(|link| bytes(&mut page, "sent", link));
    head(&mut page, "riftline_proxy_connections", "gauge");
    for link in &links {
        line(&mut page, "riftline_proxy_connections", &[("proxy", &link.name)], link.num_open() as u64);
    }
    faults(&mut page, &links, "matched", |tally| tally.0);
    faults(&mut page, &links, "hit", |tally| tally.1);
    text(StatusCode::OK, page)
}

fn head(page: &mut String, name: &str, kind: &str) {
    // Writing into a text does not fail.
    let _ = writeln!(page, "# TYPE {name} {kind}");
}

/// Bytes that came in and went out, by the direction that they flow in.
fn bytes(page: &mut String, what: &str, link: &Link) {
    let traffic = &link.traffic;
    let (up, down) = match what {
        "received" => (&traffic.from_client, &traffic.from_upstream),
        _ => (&traffic.to_upstream, &traffic.to_client),
    };
    let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (listener, upstream) = (listens_on(link), link.spec().upstream.clone());
    let name = format!("toxiproxy_proxy_{what}_bytes_total");
    for (direction, value) in [("downstream", read(down)), ("upstream", read(up))] {
        let labels =
            [("direction", direction), ("listener", &listener), ("proxy", &link.name), ("upstream", &upstream)];
        line(page, &name, &labels, value);
    }
}

fn faults(page: &mut String, links: &[std::sync::Arc<Link>], what: &str, value: fn((u64, u64)) -> u64) {
    let name = format!("riftline_fault_{what}_total");
    head(page, &name, "counter");
    for link in links {
        for armed in link.armed().iter() {
            let tally = armed.tally();
            let labels = [("proxy", link.name.as_str()), ("fault", armed.name.as_str())];
            line(page, &name, &labels, value((tally.matched, tally.hit)));
        }
    }
}

fn line(page: &mut String, name: &str, labels: &[(&str, &str)], value: u64) {
    let labels: Vec<String> = labels.iter().map(|(label, value)| format!("{label}=\"{}\"", escape(value))).collect();
    let _ = writeln!(page, "{name}{{{}}} {value}", labels.join(","));
}

fn escape(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
