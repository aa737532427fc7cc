//! Finding spans by a few letters of their service, name or attributes.

use std::collections::HashSet;
use std::ops::Range;

use super::data::TraceData;

/// What is searched for, and which spans have it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Search {
    /// In lower case; empty where nothing is searched for.
    text: String,
    /// Ranks of the spans that match, in order.
    ranks: Vec<u32>,
}

impl Search {
    /// Finds the spans whose service or name holds `text`, whatever its case, and those that hold it in their attributes:
    /// `span_ids`, as the store found them.
    #[must_use]
    pub fn new(data: &TraceData, text: &str, span_ids: &HashSet<u64>) -> Self {
        let text = text.to_lowercase();
        let holds: Vec<bool> = data.spans.texts.iter().map(|held| held.to_lowercase().contains(&text)).collect();
        let spans = &data.spans;
        let is_match = |rank: &u32| {
            let span = data.forest.span(*rank);
            holds[spans.service[span] as usize]
                || holds[spans.name[span] as usize]
                || span_ids.contains(&spans.span_id[span])
        };
        let ranks = if text.is_empty() { Vec::new() } else { (0..data.forest.len()).filter(is_match).collect() };
        Self { text, ranks }
    }

    /// Returns what is searched for, in lower case; empty where nothing is.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Returns how many spans match.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ranks.len()
    }

    /// Tells whether no span matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ranks.is_empty()
    }

    /// Returns the first match at `rank` or behind it, from the beginning again behind the last, and its number from 1.
    #[must_use]
    pub fn next(&self, rank: u32) -> Option<(u32, usize)> {
        let index = self.ranks.partition_point(|&found| found < rank);
        let index = if index < self.ranks.len() { index } else { 0 };
        Some((*self.ranks.get(index)?, index + 1))
    }

    /// Returns the match before `rank`, from the end again before the first, and its number from 1.
    #[must_use]
    pub fn previous(&self, rank: u32) -> Option<(u32, usize)> {
        let before = self.ranks.partition_point(|&found| found < rank);
        let number = if before > 0 { before } else { self.ranks.len() };
        Some((*self.ranks.get(number.checked_sub(1)?)?, number))
    }

    /// Returns where in `text` the first match is.
    #[must_use]
    pub fn find_in(&self, text: &str) -> Option<Range<usize>> {
        if self.text.is_empty() {
            return None;
        }
        let mut starts = text.char_indices().map(|(start, _)| start);
        starts.find_map(|start| Some(start..start + prefix_len(&text[start..], &self.text)?))
    }
}

/// Returns the spans whose status is error, to walk through like matches.
#[must_use]
pub fn errors(data: &TraceData) -> Search {
    let is_error = |rank: &u32| data.spans.status[data.forest.span(*rank)] == 2;
    Search { text: String::new(), ranks: (0..data.forest.len()).filter(is_error).collect() }
}

/// Returns how long the beginning of `text` is that reads as `lower` in lower case.
fn prefix_len(text: &str, lower: &str) -> Option<usize> {
    let mut rest = lower;
    for (start, letter) in text.char_indices() {
        if rest.is_empty() {
            return Some(start);
        }
        for small in letter.to_lowercase() {
            rest = rest.strip_prefix(small)?;
        }
    }
    rest.is_empty().then_some(text.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_found_is_marked_whatever_its_case() {
        let search = Search { text: "größe".to_owned(), ranks: Vec::new() };
        assert_eq!(search.find_in("GET /GRÖßE/7"), Some(5..12));
        assert_eq!(search.find_in("GET /groesse"), None);
        assert_eq!(Search::default().find_in("GET"), None);
    }

    #[test]
    fn the_walk_begins_again_at_both_ends() {
        let search = Search { text: "x".to_owned(), ranks: vec![3, 7, 9] };
        assert_eq!(search.next(3), Some((3, 1)));
        assert_eq!(search.next(4), Some((7, 2)));
        assert_eq!(search.next(10), Some((3, 1)));
        assert_eq!(search.previous(3), Some((9, 3)));
        assert_eq!(search.previous(8), Some((7, 2)));
        assert_eq!(Search::default().next(0), None);
    }
}
