//! Scores as one table: a row an edge, one for all, and one for each tenth of confidence.

use riftline_queries::lab::score::Score;
use riftline_queries::table::{Column, Table, Values};

const COUNTS: [&str; 4] = ["torn", "accepted", "right", "exact"];
const SHARES: [&str; 7] =
    ["precision", "recall", "best_guess", "first_come", "whole_traces", "said", "calibration_error"];

/// Rows as they come.
#[derive(Debug, Default)]
pub struct Scores {
    names: Vec<Option<Box<str>>>,
    counts: [Vec<Option<i64>>; 4],
    shares: [Vec<Option<f64>>; 7],
}

impl Scores {
    /// Adds the rows of one measurement; `prefix` stands before their names.
    pub fn push(&mut self, prefix: &str, all: &Score, edges: &[(String, Score)]) {
        for (name, score) in edges.iter().filter(|(_, score)| score.torn > 0 || score.accepted > 0) {
            self.score(&format!("{prefix}{name}"), score, None);
        }
        self.score(&format!("{prefix}all"), all, Some(all.whole_traces()));
        for bin in all.bins.iter().filter(|bin| bin.joins > 0) {
            let joins = bin.joins as f64;
            let name = format!("{prefix}confidence {:.1} to {:.1}", bin.from, bin.from + 0.1);
            let right = bin.right as f64 / joins;
            self.row(
                &name,
                [None, Some(bin.joins as i64), Some(bin.right as i64), None],
                [Some(right), None, None, None, None, Some(bin.confidence / joins), None],
            );
        }
    }

    fn score(&mut self, name: &str, score: &Score, whole_traces: Option<f64>) {
        let counts =
            [score.torn, score.accepted, score.accepted_right, score.exact_right].map(|count| Some(count as i64));
        self.row(
            name,
            counts,
            [
                Some(score.precision()),
                Some(score.recall()),
                Some(score.best_guess()),
                Some(score.first_come()),
                whole_traces,
                None,
                Some(score.calibration_error()),
            ],
        );
    }

    fn row(&mut self, name: &str, counts: [Option<i64>; 4], shares: [Option<f64>; 7]) {
        self.names.push(Some(name.into()));
        self.counts.iter_mut().zip(counts).for_each(|(column, count)| column.push(count));
        let rounded = |share: f64| (share * 1e4).round() / 1e4;
        self.shares.iter_mut().zip(shares).for_each(|(column, share)| column.push(share.map(rounded)));
    }

    /// Returns the rows as a table.
    #[must_use]
    pub fn table(self) -> Table {
        let column = |name: &str, values| Column { name: name.to_owned(), values };
        let mut columns = vec![column("what", Values::Text(self.names))];
        columns.extend(COUNTS.iter().zip(self.counts).map(|(name, values)| column(name, Values::Int(values))));
        columns.extend(SHARES.iter().zip(self.shares).map(|(name, values)| column(name, Values::Double(values))));
        Table { columns, is_cut: false }
    }
}
