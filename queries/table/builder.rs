//! From Arrow record batches to tables: what DuckDB answers, and what comes over the socket.
//!
//! | Arrow | column |
//! | --- | --- |
//! | booleans | `Bool` |
//! | integers, durations | `Int`; 64 bits without sign `UInt` |
//! | floats | `Double` |
//! | timestamps of any unit | `Time`, nanoseconds, saturated |
//! | decimals (`HUGEINT` too) | `Int` where all values are whole and fit, `Double` where all have at most 15 digits, else `Text` |
//! | text | `Text`, or `Json` where the field says so |
//! | bytes | `Text`: printable ASCII as it is, others as `\xHH` |
//! | lists, structs, maps, unions | `Json` |
//! | everything else (dates, times of day, intervals) | `Text` as Arrow prints it |

use std::fmt::Write;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::compute::cast;
use arrow::datatypes::{
    DataType, Decimal128Type, Field, Float64Type, Int64Type, Schema, TimeUnit, TimestampNanosecondType, UInt64Type,
};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::json::write_json;
use super::{Column, Table, TableError, Values};

/// Name of the extension type that Arrow has for JSON text.
pub(super) const JSON_EXTENSION: &str = "arrow.json";
pub(super) const EXTENSION_KEY: &str = "ARROW:extension:name";

/// The longest decimals that a double gives back digit for digit.
const DIGITS_OF_DOUBLE: u32 = 15;

/// A table that grows batch by batch.
#[derive(Debug)]
pub(crate) struct TableBuilder {
    columns: Vec<ColumnBuilder>,
    num_rows: usize,
}

#[derive(Debug)]
struct ColumnBuilder {
    name: String,
    values: Growing,
}

#[derive(Debug)]
enum Growing {
    Values(Values),
    /// Unscaled values and the number of digits behind the point; the type is chosen when all are known.
    Decimal(Vec<Option<i128>>, i8),
}

impl TableBuilder {
    /// Begins a table of these columns; `is_json` tells which columns of text are JSON, beside those that say so themselves.
    pub(crate) fn new(schema: &Schema, is_json: impl Fn(usize) -> bool) -> Self {
        let column = |(index, field): (usize, &std::sync::Arc<Field>)| ColumnBuilder {
            name: field.name().clone(),
            values: growing(field, is_json(index)),
        };
        Self { columns: schema.fields().iter().enumerate().map(column).collect(), num_rows: 0 }
    }

    pub(crate) fn num_rows(&self) -> usize {
        self.num_rows
    }

    pub(crate) fn push(&mut self, batch: &RecordBatch) -> Result<(), TableError> {
        for (column, array) in self.columns.iter_mut().zip(batch.columns()) {
            push(&mut column.values, array)?;
        }
        self.num_rows += batch.num_rows();
        Ok(())
    }

    pub(crate) fn finish(self, is_cut: bool) -> Table {
        let column = |column: ColumnBuilder| Column {
            name: column.name,
            values: match column.values {
                Growing::Values(values) => values,
                Growing::Decimal(values, scale) => decimals(&values, scale),
            },
        };
        Table { columns: self.columns.into_iter().map(column).collect(), is_cut }
    }
}

fn growing(field: &Field, is_json: bool) -> Growing {
    let says_json = field.metadata().get(EXTENSION_KEY).is_some_and(|name| name == JSON_EXTENSION);
    Growing::Values(match field.data_type() {
        DataType::Boolean => Values::Bool(Vec::new()),
        DataType::Duration(_) => Values::Int(Vec::new()),
        DataType::UInt64 => Values::UInt(Vec::new()),
        kind if kind.is_integer() => Values::Int(Vec::new()),
        kind if kind.is_floating() => Values::Double(Vec::new()),
        DataType::Timestamp(..) => Values::Time(Vec::new()),
        DataType::Decimal128(_, scale) => return Growing::Decimal(Vec::new(), *scale),
        kind if is_nested(kind) || is_json || says_json => Values::Json(Vec::new()),
        _ => Values::Text(Vec::new()),
    })
}

fn is_nested(kind: &DataType) -> bool {
    kind.is_nested() && !matches!(kind, DataType::RunEndEncoded(..))
}

fn push(values: &mut Growing, array: &ArrayRef) -> Result<(), TableError> {
    let values = match values {
        Growing::Decimal(values, _) => {
            values.extend(array.as_primitive_opt::<Decimal128Type>().ok_or_else(|| mixed(array))?.iter());
            return Ok(());
        }
        Growing::Values(values) => values,
    };
    match values {
        Values::Bool(values) => values.extend(array.as_boolean_opt().ok_or_else(|| mixed(array))?.iter()),
        Values::Int(values) => values.extend(integers(array)?),
        Values::UInt(values) => values.extend(cast(array, &DataType::UInt64)?.as_primitive::<UInt64Type>().iter()),
        Values::Double(values) => {
            values.extend(cast(array, &DataType::Float64)?.as_primitive::<Float64Type>().iter());
        }
        Values::Time(values) => push_times(values, array)?,
        Values::Json(values) if is_nested(array.data_type()) => push_nested(values, array)?,
        Values::Text(values) | Values::Json(values) => push_texts(values, array)?,
    }
    Ok(())
}

