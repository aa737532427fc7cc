//! Shows how far reading is, on one line of stderr that is wiped at the end. Only on a terminal.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use riftline_ingest::read::Progress;
use riftline_queries::load::LoadEvent;

use super::Context;
use crate::format::cut;
use crate::humane;

/// Time between two drawings.
const PERIOD: Duration = Duration::from_millis(100);
/// Cells of the bar.
const BAR: usize = 20;

/// The line, and what it shows.
#[derive(Debug)]
pub struct ProgressLine {
    is_shown: bool,
    width: usize,
    started: Instant,
    drawn: Option<Instant>,
    progress: Progress,
    records: u64,
}

impl ProgressLine {
    /// Returns a line that is drawn where somebody can see it.
    #[must_use]
    pub fn new(context: &Context) -> Self {
        let stderr = io::stderr();
        let width = rustix::termios::tcgetwinsize(&stderr).map_or(80, |size| usize::from(size.ws_col));
        Self {
            is_shown: context.settings.has_progress && stderr.is_terminal(),
            width: if width == 0 { 80 } else { width },
            started: Instant::now(),
            drawn: None,
            progress: Progress::default(),
            records: 0,
        }
    }

    /// Takes in what happened and draws it, at most ten times a second.
    pub fn note(&mut self, event: &LoadEvent) {
        match event {
            LoadEvent::Progress(progress) => self.progress = *progress,
            LoadEvent::Committed { spans, logs, metrics, events, .. } => {
                let records = [logs, metrics, events].into_iter().fold(*spans, |sum, more| sum.saturating_add(*more));
                self.records = self.records.saturating_add(records);
            }
            LoadEvent::Settled => {}
        }
        if self.is_shown && self.drawn.is_none_or(|drawn| drawn.elapsed() >= PERIOD) {
            self.drawn = Some(Instant::now());
            let text = text(&self.progress, self.records, self.started.elapsed());
            let _ = write!(io::stderr().lock(), "\r\x1b[K{}", cut(&text, self.width.saturating_sub(1)));
        }
    }

    /// Wipes the line.
    pub fn wipe(&mut self) {
        if self.drawn.take().is_some() {
            let _ = write!(io::stderr().lock(), "\r\x1b[K");
        }
    }
}

impl Drop for ProgressLine {
    fn drop(&mut self) {
        self.wipe();
    }
}

fn text(progress: &Progress, records: u64, elapsed: Duration) -> String {
    let read = humane::bytes(progress.bytes_read);
    let seconds = elapsed.as_secs_f64().max(1e-3);
    let rate = humane::short_count((records as f64 / seconds) as u64);
    let counted = format!("{} records  {rate}/s", humane::short_count(records));
    let Some(total) = progress.bytes_total.filter(|&total| total > 0) else {
        return format!("reading  {read}  {counted}");
    };
    let share = (progress.bytes_read as f64 / total as f64).clamp(0.0, 1.0);
    let filled = (share * BAR as f64).round() as usize;
    let bar = format!("{}{}", "█".repeat(filled), "░".repeat(BAR.saturating_sub(filled)));
    let left = if share > 0.0 { (seconds / share - seconds) * 1e9 } else { 0.0 };
    let left = if share > 0.01 { format!("  {} left", humane::duration(whole_seconds(left))) } else { String::new() };
    format!("reading  {bar} {:>3.0} %  {read} of {}  {counted}{left}", share * 100.0, humane::bytes(total))
}

/// Seconds are exact enough for what is left, and do not flicker.
fn whole_seconds(nanoseconds: f64) -> i64 {
    ((nanoseconds / 1e9).ceil() as i64).saturating_mul(1_000_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_shows_its_share_and_what_is_left() {
        let progress = Progress { bytes_read: 25_000_000, bytes_total: Some(100_000_000) };
        let text = text(&progress, 50_000, Duration::from_secs(2));
        assert_eq!(text, "reading  █████░░░░░░░░░░░░░░░  25 %  25 MB of 100 MB  50 k records  25 k/s  6 s left");
    }

    #[test]
    fn a_pipe_shows_what_was_read() {
        let progress = Progress { bytes_read: 1_500, bytes_total: None };
        assert_eq!(text(&progress, 0, Duration::from_secs(1)), "reading  1.50 kB  0 records  0/s");
    }

    #[test]
    fn a_file_that_grew_stays_within_the_bar() {
        let progress = Progress { bytes_read: 300, bytes_total: Some(100) };
        assert!(text(&progress, 1, Duration::ZERO).contains("████████████████████ 100 %"));
    }
}
