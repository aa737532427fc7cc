//! `b3-not-extracted`: the caller sends its context as B3, the callee reads only W3C or nothing, so that one request makes two traces.

use super::breaks::{self, Verdict};
use super::finding::Draft;
use super::{Case, Rule};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    breaks::drafts(case, rule, Verdict::B3)
}
