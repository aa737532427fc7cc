//! Learns and samples in turn, then tells how often each call was seen in each request.

use super::learn::{Observed, learn};
use super::model::Model;
use super::outset;
use super::place::Places;
use super::process::Process;
use super::sample::Sampler;
use super::state::{State, first_come};
use crate::stitch::{Evidence, Rule, State as Verdict, Stitch};
use crate::trace::window::{NONE, Window};

const ROUNDS: usize = 20;
const HOT_ROUNDS: usize = 12;
const HEAT: f64 = 3.0;
/// How many calls requests make is learned when it is no hotter than this.
const MAX_COUNTING_HEAT: f64 = 1.3;
const SWEEPS: usize = 12;
const SEEN_SWEEPS: usize = 4;
/// Delays are learned from so many requests.
const MAX_LEARNED: usize = 1_500;
const MAX_LEARNED_CALLS: usize = 12_000;
/// So many calls may be weighed in a round of learning.
const MAX_ROUND: u64 = 2_000_000;
/// So many calls may be weighed for all joins, and for each torn call besides.
const MAX_COST: u64 = 30_000_000;
const MAX_COST_EACH: u64 = 800;
/// Walks set out anew so many times, fewer where there are many calls: where they come to different ends, nothing is sure.
const MAX_WALKS: usize = 4;
const MAX_WALKED: usize = 12_000;
/// A walk is this hot in the beginning, and this long; shorter where there are so many calls that it would take long.
const FIRST_HEAT: f64 = 4.0;
const FIRST_SWEEPS: usize = 75;
const MIN_FIRST_SWEEPS: usize = 4;
const MAX_CHANGES: usize = 1_200_000;
/// Then calls that may be elsewhere are heated and cooled so many times, not to stay where they came to first.
const CYCLES: usize = 8;
const HEAT_AGAIN: f64 = 2.5;
const COOLING_SWEEPS: usize = 25;
/// States that are counted of each cycle.
const COUNTED_SWEEPS: usize = 20;

/// Joins the torn calls of a process.
pub(super) fn solve(window: &Window, process: &Process) -> Vec<Stitch> {
    let (hits, num_seen) = sample(process, &model(process));
    let calls = || 0..process.calls.len() as u32;
    let joins: Vec<(u32, u32)> =
        calls().filter_map(|call| Some((call, ranked(process, call, &hits).first()?.1))).collect();
    let places = Places::learn(window, process, &joins);
    let span = |call: u32, parent: u32| places.find(window, process, call, parent);
    calls().filter_map(|call| stitch(process, call, (&ranked(process, call, &hits), num_seen), &span)).collect()
}

fn model(process: &Process) -> Model {
    let num = process.parents.len();
    if num <= MAX_LEARNED + MAX_LEARNED / 4 && process.calls.len() <= MAX_LEARNED_CALLS {
        return model_of(process);
    }
    let from = num.saturating_sub(MAX_LEARNED) / 2;
    model_of(&process.part(from..num.min(from + MAX_LEARNED), MAX_LEARNED_CALLS))
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
        let limit = sampler.cost + MAX_ROUND;
        for _ in SEEN_SWEEPS..SWEEPS {
            if sampler.cost < limit {
                sampler.search(&model);
            }
        }
        let before = std::mem::take(&mut observed);
        for sweep in 0..SEEN_SWEEPS {
            if sweep == 0 || sampler.cost < limit {
                sampler.sweep(&model);
            }
            observed.add(process, &sampler.state);
        }
        if sampler.heat > MAX_COUNTING_HEAT {
            observed.keep_counts(&before);
        }
    }
    learn(process, &observed)
}

/// Counts how often each call is seen in each request. Returns the counts by choice, and how often was looked.
fn sample(process: &Process, model: &Model) -> (Vec<u32>, u32) {
    let mut hits = vec![0; process.num_choices()];
    let num_walks = (MAX_WALKED / process.calls.len().max(1)).clamp(1, MAX_WALKS) as u64;
    let num_seen = (1..=num_walks).map(|seed| walk(process, model, seed, &mut hits)).sum();
    (hits, num_seen)
}

