//! Leaks that URLs tell: the number in a called URL is not that of the request, but that of another one in work.

use super::requests::{Request, in_work};
use super::{Leak, Rule};
use crate::trace::window::{Symbol, Window, key};

/// So many spans below a call are searched for a number.
const MAX_SPANS: usize = 64;

/// Returns the leaks of a service; nothing where its requests and their calls do not share numbers as a rule.
pub(super) fn leaks(window: &Window, rule: &Rule, instances: &[Vec<Request>]) -> Option<Vec<Leak>> {
    let (mut compared, mut strangers) = (0_u64, Vec::new());
    for requests in instances {
        for request in requests {
            let own = numbers(window, request.entry);
            for &call in request.exits.iter().filter(|_| !own.is_empty()) {
                let called = below(window, call);
                compared += u64::from(!called.is_empty());
                if !called.is_empty() && !shares(&own, &called) {
                    strangers.push((requests, request.entry, call, called));
                }
            }
        }
    }
    let agree = 1.0 - strangers.len() as f64 / compared.max(1) as f64;
    if compared < rule.count("min_compared") || agree < rule.threshold("min_agreement") {
        return None;
    }
    let leak = |(requests, under, call, called): &(&Vec<Request>, u32, u32, Vec<&str>)| {
        let mut others = in_work(window, requests, window.start_ns[*call as usize]).filter(|other| other.entry != *under);
        let of = others.find(|other| shares(&numbers(window, other.entry), called))?.entry;
        Some(Leak { call: *call, under: *under, of })
    };
    Some(strangers.iter().filter_map(leak).collect())
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
