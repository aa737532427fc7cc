//! `gateway-strips-context`: requests that arrive by one hop have lost their context, others to the same service keep it.

use std::collections::{BTreeMap, BTreeSet};

use super::finding::{Draft, Example, Severity, Subject};
use super::hops::{self, Break, Hops};
use super::{Case, Rule, paths};
use crate::trace::window::{NONE, Role, Symbol, Window, key};

/// Requests of a service that came one way.
#[derive(Default)]
struct Way {
    linked: BTreeMap<Symbol, u64>,
    breaks: BTreeMap<Symbol, Vec<Break>>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let hops = hops::requests(case);
    let known = addresses(case.window);
    let mut drafts = Vec::new();
    for (callee, ways) in ways(case, &hops) {
        let stripping = ways.iter().filter(|(path, way)| !path.is_empty() && !known.contains(path) && is_stripped(way, rule));
        drafts.extend(stripping.filter_map(|(&path, way)| strips(case, rule, (callee, path), way, &ways)));
    }
    drafts.extend(restarts(case, rule));
    drafts
}

impl Way {
    fn broken(&self) -> u64 {
        self.breaks.values().map(|breaks| breaks.len() as u64).sum()
    }

    fn all(&self) -> u64 {
        self.broken() + self.linked.values().sum::<u64>()
    }
}

fn ways(case: &Case<'_>, hops: &Hops) -> BTreeMap<Symbol, BTreeMap<Symbol, Way>> {
    let mut ways: BTreeMap<Symbol, BTreeMap<Symbol, Way>> = BTreeMap::new();
    for (&(caller, callee), hop) in hops {
        let of_callee = ways.entry(callee).or_default();
        for &entry in &hop.linked {
            *of_callee.entry(paths::of(case, entry)).or_default().linked.entry(caller).or_default() += 1;
        }
        for one in &hop.breaks {
            of_callee.entry(paths::of(case, one.root)).or_default().breaks.entry(caller).or_default().push(*one);
        }
    }
    ways
}

/// Addresses of instances: what comes from there came from the caller itself.
fn addresses(window: &Window) -> BTreeSet<Symbol> {
    let pod = window.texts.find("k8s.pod.ip");
    let is_address = |name: Symbol| name == key::HOST_IP || Some(name) == pod;
    let all = window.resources.iter().flat_map(|resource| &resource.attributes);
    all.filter(|(name, _)| is_address(*name)).map(|&(_, value)| value).collect()
}

fn is_stripped(way: &Way, rule: &Rule) -> bool {
    way.broken() >= rule.count("min_calls") && way.broken() as f64 >= rule.threshold("min_broken_share") * way.all() as f64
}

/// Other ways keep the context, and it is not the caller that does not send it: one caller comes both ways, or several lose it.
fn strips(case: &Case<'_>, rule: &Rule, (callee, path): (Symbol, Symbol), way: &Way, ways: &BTreeMap<Symbol, Way>) -> Option<Draft> {
    let others: Vec<&Way> = ways.iter().filter(|(other, _)| **other != path).map(|(_, way)| way).collect();
    let (broken, all) = others.iter().fold((0, 0), |(broken, all), way| (broken + way.broken(), all + way.all()));
    let keeps = |caller: &Symbol| others.iter().any(|way| way.linked.contains_key(caller));
    let is_hop = way.breaks.keys().any(keeps) || way.breaks.len() > 1;
    if all < rule.count("min_calls") || broken as f64 > rule.threshold("max_other_share") * all as f64 || !is_hop {
        return None;
    }
    let window = case.window;
    let mut breaks: Vec<Break> = way.breaks.values().flatten().copied().collect();
    breaks.sort_by_key(|one| one.root);
    let draft = Draft {
        occurrences: way.broken(),
        out_of: way.all(),
        why: format!(
            "{} of {} requests that reach {} by way of {} begin new traces, {broken} of {all} that come another way",
            way.broken(), way.all(), window.text(callee), window.text(path)
        ),
        spans: breaks.iter().flat_map(|one| [one.call, one.root]).collect(),
        examples: super::breaks::examples(&breaks),
        ..Draft::new(Subject::Service(callee), callee, rule.confidence)
    };
    let callers: Vec<&str> = way.breaks.keys().map(|&caller| window.text(caller)).collect();
    Some(draft.proof("hop", window.text(path)).proof("callers", callers))
}

/// Requests whose root links to the caller: the service begins a new trace on purpose. No fault.
fn restarts(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut found: BTreeMap<Symbol, Vec<Example>> = BTreeMap::new();
    for link in &window.links {
        let root = link.from;
        let is_foreign = link.trace_id != 0 && link.trace_id != window.trace_id(root);
        if is_foreign && window.is_root(root) && window.role[root as usize] == Role::Server {
            let stitch = case.stitch_of(root).map_or(NONE, |stitch| stitch.parent);
            let before = if stitch == NONE { root } else { stitch };
            found.entry(window.service(root)).or_default().push(Example { before, after: root });
        }
    }
    found.into_iter().filter(|(_, list)| list.len() as u64 >= rule.count("min_restarts")).map(|(service, list)| restart(case, rule, service, &list)).collect()
}

fn restart(case: &Case<'_>, rule: &Rule, service: Symbol, list: &[Example]) -> Draft {
    let all = case.edges.services.get(&service).map_or(0, |known| known.entries.len() as u64);
    let count = list.len() as u64;
    let name = case.window.text(service);
    let draft = Draft {
        severity: Some(Severity::Info),
        occurrences: count,
        out_of: all.max(count),
        why: format!("{count} of {all} requests of {name} begin a new trace that links to the one they came with"),
        spans: list.iter().map(|one| one.after).collect(),
        examples: list.iter().copied().take(3).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    };
    draft.proof("sub_type", "restart")
}
