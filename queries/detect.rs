//! Says what is wrong with the traces of a stretch of time: where context was lost, who has to change what, how sure it is.
//!
//! A rule is data (`rules/<id>.toml`): its text, severity, thresholds and fixes. What SQL can say stands in the rule itself;
//! a rule that needs trees or stitches names nothing, and a function of the same name here looks for it.

mod activity;
mod breaks;
pub mod case;
mod crossing;
pub mod edges;
pub mod finding;
pub mod headers;
mod hops;
mod language;
mod loss;
mod lossy;
mod paths;
pub mod peers;
pub mod rule;
pub mod rules;
mod share;
pub mod triage;
mod visits;

pub use case::Case;
pub use finding::{Draft, Finding, Severity, Subject};
pub use rule::Rule;
pub use rules::Rules;

/// Looks for what one rule describes.
pub type Detect = fn(&Case<'_>, &Rule) -> Vec<Draft>;

/// A rule that comes with riftline, and who looks for it.
#[derive(Debug, Clone, Copy)]
pub struct Detector {
    pub id: &'static str,
    /// The text of `rules/<id>.toml`.
    pub rule: &'static str,
    /// Nothing where the rule itself holds the SQL.
    pub detect: Option<Detect>,
}

macro_rules! detectors {
    (rust { $($module:ident $id:literal,)* } sql { $($sql:literal,)* }) => {
        $(mod $module;)*

        /// All detectors that come with riftline, in the order of the catalogue.
        pub const DETECTORS: &[Detector] = &[
            $(Detector { id: $id, rule: include_str!(concat!("rules/", $id, ".toml")), detect: Some($module::detect) },)*
            $(Detector { id: $sql, rule: include_str!(concat!("rules/", $sql, ".toml")), detect: None },)*
        ];
    };
}

detectors! {
    rust {
        b3_not_extracted "b3-not-extracted",
        propagator_format_mismatch "propagator-format-mismatch",
        propagator_noop_default "propagator-noop-default",
        context_not_injected "context-not-injected",
        mesh_hop_split "mesh-hop-split",
        gateway_strips_context "gateway-strips-context",
        phantom_parent "phantom-parent",
        async_context_loss "async-context-loss",
        process_boundary_loss "process-boundary-loss",
        context_leak_megatrace "context-leak-megatrace",
        message_context_missing "message-context-missing",
        message_link_only "message-link-only",
        trace_id_width_mismatch "trace-id-width-mismatch",
        id_encoding_mismatch "id-encoding-mismatch",
        invalid_context_value "invalid-context-value",
        conflicting_context_headers "conflicting-context-headers",
        id_generator_faulty "id-generator-faulty",
        orphan_span "orphan-span",
        root_shape_violation "root-shape-violation",
        span_kind_missing "span-kind-missing",
        clock_skew "clock-skew",
        child_outlives_parent "child-outlives-parent",
        invalid_span_interval "invalid-span-interval",
        telemetry_loss "telemetry-loss",
        dark_hop "dark-hop",
        parent_decision_ignored "parent-decision-ignored",
        ratio_sampler_torn "ratio-sampler-torn",
        tail_sampling_torn "tail-sampling-torn",
        baggage_lost "baggage-lost",
        baggage_key_case "baggage-key-case",
    }
    sql {
    }
}

/// Returns what the rules find in a case, the first to fix first. What is only a symptom of another finding stands in that
/// finding's evidence.
#[must_use]
pub fn detect(case: &Case<'_>, rules: &Rules) -> Vec<Finding> {
    let mut drafts = Vec::new();
    for rule in rules.enabled() {
        let Some(detect) = DETECTORS.iter().find(|one| one.id == rule.id).and_then(|one| one.detect) else { continue };
        drafts.extend(detect(case, rule).into_iter().map(|draft| (rule, draft)));
    }
    triage::triage(case, drafts)
}

#[cfg(test)]
pub(crate) mod tests;
