//! Says in one sentence why a join is believed.

use super::{Rule, Stitch};
use crate::trace::window::Window;

impl Stitch {
    /// Returns one sentence for people, such as "both carry order 1002, and nothing else does".
    #[must_use]
    pub fn why(&self, window: &Window) -> String {
        let value = window.text(self.evidence.value);
        match self.rule {
            Rule::Header => with_value("a captured header names the call", value),
            Rule::Link => "a span link names the call".to_owned(),
            Rule::TwinId => with_value("one trace id in two widths", value),
            Rule::MessageId => with_value("the message has the same id on both sides", value),
            Rule::RequestId => with_value("the request id is the same on both sides", value),
            Rule::Log => with_value("one log record carries both ids", value),
            Rule::UniqueValue => with_value("both sides carry the same value, and no other call does", value),
            Rule::Connection => with_value("both ends of one connection", value),
            Rule::HiddenHop => {
                "a hop that exports no spans wrote its own parent id; this call of the trace encloses it".to_owned()
            }
            Rule::CallTiming | Rule::WorkTiming | Rule::MessageTiming => self.why_by_time(),
        }
    }

    fn why_by_time(&self) -> String {
        let found = &self.evidence;
        let what = if self.rule == Rule::MessageTiming { "messages" } else { "calls" };
        let begins = format!("begins {} after the parent", milliseconds(found.before_ns));
        let ends = if self.rule == Rule::MessageTiming {
            String::new()
        } else {
            format!(" and ends {} before it", milliseconds(found.after_ns))
        };
        let chosen = match found.candidates {
            0 | 1 => "no other fits".to_owned(),
            count => format!("{count} fit in time, the next best has {:.2}", found.runner_up_confidence),
        };
        format!("{begins}{ends}, as {} other {what} do; {chosen}", found.learned_from)
    }
}

fn with_value(what: &str, value: &str) -> String {
    if value.is_empty() { what.to_owned() } else { format!("{what}: {value}") }
}

fn milliseconds(ns: i64) -> String {
    format!("{:.2} ms", ns as f64 / 1e6)
}
