//! `propagator-noop-default`: the service neither continues nor passes on context, as one does that never set a global propagator.

use super::breaks::{self, Verdict};
use super::finding::Draft;
use super::{Case, Rule};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    breaks::drafts(case, rule, Verdict::Noop)
}
