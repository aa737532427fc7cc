//! What the screen looks like: a style for each role, and colours that tell services apart.
//!
//! Nothing outside this file and its folder names a colour.

pub mod catalog;
pub mod colour;
pub mod parse;
pub mod role;

use ratatui::style::{Color, Modifier, Style};

pub use colour::Depth;
pub use role::Role;

/// A theme as the screen uses it: complete, and in colours that the terminal can show.
#[derive(Debug, Clone, PartialEq)]
pub struct Theme {
    pub name: String,
    /// One sentence for the picker.
    pub doc: String,
    /// By [`Role`].
    styles: Vec<Style>,
    services: Vec<Color>,
}

impl Theme {
    /// Returns a theme with the styles of `styles` (by [`Role`]) in the colours of `depth`.
    #[must_use]
    pub fn new(name: &str, doc: &str, styles: Vec<Style>, services: Vec<Color>, depth: Depth) -> Self {
        let styles = styles.into_iter().zip(Role::ALL).map(|(style, role)| depth.style(style, role)).collect();
        let services = services.into_iter().map(|colour| depth.colour(colour)).collect();
        Self { name: name.to_owned(), doc: doc.to_owned(), styles, services }
    }

    /// Returns the style of `role`. It has no background unless the role is about one.
    #[must_use]
    pub fn style(&self, role: Role) -> Style {
        self.styles.get(role as usize).copied().unwrap_or_default()
    }

    /// Returns the style of texts and bars of the service in `slot` (see `tui::state::Services`).
    #[must_use]
    pub fn service(&self, slot: usize) -> Style {
        let colour = self.services.get(slot % self.services.len().max(1)).copied();
        colour.map_or_else(Style::new, |colour| Style::new().fg(colour))
    }

    /// Returns how many services have a colour of their own.
    #[must_use]
    pub fn num_services(&self) -> usize {
        self.services.len()
    }
}

impl Default for Theme {
    /// Returns a theme without colours: what is left when no theme file can be read.
    fn default() -> Self {
        let selection = Style::new().add_modifier(Modifier::REVERSED);
        let style = |role: Role| if role.is_selection() { selection } else { Style::new() };
        Self {
            name: "none".to_owned(),
            doc: "no colours".to_owned(),
            styles: Role::ALL.iter().map(|&role| style(role)).collect(),
            services: Vec::new(),
        }
    }
}
