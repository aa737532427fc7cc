//! Narrows and widens the time range.

use super::{Effect, State, with_view};

/// Halves the range around what is selected, or around its middle.
pub fn narrow(state: &mut State, effects: &mut Vec<Effect>) {
    let Some((first, last)) = state.shared.range.or(state.shared.extent) else { return };
    let quarter = last.saturating_sub(first) / 4;
    let middle = state.view().and_then(|view| view.selected(&state.shared).time_ns);
    let middle = middle.unwrap_or(first.saturating_add(quarter.saturating_mul(2))).clamp(first, last);
    set(state, (middle.saturating_sub(quarter).max(first), middle.saturating_add(quarter).min(last)), effects);
}

/// Doubles the range around its middle, and chooses everything once it reaches beyond.
pub fn widen(state: &mut State, effects: &mut Vec<Effect>) {
    let Some((first, last)) = state.shared.range else {
        return effects.push(Effect::say("this is everything"));
    };
    let half = (last.saturating_sub(first) / 2).max(1);
    set(state, (first.saturating_sub(half), last.saturating_add(half)), effects);
}

fn set(state: &mut State, range: (i64, i64), effects: &mut Vec<Effect>) {
    let is_everything = state.shared.extent.is_none_or(|(first, last)| range.0 <= first && range.1 >= last);
    state.shared.range = (!is_everything).then_some(range);
    with_view(state, state.shown, effects, |view, turn| view.refresh(turn));
}
