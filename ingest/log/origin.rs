//! The resources of log records: services and hosts.

use hashbrown::HashMap;

use crate::batch::{Batch, Resource, Scope};
use crate::otlp::text::{replace, write_string};

/// The resources of the batch that is being filled.
#[derive(Debug, Default)]
pub(crate) struct Origins {
    numbers: HashMap<(Vec<u8>, Vec<u8>), u32>,
    /// The one of the last record.
    service: Vec<u8>,
    host: Vec<u8>,
    number: u32,
}

impl Origins {
    /// Returns the number of a resource in the batch, which holds it from now on.
    #[inline]
    pub(crate) fn number(&mut self, batch: &mut Batch, service: &[u8], host: &[u8]) -> u32 {
        if !batch.resources.is_empty() && is_same(&self.service, service) && is_same(&self.host, host) {
            return self.number;
        }
        if batch.resources.is_empty() {
            self.numbers.clear();
            batch.scopes.push(Scope { attributes: "{}".to_owned(), ..Scope::default() });
        }
        replace(&mut self.service, service);
        replace(&mut self.host, host);
        let key = (service.to_vec(), host.to_vec());
        self.number = *self.numbers.entry(key).or_insert_with(|| {
            batch.resources.push(resource(service, host));
            u32::try_from(batch.resources.len() - 1).unwrap_or(u32::MAX)
        });
        self.number
    }
}

/// Compares texts, of which most are empty: `memcmp` is slow on those, which have no memory of their own.
#[inline]
fn is_same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one.is_empty() || one == other)
}

fn resource(service: &[u8], host: &[u8]) -> Resource {
    let mut json = b"{".to_vec();
    for (key, value) in [(&b"\"service.name\":"[..], service), (b"\"host.name\":", host)] {
        if !value.is_empty() {
            json.extend_from_slice(if json.len() > 1 { b"," } else { b"" });
            json.extend_from_slice(key);
            write_string(&mut json, value);
        }
    }
    json.push(b'}');
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let service = if service.is_empty() { "unknown_service".to_owned() } else { text(service) };
    Resource { service, attributes: text(&json), ..Resource::default() }
}
