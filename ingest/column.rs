//! Columns that decoders fill and the store takes over without copying.

/// Texts of one column, one after the other; a row may have none.
///
/// `offsets` has one entry more than there are rows, the first is 0; `bytes` is valid UTF-8. `present` is one bit a row,
/// least significant bit first, and empty while every row has a text. Rows that nothing was pushed for are padded as
/// absent, so that a rare column costs nothing on the rows that lack it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextColumn {
    pub offsets: Vec<i32>,
    pub bytes: Vec<u8>,
    pub present: Bits,
}

/// Integers of one column; a row may have none. Rows are padded as in [`TextColumn`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct IntColumn {
    pub values: Vec<i64>,
    pub present: Bits,
}

/// Integers without a sign of one column; a row may have none. Rows are padded as in [`TextColumn`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnsignedColumn {
    pub values: Vec<u64>,
    pub present: Bits,
}

/// Doubles of one column; a row may have none. Rows are padded as in [`TextColumn`].
#[derive(Debug, Clone, Default, PartialEq)]
pub struct DoubleColumn {
    pub values: Vec<f64>,
    pub present: Bits,
}

/// Truth values of one column; a row may have none. Rows are padded as in [`TextColumn`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BoolColumn {
    pub values: Vec<bool>,
    pub present: Bits,
}

/// A growing bit set, least significant bit of each byte first (the layout of Arrow's validity bitmaps).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bits {
    pub bytes: Vec<u8>,
    pub len: usize,
    /// How many of the bits are set.
    pub ones: usize,
}

impl Bits {
    /// Appends one bit.
    #[inline]
    pub fn push(&mut self, bit: bool) {
        if self.len.is_multiple_of(8) {
            self.bytes.push(0);
        }
        if let (true, Some(last)) = (bit, self.bytes.last_mut()) {
            *last |= 1 << (self.len % 8);
            self.ones += 1;
        }
        self.len += 1;
    }

    /// Appends zeros until there are `len` bits.
    #[inline]
    pub fn pad(&mut self, len: usize) {
        if self.len < len {
            self.bytes.resize(len.div_ceil(8), 0);
            self.len = len;
        }
    }

    /// Removes the bits from `len` on.
    pub fn truncate(&mut self, len: usize) {
        if len < self.len {
            self.ones -= (len..self.len).filter(|&index| self.get(index)).count();
            self.bytes.truncate(len.div_ceil(8));
            self.len = len;
            if let (true, Some(last)) = (!len.is_multiple_of(8), self.bytes.last_mut()) {
                *last &= (1 << (len % 8)) - 1;
            }
        }
    }

    /// Returns the bit at `index`; false beyond the end.
    #[must_use]
    pub fn get(&self, index: usize) -> bool {
        index < self.len && self.bytes.get(index / 8).is_some_and(|byte| byte >> (index % 8) & 1 == 1)
    }
}

impl Default for TextColumn {
    fn default() -> Self {
        Self { offsets: vec![0], bytes: Vec::new(), present: Bits::default() }
    }
}

impl TextColumn {
    /// Returns how many rows the column has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Tells whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Appends a row that holds `text`.
    #[inline]
    pub fn push(&mut self, text: &str) {
        self.bytes.extend_from_slice(text.as_bytes());
        self.close_row();
    }

    /// Appends a row that holds `text`, which is valid UTF-8.
    #[inline]
    pub fn push_bytes(&mut self, text: &[u8]) {
        self.bytes.extend_from_slice(text);
        self.close_row();
    }

    /// Removes the rows from `len` on, and what was written of a row that was not ended.
    pub fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.present.truncate(len);
        let end = self.offsets.last().copied().unwrap_or_default();
        self.bytes.truncate(usize::try_from(end).unwrap_or_default());
    }

    /// Removes the rows from `len` on, as [`TextColumn::truncate`], at no cost where there are none.
    #[inline]
    pub fn truncate_to(&mut self, len: usize) {
        if self.len() > len {
            self.truncate(len);
        }
    }

    /// Ends the row whose text was written to `bytes` directly (valid UTF-8).
    #[inline]
    pub fn close_row(&mut self) {
        self.offsets.push(end_offset(self.bytes.len()));
        self.present.push(true);
    }

    /// Appends a row without text.
    #[inline]
    pub fn push_absent(&mut self) {
        self.offsets.push(end_offset(self.bytes.len()));
        self.present.push(false);
    }

    /// Appends absent rows until there are `len` rows.
    #[inline]
    pub fn pad(&mut self, len: usize) {
        let end = end_offset(self.bytes.len());
        if self.len() < len {
            self.offsets.resize(len + 1, end);
            self.present.pad(len);
        }
    }

    /// Returns the bytes of the text of `row`, or nothing where it is absent.
    #[inline]
    #[must_use]
    pub fn get_bytes(&self, row: usize) -> Option<&[u8]> {
        let (from, to) = (*self.offsets.get(row)?, *self.offsets.get(row + 1)?);
        let bytes = self.bytes.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
        self.present.get(row).then_some(bytes)
    }

    /// Returns the text of `row`, or nothing where it is absent.
    #[must_use]
    pub fn get(&self, row: usize) -> Option<&str> {
        self.get_bytes(row).map(|bytes| std::str::from_utf8(bytes).unwrap_or_default())
    }

    /// Tells whether no row has a text.
    #[must_use]
    pub fn all_absent(&self) -> bool {
        self.present.ones == 0
    }
}

/// Offsets are 32 bits wide; [`crate::batch::MAX_BATCH_BYTES`] keeps every column far below that.
#[inline]
fn end_offset(len: usize) -> i32 {
    i32::try_from(len).unwrap_or(i32::MAX)
}

macro_rules! flat_column {
    ($name:ident, $value:ty) => {
        impl $name {
            /// Appends absent rows until there are `len` rows.
            #[inline]
            pub fn pad(&mut self, len: usize) {
                if self.values.len() < len {
                    self.values.resize(len, <$value>::default());
                    self.present.pad(len);
                }
            }

            /// Returns how many rows the column has.
            #[must_use]
            pub fn len(&self) -> usize {
                self.values.len()
            }

            /// Tells whether the column has no rows.
            #[must_use]
            pub fn is_empty(&self) -> bool {
                self.values.is_empty()
            }

            /// Removes the rows from `len` on.
            pub fn truncate(&mut self, len: usize) {
                self.values.truncate(len);
                self.present.truncate(len);
            }

            /// Appends a row that holds `value`.
            #[inline]
            pub fn push(&mut self, value: $value) {
                self.values.push(value);
                self.present.push(true);
            }

            /// Returns the value of `row`, or nothing where it is absent.
            #[must_use]
            pub fn get(&self, row: usize) -> Option<$value> {
                self.present.get(row).then(|| self.values.get(row).copied()).flatten()
            }

            /// Tells whether no row has a value.
            #[must_use]
            pub fn all_absent(&self) -> bool {
                self.present.ones == 0
            }
        }
    };
}

flat_column!(IntColumn, i64);
flat_column!(UnsignedColumn, u64);
flat_column!(DoubleColumn, f64);
flat_column!(BoolColumn, bool);
