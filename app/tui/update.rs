//! The only writer of the state: takes one event, changes the state, and returns what the loop has to do outside of it.

mod bookmarks;
mod give;
mod news;
mod range;

use std::collections::VecDeque;

use ratatui::layout::Rect;

use super::chord::Chord;
use super::command::{Command, Context};
use super::draw;
use super::effect::{Answer, Call, Effect, Event, Message, Outside, Owner, Slot, Target};
use super::layer::Fate;
use super::state::State;
use crate::view::{Handled, Mouse, Turn, ViewId};

/// Shows the first view for the first time.
pub fn start(state: &mut State) -> Vec<Outside> {
    let shown = state.shown;
    let mut effects = vec![news::ask_extent()];
    with_view(state, shown, &mut effects, |view, turn| view.show(Target::Same, turn));
    settle(state, effects)
}

/// Takes in one event.
pub fn update(state: &mut State, event: Event) -> Vec<Outside> {
    let mut effects = Vec::new();
    match event {
        Event::Key(chord) => key(state, chord, &mut effects),
        Event::Paste(text) => paste(state, &text, &mut effects),
        Event::Mouse(mouse) => self::mouse(state, mouse, &mut effects),
        Event::Resize(area) => state.area = area,
        Event::Answer { slot, answer } => self::answer(state, slot, answer, &mut effects),
        Event::Load(load) => news::take(state, load, &mut effects),
        Event::Tick => state.shared.spinner = Some(state.shared.spinner.map_or(0, |picture| picture.wrapping_add(1))),
    }
    settle(state, effects)
}

/// Does the effects that change the state, and those that they cause, and returns the others.
fn settle(state: &mut State, effects: Vec<Effect>) -> Vec<Outside> {
    let mut waiting = VecDeque::from(effects);
    let mut outside = Vec::new();
    while let Some(effect) = waiting.pop_front() {
        let mut caused = Vec::new();
        match effect {
            Effect::Show { view, target } => show(state, view, target, &mut caused),
            Effect::Back => back(state, &mut caused),
            Effect::Say(message) => state.message = Some(message),
            Effect::Over(layer) => state.layers.push(layer),
            Effect::Give(call) => give::give(state, &call, &mut caused),
            Effect::Preview(name) => preview(state, &name, &mut caused),
            Effect::EveryTime => state.shared.range = None,
            Effect::Learn(services) => {
                let num_slots = state.shared.theme.num_services();
                for service in services {
                    state.shared.services.learn(&service, num_slots);
                }
            }
            Effect::Remember(change) => {
                state.shared.memory.apply(change);
                caused.push(news::keep(state));
            }
            Effect::Outside(task) => {
                note(state, &task);
                outside.push(task);
            }
        }
        waiting.extend(caused);
    }
    outside
}

/// Keeps account of questions without an answer.
fn note(state: &mut State, task: &Outside) {
    match task {
        Outside::Ask { slot, .. } => drop(state.shared.pending.insert(*slot)),
        Outside::Cancel(slot) => arrived(state, *slot),
        _ => {}
    }
}

fn arrived(state: &mut State, slot: Slot) {
    state.shared.pending.remove(&slot);
    if state.shared.pending.is_empty() {
        state.shared.spinner = None;
    }
}

fn key(state: &mut State, chord: Chord, effects: &mut Vec<Effect>) {
    state.message = None;
    if !state.layers.is_empty() {
        return key_over(state, chord, effects);
    }
    let Some(view) = state.view() else { return };
    let wants_text = view.wants_text();
    let command = command(state, view.contexts(), wants_text, chord);
    match command {
        Some(command) => effects.push(Effect::Give(command.into())),
        None if wants_text => with_view(state, state.shown, effects, |view, turn| view.key(chord, turn)),
        None => {}
    }
}

/// Returns the command of `chord`. While text is typed, keys that type something are text unless the nearest context has them.
fn command(state: &State, contexts: &[Context], wants_text: bool, chord: Chord) -> Option<Command> {
    let keymap = &state.shared.keymap;
    let near = keymap.command(contexts, chord);
    let is_text = wants_text && (chord.modifiers.is_empty() && !matches!(chord.code, crossterm::event::KeyCode::F(_)));
    near.or_else(|| if is_text { None } else { keymap.command(&[Context::Everywhere], chord) })
}

