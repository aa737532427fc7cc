//! `mesh-hop-split`: sidecars write spans, but the service between them does not pass headers on, so that each hop of the
//! mesh is a trace of its own.

use std::collections::BTreeMap;

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{Symbol, Window};

/// The keys that Envoy writes, as far as the window has them.
struct Keys {
    component: Option<Symbol>,
    cluster: Option<Symbol>,
    node: Option<Symbol>,
    request: Option<Symbol>,
}

/// The sidecar of one pod.
#[derive(Default)]
struct Sidecar {
    service: Symbol,
    inbound: Vec<u32>,
    outbound: Vec<u32>,
}

/// An outbound root, and the inbound span that it belongs to.
struct Pair {
    inbound: u32,
    outbound: u32,
    /// Both have the same `x-request-id`.
    is_exact: bool,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let keys = Keys::of(window);
    if keys.component.is_none() && keys.cluster.is_none() {
        return Vec::new();
    }
    let mut services: BTreeMap<Symbol, (u64, Vec<Pair>)> = BTreeMap::new();
    for sidecar in sidecars(window, &keys).into_values() {
        let roots: Vec<u32> = sidecar.outbound.iter().copied().filter(|&span| window.is_root(span)).collect();
        let (all, pairs) = services.entry(sidecar.service).or_default();
        *all += sidecar.outbound.len() as u64;
        pairs.extend(roots.into_iter().filter_map(|outbound| pair(window, &keys, &sidecar.inbound, outbound)));
    }
    let sizes = sizes(window);
    let split = services.into_iter().filter(|(_, (all, pairs))| is_split(rule, *all, pairs));
    split.map(|(service, (all, pairs))| draft(window, rule, service, all, &pairs, &sizes)).collect()
}

impl Keys {
    fn of(window: &Window) -> Self {
        let find = |name: &str| window.texts.find(name);
        Self { component: find("component"), cluster: find("upstream_cluster"), node: find("node_id"), request: find("guid:x-request-id") }
    }
}

fn get(window: &Window, span: u32, key: Option<Symbol>) -> Option<Symbol> {
    let key = key?;
    window.attributes(span).iter().find(|(name, _)| *name == key).map(|&(_, value)| value)
}

/// Sidecars by node. Where a service writes spans of its own beside them, headers are its SDK's affair.
fn sidecars(window: &Window, keys: &Keys) -> BTreeMap<Symbol, Sidecar> {
    let mut sidecars: BTreeMap<Symbol, Sidecar> = BTreeMap::new();
    for span in window.spans() {
        let is_proxy = get(window, span, keys.component).is_some_and(|value| window.text(value) == "proxy");
        let Some(cluster) = get(window, span, keys.cluster).map(|value| window.text(value)) else { continue };
        let node = get(window, span, keys.node).unwrap_or_else(|| window.instance(span));
        let sidecar = sidecars.entry(node).or_default();
        sidecar.service = window.service(span);
        if cluster.starts_with("inbound|") {
            sidecar.inbound.push(span);
        } else if is_proxy && cluster.starts_with("outbound|") {
            sidecar.outbound.push(span);
        }
    }
    sidecars
}

/// The latest inbound request of the pod that is open when the outbound one begins; the one with its request id, if any.
fn pair(window: &Window, keys: &Keys, inbound: &[u32], outbound: u32) -> Option<Pair> {
    const MAX_BACK: usize = 256;
    let at = window.start_ns[outbound as usize];
    let begun = inbound.partition_point(|&span| window.start_ns[span as usize] <= at);
    let is_open = |span: &&u32| {
        at <= window.end_ns[**span as usize] && window.trace[**span as usize] != window.trace[outbound as usize]
    };
    let open: Vec<u32> = inbound[..begun].iter().rev().take(MAX_BACK).filter(is_open).copied().collect();
    let request = get(window, outbound, keys.request);
    let same = open.iter().find(|&&span| request.is_some() && get(window, span, keys.request) == request);
    let &inbound = same.or(open.first())?;
    Some(Pair { inbound, outbound, is_exact: same.is_some() })
}

fn is_split(rule: &Rule, all: u64, pairs: &[Pair]) -> bool {
    let count = pairs.len() as u64;
    count >= rule.count("min_calls") && count as f64 >= rule.threshold("min_share") * all as f64
}

/// Spans a trace.
fn sizes(window: &Window) -> Vec<u32> {
    let mut sizes = vec![0; window.traces.len()];
    for &trace in &window.trace {
        sizes[trace as usize] += 1;
    }
    sizes
}

fn draft(window: &Window, rule: &Rule, service: Symbol, all: u64, pairs: &[Pair], sizes: &[u32]) -> Draft {
    let count = pairs.len() as u64;
    let exact = pairs.iter().filter(|pair| pair.is_exact).count() as u64;
    let mut of_traces: Vec<u32> = pairs.iter().map(|pair| sizes[window.trace[pair.outbound as usize] as usize]).collect();
    of_traces.sort_unstable();
    let median = of_traces.get(of_traces.len() / 2).copied().unwrap_or(0);
    let name = window.text(service);
    let forwards = if exact * 2 > count { format!("; {name} forwards x-request-id but not the trace headers") } else { String::new() };
    let weight = if exact * 2 > count { 1.0 } else { rule.threshold("weight_by_time") };
    let draft = Draft {
        occurrences: count,
        out_of: all,
        why: format!("{count} of {all} calls that the sidecar of {name} passes on begin a new trace inside a request that it let in{forwards}"),
        spans: pairs.iter().flat_map(|pair| [pair.inbound, pair.outbound]).collect(),
        examples: pairs.iter().map(|pair| Example { before: pair.inbound, after: pair.outbound }).take(3).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence * weight)
    };
    draft.proof("same_request_id", exact).proof("median_spans_per_trace", median)
}
