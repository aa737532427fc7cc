//! Learns and samples in turn, then tells how often each call was seen in each request.

use super::learn::{Observed, learn};
use super::model::Model;
use super::outset;
use super::process::Process;
use super::sample::{Sampler, State, first_come};
use crate::stitch::{Evidence, Rule, State as Verdict, Stitch};
use crate::trace::window::{NONE, Symbol};

const ROUNDS: usize = 16;
const HOT_ROUNDS: usize = 12;
const HEAT: f64 = 3.0;
const SWEEPS: usize = 12;
const SEEN_SWEEPS: usize = 4;
/// Delays are learned from so many requests.
const MAX_LEARNED: usize = 1_500;
/// A walk is heated and cooled so many times, not to stay where it came to first.
const CYCLES: usize = 8;
const FIRST_HEAT: f64 = 4.0;
const NEXT_HEAT: f64 = 2.5;
const COOLING_SWEEPS: usize = 25;
/// States that are counted of each cycle.
const COUNTED_SWEEPS: usize = 20;

/// Joins the torn calls of a process.
pub(super) fn solve(process: &Process) -> Vec<Stitch> {
    let hits = sample(process, &model(process));
    (0..process.calls.len() as u32).filter_map(|call| stitch(process, call, &hits)).collect()
}

fn model(process: &Process) -> Model {
    let num = process.parents.len();
    if num <= MAX_LEARNED + MAX_LEARNED / 4 {
        return model_of(process);
    }
    let from = (num - MAX_LEARNED) / 2;
    model_of(&process.part(from..from + MAX_LEARNED))
}

fn model_of(process: &Process) -> Model {
    let state = State::new(process, first_come(process));
    let mut observed = Observed::default();
    observed.add(process, &state);
    observed.clear_delays();
    outset::observe(process, &mut observed);
    let mut sampler = Sampler::new(process, state, 0);
    for round in 0..ROUNDS {
        sampler.heat = HEAT.powf((1.0 - round as f64 / HOT_ROUNDS as f64).max(0.0));
        let model = learn(process, &observed);
        sampler.rescore(&model);
        (SEEN_SWEEPS..SWEEPS).for_each(|_| sampler.search(&model));
        observed = Observed::default();
        for _ in 0..SEEN_SWEEPS {
            sampler.sweep(&model);
            observed.add(process, &sampler.state);
        }
    }
    learn(process, &observed)
}

/// Counts how often each call is seen in each request.
fn sample(process: &Process, model: &Model) -> Vec<u32> {
    let mut hits = vec![0; process.num_choices()];
    let mut sampler = Sampler::new(process, State::new(process, first_come(process)), 1);
    sampler.rescore(model);
    for cycle in 0..CYCLES {
        let (heat, sweeps) = if cycle == 0 { (FIRST_HEAT, 3 * COOLING_SWEEPS) } else { (NEXT_HEAT, COOLING_SWEEPS) };
        for sweep in 0..sweeps {
            sampler.heat = heat.powf(1.0 - sweep as f64 / sweeps as f64);
            sampler.search(model);
        }
        sampler.heat = 1.0;
        if cycle == 0 {
            sampler.survey(model, 2);
        }
        for _ in 0..COUNTED_SWEEPS {
            sampler.sweep(model);
            count(process, &sampler.state, &mut hits);
        }
    }
    hits
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
    let share = |hits: u32| f64::from(hits) / (CYCLES * COUNTED_SWEEPS) as f64;
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
