//! What is called: the method, path or destination that both ends of a call agree on.

use hashbrown::HashMap;

use crate::trace::window::{Role, Symbol, Window, key};

/// How the two ends talk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub(crate) enum Protocol {
    /// Nothing is known but the name of the span.
    #[default]
    Named,
    Http,
    Rpc,
    Message,
}

/// One operation, as one end tells it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub(crate) struct Operation {
    pub(crate) protocol: Protocol,
    /// HTTP method, full RPC method, destination or name of the span.
    pub(crate) what: String,
    /// Template of the path: of a call, ids are `*`. Empty where it is not known.
    pub(crate) path: String,
}

impl Operation {
    /// Reads the operation of a span that is one end of a call, in lower case: the two ends may write it differently.
    pub(super) fn of(window: &Window, span: u32) -> Self {
        let recorded = Self::as_recorded(window, span);
        Self { what: recorded.what.to_lowercase(), path: recorded.path.to_lowercase(), ..recorded }
    }

    /// Reads the operation of a span, in the case that it was recorded in.
    pub(crate) fn as_recorded(window: &Window, span: u32) -> Self {
        let get = |key: Symbol| own(window, span, key);
        let name = window.text(window.name[span as usize]);
        let role = window.role[span as usize];
        if matches!(role, Role::Producer | Role::Consumer) || get(key::MESSAGING_DESTINATION_NAME).is_some() {
            let destination = get(key::MESSAGING_DESTINATION_NAME).map_or_else(|| destination(name), str::to_owned);
            return Self { protocol: Protocol::Message, what: destination, path: String::new() };
        }
        // The name of a span tells a method only where no attribute says that it is another protocol's.
        let name_of_rpc = if get(key::HTTP_REQUEST_METHOD).is_some() { "" } else { name };
        if let Some(method) = rpc_method(get(key::RPC_SERVICE), get(key::RPC_METHOD), name_of_rpc) {
            return Self { protocol: Protocol::Rpc, what: method, path: String::new() };
        }
        let Some(method) = get(key::HTTP_REQUEST_METHOD).map(str::to_owned).or_else(|| method(name)) else {
            return Self { protocol: Protocol::Named, what: name.to_owned(), path: String::new() };
        };
        Self { protocol: Protocol::Http, what: method, path: template(window, span, role) }
    }

    /// Tells whether a call of this operation can be the callee's operation `other`.
    pub(super) fn fits(&self, other: &Self) -> bool {
        self.protocol == other.protocol && self.what == other.what && path_fits(&self.path, &other.path)
    }
}

/// Returns an attribute of the span itself, unless it is empty.
pub(crate) fn own(window: &Window, span: u32, key: Symbol) -> Option<&str> {
    let found = window.attributes(span).iter().find(|(name, _)| *name == key);
    found.map(|&(_, value)| window.text(value)).filter(|value| !value.is_empty())
}

/// Returns the path as it was asked for; nothing where it is not known.
pub(crate) fn path(window: &Window, span: u32) -> Option<&str> {
    let raw = [key::URL_PATH, key::HTTP_TARGET, key::URL_FULL].into_iter().find_map(|key| own(window, span, key))?;
    let path = raw.split_once("://").map_or(raw, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    path.split(['?', '#']).next().filter(|path| !path.is_empty())
}

fn template(window: &Window, span: u32, role: Role) -> String {
    let known = if role == Role::Server { key::HTTP_ROUTE } else { key::URL_TEMPLATE };
    let from_name = || {
        let name = window.text(window.name[span as usize]);
        let path = name.split(' ').find(|word| word.starts_with('/'))?;
        Some(if path.contains([':', '<', '{', '*']) { path.to_owned() } else { shape(path) })
    };
    let raw = || path(window, span).map(shape);
    let known = own(window, span, known).map(str::to_owned);
    let found = if role == Role::Server {
        known.or_else(from_name).or_else(raw)
    } else {
        known.or_else(raw).or_else(from_name)
    };
    found.unwrap_or_default()
}

/// Puts `*` for the segments of a path that look like ids.
fn shape(path: &str) -> String {
    let segments = path.split('/').map(|part| if has_digit(part) { "*" } else { part });
    segments.collect::<Vec<_>>().join("/")
}

/// The name of a span begins with the HTTP method, also after the word HTTP.
fn method(name: &str) -> Option<String> {
    const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "TRACE"];
    let mut words = name.split(' ').filter(|word| !word.eq_ignore_ascii_case("http"));
    words.next().filter(|word| METHODS.contains(word)).map(str::to_owned)
}

