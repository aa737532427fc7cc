//! Puts records into batches: interns resources and scopes, closes batches when they are full.
//!
//! A resource is known for good only where its object ends: `schemaUrl` stands after the spans, and in JSON `resource`
//! may stand there too. So rows get their resource and scope when those end. A batch that is full before is held back
//! until then; of a resource so large that [`MAX_HELD`] records wait for its end, the first ones are passed on with what
//! is known, and a reject says so where that turns out to be wrong.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::{DefaultHashBuilder, HashTable};

use crate::batch::{Batch, Resource, Scope};
use crate::convention::Conventions;
use crate::log::pattern::Pattern;
use crate::otlp::attribute::Object;
use crate::read::Limits;
use crate::rejects::Reject;

/// How many records may wait for the end of their resource.
const MAX_HELD: usize = 65_536;

/// Most records of a batch.
pub const MAX_RECORDS: usize = 16_384;

/// A batch is full when it was made from so many bytes, however few records that are.
const MAX_INPUT_BYTES: usize = 8 << 20;

/// What every decoder is told.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    pub conventions: Arc<Conventions>,
    pub limits: Limits,
    /// Log patterns of the user's own.
    pub patterns: Arc<[Pattern]>,
}

/// The resource or scope that is being read.
#[derive(Debug, Default)]
pub(crate) struct OpenResource {
    pub attributes: Object,
    pub schema_url: Vec<u8>,
    pub dropped_attributes: u32,
    is_open: bool,
    /// What the batches that were passed on early were told.
    told: Option<Resource>,
}

/// The scope that is being read.
#[derive(Debug, Default)]
pub(crate) struct OpenScope {
    pub name: Vec<u8>,
    pub version: Vec<u8>,
    pub attributes: Object,
    pub schema_url: Vec<u8>,
    pub dropped_attributes: u32,
}

/// Builds batches.
#[derive(Debug)]
pub(crate) struct Builder {
    pub settings: Settings,
    pub batch: Batch,
    pub resource: OpenResource,
    pub scope: OpenScope,
    /// Records after which the batch is full; the next one may hold twice as many.
    pub max_records: usize,
    input_bytes: usize,
    hasher: DefaultHashBuilder,
    resources: HashTable<(u64, u32)>,
    scopes: HashTable<(u64, u32)>,
    held: Vec<Batch>,
    ready: Vec<Batch>,
}

