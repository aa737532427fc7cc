//! Takes in what the loader tells, and answers to the questions of the workstation itself.

use riftline_queries::analyse::Analysed;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;
use riftline_queries::table::{Cell, Table};

use super::super::analyst::Wish;
use super::super::effect::{LoadNews, Outside, Request};
use super::super::layer::note::Note;
use super::super::state::Loading;
use super::{Answer, Effect, Message, Owner, Slot, State, Target, ViewId, with_view};
use crate::view::chaos::ask::Brought;
use crate::view::chaos::derive::REPLAY;

const EXTENT: Slot = Slot { owner: Owner::State, name: "extent" };
/// What is broken: ids and severities.
const FINDINGS: Slot = Slot { owner: Owner::State, name: "findings" };
const MEMORY: Slot = Slot { owner: Owner::State, name: "memory" };

/// Returns the question for the times of the store.
pub fn ask_extent() -> Effect {
    let sql = "select min(start) as first, max(start) as last from traces".to_owned();
    Effect::ask(EXTENT, Request::Table(Question::Sql { sql, max_rows: Some(1) }))
}

/// Returns the task of keeping what is remembered.
pub fn keep(state: &State) -> Effect {
    Effect::ask(MEMORY, Request::Remember(Box::new(state.shared.memory.clone())))
}

/// Takes in news of the loader.
pub fn take(state: &mut State, load: LoadNews, effects: &mut Vec<Effect>) {
    match load {
        LoadNews::Progress(progress) => {
            let loading = state.shared.loading.get_or_insert_with(Loading::default);
            loading.bytes_read = progress.bytes_read;
            loading.bytes_total = progress.bytes_total;
        }
        LoadNews::Committed { spans } => {
            // Other terminals read into the store too; how far they are is shown there.
            if let Some(loading) = &mut state.shared.loading {
                loading.spans = loading.spans.saturating_add(spans);
            }
        }
        LoadNews::Said { text, is_error } => state.message = Some(Message { text, is_error }),
        LoadNews::Settled => {
            effects.push(Effect::Outside(Outside::Analyse(Wish::Look)));
            refresh(state, effects);
        }
        LoadNews::Analysing => state.shared.analysis.is_running = true,
        LoadNews::Analysed(result) => analysed(state, result, effects),
        LoadNews::Done { summary, has_failed } => {
            state.shared.loading = None;
            state.message = Some(Message { text: summary, is_error: has_failed });
            effects.push(Effect::Outside(Outside::Analyse(Wish::Look)));
            refresh(state, effects);
        }
    }
}

/// Takes in an answer to a question of the workstation itself.
pub fn answer(state: &mut State, slot: Slot, answer: Answer, effects: &mut Vec<Effect>) {
    match (slot, answer) {
        (EXTENT, Answer::Table(table)) => state.shared.extent = extent(&table),
        (FINDINGS, Answer::Table(table)) => state.shared.analysis.found = found(&table),
        (REPLAY, Answer::Failed(AskError::Refused { reason })) => {
            state.message = None;
            effects.push(Effect::Over(Box::new(Note::new("this cannot be replayed", reason))));
        }
        (_, Answer::Chaos(brought)) => planned(*brought, effects),
        (_, Answer::Written(path)) => effects.push(Effect::say(format!("wrote {}", path.display()))),
        (EXTENT, _) => {}
        (_, Answer::Failed(error)) => effects.push(Effect::complain(error.to_string())),
        _ => {}
    }
}

/// Shows an experiment that was derived.
fn planned(brought: Brought, effects: &mut Vec<Effect>) {
    if let Brought::Planned(path) = brought {
        effects.push(Effect::say(format!("derived {}", path.display())));
        effects.push(Effect::Show { view: ViewId::Chaos, target: Target::Experiment(path) });
    }
}

/// Takes in that the analyst is done.
fn analysed(state: &mut State, result: Result<Analysed, String>, effects: &mut Vec<Effect>) {
    let analysis = &mut state.shared.analysis;
    let is_first = !analysis.is_done;
    analysis.is_running = false;
    analysis.is_done = true;
    analysis.failure = result.as_ref().err().cloned();
    if is_first || result.is_ok_and(|analysed| analysed != Analysed::default()) {
        effects.push(ask_findings());
        refresh(state, effects);
    }
}

fn ask_findings() -> Effect {
    let sql = "select id, severity_number from findings".to_owned();
    Effect::ask(FINDINGS, Request::Table(Question::Sql { sql, max_rows: Some(10_000) }))
}

fn found(table: &Table) -> Vec<(String, usize)> {
    let finding = |row: usize| match (table.cell(row, 0), table.cell(row, 1)) {
        (Cell::Text(id), Cell::Int(severity)) => Some((id.to_owned(), usize::try_from(severity).unwrap_or_default())),
        _ => None,
    };
    (0..table.num_rows()).filter_map(finding).collect()
}

/// Has the view that is shown ask again.
fn refresh(state: &mut State, effects: &mut Vec<Effect>) {
    effects.push(ask_extent());
    with_view(state, state.shown, effects, |view, turn| view.refresh(turn));
}

fn extent(table: &Table) -> Option<(i64, i64)> {
    match (table.cell(0, 0), table.cell(0, 1)) {
        (Cell::Time(first), Cell::Time(last)) => Some((first, last)),
        _ => None,
    }
}
