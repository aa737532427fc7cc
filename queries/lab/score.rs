//! How often joins are right: precision, recall, whole traces, and whether confidence means what it says.

use std::collections::BTreeMap;

use hashbrown::HashMap;

use super::truth::Truth;
use crate::stitch::{State, Stitch};
use crate::trace::window::Window;

/// Joins of one confidence, and how many of them are right.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bin {
    /// Confidence from here, up to a tenth more.
    pub from: f64,
    pub joins: usize,
    pub right: usize,
    /// Sum of confidence over the joins.
    pub confidence: f64,
}

/// Figures of one edge or of all. Shares are of 0 to 1; 1 where there is nothing to be wrong about.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Score {
    /// Torn spans of which both sides are there.
    pub torn: usize,
    pub accepted: usize,
    pub accepted_right: usize,
    /// Of those, joins by exact evidence.
    pub exact_right: usize,
    /// Best guesses that are right, accepted or not.
    pub best_right: usize,
    /// What first come, first served gets right.
    pub first_come_right: usize,
    pub traces: usize,
    /// Traces of which every torn span has the right parent as its best guess.
    pub traces_right: usize,
    /// Ten bins.
    pub bins: Vec<Bin>,
}

impl Score {
    #[must_use]
    pub fn precision(&self) -> f64 {
        share(self.accepted_right, self.accepted)
    }

    #[must_use]
    pub fn recall(&self) -> f64 {
        share(self.accepted_right, self.torn)
    }

    #[must_use]
    pub fn best_guess(&self) -> f64 {
        share(self.best_right, self.torn)
    }

    #[must_use]
    pub fn first_come(&self) -> f64 {
        share(self.first_come_right, self.torn)
    }

    #[must_use]
    pub fn whole_traces(&self) -> f64 {
        share(self.traces_right, self.traces)
    }

    /// Expected calibration error: how far the share of right joins is from their confidence, on average over joins.
    #[must_use]
    pub fn calibration_error(&self) -> f64 {
        let joins: usize = self.bins.iter().map(|bin| bin.joins).sum();
        let off: f64 = self.bins.iter().map(|bin| (bin.right as f64 - bin.confidence).abs()).sum();
        if joins == 0 { 0.0 } else { off / joins as f64 }
    }
}

fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 1.0 } else { part as f64 / whole as f64 }
}

/// Scores all joins, and those of each edge (service and name of the child) for itself.
#[must_use]
pub fn score(
    window: &Window,
    truth: &Truth,
    stitches: &[Stitch],
    first_come: &[(u32, u32)],
) -> (Score, Vec<(String, Score)>) {
    let known: HashMap<u32, (u32, u32)> =
        truth.torn.iter().map(|&(child, parent, trace)| (child, (parent, trace))).collect();
    let mut edges: BTreeMap<String, Score> = BTreeMap::new();
    let mut all = Score::default();
    let mut both = |child: u32, change: &dyn Fn(&mut Score)| {
        let (service, name) = (window.text(window.service(child)), window.text(window.name[child as usize]));
        change(edges.entry(format!("{service} {name}")).or_default());
        change(&mut all);
    };
    truth.torn.iter().for_each(|&(child, ..)| both(child, &|score| score.torn += 1));
    for stitch in stitches {
        let is_right = known.get(&stitch.child).is_some_and(|&(parent, _)| parent == stitch.parent);
        both(stitch.child, &|score| score.count(stitch, is_right));
    }
    for &(child, parent) in first_come {
        if known.get(&child).is_some_and(|&(right, _)| right == parent) {
            both(child, &|score| score.first_come_right += 1);
        }
    }
    let guesses: HashMap<u32, u32> = stitches.iter().map(|stitch| (stitch.child, stitch.parent)).collect();
    let mut wholes: HashMap<u32, bool> = HashMap::new();
    for &(child, parent, trace) in &truth.torn {
        *wholes.entry(trace).or_insert(true) &= guesses.get(&child) == Some(&parent);
    }
    all.traces = wholes.len();
    all.traces_right = wholes.values().filter(|&&is_whole| is_whole).count();
    (all, edges.into_iter().collect())
}

impl Score {
    fn count(&mut self, stitch: &Stitch, is_right: bool) {
        if self.bins.is_empty() {
            self.bins = (0..10).map(|tenth| Bin { from: f64::from(tenth) / 10.0, ..Bin::default() }).collect();
        }
        let bin = &mut self.bins[((stitch.confidence * 10.0) as usize).min(9)];
        bin.joins += 1;
        bin.confidence += stitch.confidence;
        bin.right += usize::from(is_right);
        self.best_right += usize::from(is_right);
        if stitch.state == State::Accepted {
            self.accepted += 1;
            self.accepted_right += usize::from(is_right);
            self.exact_right += usize::from(is_right && stitch.rule.is_exact());
        }
    }
}
