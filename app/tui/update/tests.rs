use super::super::command::Command;
use super::super::effect::LoadNews;
use super::super::opening::Opening;
use super::*;

fn state() -> State {
    let mut state = Opening::default().state().unwrap();
    state.area = Rect::new(0, 0, 80, 24);
    state
}

fn press(state: &mut State, keys: &str) -> Vec<Outside> {
    keys.split(' ').flat_map(|key| update(state, Event::Key(key.parse().unwrap()))).collect()
}

#[test]
fn q_leaves_and_letters_that_are_typed_do_not() {
    let mut state = state();
    assert!(matches!(press(&mut state, ": q").as_slice(), []));
    assert_eq!(state.layers.len(), 1);
    assert!(matches!(press(&mut state, "esc q").as_slice(), [Outside::Quit]));
}

#[test]
fn a_command_by_name_does_the_same_as_its_key() {
    let mut state = state();
    assert!(matches!(press(&mut state, ": q u i t enter").as_slice(), [Outside::Quit]));
    press(&mut state, ": v i e w space q u e r y enter");
    assert_eq!(state.shown, ViewId::Query);
}

#[test]
fn interrupt_stops_what_is_asked_and_leaves_where_nothing_is() {
    let mut state = state();
    start(&mut state);
    assert!(!state.shared.pending.is_empty());
    assert!(press(&mut state, "ctrl-c").iter().all(|task| matches!(task, Outside::Cancel(_))));
    assert!(state.shared.pending.is_empty());
    assert!(matches!(press(&mut state, "ctrl-c").as_slice(), [Outside::Quit]));
}

#[test]
fn the_spinner_turns_only_while_something_is_asked() {
    let mut state = state();
    start(&mut state);
    update(&mut state, Event::Tick);
    assert_eq!(state.shared.spinner, Some(0));
    let asked: Vec<Slot> = state.shared.pending.iter().copied().collect();
    for slot in asked {
        let cancelled = Answer::Failed(riftline_queries::error::AskError::Cancelled);
        update(&mut state, Event::Answer { slot, answer: cancelled });
    }
    assert_eq!(state.shared.spinner, None);
}

#[test]
fn the_time_range_narrows_and_widens_back_to_everything() {
    let mut state = state();
    state.shared.extent = Some((0, 1_000));
    press(&mut state, "]");
    assert_eq!(state.shared.range, Some((250, 750)));
    press(&mut state, "[");
    assert_eq!(state.shared.range, None);
}

#[test]
fn a_theme_is_shown_while_it_is_looked_at_and_taken_back_on_esc() {
    let mut state = state();
    let before = state.shared.theme.name.clone();
    press(&mut state, "T k i n t");
    assert_eq!(state.shared.theme.name, "kintsugi");
    press(&mut state, "esc");
    assert_eq!(state.shared.theme.name, before);
    press(&mut state, "T k i n t enter");
    assert_eq!(
        (state.shared.theme.name.as_str(), state.shared.memory.theme.as_deref()),
        ("kintsugi", Some("kintsugi"))
    );
}

#[test]
fn what_was_read_is_said_and_the_list_is_asked_again() {
    let mut state = state();
    let done = LoadNews::Done { summary: "read 12 spans".to_owned(), has_failed: false };
    let outside = update(&mut state, Event::Load(done));
    assert!(state.shared.loading.is_none());
    assert_eq!(state.message.as_ref().map(|message| message.text.as_str()), Some("read 12 spans"));
    assert!(outside.iter().any(|task| matches!(task, Outside::Ask { slot, .. } if slot.name == "page")));
}

#[test]
fn what_another_terminal_reads_in_is_asked_for_and_is_no_reading_of_ours() {
    let mut state = state();
    update(&mut state, Event::Load(LoadNews::Committed { spans: 3 }));
    let outside = update(&mut state, Event::Load(LoadNews::Settled));
    assert_eq!(state.shared.loading, None);
    assert!(outside.iter().any(|task| matches!(task, Outside::Ask { slot, .. } if slot.name == "page")));
}

#[test]
fn a_command_that_means_nothing_here_says_so() {
    let mut state = state();
    settle(&mut state, vec![Effect::Give(Call::from(Command::Chart))]);
    assert!(state.message.is_some_and(|message| message.text.contains("chart")));
}
