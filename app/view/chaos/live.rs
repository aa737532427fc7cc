//! The rates of a run that is under way, held against what would end it.
//!
//! ```text
//!  arm           fault 42 of 60  ━━━━━━━━━╸
//!  answers       4.9/s, 12 failed  ▁▂▂▃▄▅▅▆
//!  p50, p99      2.10 s, 2.89 s    ▁▁▁▇▇█▇█
//!  injected      11 of at most 500
//!  beside it     0 % fail, at most 5 %
//!                p95 1.1 times the baseline's, at most 3 times  ━━━━
//! ```

use super::line::Lines;
use super::report::Report;
use crate::chaos::experiment::{AbortRule, Limits, Metric};
use crate::chaos::run::watch::Sample;
use crate::humane;
use crate::theme::Role;
use crate::tui::state::{Shared, Symbols};

/// Cells of a bar.
const BAR: usize = 16;
/// Samples of a curve.
const CURVE: usize = 24;
/// From this share of a limit on, a rate is a warning.
const NEAR: f64 = 0.8;

/// Says the rates of the moment.
pub fn say(lines: &mut Lines, report: &Report, shared: &Shared) {
    let samples = report.samples();
    let Some(now) = samples.last() else {
        return lines.say("now", "no rates yet", Role::Dim);
    };
    let symbols = &shared.symbols;
    lines.head("now");
    let arm = format!("{} {} of {}", now.arm, humane::count(now.answered), humane::count(now.planned));
    lines.say("arm", &format!("{arm}  {}", bar(share(now.answered, now.planned), symbols)), Role::Text);
    let curve_of = |value: fn(&Sample) -> f64| curve(&samples.iter().map(value).collect::<Vec<_>>(), symbols);
    let answers = format!("{:.1}/s, {} failed, {} waiting", now.rate, humane::count(now.failed), now.in_flight);
    lines.say("answers", &format!("{answers}  {}", curve_of(|sample| sample.rate)), Role::Number);
    let times = format!("{}, {}", millis(now.p50_ms), millis(now.p99_ms));
    lines.say("p50, p99", &format!("{times}  {}", curve_of(|sample| sample.p99_ms)), Role::Number);
    if now.dropped > 0 {
        lines.say("not sent", &format!("{}: too many were waiting", humane::count(now.dropped)), Role::Warn);
    }
    injected(lines, now, report);
    control(lines, now, report, symbols);
}

fn injected(lines: &mut Lines, now: &Sample, report: &Report) {
    let Some(count) = now.injected else { return };
    let most = report.experiment.as_ref().map(|experiment| experiment.plan.limits.max_faults);
    let text = match most {
        Some(most) => format!("{} of at most {}", humane::count(count), humane::count(most)),
        None => humane::count(count),
    };
    let is_near = most.is_some_and(|most| share(count, most) >= NEAR);
    lines.say("injected", &text, if is_near { Role::Warn } else { Role::Number });
}

/// Says how the requests beside the fault do, and when that would end the run.
fn control(lines: &mut Lines, now: &Sample, report: &Report, symbols: &Symbols) {
    let planned = report.experiment.as_ref().map(|experiment| experiment.plan.rules());
    let rules = planned.unwrap_or_else(|| Limits::always().to_vec());
    let errors = least(&rules, Metric::ControlErrorRate);
    let text = format!(
        "{} fail, at most {}  {}",
        humane::percent(now.control_error_rate),
        humane::percent(errors),
        bar(now.control_error_rate / errors, symbols)
    );
    lines.say("beside it", &text, role(now.control_error_rate, errors));
    let ratio = least(&rules, Metric::ControlP95Ratio);
    let text = format!(
        "p95 is {:.1} times the baseline's, at most {ratio}  {}",
        now.control_p95_ratio,
        bar(now.control_p95_ratio / ratio, symbols)
    );
    lines.say("", &text, role(now.control_p95_ratio, ratio));
}

/// Returns the strictest limit of a metric.
fn least(rules: &[AbortRule], wanted: Metric) -> f64 {
    let limits = rules.iter().filter_map(|rule| match rule {
        AbortRule::Metric { metric, gt, .. } if *metric == wanted => Some(*gt),
        _ => None,
    });
    limits.fold(f64::INFINITY, f64::min)
}

fn role(value: f64, limit: f64) -> Role {
    match () {
        () if value > limit => Role::Error,
        () if value > limit * NEAR => Role::Warn,
        () => Role::Number,
    }
}

fn share(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn millis(ms: f64) -> String {
    humane::duration((ms * 1e6) as i64)
}

/// Returns a bar of `share` (0 to 1) of its length.
fn bar(share: f64, symbols: &Symbols) -> String {
    symbols.bar.repeat((share.clamp(0.0, 1.0) * BAR as f64).round() as usize)
}

/// Returns the last values as a curve from 0 to the highest.
fn curve(values: &[f64], symbols: &Symbols) -> String {
    let shown = values.get(values.len().saturating_sub(CURVE)..).unwrap_or_default();
    let highest = shown.iter().copied().fold(f64::MIN_POSITIVE, f64::max);
    let level = |value: &f64| {
        let at = (value / highest * (symbols.levels.len() - 1) as f64).round() as usize;
        symbols.levels.get(at).copied().unwrap_or(" ")
    };
    shown.iter().map(level).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_goes_from_nothing_to_the_highest() {
        assert_eq!(curve(&[0.0, 1.0, 2.0], &Symbols::UNICODE), "▁▅█");
        assert_eq!(curve(&[], &Symbols::UNICODE), "");
        assert_eq!(curve(&[f64::NAN, 0.0], &Symbols::UNICODE), "▁▁");
        assert_eq!(curve(&[1.0; 99], &Symbols::UNICODE).chars().count(), CURVE);
    }

    #[test]
    fn the_strictest_limit_counts_and_what_is_near_it_warns() {
        let rule = AbortRule::Metric { metric: Metric::ControlErrorRate, gt: 0.02, for_s: 5.0 };
        let rules: Vec<AbortRule> = Limits::always().into_iter().chain([rule]).collect();
        assert!((least(&rules, Metric::ControlErrorRate) - 0.02).abs() < 1e-9);
        assert_eq!([0.001, 0.018, 0.03].map(|value| role(value, 0.02)), [Role::Number, Role::Warn, Role::Error]);
    }
}
