//! A span between its fields and its row.

use crate::batch::{ConventionColumn, SpanBatch};
use crate::column::TextColumn;
use crate::marks::Mark;
use crate::otlp::attribute::{Object, SpanSink, cut};
use crate::otlp::draft::{IdField, Notes, Recorded};
use crate::otlp::text::{write_hex, write_member, write_string, write_unsigned};

/// The flat fields of the span that is being read; texts and attributes go into their columns at once.
#[derive(Debug, Default)]
pub(crate) struct SpanDraft {
    pub notes: Notes,
    trace: (u64, u64),
    span_id: u64,
    parent_span_id: u64,
    pub start: u64,
    pub end: u64,
    kind: u8,
    status: u8,
    pub flags: u32,
    pub dropped_attributes: u32,
    pub dropped_events: u32,
    pub dropped_links: u32,
    tail: bool,
    events: bool,
    links: bool,
    aliases: Vec<(u16, u8)>,
}

impl SpanDraft {
    pub(crate) fn clear(&mut self) {
        self.notes.clear();
        self.aliases.clear();
        let (notes, aliases) = (std::mem::take(&mut self.notes), std::mem::take(&mut self.aliases));
        *self = Self { notes, aliases, ..Self::default() };
    }

    #[inline]
    pub(crate) fn set_id(&mut self, field: IdField, recorded: Recorded<'_>) {
        let id = self.notes.id(field, recorded);
        match field {
            IdField::Trace => self.trace = (id.hi, id.lo),
            IdField::Span => self.span_id = id.lo,
            IdField::Parent => self.parent_span_id = id.lo,
        }
    }

    #[inline]
    pub(crate) fn set_kind(&mut self, number: u64) {
        self.kind = self.notes.enumeration("kind", number, 5);
    }

    #[inline]
    pub(crate) fn set_status(&mut self, number: u64) {
        self.status = self.notes.enumeration("status_code", number, 2);
    }

    #[inline]
    pub(crate) fn attributes<'a>(&'a mut self, spans: &'a mut SpanBatch) -> SpanSink<'a> {
        let row = spans.len();
        SpanSink { spans, row, tail: &mut self.tail, aliases: &mut self.aliases }
    }

    /// Appends an event to the row.
    pub(crate) fn push_event(&mut self, spans: &mut SpanBatch, event: &mut EventDraft) {
        let out = open_list(&mut spans.events, spans.span_id.len(), &mut self.events);
        event.write(out);
    }

    /// Appends a link to the row.
    pub(crate) fn push_link(&mut self, spans: &mut SpanBatch, link: &mut LinkDraft) {
        let out = open_list(&mut spans.links, spans.span_id.len(), &mut self.links);
        link.write(out);
    }

    /// Ends the row.
    #[inline]
    pub(crate) fn commit(&mut self, spans: &mut SpanBatch) {
        let row = spans.len();
        self.judge_ids();
        let (start_ns, duration_ns) = self.times();
        for (is_open, column, close) in [
            (self.tail, &mut spans.attributes, b'}'),
            (self.events, &mut spans.events, b']'),
            (self.links, &mut spans.links, b']'),
        ] {
            if is_open {
                column.bytes.push(close);
                column.close_row();
            }
        }
        for (dropped, column) in [
            (self.dropped_attributes, &mut spans.dropped_attributes),
            (self.dropped_events, &mut spans.dropped_events),
            (self.dropped_links, &mut spans.dropped_links),
        ] {
            if dropped != 0 {
                column.pad(row);
                column.push(i64::from(dropped));
            }
        }
        if let Some(original) = self.notes.original() {
            spans.original.pad(row);
            spans.original.push_bytes(original);
        }
        if spans.name.len() <= row {
            spans.name.pad(row);
            spans.name.push("");
        }
        spans.trace_hi.push(self.trace.0);
        spans.trace_lo.push(self.trace.1);
        spans.span_id.push(self.span_id);
        spans.parent_span_id.push(self.parent_span_id);
        spans.start_ns.push(start_ns);
        spans.duration_ns.push(duration_ns);
        spans.kind.push(self.kind);
        spans.status.push(self.status);
        spans.flags.push(self.flags);
        spans.marks.push(self.notes.marks);
        let alias_set = if self.aliases.is_empty() { 0 } else { alias_set(&mut spans.alias_sets, &self.aliases) };
        spans.alias_set.push(alias_set);
    }

    #[inline]
    fn judge_ids(&mut self) {
        if self.trace == (0, 0) {
            self.notes.mark(Mark::TraceIdZero);
        }
        if self.span_id == 0 {
            self.notes.mark(Mark::SpanIdZero);
        }
    }

    /// Returns start and duration. A missing time is taken from the other one, so that the duration is 0 and not 50 years.
    #[inline]
    fn times(&mut self) -> (i64, i64) {
        if self.start == 0 || self.end == 0 {
            self.notes.mark(Mark::TimeMissing);
            let present = self.start.max(self.end);
            return (self.notes.time("start_time_unix_nano", present), 0);
        }
        let start_ns = self.notes.time("start_time_unix_nano", self.start);
        if self.end > i64::MAX as u64 {
            self.notes.time("end_time_unix_nano", self.end);
        }
        let duration = i128::from(self.end) - i128::from(self.start);
        if duration < 0 {
            self.notes.mark(Mark::EndsBeforeStart);
        }
        (start_ns, duration.clamp(i128::from(i64::MIN), i128::from(i64::MAX)) as i64)
    }
}

