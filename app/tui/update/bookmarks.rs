//! Sets, takes away and lists bookmarks.

use super::super::layer::picker::Picker;
use super::super::remember::{Bookmark, Change};
use super::{Effect, State};

/// Sets a bookmark on what is selected, or takes it away.
pub fn toggle(state: &State, effects: &mut Vec<Effect>) {
    let selected = state.view().map(|view| view.selected(&state.shared)).unwrap_or_default();
    let Some((label, target)) = selected.bookmark else {
        return effects.push(Effect::say("nothing to bookmark here"));
    };
    let is_set = state.shared.memory.is_bookmarked(&target);
    effects.push(Effect::say(if is_set { "bookmark taken away" } else { "bookmarked; ' lists bookmarks" }));
    effects.push(Effect::Remember(Change::ToggleBookmark(Bookmark { label, target })));
}

/// Lists the bookmarks of this store.
pub fn list(state: &State, effects: &mut Vec<Effect>) {
    let bookmarks = state.shared.memory.bookmarks();
    if bookmarks.is_empty() {
        effects.push(Effect::say("no bookmarks in this store; m sets one"));
    } else {
        effects.push(Effect::Over(Box::new(Picker::bookmarks(bookmarks))));
    }
}
