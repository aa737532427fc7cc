//! What a decoder notices about a record while it reads its fields, until the record is complete.

use crate::marks::Mark;
use crate::otlp::id::Id;
use crate::otlp::text::{write_member, write_string, write_unsigned};
use crate::text::digits;

/// The latest time that `TIMESTAMP_NS` holds; one nanosecond later means infinity.
pub(crate) const LATEST_NS: i64 = i64::MAX - 1;

/// How much of a malformed binary id is kept.
const MAX_ID_BYTES: usize = 64;

/// Marks of a record and what was recorded where it had to be changed.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    pub marks: u32,
    kept: Vec<(&'static str, Vec<u8>)>,
    original: Vec<u8>,
}

/// An id or number as it was recorded.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Recorded<'a> {
    /// Valid UTF-8 or not.
    Text(&'a [u8]),
    Bytes(&'a [u8]),
    Number(u64),
}

impl Recorded<'_> {
    #[inline]
    fn id(self, len: usize) -> Id {
        match self {
            Self::Text(text) => Id::from_text(text, len),
            Self::Bytes(bytes) => Id::from_bytes(bytes, len),
            Self::Number(number) => Id { hi: 0, lo: number, is_well_formed: false },
        }
    }
}

/// Which id of a record is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum IdField {
    Trace,
    Span,
    Parent,
}

impl IdField {
    const fn len(self) -> usize {
        if matches!(self, Self::Trace) { 16 } else { 8 }
    }

    const fn malformed(self) -> (Mark, &'static str) {
        match self {
            Self::Trace => (Mark::TraceIdMalformed, "trace_id"),
            Self::Span => (Mark::SpanIdMalformed, "span_id"),
            Self::Parent => (Mark::ParentIdMalformed, "parent_span_id"),
        }
    }
}

impl Notes {
    pub(crate) fn clear(&mut self) {
        self.marks = 0;
        self.kept.clear();
        self.original.clear();
    }

    #[inline]
    pub(crate) fn mark(&mut self, mark: Mark) {
        self.marks |= mark.bit();
    }

    /// Reads an id and notes where it is malformed.
    #[inline]
    pub(crate) fn id(&mut self, field: IdField, recorded: Recorded<'_>) -> Id {
        let id = recorded.id(field.len());
        if !id.is_well_formed {
            let (mark, name) = field.malformed();
            self.mark(mark);
            self.keep(name, recorded);
        }
        id
    }

    /// Reads an id inside the record, such as a link's; one that is malformed is kept in `original`.
    pub(crate) fn inner_id(&mut self, name: &'static str, recorded: Recorded<'_>, len: usize) -> (u64, u64) {
        let id = recorded.id(len);
        if !id.is_well_formed {
            self.keep(name, recorded);
        }
        (id.hi, id.lo)
    }

    /// Returns a time that fits, and notes where it did not.
    #[inline]
    pub(crate) fn time(&mut self, name: &'static str, recorded: u64) -> i64 {
        match i64::try_from(recorded) {
            Ok(time) if time <= LATEST_NS => time,
            _ => {
                self.mark(Mark::TimeSaturated);
                self.keep(name, Recorded::Number(recorded));
                LATEST_NS
            }
        }
    }

    /// Returns an enumeration's number, or 0 where OTLP knows none such.
    #[inline]
    pub(crate) fn enumeration(&mut self, name: &'static str, number: u64, highest: u8) -> u8 {
        match u8::try_from(number) {
            Ok(known) if known <= highest => known,
            _ => {
                self.mark(Mark::EnumUnknown);
                self.keep(name, Recorded::Number(number));
                0
            }
        }
    }

    /// Keeps what was recorded under `name`.
    pub(crate) fn keep(&mut self, name: &'static str, recorded: Recorded<'_>) {
        let mut json = Vec::new();
        match recorded {
            Recorded::Text(text) => write_string(&mut json, String::from_utf8_lossy(text).as_bytes()),
            Recorded::Bytes(bytes) => {
                let kept = bytes.get(..MAX_ID_BYTES).unwrap_or(bytes);
                write_string(&mut json, digits(kept, "").as_bytes());
            }
            Recorded::Number(number) => write_unsigned(&mut json, number),
        }
        self.kept.push((name, json));
    }

    /// Returns the JSON object of what was changed, or nothing where nothing was. Fields may come in any order; here they
    /// are sorted.
    pub(crate) fn original(&mut self) -> Option<&[u8]> {
        if self.kept.is_empty() {
            return None;
        }
        self.kept.sort_by_key(|(name, _)| *name);
        self.original.push(b'{');
        for (name, json) in &self.kept {
            write_member(&mut self.original, name);
            self.original.extend_from_slice(json);
        }
        self.original.push(b'}');
        Some(&self.original)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn notes_what_was_changed() {
        let mut notes = Notes::default();
        notes.id(IdField::Trace, Recorded::Text(b"abc\""));
        assert_eq!(notes.time("start", u64::MAX), LATEST_NS);
        assert_eq!(notes.enumeration("kind", 77, 5), 0);
        let bits = [Mark::TraceIdMalformed, Mark::TimeSaturated, Mark::EnumUnknown].map(Mark::bit);
        assert_eq!(notes.marks, bits.iter().sum::<u32>());
        let original = std::str::from_utf8(notes.original().unwrap()).unwrap();
        assert_eq!(original, r#"{"kind":77,"start":18446744073709551615,"trace_id":"abc\""}"#);
    }

    proptest! {
        #[test]
        fn times_saturate_and_say_so(recorded: u64) {
            let mut notes = Notes::default();
            let time = notes.time("time", recorded);
            prop_assert_eq!(notes.marks != 0, u64::try_from(time) != Ok(recorded));
            prop_assert!((0..=LATEST_NS).contains(&time));
        }
    }
}
