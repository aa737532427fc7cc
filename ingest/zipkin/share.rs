//! Takes apart the span ids that a client and its server share.
//!
//! Zipkin's B3 propagation lets a server go on with the span of its caller: both report a span of the same id, the server's
//! one with `shared: true`. Here the server's half gets an id of its own, a hash of trace, id and service, and becomes the child of
//! the client's half; spans of the server's service whose parent is the shared id become children of the server's half.
//!
//! The new id depends on the span alone, so that it is the same in every file and request. Whose child a span is has to be
//! looked up among the spans that are seen together (a run, see [`super::run`]).

use hashbrown::{HashMap, HashSet};
use xxhash_rust::xxh3::xxh3_64;

use crate::zipkin::span::ZipkinSpan;

/// The id and parent of a span where they are not the recorded ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub id: Option<u64>,
    pub parent: Option<u64>,
}

/// A span's id within its trace.
type Key = (u64, u64, u64);

/// What is known of the spans that are seen together.
#[derive(Debug, Default)]
pub(crate) struct Shares {
    clients: HashSet<Key>,
    /// Servers by id, with hashes of their services; `shared: true` or not.
    servers: HashMap<Key, Vec<(u64, bool)>>,
}

/// What of a span matters here.
#[derive(Debug, Clone, Copy)]
struct Facts {
    key: Key,
    parent: Option<Key>,
    role: Role,
    /// A hash; nothing where it is not known.
    service: Option<u64>,
}

/// Which part of a call a span may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    /// Whether it is marked as shared or not: some libraries mark the wrong half.
    Client,
    Server,
    /// Says itself that it goes on with a span of another.
    Sharer,
    /// Neither kind nor mark.
    Bare,
    Other,
}

impl Role {
    fn new(span: &ZipkinSpan<'_>) -> Self {
        let is = |kind: &[u8]| span.kind.eq_ignore_ascii_case(kind);
        match span.is_shared {
            _ if is(b"CLIENT") => Self::Client,
            true => Self::Sharer,
            false if is(b"SERVER") => Self::Server,
            false if span.kind.is_empty() => Self::Bare,
            false => Self::Other,
        }
    }
}

impl Facts {
    fn new(span: &ZipkinSpan<'_>) -> Self {
        let (trace, id, parent) = (span.trace_id.normal(16), span.id.normal(8), span.parent_id.normal(8));
        let service = &span.local.service;
        Self {
            key: (trace.hi, trace.lo, id.lo),
            parent: (parent.lo != 0).then_some((trace.hi, trace.lo, parent.lo)),
            role: Role::new(span),
            service: (!service.is_empty()).then(|| xxh3_64(&service.to_ascii_lowercase())),
        }
    }
}

impl Shares {
    pub(crate) fn clear(&mut self) {
        self.clients.clear();
        self.servers.clear();
    }

    /// Takes note of a span.
    pub(crate) fn note(&mut self, span: &ZipkinSpan<'_>) {
        let facts = Facts::new(span);
        match facts.role {
            Role::Client => {
                self.clients.insert(facts.key);
            }
            Role::Server | Role::Sharer => {
                let servers = self.servers.entry(facts.key).or_default();
                let server = (facts.service.unwrap_or_default(), facts.role == Role::Sharer);
                if !servers.contains(&server) {
                    servers.push(server);
                }
            }
            Role::Bare | Role::Other => {}
        }
    }

    /// Returns where a span belongs.
    pub(crate) fn place(&self, span: &ZipkinSpan<'_>) -> Place {
        let Facts { key, parent, role, service } = Facts::new(span);
        let is_half = match role {
            Role::Sharer => true,
            Role::Server => self.clients.contains(&key),
            // What a server tells later of its span may lack both kind and mark.
            Role::Bare => self.server(key, service).is_some(),
            Role::Client | Role::Other => false,
        };
        if is_half && key.2 != 0 {
            return Place { id: Some(server_id(key, service.unwrap_or_default())), parent: Some(key.2) };
        }
        let parent = parent.filter(|&parent| parent != key);
        let of_server = parent.and_then(|parent| Some(server_id(parent, self.server(parent, service)?)));
        Place { id: None, parent: of_server }
    }

    /// Returns the service whose half of a shared span a span of `service` belongs to or below, if the span is split at all.
    /// Without a service of its own it goes to the first: clients have no other children, as a rule.
    fn server(&self, key: Key, service: Option<u64>) -> Option<u64> {
        let has_client = self.clients.contains(&key);
        let mut halves = self.servers.get(&key)?.iter().filter(|(_, is_shared)| *is_shared || has_client);
        halves.find(|(one, _)| service.is_none_or(|service| service == *one)).map(|(one, _)| *one)
    }
}

/// Returns the id of a server's half. Where several services went on with one span, each gets its own.
fn server_id((hi, lo, id): Key, service: u64) -> u64 {
    let mut bytes = Vec::with_capacity(38);
    for number in [hi, lo, id, service] {
        bytes.extend_from_slice(&number.to_be_bytes());
    }
    bytes.extend_from_slice(b"server");
    xxh3_64(&bytes).max(1)
}
