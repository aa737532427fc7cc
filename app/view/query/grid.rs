//! The answer as a grid: typed columns, scrolled both ways, sorted by any column.

use std::cmp::Ordering;
use std::sync::Arc;

use riftline_queries::table::{Cell, Column, Table, Values};

use crate::format;
use crate::humane::{self, Zone};
use crate::tui::command::Command;
use crate::widget::scroll::Scroll;
use crate::widget::text::{fit, width};

/// The widest that a column is drawn.
const WIDEST: u16 = 48;
/// How many rows decide how wide a column is.
const MEASURED: usize = 500;

/// How the rows of an answer are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sorting {
    pub column: usize,
    pub descends: bool,
}

/// An answer with a cursor on one of its cells.
#[derive(Debug, Clone, Default)]
pub struct Grid {
    pub table: Arc<Table>,
    /// Rows of the table in the order in which they are shown.
    order: Vec<u32>,
    widths: Vec<u16>,
    pub scroll: Scroll,
    pub column: usize,
    /// The first column on the screen.
    pub left: usize,
    pub sorting: Option<Sorting>,
}

impl Grid {
    /// Returns the grid of an answer.
    #[must_use]
    pub fn new(table: Arc<Table>, zone: Zone) -> Self {
        let order = (0..u32::try_from(table.num_rows()).unwrap_or(u32::MAX)).collect();
        let widths = table.columns.iter().map(|column| measure(column, zone)).collect();
        Self { table, order, widths, ..Self::default() }
    }

    /// Returns how many rows there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }

    /// Returns the row of the table that is shown at `place`.
    #[must_use]
    pub fn row(&self, place: usize) -> Option<usize> {
        self.order.get(place).map(|row| *row as usize)
    }

    /// Returns how wide the column at `index` is.
    #[must_use]
    pub fn width(&self, index: usize) -> u16 {
        self.widths.get(index).copied().unwrap_or_default()
    }

    /// Moves the cursor as `command` says; returns whether it was about moving.
    pub fn command(&mut self, command: Command, height: u16, room: u16) -> bool {
        match command {
            Command::Left => self.column = self.column.saturating_sub(1),
            Command::Right => self.column = (self.column + 1).min(self.table.columns.len().saturating_sub(1)),
            other => return self.scroll.command(other, self.len(), height),
        }
        self.follow(room);
        true
    }

    /// Keeps the column of the cursor on a screen that is `room` cells wide.
    fn follow(&mut self, room: u16) {
        self.left = self.left.min(self.column);
        while self.left < self.column && self.needed(self.left) > room {
            self.left += 1;
        }
    }

    /// Returns the cells from the column `left` to the end of the cursor's.
    fn needed(&self, left: usize) -> u16 {
        (left..=self.column).map(|index| self.width(index).saturating_add(2)).fold(0, u16::saturating_add)
    }

    /// Sorts by the column of the cursor: up, down, then as it came.
    pub fn sort(&mut self) {
        let column = self.column;
        self.sorting = match self.sorting {
            Some(sorting) if sorting.column == column && sorting.descends => None,
            Some(sorting) if sorting.column == column => Some(Sorting { column, descends: true }),
            _ => Some(Sorting { column, descends: false }),
        };
        self.order.sort_unstable();
        if let (Some(sorting), Some(values)) =
            (self.sorting, self.table.columns.get(column).map(|column| &column.values))
        {
            self.order.sort_by(|left, right| {
                compare(values.get(*left as usize), values.get(*right as usize), sorting.descends)
            });
        }
    }
}

/// Returns the order of two values of one column; null comes last either way.
fn compare(left: Cell<'_>, right: Cell<'_>, descends: bool) -> Ordering {
    match (left, right) {
        (Cell::Null, Cell::Null) => Ordering::Equal,
        (Cell::Null, _) => Ordering::Greater,
        (_, Cell::Null) => Ordering::Less,
        _ if descends => compare_values(left, right).reverse(),
        _ => compare_values(left, right),
    }
}

