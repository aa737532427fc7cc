//! Numbers texts, processes and scopes anew, in the order in which the window's spans meet them: numbers that follow the order of
//! arrival must not reach what is made of a window.

use hashbrown::HashMap;

use super::{Resource, Scope, Symbol, Texts};

/// Stands for "not met yet".
const NEW: u32 = u32::MAX;

/// Old numbers on one side, new ones on the other.
pub(super) struct Renumber<'o> {
    old_texts: &'o Texts,
    old_resources: &'o [Resource],
    old_scopes: &'o [Scope],
    texts: Vec<u32>,
    resources: Vec<u32>,
    scopes: Vec<u32>,
    equal: HashMap<Resource, u32>,
    pub(super) new_texts: Texts,
    pub(super) new_resources: Vec<Resource>,
    pub(super) new_scopes: Vec<Scope>,
}

impl<'o> Renumber<'o> {
    pub(super) fn new(old_texts: &'o Texts, old_resources: &'o [Resource], old_scopes: &'o [Scope]) -> Self {
        let new_texts = Texts::default();
        let mut texts = vec![NEW; old_texts.len()];
        // Keys that the code knows have the same numbers everywhere.
        (0..new_texts.len()).zip(&mut texts).for_each(|(number, text)| *text = number as u32);
        Self {
            old_texts,
            old_resources,
            old_scopes,
            texts,
            resources: vec![NEW; old_resources.len()],
            scopes: vec![NEW; old_scopes.len()],
            equal: HashMap::new(),
            new_texts,
            new_resources: Vec::new(),
            new_scopes: Vec::new(),
        }
    }

    pub(super) fn symbol(&mut self, old: Symbol) -> Symbol {
        let known = self.texts.get(old.0 as usize).copied().unwrap_or(0);
        if known != NEW {
            return Symbol(known);
        }
        let new = self.new_texts.intern(self.old_texts.get(old));
        self.texts[old.0 as usize] = new.0;
        new
    }

    pub(super) fn pairs(&mut self, old: &[(Symbol, Symbol)]) -> Vec<(Symbol, Symbol)> {
        let mut new: Vec<(Symbol, Symbol)> =
            old.iter().map(|&(key, value)| (self.symbol(key), self.symbol(value))).collect();
        new.sort_unstable();
        new
    }

    /// Returns the number of a process; equal ones are one.
    pub(super) fn resource(&mut self, old: u32) -> u32 {
        let Some(resource) = self.old_resources.get(old as usize) else { return 0 };
        if self.resources[old as usize] == NEW {
            let resource = Resource {
                id: resource.id,
                service: self.symbol(resource.service),
                instance: self.symbol(resource.instance),
                host: self.symbol(resource.host),
                language: self.symbol(resource.language),
                attributes: self.pairs(&resource.attributes),
            };
            let next = self.new_resources.len() as u32;
            let number = *self.equal.entry(resource.clone()).or_insert(next);
            if number == next {
                self.new_resources.push(resource);
            }
            self.resources[old as usize] = number;
        }
        self.resources[old as usize]
    }

    pub(super) fn scope(&mut self, old: u32) -> u32 {
        let Some(scope) = self.old_scopes.get(old as usize) else { return 0 };
        if self.scopes[old as usize] == NEW {
            let scope = Scope { name: self.symbol(scope.name), version: self.symbol(scope.version) };
            let known = self.new_scopes.iter().position(|known| *known == scope);
            self.scopes[old as usize] = known.unwrap_or(self.new_scopes.len()) as u32;
            if known.is_none() {
                self.new_scopes.push(scope);
            }
        }
        self.scopes[old as usize]
    }
}