impl Builder {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            batch: Batch::new(&settings.conventions),
            settings,
            resource: OpenResource::default(),
            scope: OpenScope::default(),
            max_records: usize::MAX,
            input_bytes: 0,
            hasher: DefaultHashBuilder::default(),
            resources: HashTable::new(),
            scopes: HashTable::new(),
            held: Vec::new(),
            ready: Vec::new(),
        }
    }

    pub(crate) fn open_resource(&mut self) {
        self.resource.attributes.clear();
        self.resource.schema_url.clear();
        self.resource.dropped_attributes = 0;
        self.resource.is_open = true;
        self.resource.told = None;
    }

    pub(crate) fn open_scope(&mut self) {
        self.scope.name.clear();
        self.scope.version.clear();
        self.scope.attributes.clear();
        self.scope.schema_url.clear();
        self.scope.dropped_attributes = 0;
    }

    /// Gives the rows since the last scope their scope.
    pub(crate) fn close_scope(&mut self) {
        if self.held.iter().any(|batch| !has_scopes(batch)) {
            let scope = self.scope.to_scope();
            self.held.iter_mut().filter(|batch| !has_scopes(batch)).for_each(|batch| {
                let number = push_number(&mut batch.scopes, scope.clone());
                fill_scopes(batch, number);
            });
        }
        if !has_scopes(&self.batch) {
            let number = self.intern_scope();
            fill_scopes(&mut self.batch, number);
        }
    }

    /// Gives the rows since the last resource their resource, and lets go the batches that waited for it.
    pub(crate) fn close_resource(&mut self) {
        self.resource.is_open = false;
        if !has_resources(&self.batch) || !self.held.is_empty() {
            let number = self.intern_resource();
            fill_resources(&mut self.batch, number);
        }
        self.check_told();
        for mut batch in std::mem::take(&mut self.held) {
            let number = push_number(&mut batch.resources, self.resource.to_resource());
            fill_resources(&mut batch, number);
            self.release(batch);
        }
    }

    /// Gives the spans since the last resource each its own: `of_spans` are indexes into `resources`. Returns how many spans had
    /// been passed on before, without one.
    pub(crate) fn close_resources(&mut self, of_spans: &[usize], resources: &[Resource]) -> usize {
        (self.resource.is_open, self.resource.told) = (false, None);
        let batches = || self.held.iter().chain([&self.batch]);
        let num_open: usize = batches().map(|batch| batch.spans.len() - batch.spans.resource.len()).sum();
        let num_told = of_spans.len().saturating_sub(num_open);
        let mut indexes = of_spans.iter().skip(num_told);
        for batch in self.held.iter_mut().chain([&mut self.batch]) {
            while batch.spans.resource.len() < batch.spans.len() {
                let resource = indexes.next().and_then(|&index| resources.get(index)).cloned().unwrap_or_default();
                batch.spans.resource.push(known_number(&mut batch.resources, resource));
            }
        }
        std::mem::take(&mut self.held).into_iter().for_each(|batch| self.release(batch));
        num_told
    }

    /// Notes that a record came from so many bytes; closes the batch when it is full.
    #[inline]
    pub(crate) fn end_record(&mut self, num_bytes: usize) {
        self.input_bytes = self.input_bytes.saturating_add(num_bytes);
        if self.batch.num_records() >= self.max_records || self.input_bytes >= MAX_INPUT_BYTES {
            self.split();
        }
    }

    /// Tells whether a batch is complete, or would be if its request ended here.
    pub(crate) fn is_full(&self) -> bool {
        !self.ready.is_empty()
    }

    pub(crate) fn reject(&mut self, reject: Reject) {
        self.batch.rejects.push(reject);
    }

    /// Returns whether there is anything to pass on.
    pub(crate) fn has_rows(&self) -> bool {
        self.batch.num_records() > 0 || self.batch.rejects.count > 0
    }

    /// Returns the batches that are complete; `flush` also the one that is not full yet.
    pub(crate) fn take(&mut self, flush: bool) -> Vec<Batch> {
        if flush && self.has_rows() {
            self.split();
        }
        if flush {
            self.let_go();
        }
        std::mem::take(&mut self.ready)
    }

    fn split(&mut self) {
        let batch = std::mem::replace(&mut self.batch, Batch::new(&self.settings.conventions));
        self.resources.clear();
        self.scopes.clear();
        self.input_bytes = 0;
        self.max_records = self.max_records.saturating_mul(2).min(MAX_RECORDS);
        if !self.resource.is_open {
            self.release(batch);
            return;
        }
        self.held.push(batch);
        if self.held.iter().map(Batch::num_records).sum::<usize>() > MAX_HELD {
            self.let_go();
        }
    }

    /// Passes on what waits for the end of its resource, with what is known of it.
    fn let_go(&mut self) {
        if self.held.is_empty() {
            return;
        }
        let (resource, scope) = (self.resource.to_resource(), self.scope.to_scope());
        for mut batch in std::mem::take(&mut self.held) {
            if !has_scopes(&batch) {
                let number = push_number(&mut batch.scopes, scope.clone());
                fill_scopes(&mut batch, number);
            }
            let number = push_number(&mut batch.resources, resource.clone());
            fill_resources(&mut batch, number);
            self.release(batch);
        }
        self.resource.told = Some(resource);
    }

    fn check_told(&mut self) {
        let Some(told) = self.resource.told.take() else { return };
        if told != self.resource.to_resource() {
            let reason =
                "resource or schema URL stands after its records, which were too many to wait for it: they lack it";
            self.reject(Reject {
                offset: 0,
                line: 0,
                column: 0,
                reason: reason.to_owned(),
                excerpt: crate::text::inert_bytes(&self.resource.schema_url),
            });
        }
    }

    fn release(&mut self, mut batch: Batch) {
        batch.close();
        self.ready.push(batch);
    }

    fn intern_resource(&mut self) -> u32 {
        let (open, known) = (&self.resource, &mut self.batch.resources);
        let hash = self.hasher.hash_one((&open.attributes.json, &open.schema_url, open.dropped_attributes));
        let is_same = |number: u32| known.get(number as usize).is_some_and(|resource| open.is(resource));
        if let Some(&(_, number)) = self.resources.find(hash, |&(_, number)| is_same(number)) {
            return number;
        }
        let number = push_number(known, open.to_resource());
        self.resources.insert_unique(hash, (hash, number), |&(hash, _)| hash);
        number
    }

    fn intern_scope(&mut self) -> u32 {
        let (open, known) = (&self.scope, &mut self.batch.scopes);
        let hash = self.hasher.hash_one((&open.name, &open.version, &open.attributes.json, &open.schema_url));
        let is_same = |number: u32| known.get(number as usize).is_some_and(|scope| open.is(scope));
        if let Some(&(_, number)) = self.scopes.find(hash, |&(_, number)| is_same(number)) {
            return number;
        }
        let number = push_number(known, open.to_scope());
        self.scopes.insert_unique(hash, (hash, number), |&(hash, _)| hash);
        number
    }
}

