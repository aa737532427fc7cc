//! Lists, structs and maps as JSON text.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type};
use arrow::util::display::{ArrayFormatter, FormatOptions};

use super::TableError;
use super::builder::{decimal_text, escaped};

/// Appends the value of `row` as JSON. Numbers stay numbers; what JSON has no form for becomes a string.
pub(super) fn write_json(to: &mut String, array: &ArrayRef, row: usize) -> Result<(), TableError> {
    if array.is_null(row) || *array.data_type() == DataType::Null {
        to.push_str("null");
        return Ok(());
    }
    match array.data_type() {
        DataType::List(_) => list(to, &array.as_list::<i32>().value(row)),
        DataType::LargeList(_) => list(to, &array.as_list::<i64>().value(row)),
        DataType::FixedSizeList(..) => list(to, &array.as_fixed_size_list().value(row)),
        DataType::Struct(fields) => {
            let columns = array.as_struct().columns();
            let members = fields.iter().zip(columns).map(|(field, column)| (field.name().clone(), column, row));
            object(to, members.map(Ok))
        }
        DataType::Map(..) => map(to, array, row),
        _ => scalar(to, array, row),
    }
}

fn list(to: &mut String, values: &ArrayRef) -> Result<(), TableError> {
    to.push('[');
    for row in 0..values.len() {
        if row > 0 {
            to.push(',');
        }
        write_json(to, values, row)?;
    }
    to.push(']');
    Ok(())
}

fn object<'a>(
    to: &mut String,
    members: impl Iterator<Item = Result<(String, &'a ArrayRef, usize), TableError>>,
) -> Result<(), TableError> {
    to.push('{');
    for (index, member) in members.enumerate() {
        let (key, values, row) = member?;
        if index > 0 {
            to.push(',');
        }
        string(to, &key);
        to.push(':');
        write_json(to, values, row)?;
    }
    to.push('}');
    Ok(())
}

/// Keys of a map need not be text: they are printed.
fn map(to: &mut String, array: &ArrayRef, row: usize) -> Result<(), TableError> {
    let entries = array.as_map().value(row);
    let (keys, values) = (entries.column(0).clone(), entries.column(1).clone());
    let options = FormatOptions::default();
    let formatter = ArrayFormatter::try_new(&keys, &options)?;
    let member = |row| Ok((formatter.value(row).try_to_string()?, &values, row));
    object(to, (0..entries.len()).map(member))
}

fn scalar(to: &mut String, array: &ArrayRef, row: usize) -> Result<(), TableError> {
    match array.data_type() {
        DataType::Utf8 => string(to, array.as_string::<i32>().value(row)),
        DataType::Binary => string(to, &escaped(array.as_binary::<i32>().value(row))),
        DataType::Decimal128(_, scale) => {
            to.push_str(&decimal_text(array.as_primitive::<Decimal128Type>().value(row), *scale));
        }
        DataType::Float64 => double(to, array.as_primitive::<Float64Type>().value(row)),
        kind => {
            let options = FormatOptions::default();
            let text = ArrayFormatter::try_new(array, &options)?.value(row).try_to_string()?;
            if kind.is_integer() || *kind == DataType::Boolean {
                to.push_str(&text);
            } else {
                string(to, &text);
            }
        }
    }
    Ok(())
}

fn double(to: &mut String, value: f64) {
    if value.is_finite() {
        to.push_str(&serde_json::Value::from(value).to_string());
    } else {
        string(to, &value.to_string());
    }
}

fn string(to: &mut String, text: &str) {
    to.push_str(&serde_json::Value::from(text).to_string());
}
