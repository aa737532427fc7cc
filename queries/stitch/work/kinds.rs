//! Which spans are alike.

use hashbrown::HashMap;

use crate::trace::window::{Role, Symbol, Window};

/// More kinds of calls or requests than this are not told apart.
const MAX_KINDS: usize = 48;
/// Kinds that are rarer than this are not told apart.
const MIN_KIND: usize = 8;

pub(super) type Key = (Symbol, Role);

/// Returns what makes spans be of one kind.
pub(super) fn key(window: &Window, span: u32) -> Key {
    (window.name[span as usize], window.role[span as usize])
}

/// Numbers for names, given by first occurrence. The rare ones share the last number.
pub(super) struct Kinds {
    numbers: HashMap<Key, usize>,
    pub(super) len: usize,
}

impl Kinds {
    pub(super) fn new(keys: impl Iterator<Item = Key>) -> Self {
        let mut counts: HashMap<Key, usize> = HashMap::new();
        let mut order = Vec::new();
        for key in keys {
            let count = counts.entry(key).or_insert(0);
            if *count == 0 {
                order.push(key);
            }
            *count += 1;
        }
        let mut frequent: Vec<Key> = order.iter().copied().filter(|key| counts[key] >= MIN_KIND).collect();
        // Sorting is stable: among equals the first to occur stays.
        frequent.sort_by_key(|key| std::cmp::Reverse(counts[key]));
        frequent.truncate(MAX_KINDS - 1);
        let numbers: HashMap<Key, usize> =
            frequent.into_iter().enumerate().map(|(number, key)| (key, number)).collect();
        let len = numbers.len() + usize::from(numbers.len() < order.len());
        Self { numbers, len }
    }

    pub(super) fn get(&self, key: Key) -> usize {
        self.numbers.get(&key).copied().unwrap_or(self.len - 1)
    }
}