fn key_over(state: &mut State, chord: Chord, effects: &mut Vec<Effect>) {
    let Some(layer) = state.layers.last() else { return };
    let (contexts, wants_text) = (layer.contexts(), layer.wants_text());
    let command = state.shared.keymap.command(contexts, chord);
    let fate = with_layer(state, effects, |layer, turn| match command {
        Some(command) => layer.command(command, turn),
        None => layer.key(chord, turn),
    });
    let leaves = !wants_text
        && command.is_none()
        && state.shared.keymap.command(&[Context::Everywhere], chord) == Some(Command::Quit);
    if fate == Some(Fate::Close) || leaves {
        state.layers.pop();
    }
}

fn paste(state: &mut State, text: &str, effects: &mut Vec<Effect>) {
    if state.layers.is_empty() {
        with_view(state, state.shown, effects, |view, turn| view.paste(text, turn));
    } else {
        with_layer(state, effects, |layer, turn| layer.paste(text, turn));
    }
}

fn mouse(state: &mut State, mouse: Mouse, effects: &mut Vec<Effect>) {
    if !state.layers.is_empty() {
        if with_layer(state, effects, |layer, turn| layer.mouse(mouse, turn)) == Some(Fate::Close) {
            state.layers.pop();
        }
        return;
    }
    let areas = draw::areas(state.area);
    if areas.body.contains(mouse.at) {
        with_view(state, state.shown, effects, |view, turn| view.mouse(mouse, turn));
    } else if let Some(view) = draw::tab_at(state, mouse) {
        effects.push(Effect::Show { view, target: Target::Same });
    }
}

fn answer(state: &mut State, slot: Slot, answer: Answer, effects: &mut Vec<Effect>) {
    arrived(state, slot);
    match slot.owner {
        Owner::View(view) => with_view(state, view, effects, |view, turn| view.answer(slot, answer, turn)),
        Owner::Layer => drop(with_layer(state, effects, |layer, turn| layer.answer(slot, answer, turn))),
        Owner::State => news::answer(state, slot, answer, effects),
    }
}

fn show(state: &mut State, view: ViewId, target: Target, effects: &mut Vec<Effect>) {
    state.layers.clear();
    if view != state.shown {
        state.back.retain(|earlier| *earlier != view);
        state.back.push(state.shown);
        with_view(state, state.shown, effects, |view, turn| view.hide(turn));
        state.shown = view;
    }
    with_view(state, view, effects, |view, turn| view.show(target, turn));
}

fn back(state: &mut State, effects: &mut Vec<Effect>) {
    match state.back.pop() {
        Some(view) => {
            with_view(state, state.shown, effects, |view, turn| view.hide(turn));
            state.shown = view;
            with_view(state, view, effects, |view, turn| view.show(Target::Same, turn));
        }
        None => effects.push(Effect::say("this is the first view; q leaves")),
    }
}

fn preview(state: &mut State, name: &str, effects: &mut Vec<Effect>) {
    match state.shared.themes.load(name) {
        Ok(theme) => state.shared.theme = theme,
        Err(error) => effects.push(Effect::complain(error.to_string())),
    }
}

/// Calls `act` with the view and what it may see.
fn with_view(
    state: &mut State,
    view: ViewId,
    effects: &mut Vec<Effect>,
    act: impl FnOnce(&mut dyn crate::view::View, &mut Turn<'_>),
) {
    let area = draw::areas(state.area).body;
    if let Some(view) = state.views.get_mut(view.index()) {
        act(view.as_mut(), &mut Turn { shared: &state.shared, area, effects });
    }
}

/// Calls `act` with the uppermost layer and what it may see.
fn with_layer<T>(
    state: &mut State,
    effects: &mut Vec<Effect>,
    act: impl FnOnce(&mut dyn super::layer::Layer, &mut Turn<'_>) -> T,
) -> Option<T> {
    let area: Rect = state.area;
    let layer = state.layers.last_mut()?;
    Some(act(layer.as_mut(), &mut Turn { shared: &state.shared, area, effects }))
}

#[cfg(test)]
mod tests;
