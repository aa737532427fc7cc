//! Workers that answer questions, so that the loop never waits.
//!
//! Each slot holds one question: a newer one takes the place of an older that waits, cancels one that is being answered, and
//! answers to older ones are dropped.

use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use riftline_queries::cancel::Cancel;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::Table;
use riftline_queries::trace::details::SpanDetails;
use riftline_queries::trace::window::Window;

use super::effect::{Answer, Exported, Request, Slot};
use super::export;
use crate::view::trace::data::TraceData;
use crate::view::trace::torn::Sight;

/// How many questions are answered at a time.
const NUM_WORKERS: usize = 3;
/// How long leaving waits for workers that were told to stop.
const FAREWELL: Duration = Duration::from_secs(2);

/// Who answers: the store, or what a test puts in its place.
pub trait Backend: Send + Sync {
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError>;
    fn trace(&self, id: &str, sight: Sight, cancel: &Cancel) -> Result<TraceData, AskError>;
    fn details(&self, row: i64) -> Result<SpanDetails, AskError>;
    fn save(&self, path: &Path) -> Result<(), AskError>;

    /// Reads everything that was recorded; of a large store, what was recorded around `time_ns` (since 1970).
    fn recording(&self, time_ns: i64, cancel: &Cancel) -> Result<Window, AskError>;
}

/// An answer with the number of its question.
#[derive(Debug)]
pub struct Reply {
    pub slot: Slot,
    pub generation: u64,
    pub answer: Answer,
}

struct Job {
    slot: Slot,
    generation: u64,
    cancel: Cancel,
    request: Request,
}

#[derive(Default)]
struct Board {
    waiting: VecDeque<Job>,
    is_closed: bool,
}

#[derive(Default)]
struct Shared {
    board: Mutex<Board>,
    changed: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, Board> {
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a question; nothing once the workstation closes.
    fn next(&self) -> Option<Job> {
        let mut board = self.lock();
        loop {
            if board.is_closed {
                return None;
            }
            match board.waiting.pop_front() {
                Some(job) => return Some(job),
                None => board = self.changed.wait(board).unwrap_or_else(PoisonError::into_inner),
            }
        }
    }
}

/// The workers, seen from the loop.
pub struct Jobs {
    shared: Arc<Shared>,
    current: HashMap<Slot, (u64, Cancel)>,
    generation: u64,
    pub replies: Receiver<Reply>,
    /// Disconnects when the last worker has left.
    workers: Receiver<()>,
}

impl Jobs {
    /// Starts the workers.
    pub fn start(backend: &Arc<dyn Backend>) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (send, replies) = bounded(64);
        let (alive, workers) = bounded(1);
        for number in 0..NUM_WORKERS {
            let (shared, backend, send, alive) = (shared.clone(), backend.clone(), send.clone(), alive.clone());
            let work = move || {
                serve(&shared, backend.as_ref(), &send);
                drop(alive);
            };
            thread::Builder::new().name(format!("worker {number}")).spawn(work)?;
        }
        Ok(Self { shared, current: HashMap::new(), generation: 0, replies, workers })
    }

    /// Asks `request`; the question before it in the same slot is cancelled.
    pub fn ask(&mut self, slot: Slot, request: Request) {
        self.cancel(slot);
        self.generation += 1;
        let cancel = Cancel::default();
        self.current.insert(slot, (self.generation, cancel.clone()));
        let job = Job { slot, generation: self.generation, cancel, request };
        self.shared.lock().waiting.push_back(job);
        self.shared.changed.notify_one();
    }

    /// Cancels what is asked in `slot`.
    pub fn cancel(&mut self, slot: Slot) {
        if let Some((_, cancel)) = self.current.remove(&slot) {
            cancel.stop();
        }
        self.shared.lock().waiting.retain(|job| job.slot != slot);
    }

    /// Returns the answer of `reply` where nothing newer was asked in its slot.
    pub fn accept(&mut self, reply: Reply) -> Option<(Slot, Answer)> {
        let is_current = self.current.get(&reply.slot).is_some_and(|(generation, _)| *generation == reply.generation);
        is_current.then(|| {
            self.current.remove(&reply.slot);
            (reply.slot, reply.answer)
        })
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.current.values().for_each(|(_, cancel)| cancel.stop());
        let mut board = self.shared.lock();
        board.is_closed = true;
        board.waiting.clear();
        drop(board);
        self.shared.changed.notify_all();
        while self.replies.try_recv().is_ok() {}
        let left = self.workers.recv_timeout(FAREWELL);
        debug_assert_ne!(left, Err(RecvTimeoutError::Timeout), "a worker did not stop when told to");
    }
}

fn serve(shared: &Shared, backend: &dyn Backend, replies: &Sender<Reply>) {
    while let Some(Job { slot, generation, cancel, request }) = shared.next() {
        let work = || answer(backend, request, &cancel).unwrap_or_else(Answer::Failed);
        let answer =
            catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|cause| Answer::Failed(broken(cause.as_ref())));
        if replies.send(Reply { slot, generation, answer }).is_err() {
            return;
        }
    }
}

fn answer(backend: &dyn Backend, request: Request, cancel: &Cancel) -> Result<Answer, AskError> {
    match request {
        Request::Table(question) => backend.ask(&question, cancel).map(|table| Answer::Table(Arc::new(table))),
        Request::Trace { id, sight } => backend.trace(&id, sight, cancel).map(|trace| Answer::Trace(Arc::new(trace))),
        Request::Picture { data, kind } => Ok(Answer::Picture(Box::new(kind.draw(&data)))),
        Request::Details { row } => {
            backend.details(row).map(|details| Answer::Details { row, details: Box::new(details) })
        }
        Request::Page(page) => page.fetch(backend, cancel).map(|page| Answer::Page(Box::new(page))),
        Request::Save(path) => backend.save(&path).map(|()| Answer::Written(path)),
        Request::Export { source, format, path } => {
            let table = match source {
                Exported::Table(table) => table,
                Exported::Question(question) => Arc::new(backend.ask(&question, cancel)?),
            };
            export::write(&table, format, &path).map(|()| Answer::Written(path))
        }
        Request::Remember(memory) => {
            let kept = memory.write().map_err(|error| AskError::Store { message: format!("remember: {error}") });
            kept.map(|()| Answer::Kept)
        }
        Request::Chaos(errand) => {
            let recording = |time_ns, cancel: &Cancel| backend.recording(time_ns, cancel);
            errand.go(&recording, cancel).map(|brought| Answer::Chaos(Box::new(brought)))
        }
    }
}

/// Returns what is said when an answer panicked: a mistake of riftline, which the others must not suffer for.
fn broken(cause: &(dyn std::any::Any + Send)) -> AskError {
    let text = cause.downcast_ref::<String>().map(String::as_str).or_else(|| cause.downcast_ref::<&str>().copied());
    AskError::Store { message: format!("riftline made a mistake: {}", text.unwrap_or("no reason given")) }
}

#[cfg(test)]
mod tests;
