//! Weighs each broken hop: what of both services works elsewhere says whose fault it is; headers, ids and values that arrive
//! all the same say which.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::common;
use super::proof::{Wire, capturing, narrow_share, scope};
use super::{Cause, Verdict};
use crate::detect::crossing::{Crossing, crossing};
use crate::detect::hops::{Hop, Hops};
use crate::detect::{Case, Rule, language, lossy};
use crate::trace::window::{NONE, Symbol};

pub(super) type Pair = (Symbol, Symbol);

pub(super) struct Judge<'c, 'w> {
    pub(super) case: &'c Case<'w>,
    pub(super) hops: &'c Hops,
    pub(super) min_calls: u64,
    pub(super) min_entries: u64,
    min_split: f64,
    pub(super) max_working: f64,
    min_equal: f64,
    min_narrow: f64,
    min_partial: f64,
    min_sureness: f64,
    /// Services that lose spans.
    lossy: BTreeSet<Symbol>,
    capturing: BTreeSet<Symbol>,
}

/// What weighs on one hop.
struct Opinion {
    verdict: Verdict,
    side: Symbol,
    weight: f64,
    because: String,
    proof: Map<String, Value>,
}

/// Returns the causes of all hops that broke, each hop under one.
pub(super) fn causes(case: &Case<'_>, hops: &Hops, rule: &Rule) -> Vec<Cause> {
    let judge = Judge {
        case,
        hops,
        min_calls: rule.count("min_calls"),
        min_entries: rule.count("min_entries"),
        min_split: rule.threshold("min_split"),
        max_working: rule.threshold("max_working_split"),
        min_equal: rule.threshold("min_equal_share"),
        min_narrow: rule.threshold("min_narrow_share"),
        min_partial: rule.threshold("min_partial_split"),
        min_sureness: rule.threshold("min_sureness"),
        lossy: lossy::services(case.window, rule.threshold("max_loss")),
        capturing: capturing(case),
    };
    judge.causes()
}

impl Judge<'_, '_> {
    fn causes(&self) -> Vec<Cause> {
        let mut causes = self.noops();
        let explained: BTreeSet<Pair> = causes.iter().flat_map(|cause| cause.hops.iter().copied()).collect();
        let mut merged: BTreeMap<(Verdict, Symbol), Cause> = BTreeMap::new();
        for (pair, hop) in self.by_size().into_iter().filter(|(pair, _)| !explained.contains(pair)) {
            let Some(opinion) = self.opinion(pair, hop) else { continue };
            let cause = merged.entry((opinion.verdict, opinion.side)).or_insert_with(|| cause(&opinion));
            cause.hops.push(pair);
            cause.weight = cause.weight.max(opinion.weight);
        }
        causes.extend(merged.into_values());
        causes
    }

    /// The biggest first, so that a merged cause speaks of it.
    fn by_size(&self) -> Vec<(Pair, &Hop)> {
        let mut all: Vec<(Pair, &Hop)> = self.hops.iter().map(|(&pair, hop)| (pair, hop)).collect();
        all.sort_by_key(|&((caller, callee), hop)| {
            (u64::MAX - hop.breaks.len() as u64, self.text(caller), self.text(callee))
        });
        all
    }

    fn is_broken(&self, hop: &Hop) -> bool {
        hop.calls() >= self.min_calls && hop.split() >= self.min_split
    }

    fn works(&self, hop: &Hop) -> bool {
        !hop.linked.is_empty() && hop.split() <= self.max_working
    }

    pub(super) fn from(&self, caller: Symbol) -> impl Iterator<Item = (Symbol, &Hop)> {
        self.hops.iter().filter(move |((from, _), _)| *from == caller).map(|(&(_, to), hop)| (to, hop))
    }

    pub(super) fn to(&self, callee: Symbol) -> impl Iterator<Item = (Symbol, &Hop)> {
        self.hops.iter().filter(move |((_, to), _)| *to == callee).map(|(&(from, _), hop)| (from, hop))
    }

    /// The caller's calls to another service arrive with their context.
    pub(super) fn links_elsewhere(&self, caller: Symbol) -> bool {
        self.from(caller).any(|(_, hop)| self.works(hop))
    }

