//! Leaks that URLs tell: the number in a called URL is not that of the request, but that of another one in work.

use hashbrown::HashMap;

use super::requests::Request;
use super::{Leak, Rule};
use crate::trace::window::{Symbol, Window, key};

/// So many spans below a call are searched for a number.
const MAX_SPANS: usize = 64;

/// A call whose URL has no number of its request.
struct Stranger<'w> {
    call: u32,
    under: u32,
    called: Vec<&'w str>,
}

/// Requests of one process by the numbers in their URLs, by start.
type Index<'w> = HashMap<&'w str, Vec<u32>>;

/// Returns the leaks of a service; nothing where its requests and their calls do not share numbers as a rule, or numbers are
/// so few that chance finds them in any request.
pub(super) fn leaks(window: &Window, rule: &Rule, instances: &[Vec<Request>]) -> Option<Vec<Leak>> {
    let (mut compared, mut strange) = (0, 0);
    let (mut leaks, mut by_chance) = (Vec::new(), 0_u64);
    for requests in instances {
        let (count, strangers) = strangers(window, requests);
        (compared, strange) = (compared + count, strange + strangers.len() as u64);
        if !strangers.is_empty() {
            let index = index(window, requests);
            leaks.extend(strangers.iter().filter_map(|one| leak(window, &index, one, 0)));
            let shift = shift(window, requests);
            by_chance += strangers.iter().filter_map(|one| leak(window, &index, one, shift)).count() as u64;
        }
    }
    let agree = 1.0 - strange as f64 / compared.max(1) as f64;
    let is_sure = by_chance as f64 <= rule.threshold("max_by_chance") * leaks.len() as f64;
    (compared >= rule.count("min_compared") && agree >= rule.threshold("min_agreement") && is_sure).then_some(leaks)
}

/// How many calls could be compared, and which of them have no number of their request.
fn strangers<'w>(window: &'w Window, requests: &[Request]) -> (u64, Vec<Stranger<'w>>) {
    let (mut compared, mut strangers) = (0, Vec::new());
    for request in requests {
        let own = numbers(window, request.entry);
        for &call in request.exits.iter().filter(|_| !own.is_empty()) {
            let called = below(window, call);
            compared += u64::from(!called.is_empty());
            if !called.is_empty() && !shares(&own, &called) {
                strangers.push(Stranger { call, under: request.entry, called });
            }
        }
    }
    (compared, strangers)
}

fn index<'w>(window: &'w Window, requests: &[Request]) -> Index<'w> {
    let mut index = Index::new();
    for request in requests {
        for number in numbers(window, request.entry) {
            index.entry(number).or_default().push(request.entry);
        }
    }
    index
}

/// Half of the time that is looked at: so far away no request has to do with a call.
fn shift(window: &Window, requests: &[Request]) -> i64 {
    let start = |request: Option<&Request>| request.map_or(0, |request| window.start_ns[request.entry as usize]);
    start(requests.last()).saturating_sub(start(requests.first())) / 2
}

/// The request that has a number of the call and was in work when it began, or so much earlier or later.
fn leak(window: &Window, index: &Index<'_>, stranger: &Stranger<'_>, shift_ns: i64) -> Option<Leak> {
    let start = window.start_ns[stranger.call as usize];
    let moments = [start.saturating_add(shift_ns), start.saturating_sub(shift_ns)];
    let known = stranger.called.iter().filter_map(|number| index.get(number));
    let of = known.flat_map(|entries| moments.map(|at| in_work(window, entries, at, stranger.under))).flatten().next()?;
    Some(Leak { call: stranger.call, under: stranger.under, of })
}

/// The latest of these requests that is in work at a moment, another one than `not`.
fn in_work(window: &Window, entries: &[u32], at: i64, not: u32) -> Option<u32> {
    const MAX_BACK: usize = 64;
    let begun = entries.partition_point(|&entry| window.start_ns[entry as usize] <= at);
    let is_it = |&&entry: &&u32| entry != not && window.end_ns[entry as usize] >= at;
    entries[..begun].iter().rev().take(MAX_BACK).find(is_it).copied()
}

fn shares(own: &[&str], called: &[&str]) -> bool {
    own.iter().any(|number| called.contains(number))
}

/// The numbers in the URLs of a call and of what it led to.
fn below(window: &Window, call: u32) -> Vec<&str> {
    let (mut found, mut open, mut seen) = (numbers(window, call), vec![call], 0);
    while let Some(span) = open.pop() {
        for &child in window.children(span).iter().take(MAX_SPANS) {
            found.extend(numbers(window, child));
            open.push(child);
        }
        seen += 1;
        if !found.is_empty() || seen > MAX_SPANS {
            break;
        }
    }
    found
}

/// The parts of a span's URL that could name something: three characters or more with a digit.
fn numbers(window: &Window, span: u32) -> Vec<&str> {
    const URLS: [Symbol; 4] = [key::URL_PATH, key::HTTP_TARGET, key::URL_FULL, key::URL_QUERY];
    let urls = window.attributes(span).iter().filter(|(key, _)| URLS.contains(key));
    let parts = urls.flat_map(|&(_, value)| path(window.text(value)).split(['/', '?', '&', '=', '#', ';']));
    parts.filter(|part| part.len() > 2 && part.bytes().any(|byte| byte.is_ascii_digit())).collect()
}

/// What follows scheme and host.
fn path(url: &str) -> &str {
    match url.split_once("://") {
        Some((_, rest)) => rest.split_once('/').map_or("", |(_, path)| path),
        None => url,
    }
}