/// Returns 1 + the index of a set of aliases; the batch keeps each set once.
fn alias_set(sets: &mut Vec<Vec<(u16, u8)>>, aliases: &[(u16, u8)]) -> u32 {
    const MAX_COMPARED: usize = 64;
    let skipped = sets.len().saturating_sub(MAX_COMPARED);
    let known = sets.iter().skip(skipped).position(|set| set == aliases).map(|index| index + skipped);
    let index = known.unwrap_or_else(|| {
        sets.push(aliases.to_vec());
        sets.len() - 1
    });
    u32::try_from(index + 1).unwrap_or_default()
}

/// Sets a text of the row, unless it is empty; returns its marks. Where a field comes twice the last counts, as in protobuf.
#[inline]
pub(crate) fn set_text(column: &mut TextColumn, row: usize, text: &[u8], max_bytes: usize) -> u32 {
    column.truncate_to(row);
    column.pad(row);
    if text.len() > max_bytes {
        column.bytes.extend_from_slice(cut(text, max_bytes));
        column.push_bytes("…".as_bytes());
        return Mark::ValueCut.bit();
    }
    if !text.is_empty() {
        column.push_bytes(text);
    }
    0
}

fn open_list<'a>(column: &'a mut TextColumn, row: usize, is_open: &mut bool) -> &'a mut Vec<u8> {
    if *is_open {
        column.bytes.push(b',');
    } else {
        *is_open = true;
        column.pad(row);
        column.bytes.push(b'[');
    }
    &mut column.bytes
}

/// Removes what was written of a row that turned out bad.
pub(crate) fn roll_back(spans: &mut SpanBatch) {
    let row = spans.span_id.len();
    let texts = [&mut spans.name, &mut spans.trace_state, &mut spans.status_message, &mut spans.attributes];
    for column in texts.into_iter().chain([&mut spans.events, &mut spans.links, &mut spans.original]) {
        column.truncate(row);
    }
    for column in &mut spans.conventions {
        match column {
            ConventionColumn::Text(column) => column.truncate(row),
            ConventionColumn::Int(column) => column.truncate(row),
            ConventionColumn::Double(column) => column.truncate(row),
            ConventionColumn::Bool(column) => column.truncate(row),
        }
    }
}

/// A span event until it is written.
#[derive(Debug, Default)]
pub(crate) struct EventDraft {
    pub time: u64,
    /// Valid UTF-8.
    pub name: Vec<u8>,
    pub attributes: Object,
    pub dropped_attributes: u32,
}

impl EventDraft {
    pub(crate) fn clear(&mut self) {
        (self.time, self.dropped_attributes) = (0, 0);
        self.name.clear();
        self.attributes.clear();
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        out.push(b'{');
        write_member(out, "time_ns");
        write_unsigned(out, self.time);
        write_member(out, "name");
        write_string(out, &self.name);
        write_attributes(out, &mut self.attributes, self.dropped_attributes);
        out.push(b'}');
    }
}

/// A span link until it is written.
#[derive(Debug, Default)]
pub(crate) struct LinkDraft {
    pub trace: (u64, u64),
    pub span_id: u64,
    /// Valid UTF-8.
    pub trace_state: Vec<u8>,
    pub flags: u32,
    pub attributes: Object,
    pub dropped_attributes: u32,
}

impl LinkDraft {
    pub(crate) fn clear(&mut self) {
        (self.trace, self.span_id, self.flags, self.dropped_attributes) = ((0, 0), 0, 0, 0);
        self.trace_state.clear();
        self.attributes.clear();
    }

    fn write(&mut self, out: &mut Vec<u8>) {
        out.push(b'{');
        write_member(out, "trace_id");
        out.push(b'"');
        write_hex(out, self.trace.0);
        write_hex(out, self.trace.1);
        out.push(b'"');
        write_member(out, "span_id");
        out.push(b'"');
        write_hex(out, self.span_id);
        out.push(b'"');
        if !self.trace_state.is_empty() {
            write_member(out, "trace_state");
            write_string(out, &self.trace_state);
        }
        if self.flags != 0 {
            write_member(out, "flags");
            write_unsigned(out, u64::from(self.flags));
        }
        write_attributes(out, &mut self.attributes, self.dropped_attributes);
        out.push(b'}');
    }
}

/// Appends the members `attributes` and `dropped_attributes`, each where there is one.
pub(crate) fn write_attributes(out: &mut Vec<u8>, attributes: &mut Object, dropped: u32) {
    let attributes = attributes.finish();
    if !attributes.is_empty() {
        write_member(out, "attributes");
        out.extend_from_slice(attributes);
    }
    if dropped != 0 {
        write_member(out, "dropped_attributes");
        write_unsigned(out, u64::from(dropped));
    }
}
