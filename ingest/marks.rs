//! What was noticed about a record while it was read. Nothing is dropped for it: it is kept and marked.

/// One bit a mark; rows hold the union.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Mark {
    /// The trace id has another length than 16 bytes or is not hexadecimal; `original` holds it.
    TraceIdMalformed = 1,
    /// The trace id is missing or all zero.
    TraceIdZero = 1 << 1,
    /// The span id has another length than 8 bytes or is not hexadecimal; `original` holds it.
    SpanIdMalformed = 1 << 2,
    /// The span id is missing or all zero.
    SpanIdZero = 1 << 3,
    /// The parent's id has another length than 8 bytes or is not hexadecimal; `original` holds it.
    ParentIdMalformed = 1 << 4,
    /// The span ends before it starts; `duration_ns` is negative.
    EndsBeforeStart = 1 << 5,
    /// A time is missing (0).
    TimeMissing = 1 << 6,
    /// A time does not fit `TIMESTAMP_NS`; it was saturated and `original` holds what was recorded.
    TimeSaturated = 1 << 7,
    /// Text that was not UTF-8 was replaced where it was not.
    TextReplaced = 1 << 8,
    /// A value was longer than the limit and was cut; the cut value ends in `…`.
    ValueCut = 1 << 9,
    /// The kind or status is a number that OTLP does not know; `original` holds it.
    EnumUnknown = 1 << 10,
    /// A value was nested deeper than the limit; the deep part was left out.
    DepthCut = 1 << 11,
    /// An id was recorded in another form than hexadecimal of the usual length (64 bits, decimal, with dashes); `original`
    /// holds it.
    IdConverted = 1 << 12,
    /// The time has no date or no year of its own: it was taken from when the file was last written.
    DateAssumed = 1 << 13,
    /// Client and server shared one span id, as Zipkin allows: this is the server's half or a child of it, and has an id or a
    /// parent of its own now; `original` holds the recorded ones.
    IdSplit = 1 << 14,
}

impl Mark {
    /// All marks, in the order of their bits.
    pub const ALL: [Self; 15] = [
        Self::TraceIdMalformed,
        Self::TraceIdZero,
        Self::SpanIdMalformed,
        Self::SpanIdZero,
        Self::ParentIdMalformed,
        Self::EndsBeforeStart,
        Self::TimeMissing,
        Self::TimeSaturated,
        Self::TextReplaced,
        Self::ValueCut,
        Self::EnumUnknown,
        Self::DepthCut,
        Self::IdConverted,
        Self::DateAssumed,
        Self::IdSplit,
    ];

    /// Returns the bit of the mark.
    #[must_use]
    pub const fn bit(self) -> u32 {
        self as u32
    }

    /// Returns the name that the column `marks` of the views shows.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::TraceIdMalformed => "trace-id-malformed",
            Self::TraceIdZero => "trace-id-zero",
            Self::SpanIdMalformed => "span-id-malformed",
            Self::SpanIdZero => "span-id-zero",
            Self::ParentIdMalformed => "parent-id-malformed",
            Self::EndsBeforeStart => "ends-before-start",
            Self::TimeMissing => "time-missing",
            Self::TimeSaturated => "time-saturated",
            Self::TextReplaced => "text-replaced",
            Self::ValueCut => "value-cut",
            Self::EnumUnknown => "enum-unknown",
            Self::DepthCut => "depth-cut",
            Self::IdConverted => "id-converted",
            Self::DateAssumed => "date-assumed",
            Self::IdSplit => "id-split",
        }
    }
}
