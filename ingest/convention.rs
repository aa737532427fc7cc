//! The attribute keys that have a column of their own, and how a decoder finds it.
//!
//! Which conventions exist is data (`queries/sql/semconv.toml`); decoders only look keys up.

use hashbrown::HashMap;

/// The type of a convention's column. A recorded value of another type stays in `attributes` and leaves the column empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValueType {
    Text,
    Int,
    Double,
    Bool,
}

/// One convention: a canonical key, its column, and the older keys that mean the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convention {
    /// The canonical key, such as `http.response.status_code`.
    pub key: String,
    /// The column's name: the key with dots as underscores.
    pub column: String,
    pub value: ValueType,
    /// Older keys, such as `http.status_code`.
    pub aliases: Vec<String>,
    /// Whether spans have a physical column for it; conventions of resources (`k8s.pod.name`) do not.
    pub on_spans: bool,
}

/// Where the value of a key goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Index into [`Conventions::span_columns`].
    pub column: u16,
    pub value: ValueType,
    /// 0 for the canonical key, else 1 + index into the convention's `aliases`.
    pub alias: u8,
}

/// All conventions, with a look-up by key.
#[derive(Debug, Default)]
pub struct Conventions {
    all: Vec<Convention>,
    span_columns: Vec<usize>,
    slots: HashMap<Box<[u8]>, Slot>,
}

impl Conventions {
    /// Builds the look-up. Of two conventions that claim one key the first has it.
    #[must_use]
    pub fn new(all: Vec<Convention>) -> Self {
        let span_columns: Vec<usize> = (0..all.len()).filter(|&index| all[index].on_spans).collect();
        let mut slots = HashMap::new();
        for (column, &index) in span_columns.iter().enumerate() {
            let convention = &all[index];
            let keys = std::iter::once(&convention.key).chain(&convention.aliases);
            for (alias, key) in keys.enumerate() {
                let slot = Slot {
                    column: u16::try_from(column).unwrap_or(u16::MAX),
                    value: convention.value,
                    alias: u8::try_from(alias).unwrap_or(u8::MAX),
                };
                slots.entry(key.as_bytes().into()).or_insert(slot);
            }
        }
        Self { all, span_columns, slots }
    }

    /// Returns where a span's attribute `key` goes, or nothing where it has no column.
    #[inline]
    #[must_use]
    pub fn slot(&self, key: &[u8]) -> Option<Slot> {
        self.slots.get(key).copied()
    }

    /// Returns all conventions, those of resources too, in the order of `semconv.toml`.
    #[must_use]
    pub fn all(&self) -> &[Convention] {
        &self.all
    }

    /// Returns the conventions that have a physical column on spans; [`Slot::column`] counts these.
    #[must_use]
    pub fn span_columns(&self) -> impl ExactSizeIterator<Item = &Convention> {
        self.span_columns.iter().map(|&index| &self.all[index])
    }
}
