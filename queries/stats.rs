//! Numbers about answers: what each column of a table holds.

use polars::prelude::{
    ChunkAgg, ChunkQuantile, ChunkSort, ChunkedArray, Float64Chunked, Int64Chunked, NewChunkedArray, PolarsNumericType,
    QuantileMethod, StringChunked, UInt64Chunked,
};

use crate::table::{Column, Table, Values};

/// What is known of one column. Columns without numbers have no mean and no quantiles.
#[derive(Debug, Default)]
struct Summary {
    type_name: &'static str,
    nulls: usize,
    distinct: usize,
    min: Option<Box<str>>,
    max: Option<Box<str>>,
    mean: Option<f64>,
    p50: Option<f64>,
    p99: Option<f64>,
}

/// Returns one row for each column of `table`: column, type, nulls, distinct, min, max, mean, p50, p99.
///
/// `min` and `max` are printed; quantiles are values that occur (the lower of two). Nulls count as no value. Times are
/// RFC 3339 with nanoseconds, UTC.
#[must_use]
pub fn summary(table: &Table) -> Table {
    let summaries: Vec<Summary> = table.columns.iter().map(|column| summary_of(&column.values)).collect();
    let names = table.columns.iter().map(|column| Some(column.name.as_str().into())).collect();
    let count = |count: usize| i64::try_from(count).ok();
    let column = |name: &str, values: Values| Column { name: name.to_owned(), values };
    let doubles = |of: fn(&Summary) -> Option<f64>| Values::Double(summaries.iter().map(of).collect());
    let texts = |of: fn(&Summary) -> Option<Box<str>>| Values::Text(summaries.iter().map(of).collect());
    Table {
        columns: vec![
            column("column", Values::Text(names)),
            column("type", texts(|summary| Some(summary.type_name.into()))),
            column("nulls", Values::Int(summaries.iter().map(|summary| count(summary.nulls)).collect())),
            column("distinct", Values::Int(summaries.iter().map(|summary| count(summary.distinct)).collect())),
            column("min", texts(|summary| summary.min.clone())),
            column("max", texts(|summary| summary.max.clone())),
            column("mean", doubles(|summary| summary.mean)),
            column("p50", doubles(|summary| summary.p50)),
            column("p99", doubles(|summary| summary.p99)),
        ],
        is_cut: table.is_cut,
    }
}

fn summary_of(values: &Values) -> Summary {
    let (type_name, summary) = match values {
        Values::Bool(values) => ("bool", bools(values)),
        Values::Int(values) => {
            ("int", numbers(&Int64Chunked::from_slice_options("".into(), values), |value| value.to_string()))
        }
        Values::UInt(values) => {
            ("uint", numbers(&UInt64Chunked::from_slice_options("".into(), values), |value| value.to_string()))
        }
        Values::Double(values) => ("double", numbers(&doubles(values), |value| format!("{value:?}"))),
        Values::Time(values) => {
            let times = numbers(&Int64Chunked::from_slice_options("".into(), values), time);
            ("time", Summary { mean: None, p50: None, p99: None, ..times })
        }
        Values::Text(values) => ("text", texts(values)),
        Values::Json(values) => ("json", Summary { min: None, max: None, ..texts(values) }),
    };
    Summary { type_name, ..summary }
}

/// What is not a number (NaN) has no place in an order: it counts as null.
fn doubles(values: &[Option<f64>]) -> Float64Chunked {
    let numbers: Vec<Option<f64>> = values.iter().map(|value| value.filter(|value| !value.is_nan())).collect();
    Float64Chunked::from_slice_options("".into(), &numbers)
}

fn numbers<T>(values: &ChunkedArray<T>, print: impl Fn(T::Native) -> String) -> Summary
where
    T: PolarsNumericType,
    ChunkedArray<T>: ChunkAgg<T::Native> + ChunkQuantile<f64> + ChunkSort<T>,
{
    let quantile = |share| values.quantile(share, QuantileMethod::Lower).ok().flatten();
    Summary {
        nulls: values.null_count(),
        distinct: distinct(values.sort(false).iter().flatten()),
        min: values.min().map(|value| print(value).into()),
        max: values.max().map(|value| print(value).into()),
        mean: values.mean(),
        p50: quantile(0.5),
        p99: quantile(0.99),
        ..Summary::default()
    }
}

