//! How calls and callees of a market are spaced in time, learned from the market itself.
//!
//! A call is served with some chance by a callee of one of its edges, which begins and ends after gaps of some distribution;
//! callees that nobody called come at some rate and take some time. All of that is learned by expectation maximisation: pairs
//! are weighted by their probability over all matchings, and what is learned from a pair does not speak for the pair itself.

use super::market::Market;
use super::pairs::{Pair, rough};
use crate::stitch::density::Density;
use crate::stitch::matching::{Choice, Problem};
use crate::trace::window::Rows;

/// Examples of gaps that are known to be right: the edge, before and after, in nanoseconds, and how much they count.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Example {
    pub(super) edge: u32,
    pub(super) before_ns: f64,
    pub(super) after_ns: f64,
    pub(super) weight: f64,
}

/// What is known of a market.
#[derive(Debug)]
pub(super) struct Model {
    before: Vec<Density>,
    after: Vec<Density>,
    /// By group of callees.
    durations: Vec<Density>,
    /// Logarithm of how many callees of a group come without a call in a nanosecond.
    ln_spurious: Vec<f64>,
    /// By edge: logarithm of how much likelier a call is served by it than by nobody.
    ln_served: Vec<f64>,
    /// How many times less likely a call overtakes another.
    inverted: f64,
    is_rough: bool,
    is_message: bool,
}

/// Pairs whose both ends are that much likelier alone are not looked at, in nats.
const MIN_LN_WEIGHT: f64 = -7.0;
/// All edges of a market lend each other examples of this weight.
const LENT: f64 = 5.0;

impl Model {
    /// Starts with what all calls have in common: gaps are short. Examples, where there are, say more.
    pub(super) fn start(market: &Market, examples: &[Example], overtaken: f64) -> Self {
        let rates = Rates::start(market);
        let mut model = Self {
            before: vec![Density::default(); market.edges.len()],
            after: vec![Density::default(); market.edges.len()],
            durations: durations(market),
            ln_spurious: Vec::new(),
            ln_served: Vec::new(),
            inverted: overtaken,
            is_rough: true,
            is_message: market.is_message,
        };
        model.set_rates(market, &rates);
        if !examples.is_empty() {
            model.fit(market, examples);
        }
        model
    }

    /// Learns gaps from weighted examples.
    pub(super) fn fit(&mut self, market: &Market, examples: &[Example]) {
        let total: f64 = examples.iter().map(|example| example.weight).sum();
        let num_edges = market.edges.len();
        let (mut values, mut weights) = ((Vec::new(), Vec::new()), Vec::new());
        for edge in 0..num_edges as u32 {
            values.0.clear();
            values.1.clear();
            weights.clear();
            for example in examples {
                let share = if example.edge == edge { 1.0 } else { LENT / total.max(LENT) };
                values.0.push(example.before_ns);
                values.1.push(example.after_ns);
                weights.push(example.weight * share);
            }
            self.before[edge as usize] = Density::fit(&values.0, &weights);
            self.after[edge as usize] = Density::fit(&values.1, &weights);
        }
        self.is_rough = false;
    }

    /// Learns how often calls are not served and callees not called.
    pub(super) fn set_rates(&mut self, market: &Market, rates: &Rates) {
        self.ln_spurious = rates.ln_spurious(market);
        self.ln_served = rates.ln_served(market);
    }

    /// Returns how much likelier a pair is than both its ends alone, if what `own_weight` it had was learned from is left out.
    pub(super) fn ln_weight(&self, market: &Market, callee: u32, pair: &Pair, own_weight: f64) -> f64 {
        let callee = &market.callees[callee as usize];
        let edge = pair.edge as usize;
        let mut ln = self.ln_served[edge] - self.ln_spurious[callee.group as usize];
        if self.is_rough {
            const UNIT_NS: f64 = 50_000.0;
            ln += rough(market, pair) - UNIT_NS.ln();
        } else {
            ln += self.before[edge].ln_without(pair.before_ns, own_weight);
        }
        if self.is_message {
            return ln;
        }
        let duration = (callee.end_ns.saturating_sub(callee.start_ns)) as f64;
        ln -= self.durations[callee.group as usize].ln_without(duration, 1.0);
        if self.is_rough {
            const UNIT_NS: f64 = 50_000.0;
            return ln - UNIT_NS.ln();
        }
        ln + self.after[edge].ln_without(pair.after_ns, own_weight)
    }
}

/// Pairs with their probabilities.
#[derive(Debug, Default)]
pub(super) struct Solved {
    /// In the order of the pairs.
    pub(super) posteriors: Vec<f64>,
}