/// The full method: package, service and method with a slash between.
fn rpc_method(service: Option<&str>, method: Option<&str>, name: &str) -> Option<String> {
    let full = match (service, method) {
        (_, Some(method)) if method.contains('/') => method.to_owned(),
        (Some(service), Some(method)) => format!("{service}/{method}"),
        _ => {
            let name = name.strip_prefix("grpc.").unwrap_or(name).trim_start_matches('/');
            let (service, method) = name.split_once('/')?;
            let is_plain =
                |part: &str| !part.is_empty() && part.chars().all(|c| c.is_alphanumeric() || "._$".contains(c));
            (service.contains('.') && is_plain(service) && is_plain(method)).then(|| name.to_owned())?
        }
    };
    Some(full.trim_start_matches('/').to_owned())
}

/// The name of a span of messaging is an operation and a destination, in either order.
fn destination(name: &str) -> String {
    const VERBS: [&str; 9] =
        ["send", "publish", "create", "process", "receive", "deliver", "consume", "poll", "settle"];
    let words = name.split(' ').filter(|word| !VERBS.contains(&word.to_lowercase().as_str()));
    words.collect::<Vec<_>>().join(" ")
}

/// Tells whether a path of a call fits the template of a route; one may have leading segments that a proxy adds or takes.
fn path_fits(call: &str, route: &str) -> bool {
    if call.is_empty() || route.is_empty() {
        return true;
    }
    let call: Vec<&str> = call.trim_matches('/').rsplit('/').collect();
    let route: Vec<&str> = route.trim_matches('/').rsplit('/').collect();
    if route.first().is_some_and(|last| is_rest(last)) {
        return rest_fits(&call, &route);
    }
    call.iter()
        .zip(&route)
        .all(|(part, template)| is_wild(template) || part == template || (*part == "*" && has_digit(template)))
}

/// A route whose last segment takes all that follows is compared from its begin.
fn rest_fits(call: &[&str], route: &[&str]) -> bool {
    let literal = route.iter().rev().take(route.len() - 1);
    call.len() + 1 >= route.len()
        && call.iter().rev().zip(literal).all(|(part, template)| is_wild(template) || part == template)
}

pub(crate) fn is_rest(template: &str) -> bool {
    template == "*" || template.starts_with("{*") || template.starts_with("<path:") || template.starts_with("**")
}

pub(crate) fn has_digit(part: &str) -> bool {
    part.bytes().any(|byte| byte.is_ascii_digit())
}

pub(crate) fn is_wild(template: &str) -> bool {
    template.contains('*') || template.starts_with(':') || template.contains(['<', '{', '['])
}

/// Numbers for operations; the same question is answered once.
#[derive(Debug, Default)]
pub(super) struct Operations {
    numbers: HashMap<Operation, u32>,
    all: Vec<Operation>,
}

impl Operations {
    pub(super) fn number(&mut self, operation: Operation) -> u32 {
        let next = self.all.len() as u32;
        let Self { numbers, all } = self;
        *numbers.entry(operation).or_insert_with_key(|operation| {
            all.push(operation.clone());
            next
        })
    }

    pub(super) fn get(&self, number: u32) -> &Operation {
        &self.all[number as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::{destination, method, path_fits, rpc_method, shape};

    #[test]
    fn paths_fit_templates() {
        let fits = |call: &str, route: &str| path_fits(&shape(call), route);
        assert!(
            fits("/stock/1002", "/stock/<int:id>")
                && fits("/api/stock/1002", "/stock/:id")
                && fits("/stock/7", "/stock/{id}")
        );
        assert!(fits("/files/a/b", "/files/*") && fits("", "/x"));
        assert!(!fits("/stock/1002/reserve", "/stock/<int:id>") && !fits("/orders", "/orders/<int:id>/refund"));
    }

    #[test]
    fn names_tell_what_attributes_do_not() {
        assert_eq!(method("HTTP GET /hotels").as_deref(), Some("GET"));
        assert_eq!(rpc_method(None, None, "/search.Search/Nearby").as_deref(), Some("search.Search/Nearby"));
        assert_eq!(rpc_method(None, None, "grpc.shop.v1.Payments/Charge").as_deref(), Some("shop.v1.Payments/Charge"));
        assert_eq!(rpc_method(Some("a.B"), Some("C"), "x").as_deref(), Some("a.B/C"));
        assert_eq!(rpc_method(None, None, "GET /a/b"), None);
        assert_eq!((destination("send orders"), destination("orders process")), ("orders".into(), "orders".into()));
    }
}
