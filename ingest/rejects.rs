//! Records that could not be taken: counted and kept, never silently dropped.

/// One refused record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// Byte offset of the record in the decompressed stream of its source.
    pub offset: u64,
    /// 1-based line for text formats; 0 for binary ones.
    pub line: u64,
    /// 1-based column in bytes for text formats; 0 for binary ones.
    pub column: u64,
    /// What was wrong and what was done, as one sentence fragment such as `invalid number in "startTimeUnixNano"`.
    pub reason: String,
    /// The first bytes of the record as inert text, at most [`EXCERPT_BYTES`] bytes.
    pub excerpt: String,
}

/// How much of a refused record is kept.
pub const EXCERPT_BYTES: usize = 256;

/// Rejects of one batch: all are counted, the first are kept, so that a broken file of any size stays small.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rejects {
    pub count: u64,
    pub kept: Vec<Reject>,
}

/// How many rejects of one batch are kept in full.
pub const KEPT_PER_BATCH: usize = 1_000;

impl Rejects {
    /// Counts a reject and keeps it while there is room.
    pub fn push(&mut self, reject: Reject) {
        self.count += 1;
        if self.kept.len() < KEPT_PER_BATCH {
            self.kept.push(reject);
        }
    }
}