/// Weighs all pairs of the callees `chosen`; `own` are the weights that the model was learned with.
pub(super) fn solve(market: &Market, model: &Model, chosen: &[u32], pairs: &Rows<Pair>, own: &[f64]) -> Solved {
    let mut weights = Vec::new();
    for (row, &callee) in chosen.iter().enumerate() {
        for pair in pairs.get(row) {
            let own_weight = own.get(weights.len()).copied().unwrap_or(0.0);
            weights.push(model.ln_weight(market, callee, pair, own_weight));
        }
    }
    let limits = limits(market, pairs, chosen.len(), &weights);
    let mut problem = Problem::default();
    problem.inverted = model.inverted;
    let (mut places, mut at) = (Vec::new(), 0);
    for (row, &limit) in limits.iter().enumerate() {
        let mut choices = Vec::new();
        for pair in pairs.get(row) {
            if weights[at] >= limit {
                choices.push(Choice { call: pair.call, ln_weight: weights[at] });
                places.push(at);
            }
            at += 1;
        }
        problem.push(choices);
    }
    let mut posteriors = vec![0.0; at];
    places.iter().zip(problem.solve().posteriors).for_each(|(&place, posterior)| posteriors[place] = posterior);
    Solved { posteriors }
}

/// Returns for each row of pairs from which weight on they are looked at: those far behind the best are not, the less so where
/// others want the best too.
fn limits(market: &Market, pairs: &Rows<Pair>, num_rows: usize, weights: &[f64]) -> Vec<f64> {
    const FAR: f64 = 9.0;
    const VERY_FAR: f64 = 20.0;
    let mut wanted = vec![0_u8; market.calls.len()];
    let mut best = Vec::with_capacity(num_rows);
    let mut at = 0;
    for row in 0..num_rows {
        let mut first = (MIN_LN_WEIGHT, None);
        for pair in pairs.get(row) {
            if weights[at] > first.0 {
                first = (weights[at], Some(pair.call as usize));
            }
            at += 1;
        }
        first.1.into_iter().for_each(|call| wanted[call] = wanted[call].saturating_add(1));
        best.push(first);
    }
    let limit = |&(weight, call): &(f64, Option<usize>)| {
        let is_contested = call.is_some_and(|call| wanted[call] > 1);
        (weight - if is_contested { VERY_FAR } else { FAR }).max(MIN_LN_WEIGHT)
    };
    best.iter().map(limit).collect()
}

fn durations(market: &Market) -> Vec<Density> {
    let mut values = vec![Vec::new(); market.callee_groups.len()];
    for callee in &market.callees {
        values[callee.group as usize].push(callee.end_ns.saturating_sub(callee.start_ns) as f64);
    }
    values.iter().map(|values| Density::fit(values, &vec![1.0; values.len()])).collect()
}

/// How many calls and callees there are, and how many of them belong together.
#[derive(Debug, Default)]
pub(super) struct Rates {
    /// By group of calls, of callees, and by edge.
    calls: Vec<f64>,
    callees: Vec<f64>,
    joined: Vec<f64>,
}

impl Rates {
    /// Starts with as many joins as can be.
    fn start(market: &Market) -> Self {
        let mut rates = Self::count(market);
        for (edge, joined) in market.edges.iter().zip(&mut rates.joined) {
            let rivals = market.edges.iter().filter(|other| other.calls == edge.calls).count() as f64;
            *joined = 0.8 * rates.calls[edge.calls as usize].min(rates.callees[edge.callees as usize]) / rivals;
        }
        rates
    }

    fn count(market: &Market) -> Self {
        let mut rates = Self {
            calls: vec![0.0; market.call_groups.len()],
            callees: vec![0.0; market.callee_groups.len()],
            joined: vec![0.0; market.edges.len()],
        };
        market.calls.iter().for_each(|call| rates.calls[call.group as usize] += 1.0);
        market.callees.iter().for_each(|callee| rates.callees[callee.group as usize] += 1.0);
        rates
    }

    /// Counts what was solved for the callees `chosen`, as if all had been.
    pub(super) fn of(market: &Market, chosen: &[u32], pairs: &Rows<Pair>, posteriors: &[f64]) -> Self {
        let mut rates = Self::count(market);
        let scale = market.callees.len() as f64 / chosen.len().max(1) as f64;
        let all = (0..chosen.len()).flat_map(|row| pairs.get(row));
        all.zip(posteriors).for_each(|(pair, posterior)| rates.joined[pair.edge as usize] += posterior * scale);
        rates
    }

    fn ln_spurious(&self, market: &Market) -> Vec<f64> {
        let ends = market.callees.iter().chain(&market.calls);
        let first = ends.clone().map(|end| end.start_ns).min().unwrap_or(0);
        let last = ends.map(|end| end.start_ns).max().unwrap_or(0);
        let time_ns = (last as f64 - first as f64).max(1e6);
        let mut alone = self.callees.clone();
        market.edges.iter().zip(&self.joined).for_each(|(edge, joined)| alone[edge.callees as usize] -= joined);
        alone.iter().map(|alone| ((alone.max(0.0) + 0.5) / time_ns).ln()).collect()
    }

    fn ln_served(&self, market: &Market) -> Vec<f64> {
        let mut alone = self.calls.clone();
        market.edges.iter().zip(&self.joined).for_each(|(edge, joined)| alone[edge.calls as usize] -= joined);
        let edges = market.edges.iter().zip(&self.joined);
        edges.map(|(edge, joined)| ((joined + 0.5) / (alone[edge.calls as usize].max(0.0) + 0.5)).ln()).collect()
    }
}