    /// Calls of another service arrive at the callee with their context.
    fn reads_others(&self, callee: Symbol) -> bool {
        self.to(callee).any(|(_, hop)| self.works(hop))
    }

    pub(super) fn crossing(&self, hop: Option<&Hop>) -> Option<Crossing> {
        hop.and_then(|hop| crossing(self.case.window, &hop.breaks, self.min_equal))
    }

    fn opinion(&self, pair: Pair, hop: &Hop) -> Option<Opinion> {
        if self.is_broken(hop) {
            return Some(self.by_wire(pair, hop).unwrap_or_else(|| self.by_neighbours(pair, hop)));
        }
        self.is_partly_broken(pair, hop).then(|| self.partly(pair, hop))
    }

    /// Many calls break, others arrive. Where the callee loses spans, calls without a callee are no wonder.
    fn is_partly_broken(&self, (caller, callee): Pair, hop: &Hop) -> bool {
        hop.breaks.len() as u64 >= self.min_calls
            && hop.split() >= self.min_partial
            && hop.sureness() >= self.min_sureness
            && ![caller, callee].iter().any(|service| self.lossy.contains(service))
    }

    /// The callee reads what the caller sends with other calls: these had nothing to read.
    fn partly(&self, pair: Pair, hop: &Hop) -> Opinion {
        let (caller, callee) = pair;
        let because = format!("{} reads the context of the others, so these are sent without one", self.text(callee));
        let mut proof = self.neighbours(pair);
        proof.insert("only".to_owned(), json!(common::only(self.case.window, hop)));
        Opinion { verdict: Verdict::NotInjected, side: caller, weight: 0.75, because, proof }
    }

    /// What captured headers prove.
    fn by_wire(&self, (caller, callee): Pair, hop: &Hop) -> Option<Opinion> {
        let wire = Wire::read(self.case, hop);
        let side = self.side(caller, callee);
        if let (Some(format), Some((context, root))) = (wire.ignored_by_most(hop), wire.example) {
            let verdict = if format.is_b3() { Verdict::B3 } else { Verdict::Format };
            let because = format!(
                "{} sends {}, {} begins traces of its own",
                self.text(caller),
                wire.names().join(", "),
                self.text(callee)
            );
            let mut proof = Map::new();
            proof.insert("sent".to_owned(), json!(wire.names()));
            proof.insert("header_trace_id".to_owned(), json!(format!("{:032x}", context.trace_id)));
            proof.insert("callee_trace_id".to_owned(), json!(format!("{:032x}", self.case.window.trace_id(root))));
            return Some(Opinion { verdict, side, weight: 1.0, because, proof });
        }
        (self.capturing.contains(&callee) && wire.with_context == 0).then(|| Opinion {
            verdict: Verdict::NotInjected,
            side: caller,
            weight: 1.1,
            because: format!("{} captures headers, and these requests have none with a context", self.text(callee)),
            proof: Map::new(),
        })
    }

    /// Who has to change: the caller, if the callee understands others or the caller is understood nowhere; else the callee.
    fn side(&self, caller: Symbol, callee: Symbol) -> Symbol {
        let is_mute = !self.links_elsewhere(caller) && self.breaks_elsewhere(caller, callee);
        if self.reads_others(callee) || is_mute && !self.is_deaf(caller, callee) { caller } else { callee }
    }

    /// The callee begins new traces for other callers too, although these are understood elsewhere.
    fn is_deaf(&self, caller: Symbol, callee: Symbol) -> bool {
        !self.reads_others(callee)
            && self.to(callee).any(|(other, hop)| other != caller && self.is_broken(hop) && self.links_elsewhere(other))
    }

    fn breaks_elsewhere(&self, caller: Symbol, callee: Symbol) -> bool {
        self.from(caller).any(|(other, hop)| other != callee && self.is_broken(hop))
    }

