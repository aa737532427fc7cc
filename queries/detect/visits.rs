//! What a request does in one process: a visit, from the span that it comes in by to all that is done there for it.

use super::Case;
use crate::trace::window::{NONE, Symbol, Window};

/// The visits of a case. Instrumentation may write an attribute on any span of a visit: what is asked is whether the visit has it.
#[derive(Debug, Default)]
pub(super) struct Visits {
    /// By span: its visit.
    pub of: Vec<u32>,
    /// By visit: the span that it begins with. Callers stand before those that they call.
    pub first: Vec<u32>,
    /// By visit: the one that called it, or [`NONE`].
    pub caller: Vec<u32>,
}

impl Visits {
    /// Finds the visits, over recorded parents and accepted stitches.
    pub fn new(case: &Case<'_>) -> Self {
        let window = case.window;
        let mut visits = Self { of: vec![NONE; window.len()], ..Self::default() };
        let mut stack = Vec::new();
        let is_top = |span: &u32| case.healed_parent[*span as usize] == NONE;
        for top in window.spans().filter(is_top) {
            stack.push(top);
            while let Some(span) = stack.pop() {
                visits.visit(case, span);
                stack.extend(case.healed_children(span).iter().rev());
            }
        }
        visits
    }

    pub fn len(&self) -> usize {
        self.first.len()
    }

    /// Returns the service that is visited.
    pub fn service(&self, window: &Window, visit: u32) -> Symbol {
        window.service(self.first[visit as usize])
    }

    /// Returns the name of the span that a visit begins with.
    pub fn name(&self, window: &Window, visit: u32) -> Symbol {
        window.name[self.first[visit as usize] as usize]
    }

    fn visit(&mut self, case: &Case<'_>, span: u32) {
        let (window, parent) = (case.window, case.healed_parent[span as usize]);
        let caller = if parent == NONE { NONE } else { self.of[parent as usize] };
        let is_inside = parent != NONE && !window.is_entry(span) && window.instance(parent) == window.instance(span);
        if is_inside {
            self.of[span as usize] = caller;
            return;
        }
        self.of[span as usize] = self.first.len() as u32;
        self.first.push(span);
        self.caller.push(caller);
    }
}
