//! What reading brought: as a table for people, as objects for scripts.

use riftline_queries::load::{LoadSummary, LoadedSource};
use riftline_queries::table::{Column, Table, Values};
use serde::Serialize;

use super::{Context, say};
use crate::error::Failure;
use crate::humane;

/// Returns a table with a row a source.
#[must_use]
pub fn table(summary: &LoadSummary) -> Table {
    let sources = &summary.sources;
    let text = |value: fn(&LoadedSource) -> &str| {
        Values::Text(
            sources.iter().map(|source| Some(value(source)).filter(|text| !text.is_empty()).map(Into::into)).collect(),
        )
    };
    let count =
        |value: fn(&LoadedSource) -> u64| Values::UInt(sources.iter().map(|source| Some(value(source))).collect());
    let columns = [
        ("source", text(|source| &source.name)),
        ("format", text(|source| &source.format)),
        ("container", text(|source| &source.container)),
        ("bytes", count(|source| source.bytes)),
        ("skipped_bytes", count(|source| source.skipped_bytes)),
        ("spans", count(|source| source.spans)),
        ("logs", count(|source| source.logs)),
        ("metrics", count(|source| source.metrics)),
        ("events", count(|source| source.events)),
        ("rejects", count(|source| source.rejects)),
        ("stopped", text(|source| source.stopped.as_deref().unwrap_or_default())),
    ];
    let columns = columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect();
    Table { columns, is_cut: false }
}

/// Returns the object that scripts get.
#[must_use]
pub fn object(summary: &LoadSummary) -> SummaryEvent<'_> {
    SummaryEvent {
        event: "summary",
        records: records(summary),
        rejects: rejects(summary),
        seconds: summary.seconds,
        records_per_second: rate(summary),
        settle_seconds: summary.settle_seconds,
        sources: summary.sources.iter().map(SourceObject::of).collect(),
        failed: summary.failed.iter().map(|(source, reason)| FailedObject { source, reason }).collect(),
    }
}

/// The last line of `riftline ingest --format ndjson`, and the only one of `--format json`.
#[derive(Debug, Serialize)]
pub struct SummaryEvent<'a> {
    event: &'static str,
    records: u64,
    rejects: u64,
    seconds: f64,
    records_per_second: u64,
    settle_seconds: Option<f64>,
    sources: Vec<SourceObject<'a>>,
    failed: Vec<FailedObject<'a>>,
}

#[derive(Debug, Serialize)]
struct FailedObject<'a> {
    source: &'a str,
    reason: &'a str,
}

#[derive(Debug, Serialize)]
struct SourceObject<'a> {
    source: &'a str,
    format: &'a str,
    container: &'a str,
    bytes: u64,
    skipped_bytes: u64,
    spans: u64,
    logs: u64,
    metrics: u64,
    events: u64,
    rejects: u64,
    first_reasons: &'a [String],
    stopped: Option<&'a str>,
}

impl<'a> SourceObject<'a> {
    fn of(source: &'a LoadedSource) -> Self {
        Self {
            source: &source.name,
            format: &source.format,
            container: &source.container,
            bytes: source.bytes,
            skipped_bytes: source.skipped_bytes,
            spans: source.spans,
            logs: source.logs,
            metrics: source.metrics,
            events: source.events,
            rejects: source.rejects,
            first_reasons: &source.first_reasons,
            stopped: source.stopped.as_deref(),
        }
    }
}

/// Says in one line what was read.
#[must_use]
pub fn sentence(summary: &LoadSummary) -> String {
    let records = humane::count(records(summary));
    let seconds = humane::duration((summary.seconds * 1e9) as i64);
    let rate = humane::short_count(rate(summary));
    let settled =
        summary.settle_seconds.map(|seconds| format!(", settled in {}", humane::duration((seconds * 1e9) as i64)));
    format!("{records} records in {seconds} ({rate}/s){}", settled.unwrap_or_default())
}

/// Says what could not be read, with the first reasons.
pub fn say_what_failed(summary: &LoadSummary, context: &Context) {
    for source in summary.sources.iter().filter(|source| source.is_recognised()) {
        if let Some(why) = &source.stopped {
            say::warning(context, &format!("{}: reading stopped: {why}", source.name));
        }
        if source.rejects > 0 {
            let reasons = source.first_reasons.iter().flat_map(|reason| ["\n  ", reason]).collect::<String>();
            let rejects = humane::count(source.rejects);
            say::warning(
                context,
                &format!("{}: {rejects} records refused (view `rejects` lists them){reasons}", source.name),
            );
        }
    }
    let others = summary.sources.iter().filter(|source| !source.is_recognised());
    let others: Vec<&str> = others.map(|source| source.name.as_str()).collect();
    if !others.is_empty() {
        say::note(context, &format!("not telemetry, left out: {}", others.join(", ")));
    }
}

