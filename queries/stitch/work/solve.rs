//! Learns and samples in turn, then tells how often each call was seen in each request.

use super::model::{Model, Observed};
use super::process::Process;
use super::sample::{Sampler, State, first_come};
use crate::stitch::{Evidence, Rule, State as Verdict, Stitch};
use crate::trace::window::{NONE, Symbol};

const ROUNDS: usize = 7;
const SWEEPS: usize = 8;
const SEEN_SWEEPS: usize = 3;
const LAST_SWEEPS: usize = 200;

/// Joins the torn calls of a process.
pub(super) fn solve(process: &Process) -> Vec<Stitch> {
    let state = State::new(process, first_come(process));
    let mut observed = Observed::default();
    observed.add(process, &state);
    let mut sampler = Sampler::new(process, state);
    for _ in 0..ROUNDS {
        let model = Model::learn(process, &observed);
        sampler.rescore(&model);
        observed = Observed::default();
        for sweep in 0..SWEEPS {
            sampler.sweep(&model);
            if sweep + SEEN_SWEEPS >= SWEEPS {
                observed.add(process, &sampler.state);
            }
        }
    }
    let model = Model::learn(process, &observed);
    sampler.rescore(&model);
    let mut hits = vec![0_u32; process.num_choices()];
    for _ in 0..LAST_SWEEPS {
        sampler.sweep(&model);
        count(process, &sampler.state, &mut hits);
    }
    let joins = (0..process.calls.len() as u32).filter_map(|call| stitch(process, call, &hits));
    joins.collect()
}

fn count(process: &Process, state: &State, hits: &mut [u32]) {
    for (call, &place) in state.places().iter().enumerate() {
        if let Ok(at) = process.choices(call as u32).binary_search(&place) {
            hits[process.choice_range(call as u32).start + at] += 1;
        }
    }
}

fn stitch(process: &Process, call: u32, hits: &[u32]) -> Option<Stitch> {
    let hits = hits.get(process.choice_range(call))?;
    let mut ranked: Vec<(u32, u32)> = hits.iter().copied().zip(process.choices(call).iter().copied()).collect();
    ranked.sort_unstable_by_key(|&(hits, parent)| (std::cmp::Reverse(hits), parent));
    let (best, parent) = *ranked.first()?;
    let second = ranked.get(1).copied();
    let share = |hits: u32| f64::from(hits) / LAST_SWEEPS as f64;
    let confidence = share(best);
    let runner_up_confidence = second.map_or(0.0, |(hits, _)| share(hits));
    if best == 0 {
        return None;
    }
    let torn = &process.calls[call as usize];
    let request = &process.parents[parent as usize];
    let evidence = Evidence {
        value: Symbol::EMPTY,
        candidates: ranked.len() as u32,
        runner_up: second
            .filter(|&(hits, _)| hits > 0)
            .map_or(NONE, |(_, parent)| process.parents[parent as usize].span),
        runner_up_confidence,
        before_ns: torn.start_ns.saturating_sub(request.start_ns),
        after_ns: request.end_ns.saturating_sub(torn.end_ns),
        offset_ns: 0,
        learned_from: process.calls.len() as u32,
    };
    let state = verdict(confidence, runner_up_confidence);
    Some(Stitch { child: torn.span, parent: request.span, confidence, state, rule: Rule::WorkTiming, evidence })
}

fn verdict(confidence: f64, runner_up: f64) -> Verdict {
    if confidence >= 0.80 && confidence - runner_up >= 0.20 {
        Verdict::Accepted
    } else if confidence >= 0.55 {
        Verdict::Maybe
    } else {
        Verdict::Candidate
    }
}
