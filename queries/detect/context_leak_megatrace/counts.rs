//! Leaks that numbers of calls tell: a request has one more than its kind has, and one in work beside it has one less.

use std::collections::BTreeMap;

use super::requests::{Request, in_work};
use super::{Leak, Rule};
use crate::trace::window::{Symbol, Window};

/// Name of the entry, name of the exit.
type Kind = (Symbol, Symbol);

/// How many calls of one name requests of one name make.
#[derive(Debug, Default)]
struct Usual {
    /// By number of calls; requests without any are not in it.
    seen: BTreeMap<u64, u64>,
}

struct Numbers {
    usual: BTreeMap<Kind, u64>,
    /// Exit names by entry name.
    names: BTreeMap<Symbol, Vec<Symbol>>,
}

/// A call too many, and whether a request in work lacks it.
struct Surplus {
    call: u32,
    under: u32,
    lacking: Option<u32>,
    /// The chance that some request in work lacks such a call anyway.
    chance: f64,
}

/// Returns the leaks of a service, unless chance would find as many.
pub(super) fn leaks(window: &Window, rule: &Rule, instances: &[Vec<Request>]) -> Vec<Leak> {
    let numbers = numbers(window, rule, instances);
    let lacking = lacking_share(window, &numbers, instances);
    let surplus: Vec<Surplus> =
        instances.iter().flat_map(|requests| surpluses(window, &numbers, requests, &lacking)).collect();
    let found = surplus.iter().filter(|one| one.lacking.is_some()).count() as f64;
    let chance: f64 = surplus.iter().map(|one| one.chance).sum();
    let rest = surplus.len() as f64 - chance;
    if rest <= 0.0 || (found - chance) / rest < rule.threshold("min_excess") {
        return Vec::new();
    }
    surplus.iter().filter_map(|one| Some(Leak { call: one.call, under: one.under, of: one.lacking? })).collect()
}

fn count_of(window: &Window, request: &Request, name: Symbol) -> u64 {
    request.exits.iter().filter(|&&exit| window.name[exit as usize] == name).count() as u64
}

/// Learns how many calls of each name requests of each name make, where most make the same number.
fn numbers(window: &Window, rule: &Rule, instances: &[Vec<Request>]) -> Numbers {
    let mut requests: BTreeMap<Symbol, u64> = BTreeMap::new();
    let mut seen: BTreeMap<Kind, Usual> = BTreeMap::new();
    for request in instances.iter().flatten() {
        let entry = window.name[request.entry as usize];
        *requests.entry(entry).or_default() += 1;
        for (name, count) in by_name(window, request) {
            *seen.entry((entry, name)).or_default().seen.entry(count).or_default() += 1;
        }
    }
    let mut numbers = Numbers { usual: BTreeMap::new(), names: BTreeMap::new() };
    for ((entry, name), usual) in seen {
        let all = requests.get(&entry).copied().unwrap_or(0);
        if let Some(count) = usual.of(all, rule) {
            numbers.usual.insert((entry, name), count);
            numbers.names.entry(entry).or_default().push(name);
        }
    }
    numbers
}

impl Usual {
    /// The number that most of `all` requests have.
    fn of(&self, all: u64, rule: &Rule) -> Option<u64> {
        let some: u64 = self.seen.values().sum();
        let none = (0, all.saturating_sub(some));
        let each = self.seen.iter().map(|(&count, &requests)| (count, requests)).chain([none]);
        let (count, most) = each.max_by_key(|&(count, requests)| (requests, count))?;
        let is_usual = all >= rule.count("min_requests") && most as f64 >= rule.threshold("min_usual_share") * all as f64;
        is_usual.then_some(count)
    }
}

fn by_name(window: &Window, request: &Request) -> BTreeMap<Symbol, u64> {
    let mut counts = BTreeMap::new();
    for &exit in &request.exits {
        *counts.entry(window.name[exit as usize]).or_default() += 1;
    }
    counts
}

/// Share of requests that lack a call, by its name.
fn lacking_share(window: &Window, numbers: &Numbers, instances: &[Vec<Request>]) -> BTreeMap<Symbol, f64> {
    let (mut lacking, mut all): (BTreeMap<Symbol, u64>, u64) = (BTreeMap::new(), 0);
    for request in instances.iter().flatten() {
        all += 1;
        for &name in numbers.names.get(&window.name[request.entry as usize]).into_iter().flatten() {
            *lacking.entry(name).or_default() += u64::from(lacks(window, numbers, request, name));
        }
    }
    lacking.into_iter().map(|(name, count)| (name, count as f64 / all.max(1) as f64)).collect()
}

fn lacks(window: &Window, numbers: &Numbers, request: &Request, name: Symbol) -> bool {
    let usual = numbers.usual.get(&(window.name[request.entry as usize], name));
    usual.is_some_and(|&usual| count_of(window, request, name) < usual)
}

/// Finds what is too many in one process. Each request that lacks a call is taken once a missing call.
fn surpluses(
    window: &Window,
    numbers: &Numbers,
    requests: &[Request],
    shares: &BTreeMap<Symbol, f64>,
) -> Vec<Surplus> {
    let mut taken: BTreeMap<(u32, Symbol), u64> = BTreeMap::new();
    let mut found = Vec::new();
    for request in requests {
        for (name, count) in by_name(window, request) {
            let Some(&usual) = numbers.usual.get(&(window.name[request.entry as usize], name)) else { continue };
            for call in extra(window, request, name, count.saturating_sub(usual)) {
                let at = window.start_ns[call as usize];
                let others: Vec<&Request> = in_work(window, requests, at).filter(|one| one.entry != request.entry).collect();
                let lacking = others.iter().find(|one| has_room(window, numbers, one, name, &mut taken));
                let share = shares.get(&name).copied().unwrap_or(0.0).min(1.0);
                let chance = 1.0 - (1.0 - share).powf(others.len() as f64);
                found.push(Surplus { call, under: request.entry, lacking: lacking.map(|one| one.entry), chance });
            }
        }
    }
    found
}

/// The last calls of a name: those that the request made itself came first.
fn extra(window: &Window, request: &Request, name: Symbol, count: u64) -> Vec<u32> {
    let of_name = request.exits.iter().rev().copied().filter(|&exit| window.name[exit as usize] == name);
    of_name.take(count as usize).collect()
}

fn has_room(
    window: &Window,
    numbers: &Numbers,
    request: &Request,
    name: Symbol,
    taken: &mut BTreeMap<(u32, Symbol), u64>,
) -> bool {
    let Some(&usual) = numbers.usual.get(&(window.name[request.entry as usize], name)) else { return false };
    let missing = usual.saturating_sub(count_of(window, request, name));
    let used = taken.entry((request.entry, name)).or_default();
    let is_free = *used < missing;
    *used += u64::from(is_free);
    is_free
}
