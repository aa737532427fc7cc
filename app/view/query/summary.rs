//! What the columns of an answer hold: type, how many values, smallest, middle, largest, most frequent.

use std::collections::HashMap;

use riftline_queries::table::{Cell, Column, Table, Values};

use super::grid::{compare_values, shown};
use crate::humane::{Zone, count, percent};

/// Returns one row a column of `table`.
#[must_use]
pub fn summary(table: &Table, zone: Zone) -> Table {
    let heads = ["column", "type", "null", "distinct", "smallest", "middle", "largest", "most frequent"];
    let rows: Vec<Vec<String>> = table.columns.iter().map(|column| describe(column, zone)).collect();
    let values = |index: usize| rows.iter().map(|row| row.get(index).map(|text| text.as_str().into())).collect();
    let column =
        |(index, name): (usize, &&str)| Column { name: (*name).to_owned(), values: Values::Text(values(index)) };
    Table { columns: heads.iter().enumerate().map(column).collect(), is_cut: table.is_cut }
}

fn describe(column: &Column, zone: Zone) -> Vec<String> {
    let cells: Vec<Cell<'_>> = (0..column.values.len()).map(|row| column.values.get(row)).collect();
    let mut there: Vec<Cell<'_>> = cells.iter().copied().filter(|cell| *cell != Cell::Null).collect();
    there.sort_by(|left, right| compare_values(*left, *right));
    let text = |cell: Option<&Cell<'_>>| cell.and_then(|cell| shown(*cell, &column.name, zone)).unwrap_or_default();
    let (distinct, frequent) = frequencies(&there, column, zone);
    let nulls = cells.len() - there.len();
    vec![
        column.name.clone(),
        type_name(&column.values).to_owned(),
        if nulls == 0 { String::new() } else { percent(nulls as f64 / cells.len() as f64) },
        count(distinct as u64),
        text(there.first()),
        text(there.get(there.len() / 2)),
        text(there.last()),
        frequent,
    ]
}

/// Returns how many different values there are, and the most frequent with its share.
fn frequencies(sorted: &[Cell<'_>], column: &Column, zone: Zone) -> (usize, String) {
    let mut numbers: HashMap<String, usize> = HashMap::new();
    for cell in sorted {
        *numbers.entry(shown(*cell, &column.name, zone).unwrap_or_default()).or_default() += 1;
    }
    // Of equally frequent ones the first by name, so that the same answer has the same summary.
    let most = numbers.iter().max_by(|left, right| left.1.cmp(right.1).then_with(|| right.0.cmp(left.0)));
    let frequent = most.filter(|(_, number)| **number > 1);
    let text = frequent.map(|(text, number)| format!("{text} ({})", percent(*number as f64 / sorted.len() as f64)));
    (numbers.len(), text.unwrap_or_default())
}

fn type_name(values: &Values) -> &'static str {
    match values {
        Values::Bool(_) => "bool",
        Values::Int(_) => "int",
        Values::UInt(_) => "uint",
        Values::Double(_) => "double",
        Values::Text(_) => "text",
        Values::Time(_) => "time",
        Values::Json(_) => "json",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_column_is_described() {
        let values = Values::Int(vec![Some(1), Some(3), Some(3), None]);
        let table = Table { columns: vec![Column { name: "n".to_owned(), values }], is_cut: false };
        let summary = summary(&table, Zone::Utc);
        let row: Vec<String> = (0..8).filter_map(|index| shown(summary.cell(0, index), "", Zone::Utc)).collect();
        assert_eq!(row, ["n", "int", "25 %", "2", "1", "3", "3", "3 (66.7 %)"]);
    }
}