    /// What the other hops of both services tell.
    fn by_neighbours(&self, pair: Pair, hop: &Hop) -> Opinion {
        let (caller, callee) = pair;
        let side = self.side(caller, callee);
        if let Some(crossing) = self.crossing(Some(hop)) {
            return self.crossed(pair, side, crossing);
        }
        if narrow_share(self.case, hop) >= self.min_narrow {
            return self.narrow(pair, side);
        }
        let is_deaf = self.is_deaf(caller, callee);
        if !is_deaf && (side == caller || !self.links_elsewhere(caller) || self.is_scope_alone(pair, hop)) {
            return self.not_injected(pair, hop);
        }
        let because = format!(
            "{} reads the context of no caller, while callers of it are understood elsewhere",
            self.text(callee)
        );
        Opinion { verdict: Verdict::Format, side, weight: 0.75, because, proof: Map::new() }
    }

    /// Other headers arrive: a client that sends them would have sent the context too, had it the callee's format.
    fn crossed(&self, (caller, callee): Pair, side: Symbol, crossing: Crossing) -> Opinion {
        let key = self.text(crossing.key);
        let because = format!(
            "{key} of {} arrives in {} all the same ({} of {} pairs agree), so headers are sent and read: the formats of the context differ",
            self.text(caller),
            self.text(callee),
            crossing.equal,
            crossing.pairs
        );
        let mut proof = self.neighbours((caller, callee));
        proof.insert("arrives".to_owned(), json!(key));
        Opinion { verdict: Verdict::Format, side, weight: 0.95, because, proof }
    }

    fn narrow(&self, (caller, callee): Pair, side: Symbol) -> Opinion {
        let because = format!(
            "trace ids of {} have 64 bits, as B3 has them, those of {} its own",
            self.text(caller),
            self.text(callee)
        );
        Opinion { verdict: Verdict::B3, side, weight: 0.65, because, proof: self.neighbours((caller, callee)) }
    }

    fn not_injected(&self, pair: Pair, hop: &Hop) -> Opinion {
        let (caller, callee) = pair;
        let client = scope(self.case, hop.breaks.iter().map(|one| one.call));
        let mut proof = self.neighbours(pair);
        proof.insert("client".to_owned(), json!(client));
        let (weight, reason) = match (self.reads_others(callee), self.links_elsewhere(caller)) {
            (true, true) => (1.0, "others are understood there, and other calls of it arrive"),
            (true, false) => (0.9, "others are understood there"),
            (false, true) => (0.85, "other calls of it arrive, made by another client library"),
            (false, false) => (0.7, "nothing shows whether context is sent"),
        };
        let because = format!("client {client} of {}: {reason}", self.text(caller));
        Opinion { verdict: Verdict::NotInjected, side: caller, weight, because, proof }
    }

    /// The library that made the broken calls makes none that arrive elsewhere: others of the caller do. One that is known sends
    /// what its process is set up to send, as the others show.
    fn is_scope_alone(&self, (caller, callee): Pair, hop: &Hop) -> bool {
        let own = scope(self.case, hop.breaks.iter().map(|one| one.call));
        if language::is_instrumented(own) {
            return false;
        }
        let working = self.from(caller).filter(|(to, hop)| *to != callee && self.works(hop));
        working.map(|(_, hop)| scope(self.case, self.calls_of(hop))).all(|other| other != own)
    }

    fn calls_of(&self, hop: &Hop) -> impl Iterator<Item = u32> {
        hop.linked.iter().map(|&span| self.case.window.parent[span as usize]).filter(|&call| call != NONE)
    }

    /// Which other hops of both services work: the strongest argument against a wrong guess.
    fn neighbours(&self, (caller, callee): Pair) -> Map<String, Value> {
        let linked = |hops: Vec<(Symbol, &Hop)>| {
            let mut names: Vec<&str> =
                hops.iter().filter(|(_, hop)| self.works(hop)).map(|&(other, _)| self.text(other)).collect();
            names.sort_unstable();
            json!(names)
        };
        let mut proof = Map::new();
        proof.insert("caller_links_to".to_owned(), linked(self.from(caller).collect()));
        proof.insert("callee_links_from".to_owned(), linked(self.to(callee).collect()));
        proof
    }

    pub(super) fn text(&self, symbol: Symbol) -> &str {
        self.case.window.text(symbol)
    }
}

fn cause(opinion: &Opinion) -> Cause {
    let (because, proof) = (opinion.because.clone(), opinion.proof.clone());
    Cause { verdict: opinion.verdict, side: opinion.side, hops: Vec::new(), weight: opinion.weight, because, proof }
}
