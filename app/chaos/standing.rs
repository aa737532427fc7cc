//! How a run stands, as its journal tells.

use super::journal::{Event, Told};

/// How a run stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Standing {
    UnderWay,
    /// Judged; `passed` tells whether it came out as the experiment expects, where that can be said.
    Judged {
        outcome: String,
        passed: Option<bool>,
    },
    /// Its end came without a verdict.
    Ended,
    /// Stopped by somebody or by a rule; its fault is undone.
    EndedEarly,
    /// What it armed was not verified to be gone.
    LeftFault,
    /// Its process went away before the end; nothing is armed.
    CutOff,
    /// The journal is not as it was written.
    Changed,
    Unreadable,
}

impl Standing {
    /// Tells from its journal how a run stands. `is_busy`: whether some run is under way.
    #[must_use]
    pub fn of(told: &Told, is_busy: bool) -> Self {
        let is_open = !told.open_undos().is_empty();
        let has_ended = told.first(Event::End).is_some();
        match (told.last(Event::Score), told.last(Event::Abort)) {
            _ if told.changed_from.is_some() => Self::Changed,
            _ if !has_ended && is_busy => Self::UnderWay,
            _ if is_open => Self::LeftFault,
            (Some(score), _) => Self::Judged {
                outcome: score.details["outcome"].as_str().unwrap_or("no outcome").to_owned(),
                passed: score.details["passed"].as_bool(),
            },
            (None, Some(_)) => Self::EndedEarly,
            (None, None) if has_ended => Self::Ended,
            (None, None) => Self::CutOff,
        }
    }

    /// Returns the word for it, of at most 16 letters except for verdicts of others.
    #[must_use]
    pub fn word(&self) -> &str {
        match self {
            Self::UnderWay => "under way",
            Self::Judged { outcome, .. } => outcome,
            Self::Ended => "no verdict",
            Self::EndedEarly => "ended early",
            Self::LeftFault => "LEFT A FAULT",
            Self::CutOff => "cut off",
            Self::Changed => "journal changed",
            Self::Unreadable => "unreadable",
        }
    }

    /// Returns the word beside which the verdict is told apart.
    #[must_use]
    pub fn state(&self) -> &str {
        if matches!(self, Self::Judged { .. }) { "completed" } else { self.word() }
    }

    /// Returns the word, and for a verdict whether it is the expected one.
    #[must_use]
    pub fn words(&self) -> String {
        let expected = match self {
            Self::Judged { passed: Some(true), .. } => ", as expected: pass",
            Self::Judged { passed: Some(false), .. } => ", not as expected: fail",
            Self::Judged { passed: None, .. } => ": no result",
            _ => "",
        };
        format!("{}{expected}", self.word())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::chaos::driver::{Call, Undo};
    use crate::chaos::journal::{FILE, Journal};

    fn undo() -> Undo {
        let url = "http://127.0.0.1:1/a".to_owned();
        let call = Call { method: "DELETE".to_owned(), url, body: None, accept: Vec::new() };
        Undo::Http { calls: vec![call.clone()], verify: call, residue: "a".to_owned() }
    }

    /// How a run stands after these events, while none is under way and while one is.
    fn standings(events: &[Event]) -> [Standing; 2] {
        let folder = tempfile::tempdir().unwrap();
        let mut journal = Journal::open(folder.path(), "r1", "run").unwrap();
        for event in events {
            let undo = matches!(event, Event::Intent | Event::Verified).then(undo);
            let details = json!({"outcome": "PARTIAL", "passed": false});
            journal.write(*event, "toxiproxy", undo, details).unwrap();
        }
        let told = Told::read(&folder.path().join(FILE)).unwrap();
        [Standing::of(&told, false), Standing::of(&told, true)]
    }

    #[test]
    fn a_journal_tells_how_its_run_stands() {
        use Event::{Abort, Confirm, End, Intent, Plan, Score, Verified};
        assert_eq!(standings(&[Plan, Confirm]), [Standing::CutOff, Standing::UnderWay]);
        assert_eq!(standings(&[Plan, Intent]), [Standing::LeftFault, Standing::UnderWay]);
        assert_eq!(standings(&[Plan, Intent, Abort, End])[1], Standing::LeftFault);
        assert_eq!(standings(&[Plan, Intent, Verified, Abort, End])[0], Standing::EndedEarly);
        let judged = Standing::Judged { outcome: "PARTIAL".to_owned(), passed: Some(false) };
        assert_eq!(standings(&[Plan, Intent, Verified, Score, End]), [judged.clone(), judged]);
    }
}
