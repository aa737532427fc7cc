//! Answers as tables: named, typed columns that every face (terminal, script, socket) prints from.

#[cfg(feature = "store")]
pub(crate) mod builder;
#[cfg(feature = "store")]
pub mod ipc;
#[cfg(feature = "store")]
mod json;
#[cfg(feature = "store")]
pub mod parquet;
#[cfg(feature = "store")]
mod record_batch;

/// An answer. All columns have the same number of rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Table {
    pub columns: Vec<Column>,
    /// Whether the row cap cut the answer.
    pub is_cut: bool,
}

/// One column of an answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    pub name: String,
    pub values: Values,
}

/// The values of a column, by type.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    Bool(Vec<Option<bool>>),
    Int(Vec<Option<i64>>),
    UInt(Vec<Option<u64>>),
    Double(Vec<Option<f64>>),
    Text(Vec<Option<Box<str>>>),
    /// Nanoseconds since 1970, UTC.
    Time(Vec<Option<i64>>),
    /// JSON text: `attributes`, lists, structs.
    Json(Vec<Option<Box<str>>>),
}

/// One value of a table.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Cell<'a> {
    Null,
    Bool(bool),
    Int(i64),
    UInt(u64),
    Double(f64),
    Text(&'a str),
    /// Nanoseconds since 1970, UTC.
    Time(i64),
    Json(&'a str),
}

impl Table {
    /// Returns how many rows the table has.
    #[must_use]
    pub fn num_rows(&self) -> usize {
        self.columns.first().map_or(0, |column| column.values.len())
    }

    /// Returns the value at `row` of the column at `column`; null outside the table.
    #[must_use]
    pub fn cell(&self, row: usize, column: usize) -> Cell<'_> {
        self.columns.get(column).map_or(Cell::Null, |column| column.values.get(row))
    }

    /// Returns the table with only these rows, in this order.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        let pick = |column: &Column| Column { name: column.name.clone(), values: column.values.pick(rows) };
        Self { columns: self.columns.iter().map(pick).collect(), is_cut: self.is_cut }
    }

    /// Returns the position of the column `name`.
    #[must_use]
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column.name == name)
    }

    /// Returns the value at `row` of the column `name`; null where there is no such column.
    #[must_use]
    pub fn get(&self, row: usize, name: &str) -> Cell<'_> {
        self.position(name).map_or(Cell::Null, |column| self.cell(row, column))
    }
}

impl Values {
    /// Returns how many rows the column has.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Bool(values) => values.len(),
            Self::Int(values) | Self::Time(values) => values.len(),
            Self::UInt(values) => values.len(),
            Self::Double(values) => values.len(),
            Self::Text(values) | Self::Json(values) => values.len(),
        }
    }

    /// Returns the values of these rows, in this order; none beyond the end.
    #[must_use]
    pub fn pick(&self, rows: &[usize]) -> Self {
        fn of<T: Clone>(values: &[Option<T>], rows: &[usize]) -> Vec<Option<T>> {
            rows.iter().map(|&row| values.get(row).cloned().flatten()).collect()
        }
        match self {
            Self::Bool(values) => Self::Bool(of(values, rows)),
            Self::Int(values) => Self::Int(of(values, rows)),
            Self::UInt(values) => Self::UInt(of(values, rows)),
            Self::Double(values) => Self::Double(of(values, rows)),
            Self::Time(values) => Self::Time(of(values, rows)),
            Self::Text(values) => Self::Text(of(values, rows)),
            Self::Json(values) => Self::Json(of(values, rows)),
        }
    }

    /// Tells whether the column has no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the value of `row`; null beyond the end.
    #[must_use]
    pub fn get(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Bool(values) => flat(values, row, Cell::Bool),
            Self::Int(values) => flat(values, row, Cell::Int),
            Self::UInt(values) => flat(values, row, Cell::UInt),
            Self::Double(values) => flat(values, row, Cell::Double),
            Self::Time(values) => flat(values, row, Cell::Time),
            Self::Text(values) => text(values, row).map_or(Cell::Null, Cell::Text),
            Self::Json(values) => text(values, row).map_or(Cell::Null, Cell::Json),
        }
    }
}

fn flat<'a, T: Copy>(values: &[Option<T>], row: usize, cell: impl Fn(T) -> Cell<'a>) -> Cell<'a> {
    values.get(row).copied().flatten().map_or(Cell::Null, cell)
}

fn text(values: &[Option<Box<str>>], row: usize) -> Option<&str> {
    values.get(row)?.as_deref()
}

/// A table could not be written to, or read from, one of Arrow's formats.
#[cfg(feature = "store")]
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("{0}")]
    Format(String),
}

#[cfg(feature = "store")]
impl From<arrow::error::ArrowError> for TableError {
    fn from(error: arrow::error::ArrowError) -> Self {
        match error {
            arrow::error::ArrowError::IoError(_, source) => Self::Io(source),
            other => Self::Format(other.to_string()),
        }
    }
}

#[cfg(test)]
#[cfg(feature = "store")]
mod tests;
