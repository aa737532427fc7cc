//! `propagator-format-mismatch`: the formats that the caller sends and those that the callee reads have none in common.

use super::breaks::{self, Verdict};
use super::finding::Draft;
use super::{Case, Rule};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    breaks::drafts(case, rule, Verdict::Format)
}