/// Adds to `hits` how often each call is seen in each request, and returns how often was looked.
fn walk(process: &Process, model: &Model, seed: u64, hits: &mut [u32]) -> u32 {
    let mut num_seen = 0;
    let mut sampler = Sampler::new(process, State::new(process, first_come(process)), seed);
    sampler.rescore(model);
    let limit = MAX_COST + MAX_COST_EACH * process.calls.len() as u64;
    find_good(&mut sampler, model, process.calls.len(), limit);
    for cycle in 0..CYCLES {
        if cycle > 0 {
            cool(&mut sampler, model, (HEAT_AGAIN, COOLING_SWEEPS), limit);
        }
        for _ in 0..COUNTED_SWEEPS {
            if num_seen == 0 || sampler.cost < limit {
                sampler.sweep(model);
                count(process, &sampler.state, hits);
                num_seen += 1;
            }
        }
    }
    num_seen
}

/// Comes to a good state, and leaves alone what is surely where it belongs.
fn find_good(sampler: &mut Sampler, model: &Model, num_calls: usize, limit: u64) {
    let num_sweeps = (MAX_CHANGES / num_calls.max(1)).clamp(MIN_FIRST_SWEEPS, FIRST_SWEEPS);
    let heat = if num_sweeps < FIRST_SWEEPS / 4 { 1.0 } else { FIRST_HEAT };
    cool(sampler, model, (heat, num_sweeps), limit / 3);
    sampler.close(model, limit / 3);
    if sampler.cost < limit / 2 {
        sampler.survey(model, 2);
    }
}

/// Searches, from a heat down to the one at which states are visited as often as they are likely.
fn cool(sampler: &mut Sampler, model: &Model, (heat, num_sweeps): (f64, usize), limit: u64) {
    for sweep in 0..num_sweeps {
        if sampler.cost < limit {
            sampler.heat = heat.powf(1.0 - sweep as f64 / num_sweeps as f64);
            sampler.search(model);
        }
    }
    sampler.heat = 1.0;
}

fn count(process: &Process, state: &State, hits: &mut [u32]) {
    for (call, &place) in state.places().iter().enumerate() {
        if let Ok(at) = process.choices(call as u32).binary_search(&place) {
            hits[process.choice_range(call as u32).start + at] += 1;
        }
    }
}

/// Returns the requests that a call was seen in, with how often it was, most first.
fn ranked(process: &Process, call: u32, hits: &[u32]) -> Vec<(u32, u32)> {
    let hits = hits.get(process.choice_range(call)).unwrap_or_default();
    let seen = hits.iter().copied().zip(process.choices(call).iter().copied()).filter(|&(hits, _)| hits > 0);
    let mut ranked: Vec<(u32, u32)> = seen.collect();
    ranked.sort_unstable_by_key(|&(hits, parent)| (std::cmp::Reverse(hits), parent));
    ranked
}

fn stitch(
    process: &Process,
    call: u32,
    (ranked, num_seen): (&[(u32, u32)], u32),
    span: &impl Fn(u32, u32) -> u32,
) -> Option<Stitch> {
    let share = |hits: u32| f64::from(hits) / f64::from(num_seen.max(1));
    let &(best, parent) = ranked.first()?;
    let (second, runner_up) = ranked.get(1).map_or((0, NONE), |&(hits, parent)| (hits, span(call, parent)));
    let (torn, request) = (&process.calls[call as usize], &process.parents[parent as usize]);
    let value = process.known[call as usize];
    let confidence = share(best);
    let evidence = Evidence {
        value: value.unwrap_or_default(),
        candidates: process.choices(call).len() as u32,
        runner_up,
        runner_up_confidence: share(second),
        before_ns: torn.start_ns.saturating_sub(request.start_ns),
        after_ns: request.end_ns.saturating_sub(torn.end_ns),
        offset_ns: 0,
        learned_from: process.calls.len() as u32,
    };
    Some(Stitch {
        child: torn.span,
        parent: span(call, parent),
        confidence,
        state: verdict(confidence, share(second)),
        rule: if value.is_some() { Rule::UniqueValue } else { Rule::WorkTiming },
        evidence,
    })
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
