//! `span-kind-missing`: spans at the boundary of a service that are recorded as internal, or with no kind.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::finding::{Draft, Example, Subject};
use super::{Case, Rule};
use crate::trace::window::{NONE, Role, Symbol, Window};

const INTERNAL: u8 = 1;

/// A service and an instrumentation scope.
type Source = (Symbol, Symbol);

/// Spans that face another service.
#[derive(Debug, Default)]
struct Facing {
    all: usize,
    wrong: Vec<(u32, Role)>,
}

pub(super) fn detect(case: &Case<'_>, rule: &Rule) -> Vec<Draft> {
    let window = case.window;
    let mut sources: BTreeMap<Source, Facing> = BTreeMap::new();
    for span in window.spans() {
        let role = role_at_boundary(case, span);
        if role == Role::Internal {
            continue;
        }
        let scope = window.scopes.get(window.scope[span as usize] as usize).copied().unwrap_or_default();
        let facing = sources.entry((window.service(span), scope.name)).or_default();
        facing.all += 1;
        if window.kind[span as usize] <= INTERNAL {
            facing.wrong.push((span, role));
        }
    }
    sources.retain(|_, facing| facing.is_found(rule));
    let mut services: BTreeMap<Symbol, Vec<(Symbol, Facing)>> = BTreeMap::new();
    for ((service, scope), facing) in sources {
        services.entry(service).or_default().push((scope, facing));
    }
    services.into_iter().map(|(service, facing)| draft(window, rule, service, &facing)).collect()
}

impl Facing {
    fn is_found(&self, rule: &Rule) -> bool {
        let wrong = self.wrong.len();
        wrong as u64 >= rule.count("min_spans").max(1) && wrong as f64 >= rule.threshold("min_share") * self.all as f64
    }
}

/// Returns what a span is at the boundary of its service: by its kind, else by attributes, else by what it is linked with. A
/// span around another of that kind in the same process is no boundary: it wraps one.
fn role_at_boundary(case: &Case<'_>, span: u32) -> Role {
    let window = case.window;
    let recorded = window.kind[span as usize];
    if recorded > INTERNAL {
        return window.role[span as usize];
    }
    let parent = window.parent[span as usize];
    let is_local = |other: u32| window.instance(other) == window.instance(span);
    let role = match window.role[span as usize] {
        Role::Internal => by_links(window, span),
        by_attributes => by_attributes,
    };
    let is_role = |other: &u32| is_local(*other) && window.role[*other as usize] == role;
    let wraps = window.children(span).iter().any(is_role);
    let is_wrapped = parent != NONE && is_role(&parent);
    if role == Role::Internal || wraps || is_wrapped { Role::Internal } else { role }
}

/// Whose parent is a call of another service is a server span; whose child is a server span of another one is a call.
fn by_links(window: &Window, span: u32) -> Role {
    let is_other = |other: u32| window.service(other) != window.service(span);
    let parent = window.parent[span as usize];
    if parent != NONE && is_other(parent) {
        return if window.role[parent as usize] == Role::Producer { Role::Consumer } else { Role::Server };
    }
    let calls = window.children(span).iter().find(|&&child| is_other(child));
    match calls.map(|&child| window.role[child as usize]) {
        Some(Role::Consumer) => Role::Producer,
        Some(_) => Role::Client,
        None => Role::Internal,
    }
}

fn draft(window: &Window, rule: &Rule, service: Symbol, scopes: &[(Symbol, Facing)]) -> Draft {
    let mut spans: Vec<(u32, Role)> = scopes.iter().flat_map(|(_, facing)| facing.wrong.iter().copied()).collect();
    spans.sort_unstable();
    let all: usize = scopes.iter().map(|(_, facing)| facing.all).sum();
    let mut kinds: BTreeMap<&str, u64> = BTreeMap::new();
    spans.iter().for_each(|&(_, role)| *kinds.entry(name(role)).or_default() += 1);
    let (service_name, count) = (window.text(service), spans.len());
    let listed: Vec<String> = kinds.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
    Draft {
        occurrences: count as u64,
        out_of: all as u64,
        why: format!("{count} of {all} spans at the boundary of {service_name} have no kind, or internal: by their attributes and links they are {}", listed.join(", ")),
        examples: spans.iter().map(|&(span, _)| Example { before: span, after: span }).take(3).collect(),
        spans: spans.into_iter().map(|(span, _)| span).collect(),
        ..Draft::new(Subject::Service(service), service, rule.confidence)
    }
    .proof("kinds", json!(kinds))
    .proof("scopes", scopes.iter().map(|(scope, facing)| json!({"scope": window.text(*scope), "wrong": facing.wrong.len(), "of": facing.all})).collect::<Value>())
}

fn name(role: Role) -> &'static str {
    match role {
        Role::Internal => "internal",
        Role::Server => "server",
        Role::Client => "client",
        Role::Producer => "producer",
        Role::Consumer => "consumer",
    }
}