/// Returns a failure where nothing could be read of a source, or, under `is_strict`, where anything was refused.
pub fn judge(summary: &LoadSummary, is_strict: bool) -> Result<(), Failure> {
    let failed = summary.failed.iter().map(|(name, why)| failed(name, why));
    let unreadable: Vec<String> = failed.chain(empty_handed(summary)).collect();
    if !unreadable.is_empty() {
        return Err(Failure::Input(unreadable.join("\n")));
    }
    let has_stopped =
        summary.sources.iter().filter(|source| source.is_recognised()).any(|source| source.stopped.is_some());
    match (is_strict, rejects(summary)) {
        (true, rejects @ 1..) => Err(Failure::Input(format!("{} records refused (--strict)", humane::count(rejects)))),
        (true, _) if has_stopped => Err(Failure::Input("a source was not read to its end (--strict)".to_owned())),
        _ => Ok(()),
    }
}

/// The reason often begins with the name already.
fn failed(name: &str, why: &str) -> String {
    if why.contains(name) { format!("nothing read: {why}") } else { format!("nothing read of {name}: {why}") }
}

/// Says of which sources everything was refused.
fn empty_handed(summary: &LoadSummary) -> impl Iterator<Item = String> {
    let is_empty = |source: &&LoadedSource| {
        source.records() == 0 && source.skipped_bytes == 0 && (source.rejects > 0 || source.stopped.is_some())
    };
    let named = summary.sources.iter().filter(|source| source.is_recognised()).filter(is_empty);
    named.map(|source| format!("nothing readable in {}", source.name))
}

fn records(summary: &LoadSummary) -> u64 {
    summary.total(LoadedSource::records)
}

fn rejects(summary: &LoadSummary) -> u64 {
    summary.total(|source| source.rejects)
}

fn rate(summary: &LoadSummary) -> u64 {
    if summary.seconds > 0.0 { (records(summary) as f64 / summary.seconds) as u64 } else { 0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn source(spans: u64, rejects: u64) -> LoadedSource {
        LoadedSource { name: "a.jsonl".to_owned(), spans, rejects, ..LoadedSource::default() }
    }

    fn exit_code(sources: Vec<LoadedSource>, failed: &[(&str, &str)], is_strict: bool) -> u8 {
        let failed = failed.iter().map(|(name, why)| ((*name).to_owned(), (*why).to_owned())).collect();
        let summary = LoadSummary { sources, failed, ..LoadSummary::default() };
        judge(&summary, is_strict).map_or_else(|failure| failure.exit_code(), |()| 0)
    }

    #[test]
    fn unreadable_sources_fail_and_refused_records_only_when_strict() {
        assert_eq!(exit_code(vec![source(5, 0)], &[], true), 0);
        assert_eq!(exit_code(vec![source(5, 1)], &[], false), 0);
        assert_eq!(exit_code(vec![source(5, 1)], &[], true), 3);
        assert_eq!(exit_code(vec![source(0, 1)], &[], false), 3);
        assert_eq!(exit_code(vec![source(5, 0)], &[("b", "no such file")], false), 3);
        let cut = LoadedSource { stopped: Some("cut off".to_owned()), ..source(5, 0) };
        assert_eq!(exit_code(vec![cut.clone()], &[], false), 0);
        assert_eq!(exit_code(vec![cut], &[], true), 3);
        let other = LoadedSource {
            format: riftline_ingest::format::UNKNOWN.to_owned(),
            stopped: Some("not recognised".to_owned()),
            ..source(0, 0)
        };
        assert_eq!(exit_code(vec![source(5, 0), other], &[], true), 0);
        let again = LoadedSource { skipped_bytes: 100, ..source(0, 0) };
        assert_eq!(exit_code(vec![again], &[], true), 0);
    }

    #[test]
    fn the_sentence_counts_records_and_their_rate() {
        let summary = LoadSummary { sources: vec![source(1_500, 0)], seconds: 0.5, ..LoadSummary::default() };
        assert_eq!(sentence(&summary), "1 500 records in 500 ms (3 000/s)");
    }
}