/// Returns the order of two values of one column that are there.
#[must_use]
pub fn compare_values(left: Cell<'_>, right: Cell<'_>) -> Ordering {
    match (left, right) {
        (Cell::Bool(left), Cell::Bool(right)) => left.cmp(&right),
        (Cell::Int(left) | Cell::Time(left), Cell::Int(right) | Cell::Time(right)) => left.cmp(&right),
        (Cell::UInt(left), Cell::UInt(right)) => left.cmp(&right),
        (Cell::Double(left), Cell::Double(right)) => left.total_cmp(&right),
        (Cell::Text(left) | Cell::Json(left), Cell::Text(right) | Cell::Json(right)) => left.cmp(right),
        _ => Ordering::Equal,
    }
}

/// Tells whether the values of a column are numbers, which stand at the right.
#[must_use]
pub fn is_number(column: &Column) -> bool {
    matches!(column.values, Values::Int(_) | Values::UInt(_) | Values::Double(_))
}

/// Returns a value as the grid shows it: durations by their `_ns`, numbers grouped; nothing for null.
#[must_use]
pub fn shown(cell: Cell<'_>, name: &str, zone: Zone) -> Option<String> {
    match cell {
        Cell::Int(value) if name.ends_with("duration_ns") || is_quantile(name) => Some(humane::duration(value)),
        Cell::Time(value) => Some(humane::date_time(value, zone)),
        Cell::Int(value) if value >= 0 => Some(humane::count(value.unsigned_abs())),
        Cell::UInt(value) => Some(humane::count(value)),
        Cell::Text(text) | Cell::Json(text) => Some(text.to_owned()),
        other => format::exact(other),
    }
}

/// Tells whether a name is one of a duration by its convention: `p99_ns`, `max_ns`.
fn is_quantile(name: &str) -> bool {
    name.ends_with("_ns") && !name.ends_with("start_ns") && !name.ends_with("time_ns") && !name.ends_with("end_ns")
}

fn measure(column: &Column, zone: Zone) -> u16 {
    let rows = (0..column.values.len()).take(MEASURED);
    let cells =
        rows.map(|row| shown(column.values.get(row), &column.name, zone).map_or(1, |text| width(&fit(&text, WIDEST))));
    cells.max().unwrap_or_default().max(width(&column.name).saturating_add(2)).min(WIDEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grid() -> Grid {
        let numbers = Values::Int(vec![Some(3), None, Some(1)]);
        let texts = Values::Text(vec![Some("x".into()), Some("y".into()), Some("z".into())]);
        let columns =
            vec![Column { name: "n".to_owned(), values: numbers }, Column { name: "t".to_owned(), values: texts }];
        Grid::new(Arc::new(Table { columns, is_cut: false }), Zone::Utc)
    }

    #[test]
    fn a_column_sorts_up_then_down_then_as_it_came() {
        let mut grid = grid();
        let mut orders = Vec::new();
        for _ in 0..3 {
            grid.sort();
            orders.push((0..3).filter_map(|place| grid.row(place)).collect::<Vec<_>>());
        }
        assert_eq!(orders, [vec![2, 0, 1], vec![0, 2, 1], vec![0, 1, 2]]);
    }

    #[test]
    fn the_cursor_stays_in_the_table() {
        let mut grid = grid();
        (0..5).for_each(|_| assert!(grid.command(Command::Right, 5, 4)));
        assert_eq!((grid.column, grid.left), (1, 1));
        (0..5).for_each(|_| assert!(grid.command(Command::Left, 5, 4)));
        assert_eq!((grid.column, grid.left), (0, 0));
    }

    #[test]
    fn values_are_shown_for_people() {
        assert_eq!(shown(Cell::Int(2_310_000_000), "p99_ns", Zone::Utc).as_deref(), Some("2.31 s"));
        assert_eq!(shown(Cell::Int(1_842_331), "spans", Zone::Utc).as_deref(), Some("1 842 331"));
        assert_eq!(shown(Cell::Null, "spans", Zone::Utc), None);
    }
}
