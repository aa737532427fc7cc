//! Completes names of views, columns, macros and keywords.

use std::collections::BTreeMap;

use riftline_queries::desk::Question;
use riftline_queries::table::{Cell, Table};

use super::highlight::{KEYWORDS, is_word};

/// How many ways to go on are offered.
const MAX_OFFERED: usize = 8;
/// How many names are fetched.
const MAX_NAMES: u64 = 10_000;

/// Names in the store: by name, what it is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names {
    names: BTreeMap<String, String>,
}

/// One way to go on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    pub text: String,
    /// What it is: `view`, the column's view and type, `keyword`.
    pub note: String,
}

impl Names {
    /// Returns the question for the names of views and their columns.
    #[must_use]
    pub fn question() -> Question {
        let sql = "select view_name as name, 'view' as note from duckdb_views() where not internal \
                   union all \
                   select c.column_name, string_agg(distinct c.table_name, ', ' order by c.table_name) || '  ' || lower(any_value(c.data_type)) \
                   from duckdb_columns() c join duckdb_views() v on v.view_name = c.table_name and not v.internal \
                   group by c.column_name order by 1";
        Question::Sql { sql: sql.to_owned(), max_rows: Some(MAX_NAMES) }
    }

    /// Returns the names that the store answered with.
    #[must_use]
    pub fn read(table: &Table) -> Self {
        let row = |row| match (table.cell(row, 0), table.cell(row, 1)) {
            (Cell::Text(name), Cell::Text(note)) => Some((name.to_owned(), note.to_owned())),
            _ => None,
        };
        Self { names: (0..table.num_rows()).filter_map(row).collect() }
    }

    /// Returns the ways to go on after `before`, and how many bytes of it they replace.
    #[must_use]
    pub fn offers(&self, before: &str) -> (usize, Vec<Offer>) {
        let word = before.rsplit(|letter| !is_word(letter)).next().unwrap_or_default();
        let is_in_text = before.matches('\'').count() % 2 == 1 || before.contains("--");
        if word.is_empty() || is_in_text || word.starts_with(|letter: char| letter.is_ascii_digit()) {
            return (0, Vec::new());
        }
        let lower = word.to_lowercase();
        let fits = |name: &str| name.len() > lower.len() && name.to_lowercase().starts_with(&lower);
        let known = self.names.iter().filter(|(name, _)| fits(name));
        let known = known.map(|(name, note)| Offer { text: name.clone(), note: note.clone() });
        let keywords = KEYWORDS.iter().filter(|name| fits(name));
        let keywords = keywords.map(|name| Offer { text: same_case(name, word), note: "keyword".to_owned() });
        let mut offers: Vec<Offer> = known.chain(keywords).collect();
        // What is shortest is nearest to what is typed already.
        offers.sort_by_key(|offer| offer.text.len());
        offers.truncate(MAX_OFFERED);
        (word.len(), offers)
    }
}

/// Returns a keyword in the case that `typed` is in.
fn same_case(keyword: &str, typed: &str) -> String {
    let is_upper = typed.chars().all(|letter| !letter.is_lowercase());
    if is_upper { keyword.to_uppercase() } else { keyword.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_word_before_the_cursor_is_completed() {
        let names =
            BTreeMap::from([("spans".to_owned(), "view".to_owned()), ("span_id".to_owned(), "spans".to_owned())]);
        let names = Names { names };
        let texts = |before: &str| names.offers(before).1.into_iter().map(|offer| offer.text).collect::<Vec<_>>();
        assert_eq!(texts("select * from spa"), ["spans", "span_id"]);
        assert_eq!(texts("SEL"), ["SELECT"]);
        assert_eq!(texts("select 'spa"), Vec::<String>::new());
        assert_eq!(texts("-- spa"), Vec::<String>::new());
        assert_eq!(names.offers("from spa").0, 3);
    }
}
