//! A sign that says how a run stands, as its colour does.

use crate::chaos::standing::Standing;
use crate::theme::Role;
use crate::tui::state::Symbols;

/// Returns the sign of a standing, and the role of its colour.
pub(super) fn sign(standing: &Standing, symbols: &Symbols) -> (&'static str, Role) {
    match standing {
        Standing::UnderWay => (">", Role::Accent),
        Standing::Judged { outcome, passed } => (sign_of(outcome, symbols), role_of(*passed)),
        Standing::Ended | Standing::CutOff => ("-", Role::Dim),
        Standing::EndedEarly => (symbols.warning, Role::Warn),
        Standing::LeftFault | Standing::Changed | Standing::Unreadable => (symbols.error, Role::Error),
    }
}

fn role_of(passed: Option<bool>) -> Role {
    match passed {
        Some(true) => Role::Good,
        Some(false) => Role::Error,
        None => Role::Warn,
    }
}

/// Signs of verdicts: how alike incident and staging are.
fn sign_of(outcome: &str, symbols: &Symbols) -> &'static str {
    match outcome {
        "REPRODUCED" => "=",
        "PARTIAL" => "~",
        "NOT REPRODUCED" => "/",
        "INVALID" => symbols.error,
        _ => "?",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_has_a_sign_of_its_own() {
        let sign_of = |outcome: &str| {
            let standing = Standing::Judged { outcome: outcome.to_owned(), passed: None };
            super::sign(&standing, &Symbols::ASCII).0
        };
        let signs = ["REPRODUCED", "PARTIAL", "NOT REPRODUCED", "INVALID", "INCONCLUSIVE"].map(sign_of);
        let different: std::collections::BTreeSet<&str> = signs.into_iter().collect();
        assert_eq!(different.len(), signs.len());
    }
}
