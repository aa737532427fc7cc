//! `NetworkChaos`.

use riftline_queries::replay::fault::{Fault, Place};
use serde_json::{Value, json};

use super::super::fields::{name_unknown, number, text};
use super::{fault, magnitude};

pub const FIELDS: [&str; 18] = [
    "action",
    "mode",
    "value",
    "selector",
    "duration",
    "direction",
    "target",
    "externalTargets",
    "device",
    "targetDevice",
    "delay",
    "loss",
    "duplicate",
    "corrupt",
    "bandwidth",
    "rate",
    "remoteCluster",
    "containerNames",
];

/// Returns the faults of a spec: at most one.
pub fn read(spec: &Value, place: &str, notes: &mut Vec<String>) -> Vec<Fault> {
    let is_there = |name: &&str| !spec[*name].is_null();
    for lost in
        ["externalTargets", "device", "targetDevice", "remoteCluster", "containerNames"].into_iter().filter(is_there)
    {
        notes.push(format!("{place}: `{lost}` was left out"));
    }
    let action = text(spec, "action");
    let found = translate(&action, spec, place, notes);
    let packets = "was left out: single packets cannot be touched here";
    if found.is_none() {
        notes.push(format!("{place}: action `{action}` {packets}"));
    } else if action == "netem" {
        let lost = ["loss", "duplicate", "corrupt", "rate"].into_iter().filter(is_there);
        notes.extend(lost.map(|lost| format!("{place}: `{lost}` {packets}")));
    }
    found.into_iter().collect()
}

fn translate(action: &str, spec: &Value, place: &str, notes: &mut Vec<String>) -> Option<Fault> {
    match action {
        "delay" | "netem" => delay(&spec["delay"], place, notes),
        "bandwidth" => bandwidth(&spec["bandwidth"], place, notes),
        "partition" => Some(fault("hang", Place::Connection)),
        "loss" => {
            number(&spec["loss"]["loss"]).filter(|percent| *percent >= 100.0).map(|_| fault("hang", Place::Connection))
        }
        _ => None,
    }
}

fn delay(delay: &Value, place: &str, notes: &mut Vec<String>) -> Option<Fault> {
    name_unknown(delay, &["latency", "jitter", "correlation", "reorder"], place, notes);
    if !delay["reorder"].is_null() {
        notes.push(format!("{place}: `reorder` was left out: single packets cannot be touched here"));
    }
    if number(&delay["correlation"]).is_some_and(|percent| percent > 0.0) {
        notes.push(format!("{place}: `correlation` was left out: every delay is drawn anew"));
    }
    let magnitude = Some(magnitude(&delay["latency"], &delay["jitter"])?);
    Some(Fault { magnitude, ..fault("latency", Place::Connection) })
}

fn bandwidth(bandwidth: &Value, place: &str, notes: &mut Vec<String>) -> Option<Fault> {
    name_unknown(bandwidth, &["rate", "limit", "buffer", "peakrate", "minburst"], place, notes);
    let rate = rate(bandwidth["rate"].as_str()?)?;
    let mut found = fault("bandwidth", Place::Connection);
    found.with.insert("kb_per_s".to_owned(), json!(rate / 1_000.0));
    Some(found)
}

/// Returns bytes a second of `1mbps`; units are powers of 1024, and `bps` is bytes a second (`ConvertUnitToBytes`).
fn rate(text: &str) -> Option<f64> {
    let text = text.trim().to_lowercase();
    let units = [("tbps", 4), ("gbps", 3), ("mbps", 2), ("kbps", 1), ("bps", 0)];
    let (number, power) = units.iter().find_map(|(unit, power)| Some((text.strip_suffix(unit)?, *power)))?;
    Some(number.trim().parse::<u64>().ok()? as f64 * 1_024_f64.powi(power))
}
