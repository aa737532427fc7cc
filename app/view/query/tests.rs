use riftline_queries::table::{Column, Values};

use super::*;
use crate::view::Turn;

/// Calls `act` with a console and returns what it asked for.
fn effects(query: &mut Query, shared: &Shared, act: impl FnOnce(&mut Query, &mut Turn<'_>)) -> Vec<Effect> {
    let mut effects = Vec::new();
    act(query, &mut Turn { shared, area: Rect::new(0, 0, 80, 22), effects: &mut effects });
    effects
}

fn asked(effects: &[Effect]) -> Vec<&str> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Outside(Outside::Ask { request: Request::Table(Question::Sql { sql, .. }), .. }) => {
                Some(sql.as_str())
            }
            _ => None,
        })
        .collect()
}

#[test]
fn enter_after_a_semicolon_runs_the_statement_without_it_and_remembers_it() {
    let (mut query, shared) = (Query::default(), Shared::default());
    query.editor.insert("select 1;");
    let effects = effects(&mut query, &shared, |query, turn| query.key("enter".parse().unwrap(), turn));
    assert_eq!(asked(&effects), ["select 1"]);
    assert!(matches!(&effects[1], Effect::Remember(Change::Ran(sql)) if sql == "select 1"));
    assert!(query.is_running);
}

#[test]
fn the_place_of_a_mistake_is_that_in_the_editor_and_goes_when_the_text_changes() {
    let (mut query, shared) = (Query::default(), Shared::default());
    query.editor.insert("\n  select x");
    let effects_of_run = effects(&mut query, &shared, Query::run);
    assert_eq!(asked(&effects_of_run), ["\n  select x"]);
    let offset = "\n  select x".len() - 1;
    let failed = Answer::Failed(AskError::Bad { message: "no x".to_owned(), at: Some(offset) });
    effects(&mut query, &shared, |query, turn| query.answer(RUN, failed, turn));
    assert!(query.failed_here && !query.is_running);
    assert_eq!(query.editor.place(offset), (1, 9));
    effects(&mut query, &shared, |query, turn| query.key("y".parse().unwrap(), turn));
    assert!(!query.failed_here && query.failure.is_some());
}

#[test]
fn esc_stops_what_runs_then_closes_what_is_open_then_goes_back() {
    let (mut query, shared) = (Query::default(), Shared::default());
    query.focus = Focus::Answer;
    query.editor.insert("select 1");
    effects(&mut query, &shared, Query::run);
    let back = Call::from(Command::Back);
    let stopped = effects(&mut query, &shared, |query, turn| assert_eq!(query.command(&back, turn), Handled::Yes));
    assert!(matches!(stopped[0], Effect::Outside(Outside::Cancel(RUN))));
    let values = Values::Int(vec![Some(1)]);
    let table = Arc::new(Table { columns: vec![Column { name: "n".to_owned(), values }], is_cut: false });
    effects(&mut query, &shared, |query, turn| query.answer(RUN, Answer::Table(table), turn));
    query.mode = Mode::Bars;
    let mut handled = Vec::new();
    effects(&mut query, &shared, |query, turn| (0..2).for_each(|_| handled.push(query.command(&back, turn))));
    assert_eq!(handled, [Handled::Yes, Handled::No]);
}

#[test]
fn history_is_walked_from_the_newest() {
    let (mut query, mut shared) = (Query::default(), Shared::default());
    shared.memory.history = vec!["old".to_owned(), "new".to_owned()];
    let mut texts = Vec::new();
    effects(&mut query, &shared, |query, turn| {
        for older in [true, true, true, false] {
            query.recall(older, turn);
            texts.push(query.editor.text());
        }
    });
    assert_eq!(texts, ["new", "old", "old", "new"]);
}
