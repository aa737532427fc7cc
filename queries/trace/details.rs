//! Everything that was recorded of one span, for the pane that shows it.

/// One span as recorded. Texts named JSON are typed as in [`riftline_ingest::batch::SpanBatch::attributes`] and carry the raw
/// keys; they are empty where nothing was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanDetails {
    /// Lower-case hexadecimal; empty for a parent that is not there.
    pub trace_id: String,
    pub span_id: String,
    pub parent_span_id: String,
    pub trace_state: String,
    pub flags: u32,
    pub service: String,
    pub name: String,
    /// As in OTLP: 0 unspecified, 1 internal, 2 server, 3 client, 4 producer, 5 consumer.
    pub kind: u8,
    /// Nanoseconds since 1970, UTC.
    pub start_ns: i64,
    /// Negative where the span ends before it starts.
    pub duration_ns: i64,
    /// As in OTLP: 0 unset, 1 ok, 2 error.
    pub status: u8,
    pub status_message: String,
    /// A JSON object.
    pub attributes: String,
    /// A JSON object.
    pub resource: String,
    pub resource_schema_url: String,
    pub scope_name: String,
    pub scope_version: String,
    /// A JSON object.
    pub scope_attributes: String,
    pub scope_schema_url: String,
    /// A JSON array, as in [`riftline_ingest::batch::SpanBatch::events`].
    pub events: String,
    /// A JSON array, as in [`riftline_ingest::batch::SpanBatch::links`].
    pub links: String,
    /// A JSON object of what was changed to fit, see [`riftline_ingest::marks::Mark`].
    pub original: String,
    pub dropped_attributes: u64,
    pub dropped_events: u64,
    pub dropped_links: u64,
    /// Union of [`riftline_ingest::marks::Mark`] bits.
    pub marks: u32,
    /// The file, pipe or socket that the span was read from.
    pub source: String,
}
