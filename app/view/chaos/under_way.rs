//! The run under way: of this workstation, or of another process.

use super::ask::Followed;
use super::child::{Launched, Said};
use super::report::Report;

/// What is known of it.
#[derive(Debug, Default)]
pub struct UnderWay {
    run: Option<String>,
    /// The process, where this workstation started it.
    launched: Option<Launched>,
    num_bytes: u64,
    is_armed: bool,
    has_ended: bool,
}

impl UnderWay {
    /// Learns from the folder which run is under way. One that was started from here is known better.
    pub fn see(&mut self, live: Option<&str>) {
        if self.launched.is_none() && self.run.as_deref() != live {
            *self = Self { run: live.map(str::to_owned), ..Self::default() };
        }
    }

    /// A run was started from here.
    pub fn begin(&mut self, launched: Launched) {
        *self = Self { launched: Some(launched), ..Self::default() };
    }

    /// Takes what its journal tells now; returns whether its name was not known before.
    pub fn take(&mut self, report: Option<&Report>) -> bool {
        let Some(report) = report else { return false };
        let is_new = self.run.as_ref() != Some(&report.run);
        self.run = Some(report.run.clone());
        self.num_bytes = report.num_bytes;
        self.has_ended = report.has_ended();
        self.is_armed = report.is_armed() && !self.has_ended;
        is_new
    }

    /// Forgets it and returns what its process said, where it ended without writing down its end.
    pub fn end(&mut self) -> Option<Said> {
        let ended = std::mem::take(self);
        ended.launched.filter(|_| !ended.has_ended).map(|launched| launched.said())
    }

    /// Returns what to follow; nothing where no run is under way.
    #[must_use]
    pub fn followed(&self) -> Option<Followed> {
        let is_there = self.run.is_some() || self.launched.is_some();
        is_there.then(|| Followed { run: self.run.clone(), launched: self.launched.clone(), num_bytes: self.num_bytes })
    }

    /// Returns how it is called.
    #[must_use]
    pub fn name(&self) -> Option<String> {
        let named = self.run.as_ref().map(|run| format!("run {run}"));
        named.or_else(|| self.launched.as_ref().map(|_| "a run".to_owned()))
    }

    /// Returns the name of the run that may have a fault armed.
    #[must_use]
    pub fn armed(&self) -> Option<&str> {
        self.run.as_deref().filter(|_| self.is_armed)
    }

    /// Stops what was started from here, and waits a moment for it to undo its fault.
    pub fn farewell(&self) {
        self.launched.iter().for_each(Launched::farewell);
    }
}