fn mixed(array: &ArrayRef) -> TableError {
    TableError::Format(format!("a column changes its type to {}", array.data_type()))
}

fn integers(array: &ArrayRef) -> Result<Vec<Option<i64>>, TableError> {
    let array = match array.data_type() {
        DataType::Duration(_) => cast(array, &DataType::Duration(TimeUnit::Nanosecond))?,
        _ => array.clone(),
    };
    Ok(cast(&array, &DataType::Int64)?.as_primitive::<Int64Type>().iter().collect())
}

fn push_times(values: &mut Vec<Option<i64>>, array: &ArrayRef) -> Result<(), TableError> {
    let DataType::Timestamp(unit, _) = array.data_type() else {
        return Err(mixed(array));
    };
    if *unit == TimeUnit::Nanosecond {
        let times = array.as_primitive_opt::<TimestampNanosecondType>().ok_or_else(|| mixed(array))?;
        values.extend(times.iter());
        return Ok(());
    }
    let factor = match unit {
        TimeUnit::Second => 1_000_000_000,
        TimeUnit::Millisecond => 1_000_000,
        _ => 1_000,
    };
    let units = cast(array, &DataType::Int64)?;
    values.extend(units.as_primitive::<Int64Type>().iter().map(|time| time.map(|time| time.saturating_mul(factor))));
    Ok(())
}

fn push_texts(values: &mut Vec<Option<Box<str>>>, array: &ArrayRef) -> Result<(), TableError> {
    match array.data_type() {
        DataType::Utf8 => values.extend(array.as_string::<i32>().iter().map(|text| text.map(Box::from))),
        DataType::LargeUtf8 => values.extend(array.as_string::<i64>().iter().map(|text| text.map(Box::from))),
        DataType::Utf8View => values.extend(array.as_string_view().iter().map(|text| text.map(Box::from))),
        DataType::Binary => values.extend(array.as_binary::<i32>().iter().map(|bytes| bytes.map(escaped))),
        DataType::LargeBinary => values.extend(array.as_binary::<i64>().iter().map(|bytes| bytes.map(escaped))),
        DataType::BinaryView => values.extend(array.as_binary_view().iter().map(|bytes| bytes.map(escaped))),
        DataType::Null => values.extend(std::iter::repeat_n(None, array.len())),
        _ => push_formatted(values, array)?,
    }
    Ok(())
}

/// Bytes as DuckDB prints them.
pub(super) fn escaped(bytes: &[u8]) -> Box<str> {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b' '..=b'~' if byte != b'\\' => text.push(char::from(byte)),
            // Writing to a string cannot fail.
            byte => _ = write!(text, "\\x{byte:02X}"),
        }
    }
    text.into()
}

fn push_formatted(values: &mut Vec<Option<Box<str>>>, array: &ArrayRef) -> Result<(), TableError> {
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(array, &options)?;
    for row in 0..array.len() {
        values.push(if array.is_null(row) { None } else { Some(formatter.value(row).try_to_string()?.into()) });
    }
    Ok(())
}

fn push_nested(values: &mut Vec<Option<Box<str>>>, array: &ArrayRef) -> Result<(), TableError> {
    for row in 0..array.len() {
        if array.is_null(row) {
            values.push(None);
            continue;
        }
        let mut text = String::new();
        write_json(&mut text, array, row)?;
        values.push(Some(text.into()));
    }
    Ok(())
}

fn decimals(values: &[Option<i128>], scale: i8) -> Values {
    let all = |fits: &dyn Fn(i128) -> bool| values.iter().flatten().all(|&value| fits(value));
    if scale == 0 && all(&|value| i64::try_from(value).is_ok()) {
        return Values::Int(values.iter().map(|value| value.and_then(|value| value.try_into().ok())).collect());
    }
    if all(&|value| value.unsigned_abs() < 10_u128.pow(DIGITS_OF_DOUBLE)) {
        let double = |value: i128| decimal_text(value, scale).parse().ok();
        return Values::Double(values.iter().map(|value| value.and_then(double)).collect());
    }
    Values::Text(values.iter().map(|value| value.map(|value| decimal_text(value, scale).into())).collect())
}

/// Returns all digits of `value` with `scale` of them behind the point.
pub(super) fn decimal_text(value: i128, scale: i8) -> String {
    let Some(scale) = usize::try_from(scale).ok().filter(|&scale| scale > 0) else {
        return format!("{value}{}", "0".repeat(usize::from(scale.unsigned_abs())));
    };
    let sign = if value < 0 { "-" } else { "" };
    let digits = format!("{:0>width$}", value.unsigned_abs(), width = scale + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{fraction}")
}
