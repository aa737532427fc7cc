//! Learns a market's model and joins its callees.

use super::market::Market;
use super::model::{Example, Model, Rates, Solved, solve};
use super::pairs::{Pair, gather};
use crate::stitch::matching::{Choice, Problem};
use crate::trace::window::Rows;

/// Rounds of expectation maximisation.
const ROUNDS: usize = 7;
/// Callees that are learned from, in blocks that are spread over all the time.
const MAX_LEARNED: usize = 8_192;
const BLOCK: usize = 512;

/// The best call of a callee.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Join {
    /// Numbers of [`Market::callees`] and [`Market::calls`].
    pub(super) callee: u32,
    pub(super) pair: Pair,
    pub(super) confidence: f64,
    pub(super) runner_up: Option<u32>,
    pub(super) runner_up_confidence: f64,
    pub(super) num_candidates: u32,
    pub(super) learned_from: u32,
}

/// Joins the callees of a market; `only` restricts a callee to some calls, ascending. `overtaken` is how many times less likely
/// a callee comes of a call that began before another's.
pub(super) fn join<'a>(
    market: &Market,
    examples: &[Example],
    overtaken: f64,
    only: &dyn Fn(u32) -> Option<&'a [u32]>,
) -> Vec<Join> {
    let chosen = blocks(market.callees.len());
    let pairs = gather(market, &chosen, only);
    let mut model = Model::start(market, examples, overtaken);
    let mut own = Vec::new();
    for _ in 0..ROUNDS {
        let solved = solve(market, &model, &chosen, &pairs, &own);
        model.set_rates(market, &Rates::of(market, &chosen, &pairs, &solved.posteriors));
        model.fit(market, &learned(&chosen, &pairs, &solved, examples));
        own = solved.posteriors;
    }
    let learned_from = own.iter().sum::<f64>() as u32;
    if chosen.len() == market.callees.len() {
        return best(market.callees.len(), &solve(market, &model, &chosen, &pairs, &own), &pairs, learned_from);
    }
    let all: Vec<u32> = (0..market.callees.len() as u32).collect();
    let pairs = gather(market, &all, only);
    best(market.callees.len(), &solve(market, &model, &all, &pairs, &[]), &pairs, learned_from)
}

/// A choice below this is not looked at where the best are chosen together.
const MIN_POSTERIOR: f64 = 0.01;

/// Chooses the best calls of all callees together.
fn best(num_callees: usize, solved: &Solved, pairs: &Rows<Pair>, learned_from: u32) -> Vec<Join> {
    let mut likely = Problem::default();
    let mut at = 0;
    for callee in 0..num_callees {
        let here = pairs.get(callee);
        let posteriors = solved.posteriors.get(at..at + here.len()).unwrap_or_default();
        let choices = here.iter().zip(posteriors).filter(|(_, posterior)| **posterior >= MIN_POSTERIOR);
        likely.push(choices.map(|(pair, &posterior)| Choice { call: pair.call, ln_weight: posterior }));
        at += here.len();
    }
    let chosen = likely.best().into_iter().enumerate();
    chosen.filter_map(|(callee, call)| one(&likely, pairs, callee, call?, learned_from)).collect()
}

/// Tells all about the call that a callee got. The weights of `likely` are probabilities.
fn one(likely: &Problem, pairs: &Rows<Pair>, callee: usize, call: u32, learned_from: u32) -> Option<Join> {
    let pair = pairs.get(callee).iter().find(|pair| pair.call == call)?;
    let choices = likely.choices(callee);
    let chosen = choices.iter().find(|choice| choice.call == call)?;
    let others = choices.iter().filter(|choice| choice.call != call);
    let second = others.max_by(|a, b| a.ln_weight.total_cmp(&b.ln_weight).then(b.call.cmp(&a.call)));
    Some(Join {
        callee: callee as u32,
        pair: *pair,
        confidence: chosen.ln_weight.clamp(0.0, 1.0),
        runner_up: second.map(|choice| choice.call),
        runner_up_confidence: second.map_or(0.0, |choice| choice.ln_weight.clamp(0.0, 1.0)),
        num_candidates: choices.len() as u32,
        learned_from,
    })
}

fn learned(chosen: &[u32], pairs: &Rows<Pair>, solved: &Solved, known: &[Example]) -> Vec<Example> {
    let all = (0..chosen.len()).flat_map(|row| pairs.get(row)).zip(&solved.posteriors);
    let soft = all.filter(|(_, weight)| **weight > 1e-4).map(|(pair, &weight)| Example {
        edge: pair.edge,
        before_ns: pair.before_ns,
        after_ns: pair.after_ns,
        weight,
    });
    known.iter().copied().chain(soft).collect()
}

/// Chooses callees: all, or blocks of neighbours.
fn blocks(num: usize) -> Vec<u32> {
    if num <= MAX_LEARNED {
        return (0..num as u32).collect();
    }
    let num_blocks = MAX_LEARNED / BLOCK;
    let every = num / num_blocks;
    (0..num_blocks).flat_map(|block| (block * every..(block * every + BLOCK).min(num)).map(|at| at as u32)).collect()
}
