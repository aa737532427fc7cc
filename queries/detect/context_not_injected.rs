//! `context-not-injected`: the caller's client does not put its context on the wire.

use super::breaks::{self, Verdict};
use super::finding::Draft;
use super::{Case, Rule};

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    breaks::drafts(case, rule, Verdict::NotInjected)
}