impl OpenResource {
    fn is(&self, resource: &Resource) -> bool {
        is_object(&resource.attributes, &self.attributes.json)
            && resource.schema_url.as_bytes() == self.schema_url
            && resource.dropped_attributes == self.dropped_attributes
    }

    fn to_resource(&self) -> Resource {
        let service = &self.attributes.service;
        Resource {
            service: if service.is_empty() { "unknown_service".to_owned() } else { to_text(service) },
            attributes: to_object(&self.attributes.json),
            schema_url: to_text(&self.schema_url),
            dropped_attributes: self.dropped_attributes,
        }
    }
}

impl OpenScope {
    fn is(&self, scope: &Scope) -> bool {
        is_object(&scope.attributes, &self.attributes.json)
            && scope.name.as_bytes() == self.name
            && scope.version.as_bytes() == self.version
            && scope.schema_url.as_bytes() == self.schema_url
            && scope.dropped_attributes == self.dropped_attributes
    }

    fn to_scope(&self) -> Scope {
        Scope {
            name: to_text(&self.name),
            version: to_text(&self.version),
            attributes: to_object(&self.attributes.json),
            schema_url: to_text(&self.schema_url),
            dropped_attributes: self.dropped_attributes,
        }
    }
}

/// Returns the object that `members` (with the opening brace, without the closing one) make.
fn to_object(members: &[u8]) -> String {
    if members.is_empty() { "{}".to_owned() } else { to_text(members) + "}" }
}

/// Tells whether `object` is what [`to_object`] makes of `members`.
fn is_object(object: &str, members: &[u8]) -> bool {
    match object.as_bytes().split_last() {
        Some((_, [b'{'])) => members.is_empty(),
        Some((_, rest)) => rest == members,
        None => false,
    }
}

fn to_text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn push_number<T>(items: &mut Vec<T>, item: T) -> u32 {
    items.push(item);
    u32::try_from(items.len() - 1).unwrap_or(u32::MAX)
}

/// Returns the number of an equal item among the last ones, or of the item once it is pushed.
fn known_number(items: &mut Vec<Resource>, item: Resource) -> u32 {
    const MAX_COMPARED: usize = 256;
    let skipped = items.len().saturating_sub(MAX_COMPARED);
    match items.iter().skip(skipped).rposition(|known| *known == item) {
        Some(index) => u32::try_from(index + skipped).unwrap_or(u32::MAX),
        None => push_number(items, item),
    }
}

fn has_scopes(batch: &Batch) -> bool {
    let (spans, logs, metrics) = (&batch.spans, &batch.logs, &batch.metrics);
    spans.scope.len() == spans.len() && logs.scope.len() == logs.len() && metrics.scope.len() == metrics.len()
}

fn has_resources(batch: &Batch) -> bool {
    let (spans, logs, metrics) = (&batch.spans, &batch.logs, &batch.metrics);
    spans.resource.len() == spans.len() && logs.resource.len() == logs.len() && metrics.resource.len() == metrics.len()
}

fn fill_scopes(batch: &mut Batch, number: u32) {
    batch.spans.scope.resize(batch.spans.len(), number);
    batch.logs.scope.resize(batch.logs.len(), number);
    batch.metrics.scope.resize(batch.metrics.len(), number);
}

fn fill_resources(batch: &mut Batch, number: u32) {
    batch.spans.resource.resize(batch.spans.len(), number);
    batch.logs.resource.resize(batch.logs.len(), number);
    batch.metrics.resource.resize(batch.metrics.len(), number);
}
