//! Attribute keys that were seen before, so that a key costs one comparison and no allocation.
//!
//! Records of one program carry the same keys in the same order. Each key remembers which key followed it last time; the
//! guess is checked with one comparison, and only a wrong guess costs a look-up.

use hashbrown::HashMap;

use crate::convention::{Conventions, Slot};
use crate::otlp::text::write_string;

/// How many keys are remembered before all are forgotten: hostile input may have a fresh key in every record.
const MAX_KEYS: usize = 4_096;

/// Longer keys are looked up each time.
const MAX_KEY_BYTES: usize = 1_024;

/// A key as it is written, and where its values go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Key {
    /// Valid UTF-8.
    pub text: Box<[u8]>,
    /// The key as a JSON string with a colon.
    pub json: Box<[u8]>,
    pub slot: Option<Slot>,
    pub is_service: bool,
    next: usize,
}

/// All keys seen; number 0 is the place of a key that is not kept.
#[derive(Debug)]
pub(crate) struct KeyTable {
    keys: Vec<Key>,
    numbers: HashMap<Box<[u8]>, usize>,
    last: usize,
}

impl Key {
    fn new(text: &[u8], conventions: &Conventions) -> Self {
        let mut json = Vec::with_capacity(text.len() + 3);
        write_string(&mut json, text);
        json.push(b':');
        Self {
            text: text.into(),
            json: json.into(),
            slot: conventions.slot(text),
            is_service: text == b"service.name",
            next: 0,
        }
    }
}

impl KeyTable {
    pub(crate) fn new() -> Self {
        Self { keys: vec![Key::default()], numbers: HashMap::new(), last: 0 }
    }

    /// Returns the number of the key `text` (valid UTF-8); valid until the next call.
    #[inline]
    pub(crate) fn number(&mut self, text: &[u8], conventions: &Conventions) -> usize {
        let guess = self.keys.get(self.last).map_or(0, |key| key.next);
        if guess != 0 && self.keys.get(guess).is_some_and(|key| *key.text == *text) {
            self.last = guess;
            return guess;
        }
        self.look_up(text, conventions)
    }

    /// Returns the key of `number`.
    #[inline]
    pub(crate) fn get(&self, number: usize) -> &Key {
        self.keys.get(number).unwrap_or(&self.keys[0])
    }

    /// Returns how often all keys were forgotten or the table grew: numbers kept elsewhere are valid while it is equal.
    pub(crate) fn is_kept(&self, number: usize) -> bool {
        number != 0 && number < self.keys.len()
    }

    fn look_up(&mut self, text: &[u8], conventions: &Conventions) -> usize {
        let number = match self.numbers.get(text) {
            Some(&number) => number,
            None => self.insert(text, conventions),
        };
        if let Some(last) = self.keys.get_mut(self.last) {
            last.next = number;
        }
        self.last = number;
        number
    }

    fn insert(&mut self, text: &[u8], conventions: &Conventions) -> usize {
        let key = Key::new(text, conventions);
        if text.len() > MAX_KEY_BYTES || self.keys.len() > MAX_KEYS {
            self.keys[0] = key;
            return 0;
        }
        self.keys.push(key);
        self.numbers.insert(text.into(), self.keys.len() - 1);
        self.keys.len() - 1
    }
}