fn texts(values: &[Option<Box<str>>]) -> Summary {
    let values: StringChunked = values.iter().map(Option::as_deref).collect();
    let sorted = values.sort(false);
    let of = |text: Option<&str>| text.map(Box::from);
    Summary {
        nulls: values.null_count(),
        distinct: distinct(sorted.iter().flatten()),
        min: of(sorted.iter().flatten().next()),
        max: of(sorted.iter().flatten().last()),
        ..Summary::default()
    }
}

fn bools(values: &[Option<bool>]) -> Summary {
    let known: Vec<bool> = values.iter().copied().flatten().collect();
    Summary {
        nulls: values.len() - known.len(),
        distinct: usize::from(known.contains(&true)) + usize::from(known.contains(&false)),
        min: known.iter().min().map(|truth| truth.to_string().into()),
        max: known.iter().max().map(|truth| truth.to_string().into()),
        ..Summary::default()
    }
}

/// Counts how many values differ from the one before them.
fn distinct<T: PartialEq + Copy>(sorted: impl Iterator<Item = T>) -> usize {
    let mut last = None;
    sorted.filter(|&value| last.replace(value) != Some(value)).count()
}

fn time(nanoseconds: i64) -> String {
    chrono::DateTime::from_timestamp_nanos(nanoseconds).to_rfc3339_opts(chrono::SecondsFormat::Nanos, true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::table::Cell;

    fn summary_of_one(values: Values) -> Table {
        summary(&Table { columns: vec![Column { name: "x".to_owned(), values }], is_cut: false })
    }

    #[test]
    fn numbers_have_quantiles_that_occur() {
        let mut values: Vec<Option<i64>> = (1..=100).rev().map(Some).collect();
        values.extend([None, Some(100)]);
        let table = summary_of_one(Values::Int(values));
        for (column, expected) in [
            ("column", Cell::Text("x")),
            ("type", Cell::Text("int")),
            ("nulls", Cell::Int(1)),
            ("distinct", Cell::Int(100)),
            ("min", Cell::Text("1")),
            ("max", Cell::Text("100")),
            ("p50", Cell::Double(51.0)),
            ("p99", Cell::Double(100.0)),
        ] {
            assert_eq!(table.get(0, column), expected, "{column}");
        }
        assert!(matches!(table.get(0, "mean"), Cell::Double(mean) if (mean - 5150.0 / 101.0).abs() < 1e-9));
    }

    #[test]
    fn texts_times_and_truths_have_bounds_only() {
        let texts = summary_of_one(Values::Text(vec![Some("b".into()), None, Some("a".into()), Some("b".into())]));
        assert_eq!((texts.get(0, "min"), texts.get(0, "distinct")), (Cell::Text("a"), Cell::Int(2)));
        let times = summary_of_one(Values::Time(vec![Some(0), Some(1)]));
        assert_eq!(times.get(0, "max"), Cell::Text("1970-01-01T00:00:00.000000001Z"));
        assert_eq!(times.get(0, "p50"), Cell::Null);
        let truths = summary_of_one(Values::Bool(vec![Some(true), None]));
        assert_eq!((truths.get(0, "min"), truths.get(0, "distinct")), (Cell::Text("true"), Cell::Int(1)));
    }

    #[test]
    fn empty_columns_and_nan_give_finite_answers() {
        let empty = summary_of_one(Values::Double(vec![]));
        assert_eq!((empty.get(0, "mean"), empty.get(0, "distinct")), (Cell::Null, Cell::Int(0)));
        let nan = summary_of_one(Values::Double(vec![Some(f64::NAN), Some(2.0)]));
        assert_eq!((nan.get(0, "nulls"), nan.get(0, "mean")), (Cell::Int(1), Cell::Double(2.0)));
        assert_eq!(summary(&Table::default()).num_rows(), 0);
    }
}
