//! The state that the workstation opens with.

use super::effect::Message;
use super::keymap::Keymap;
use super::remember::Memory;
use super::state::{Loading, Shared, State, Symbols};
use super::{Preferences, TuiError};
use crate::theme::Theme;
use crate::theme::catalog::DEFAULT;

/// What the workstation opens with.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    pub preferences: Preferences,
    /// What bookmarks are kept under.
    pub bookmarks: String,
    /// Whether files are being read.
    pub is_loading: bool,
}

impl Opening {
    /// Returns the state to begin with.
    pub fn state(&self) -> Result<State, TuiError> {
        let preferences = &self.preferences;
        let mut memory = Memory::read(preferences.data_folder.as_deref(), &self.bookmarks);
        memory.mouse = preferences.mouse.unwrap_or(memory.mouse);
        let (keymap, complaint) = keymap(preferences);
        let (theme, warning) = theme(preferences, &memory)?;
        let mut state = State::new(Shared {
            theme,
            themes: preferences.themes.clone(),
            keymap,
            zone: preferences.zone,
            symbols: if preferences.ascii { Symbols::ASCII } else { Symbols::UNICODE },
            store_name: preferences.store_name.clone().unwrap_or_default(),
            loading: self.is_loading.then(Loading::default),
            memory,
            chaos_folder: preferences.chaos_folder.clone(),
            ..Shared::default()
        });
        state.message = complaint.or(warning).map(|text| Message { text, is_error: true });
        Ok(state)
    }
}

/// Returns the user's keys and the first mistake in their file.
fn keymap(preferences: &Preferences) -> (Keymap, Option<String>) {
    let path = preferences.keymap.as_ref();
    let Some((path, source)) = path.and_then(|path| Some((path, std::fs::read_to_string(path).ok()?))) else {
        return (Keymap::default(), None);
    };
    let (keymap, mistakes) = Keymap::parse(&source);
    let first =
        mistakes.first().map(|mistake| format!("{}, line {}: {}", path.display(), mistake.line, mistake.message));
    (keymap, first)
}

/// Returns the theme that was asked for. One that is only remembered may be gone by now: then the default is used and it is said.
fn theme(preferences: &Preferences, memory: &Memory) -> Result<(Theme, Option<String>), TuiError> {
    if let Some(name) = &preferences.theme {
        return Ok((preferences.themes.load(name)?, None));
    }
    match memory.theme.as_ref().map(|name| preferences.themes.load(name)) {
        Some(Ok(theme)) => Ok((theme, None)),
        Some(Err(error)) => Ok((preferences.themes.load(DEFAULT)?, Some(error.to_string()))),
        None => Ok((preferences.themes.load(DEFAULT)?, None)),
    }
}
