//! Texts, each kept once and known by a number.

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::key;

/// The number of a text. Equal texts of one [`Texts`] have equal numbers; those of [`key`] have the same in all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Symbol(pub u32);

impl Symbol {
    /// The empty text.
    pub const EMPTY: Self = Self(0);

    #[must_use]
    pub fn is_empty(self) -> bool {
        self == Self::EMPTY
    }
}

/// All texts of a window.
#[derive(Debug)]
pub struct Texts {
    bytes: String,
    ends: Vec<usize>,
    table: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

impl Default for Texts {
    fn default() -> Self {
        let mut texts = Self {
            bytes: String::new(),
            ends: Vec::new(),
            table: HashTable::new(),
            hasher: DefaultHashBuilder::default(),
        };
        texts.intern("");
        for key in key::ALL {
            texts.intern(key);
        }
        texts
    }
}

impl Texts {
    /// Returns the number of a text, which is kept if it is new.
    pub fn intern(&mut self, text: &str) -> Symbol {
        let (bytes, ends, hasher) = (&self.bytes, &self.ends, &self.hasher);
        let hash = hasher.hash_one(text);
        if let Some(&number) = self.table.find(hash, |&number| slice(bytes, ends, number) == text) {
            return Symbol(number);
        }
        let number = self.ends.len() as u32;
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len());
        let (bytes, ends) = (&self.bytes, &self.ends);
        self.table.insert_unique(hash, number, |&number| hasher.hash_one(slice(bytes, ends, number)));
        Symbol(number)
    }

    /// Returns the number of a text that is there.
    #[must_use]
    pub fn find(&self, text: &str) -> Option<Symbol> {
        let hash = self.hasher.hash_one(text);
        let found = self.table.find(hash, |&number| slice(&self.bytes, &self.ends, number) == text);
        found.map(|&number| Symbol(number))
    }

    #[must_use]
    pub fn get(&self, symbol: Symbol) -> &str {
        slice(&self.bytes, &self.ends, symbol.0)
    }

    /// Returns how many texts there are; their symbols are the numbers below.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }
}

fn slice<'a>(bytes: &'a str, ends: &[usize], number: u32) -> &'a str {
    let number = number as usize;
    let from = if number == 0 { 0 } else { ends.get(number - 1).copied().unwrap_or(0) };
    let to = ends.get(number).copied().unwrap_or(from);
    bytes.get(from..to).unwrap_or_default()
}
