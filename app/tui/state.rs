//! Everything the screen shows. Only [`super::update`] writes it.

use std::collections::BTreeSet;
use std::path::PathBuf;

use ratatui::layout::Rect;

use super::effect::{Message, Slot};
use super::keymap::Keymap;
use super::layer::Layer;
use super::remember::Memory;
use crate::humane::Zone;
use crate::theme::Theme;
use crate::theme::catalog::Themes;
use crate::view::{VIEWS, View, ViewId};

/// The workstation.
pub struct State {
    pub shared: Shared,
    /// By the order of [`VIEWS`].
    pub views: Vec<Box<dyn View>>,
    pub shown: ViewId,
    /// Where `back` leads, the nearest last.
    pub back: Vec<ViewId>,
    /// What lies over the view, the uppermost last.
    pub layers: Vec<Box<dyn Layer>>,
    pub message: Option<Message>,
    /// The whole terminal.
    pub area: Rect,
}

/// What every view may read.
#[derive(Debug, Clone, Default)]
pub struct Shared {
    pub theme: Theme,
    pub themes: Themes,
    pub keymap: Keymap,
    pub zone: Zone,
    pub symbols: Symbols,
    pub store_name: String,
    /// Start of the first and last trace of the store, in nanoseconds since 1970.
    pub extent: Option<(i64, i64)>,
    /// Chosen part of `extent`; everything where nothing is chosen. The end is included.
    pub range: Option<(i64, i64)>,
    pub loading: Option<Loading>,
    pub analysis: Analysis,
    pub services: Services,
    /// Questions without an answer yet.
    pub pending: BTreeSet<Slot>,
    /// Which of its pictures the spinner shows; nothing while answers are quick.
    pub spinner: Option<usize>,
    pub memory: Memory,
    /// Where experiments and runs are kept, below `chaos`.
    pub chaos_folder: Option<PathBuf>,
}

/// Files that are being read.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Loading {
    pub bytes_read: u64,
    /// Nothing for pipes.
    pub bytes_total: Option<u64>,
    pub spans: u64,
}

/// How far looking for what is broken has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Analysis {
    pub is_running: bool,
    /// Whether it was done once, so that no finding means that there is none.
    pub is_done: bool,
    pub failure: Option<String>,
    /// Id and severity of each finding: 0 crit to 4 info.
    pub found: Vec<(String, usize)>,
}

impl Analysis {
    /// Returns how many findings there are above info, without those that are muted.
    #[must_use]
    pub fn num_findings(&self, memory: &Memory) -> usize {
        self.found.iter().filter(|(id, severity)| *severity < INFO && !memory.is_muted(id)).count()
    }
}

/// The lowest severity.
const INFO: usize = 4;

/// Which colour each service has: by its name, so that it is the same in every view and the next day, moved to a free one where two
/// names would share it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Services {
    /// By slot.
    names: Vec<Option<Box<str>>>,
}

impl Services {
    /// Returns the slot of `service`, for [`Theme::service`]; a slot that others may share where it was never seen.
    #[must_use]
    pub fn slot(&self, service: &str) -> usize {
        let taken = self.names.iter().position(|name| name.as_deref() == Some(service));
        taken.unwrap_or_else(|| home(service, self.names.len()))
    }

    /// Gives `service` a slot out of `num_slots` while one is free.
    pub fn learn(&mut self, service: &str, num_slots: usize) {
        if self.names.len() < num_slots {
            self.names.resize(num_slots, None);
        }
        if self.names.iter().any(|name| name.as_deref() == Some(service)) {
            return;
        }
        let home = home(service, self.names.len());
        let free = (0..self.names.len()).map(|step| (home + step) % self.names.len());
        if let Some(slot) = free.into_iter().find(|&slot| self.names[slot].is_none()) {
            self.names[slot] = Some(service.into());
        }
    }
}

/// Returns where `service` goes when every slot is free (FNV-1a).
fn home(service: &str, num_slots: usize) -> usize {
    let mix = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = service.bytes().fold(0xcbf2_9ce4_8422_2325, mix);
    usize::try_from(hash % num_slots.max(1) as u64).unwrap_or_default()
}

/// Signs that not every font has, and what stands for them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Symbols {
    pub stitched: &'static str,
    pub incomplete: &'static str,
    pub findings: &'static str,
    pub kernel: &'static str,
    pub clock: &'static str,
    pub error: &'static str,
    pub warning: &'static str,
    pub bookmark: &'static str,
    pub ascending: &'static str,
    pub descending: &'static str,
    pub cursor: &'static str,
    pub spinner: &'static [&'static str],
    /// A cell of a bar, and the half of one that ends it.
    pub bar: &'static str,
    pub half_bar: &'static str,
    /// Levels of sparklines and charts, lowest first.
    pub levels: [&'static str; 8],
}

impl Symbols {
    pub const UNICODE: Self = Self {
        stitched: "≠",
        incomplete: "✂",
        findings: "⚑",
        kernel: "⌁",
        clock: "◷",
        error: "✖",
        warning: "▲",
        bookmark: "★",
        ascending: "▲",
        descending: "▼",
        cursor: "▌",
        spinner: &["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"],
        bar: "━",
        half_bar: "╸",
        levels: ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"],
    };

    pub const ASCII: Self = Self {
        stitched: "s",
        incomplete: "i",
        findings: "f",
        kernel: "k",
        clock: "c",
        error: "x",
        warning: "!",
        bookmark: "*",
        ascending: "^",
        descending: "v",
        cursor: ">",
        spinner: &["|", "/", "-", "\\"],
        bar: "=",
        half_bar: "-",
        levels: ["_", ".", ".", "-", "-", "=", "#", "#"],
    };
}

impl Default for Symbols {
    fn default() -> Self {
        Self::UNICODE
    }
}

impl State {
    /// Returns a workstation that shows the first view and knows nothing yet.
    #[must_use]
    pub fn new(shared: Shared) -> Self {
        Self {
            shared,
            views: VIEWS.iter().map(|entry| (entry.open)()).collect(),
            shown: ViewId::Traces,
            back: Vec::new(),
            layers: Vec::new(),
            message: None,
            area: Rect::default(),
        }
    }

    /// Returns the view that is shown.
    #[must_use]
    pub fn view(&self) -> Option<&dyn View> {
        self.views.get(self.shown.index()).map(AsRef::as_ref)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_keep_their_colours_and_share_none_while_there_are_some() {
        let mut services = Services::default();
        let names = ["gateway", "orders", "payments", "users", "stock", "mail"];
        for name in names {
            services.learn(name, 8);
        }
        let slots: BTreeSet<usize> = names.iter().map(|name| services.slot(name)).collect();
        assert_eq!(slots.len(), names.len());
        let before = services.slot("orders");
        services.learn("another", 8);
        services.learn("orders", 8);
        assert_eq!(services.slot("orders"), before);
        assert!(services.slot("never seen") < 8);
    }
}
