//! Keeps stitches and findings up to date while the workstation is open: on a thread of its own, a quarter of the time at most.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use riftline_queries::analyse::Analysed;
use riftline_queries::cancel::Cancel;
use riftline_queries::store::Store;

use super::effect::LoadNews;
use crate::rules::Watched;

/// What is asked of the analyst.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    /// Rows may have arrived: look again.
    Look,
    /// Read the rules again, whether or not their files look changed.
    ReadRules,
}

/// Rest after looking: at least so long, and so many times what looking took.
const REST: Duration = Duration::from_secs(2);
const REST_SHARE: u32 = 3;
/// Rest after there was nothing to look at.
const SHORT_REST: Duration = Duration::from_millis(200);
/// How often the files of rules are looked at while nothing arrives.
const WATCH: Duration = Duration::from_secs(5);
/// Wishes that may wait; where there are so many, one more changes nothing.
const WAITING: usize = 16;
/// How long leaving waits for the thread.
const FAREWELL: Duration = Duration::from_secs(2);

/// The thread, seen from outside; dropping it ends the thread.
#[derive(Debug)]
pub struct Analyst {
    wishes: Option<Sender<Wish>>,
    cancel: Cancel,
    /// Disconnects when the thread has left.
    ended: Receiver<()>,
}

impl Analyst {
    /// Starts looking at `store` by the bundled rules and those of the folder `rules`. `is_waiting`: not before the first wish.
    pub fn start(
        store: Arc<Store>,
        rules: Option<PathBuf>,
        is_waiting: bool,
        news: Sender<LoadNews>,
    ) -> io::Result<Self> {
        let (send, wishes) = bounded(WAITING);
        let (alive, ended) = bounded::<()>(0);
        let cancel = Cancel::default();
        let mut work = Work { store, rules: Watched::new(rules), wishes, cancel: cancel.clone(), news };
        let run = move || {
            work.run(!is_waiting);
            drop(alive);
        };
        thread::Builder::new().name("analyst".to_owned()).spawn(run)?;
        Ok(Self { wishes: Some(send), cancel, ended })
    }

    /// Returns where wishes are sent.
    #[must_use]
    pub fn wishes(&self) -> Option<Sender<Wish>> {
        self.wishes.clone()
    }
}

impl Drop for Analyst {
    fn drop(&mut self) {
        self.cancel.stop();
        self.wishes = None;
        // One that is in the middle of something ends with the process.
        let _ = self.ended.recv_timeout(FAREWELL);
    }
}

struct Work {
    store: Arc<Store>,
    rules: Watched,
    wishes: Receiver<Wish>,
    cancel: Cancel,
    news: Sender<LoadNews>,
}

impl Work {
    fn run(&mut self, mut is_due: bool) {
        let mut not_before = Instant::now();
        self.read_rules(false);
        while !self.cancel.is_stopped() {
            let rest = not_before.saturating_duration_since(Instant::now());
            if is_due && rest.is_zero() {
                self.tell(LoadNews::Analysing);
                not_before = Instant::now() + self.look(true);
                is_due = false;
                continue;
            }
            match self.wishes.recv_timeout(if is_due { rest } else { WATCH }) {
                Ok(Wish::Look) => is_due = true,
                Ok(Wish::ReadRules) => {
                    self.read_rules(true);
                    is_due = true;
                }
                Err(RecvTimeoutError::Timeout) if is_due => {}
                // Traces that were still arriving when nothing came any more are whole by now.
                Err(RecvTimeoutError::Timeout) => not_before = Instant::now() + self.look(false),
                Err(RecvTimeoutError::Disconnected) => return,
            }
        }
    }

    /// Looks once, and tells about it where something is new or `is_asked`; returns how long to rest.
    fn look(&mut self, is_asked: bool) -> Duration {
        if self.rules.has_changed() {
            self.read_rules(true);
        }
        let begun = Instant::now();
        let looked = catch_unwind(AssertUnwindSafe(|| self.store.analyse(&self.cancel)));
        let result = match looked {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("riftline made a mistake while it looked for broken traces".to_owned()),
        };
        let is_idle = matches!(&result, Ok(analysed) if *analysed == Analysed::default());
        if let Some(broken) = result.as_ref().ok().and_then(|analysed| analysed.broken.first()) {
            let text = format!("rule {}: {}", broken.id, broken.error);
            self.tell(LoadNews::Said { text, is_error: true });
        }
        if is_asked || !is_idle {
            self.tell(LoadNews::Analysed(result));
        }
        if is_idle { SHORT_REST } else { REST.max(begun.elapsed() * REST_SHARE) }
    }

    /// Gives the store the rules as they are now. Mistakes are always told, how many there are only where `is_asked`.
    fn read_rules(&mut self, is_asked: bool) {
        let (rules, mistakes) = self.rules.read();
        let text = match mistakes.first() {
            Some(mistake) => format!("{}, line {}: {}", mistake.path.display(), mistake.line, mistake.message),
            None => format!("{} rules", rules.all().len()),
        };
        self.store.set_rules(rules);
        if is_asked || !mistakes.is_empty() {
            self.tell(LoadNews::Said { text, is_error: !mistakes.is_empty() });
        }
    }

    /// Nobody is left to tell when the user has gone.
    fn tell(&self, news: LoadNews) {
        let is_told = !matches!(news, LoadNews::Analysed(Err(_)) if self.cancel.is_stopped());
        if is_told {
            let _ = self.news.send(news);
        }
    }
}

#[cfg(test)]
mod tests;
