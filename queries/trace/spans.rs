//! The spans of one trace as columns: what assembly, the critical path and the waterfall need, and no more.

/// Spans of one trace, in the order of their rows in the store. All columns have the same length; "span" below and in
/// [`super::assemble`] means an index into them.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Spans {
    /// Row in the store, to fetch details by.
    pub row: Vec<i64>,
    pub span_id: Vec<u64>,
    /// 0 where there is none.
    pub parent_span_id: Vec<u64>,
    pub start_ns: Vec<i64>,
    /// May be negative as recorded.
    pub duration_ns: Vec<i64>,
    /// As in OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: Vec<u8>,
    /// As in OTLP: 0 unset, 1 ok, 2 error.
    pub status: Vec<u8>,
    /// Union of `riftline_ingest::marks::Mark` bits.
    pub marks: Vec<u32>,
    /// Index into `texts`.
    pub service: Vec<u32>,
    /// Index into `texts`.
    pub name: Vec<u32>,
    /// Distinct services and names.
    pub texts: Vec<Box<str>>,
}

impl Spans {
    /// Returns how many spans there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.span_id.len()
    }

    /// Tells whether there are no spans.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.span_id.is_empty()
    }

    /// Adds the spans of another trace behind these.
    pub fn append(&mut self, mut other: Self) {
        let numbers: Vec<u32> = other.texts.iter().map(|text| self.text(text)).collect();
        let renumber = |texts: &mut Vec<u32>| texts.iter_mut().for_each(|text| *text = numbers[*text as usize]);
        renumber(&mut other.service);
        renumber(&mut other.name);
        self.row.append(&mut other.row);
        self.span_id.append(&mut other.span_id);
        self.parent_span_id.append(&mut other.parent_span_id);
        self.start_ns.append(&mut other.start_ns);
        self.duration_ns.append(&mut other.duration_ns);
        self.kind.append(&mut other.kind);
        self.status.append(&mut other.status);
        self.marks.append(&mut other.marks);
        self.service.append(&mut other.service);
        self.name.append(&mut other.name);
    }

    /// Leaves the first `len` spans.
    pub fn truncate(&mut self, len: usize) {
        self.row.truncate(len);
        self.span_id.truncate(len);
        self.parent_span_id.truncate(len);
        self.start_ns.truncate(len);
        self.duration_ns.truncate(len);
        self.kind.truncate(len);
        self.status.truncate(len);
        self.marks.truncate(len);
        self.service.truncate(len);
        self.name.truncate(len);
    }

    /// Returns the number of a text; there are as many as services and names, so looking through them is quick enough.
    fn text(&mut self, text: &str) -> u32 {
        let known = self.texts.iter().position(|known| &**known == text);
        known.unwrap_or_else(|| {
            self.texts.push(text.into());
            self.texts.len() - 1
        }) as u32
    }

    /// Returns when the span ended: its start where the duration is negative.
    #[must_use]
    pub fn end_ns(&self, span: usize) -> i64 {
        self.start_ns[span].saturating_add(self.duration_ns[span].max(0))
    }

    /// Returns the service of the span.
    #[must_use]
    pub fn service(&self, span: usize) -> &str {
        &self.texts[self.service[span] as usize]
    }

    /// Returns the name of the span.
    #[must_use]
    pub fn name(&self, span: usize) -> &str {
        &self.texts[self.name[span] as usize]
    }
}
