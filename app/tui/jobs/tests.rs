use std::sync::mpsc::{Receiver as Gate, sync_channel};

use super::super::effect::Owner;
use super::*;
use crate::view::trace::data::TraceData;

const SLOT: Slot = Slot { owner: Owner::State, name: "test" };

/// Answers SQL with the number of the gate that it waited for, and panics or waits for its cancel when told to.
struct Slow {
    gate: Mutex<Gate<()>>,
}

impl Backend for Slow {
    fn ask(&self, question: &Question, cancel: &Cancel) -> Result<Table, AskError> {
        match question {
            Question::Sql { sql, .. } if sql == "panic" => panic!("on purpose"),
            Question::Sql { sql, .. } if sql == "wait" => {
                self.gate.lock().unwrap().recv().unwrap();
                if cancel.is_stopped() { Err(AskError::Cancelled) } else { Ok(Table::default()) }
            }
            _ => Ok(Table::default()),
        }
    }

    fn trace(&self, id: &str, _sight: Sight, _cancel: &Cancel) -> Result<TraceData, AskError> {
        Err(AskError::NotFound { what: "trace", id: id.to_owned() })
    }

    fn details(&self, _row: i64) -> Result<SpanDetails, AskError> {
        Ok(SpanDetails::default())
    }

    fn save(&self, _path: &Path) -> Result<(), AskError> {
        Ok(())
    }

    fn recording(&self, _time_ns: i64, _cancel: &Cancel) -> Result<Window, AskError> {
        Ok(Window::default())
    }
}

fn sql(text: &str) -> Request {
    Request::Table(Question::Sql { sql: text.to_owned(), max_rows: None })
}

#[test]
fn a_newer_question_cancels_the_older_and_only_its_answer_arrives() {
    let (open, gate) = sync_channel(1);
    let backend: Arc<dyn Backend> = Arc::new(Slow { gate: Mutex::new(gate) });
    let mut jobs = Jobs::start(&backend).unwrap();
    jobs.ask(SLOT, sql("wait"));
    jobs.ask(SLOT, Request::Trace { id: "4bf9".to_owned(), sight: Sight::default() });
    open.send(()).unwrap();
    let mut accepted = Vec::new();
    // The older question answers too, unless it was still waiting when it was replaced.
    while accepted.is_empty() {
        let reply = jobs.replies.recv().unwrap();
        accepted.extend(jobs.accept(reply));
    }
    assert!(matches!(accepted[0].1, Answer::Failed(AskError::NotFound { .. })), "{accepted:?}");
    drop(open);
}

#[test]
fn a_cancelled_question_gives_no_answer() {
    let (_open, gate) = sync_channel::<()>(1);
    let backend: Arc<dyn Backend> = Arc::new(Slow { gate: Mutex::new(gate) });
    let mut jobs = Jobs::start(&backend).unwrap();
    jobs.ask(SLOT, sql("quick"));
    let reply = jobs.replies.recv().unwrap();
    jobs.cancel(SLOT);
    assert!(jobs.accept(reply).is_none());
}

#[test]
fn a_worker_that_panics_answers_with_a_failure_and_goes_on() {
    let (_open, gate) = sync_channel::<()>(1);
    let backend: Arc<dyn Backend> = Arc::new(Slow { gate: Mutex::new(gate) });
    let mut jobs = Jobs::start(&backend).unwrap();
    for _ in 0..=NUM_WORKERS {
        jobs.ask(SLOT, sql("panic"));
        let reply = jobs.replies.recv().unwrap();
        let (_, answer) = jobs.accept(reply).unwrap();
        let Answer::Failed(error) = answer else { panic!("no failure: {answer:?}") };
        assert!(error.to_string().contains("on purpose"), "{error}");
    }
    jobs.ask(SLOT, sql("quick"));
    let reply = jobs.replies.recv().unwrap();
    assert!(matches!(jobs.accept(reply), Some((_, Answer::Table(_)))));
}
