//! Learns a market's model and joins its callees.

use super::market::Market;
use super::model::{Example, Model, Rates, Solved, solve};
use super::pairs::{Pair, gather};
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

/// Joins the callees of a market; `only` restricts a callee to some calls, ascending.
pub(super) fn join<'a>(market: &Market, examples: &[Example], only: &dyn Fn(u32) -> Option<&'a [u32]>) -> Vec<Join> {
    let chosen = blocks(market.callees.len());
    let pairs = gather(market, &chosen, only);
    let mut model = Model::start(market, examples);
    let mut own = Vec::new();
    for _ in 0..ROUNDS {
        let solved = solve(market, &model, &chosen, &pairs, &own);
        model.set_rates(market, &Rates::of(market, &chosen, &pairs, &solved.posteriors));
        model.fit(market, &learned(&chosen, &pairs, &solved, examples));
        own = solved.posteriors;
    }
    let learned_from = own.iter().sum::<f64>() as u32;
    if chosen.len() == market.callees.len() {
        return best(&solve(market, &model, &chosen, &pairs, &own), &pairs, learned_from);
    }
    let all: Vec<u32> = (0..market.callees.len() as u32).collect();
    let pairs = gather(market, &all, only);
    best(&solve(market, &model, &all, &pairs, &[]), &pairs, learned_from)
}

/// Chooses the best calls of all callees together.
fn best(solved: &Solved, pairs: &Rows<Pair>, learned_from: u32) -> Vec<Join> {
    let looked: Vec<f64> = solved.places.iter().map(|&place| solved.posteriors[place]).collect();
    let mut joins = Vec::new();
    let mut rest = looked.as_slice();
    for (callee, choice) in solved.problem.best(&looked).into_iter().enumerate() {
        let choices = solved.problem.choices(callee);
        let (posteriors, after) = rest.split_at(choices.len().min(rest.len()));
        rest = after;
        let Some((at, chosen)) = choice.and_then(|at| Some((at, choices.get(at)?))) else { continue };
        let Some(pair) = pairs.get(callee).iter().find(|pair| pair.call == chosen.call) else { continue };
        let others = posteriors.iter().zip(choices).enumerate().filter(|&(other, _)| other != at);
        let second = others.max_by(|a, b| a.1.0.total_cmp(b.1.0).then(b.0.cmp(&a.0)));
        joins.push(Join {
            callee: callee as u32,
            pair: *pair,
            confidence: posteriors.get(at).map_or(0.0, |posterior| posterior.clamp(0.0, 1.0)),
            runner_up: second.map(|(_, (_, choice))| choice.call),
            runner_up_confidence: second.map_or(0.0, |(_, (posterior, _))| posterior.clamp(0.0, 1.0)),
            num_candidates: choices.len() as u32,
            learned_from,
        });
    }
    joins
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
