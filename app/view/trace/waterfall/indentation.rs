//! How far rows are indented, so that names stay readable however deep the tree is.
//!
//! A tree that fits is drawn with two cells a level, a deeper one with one. What is deeper still gets the depth as a number in
//! front of every row, and the guides show the levels around the cursor only.

use crate::view::trace::forest::Forest;
use crate::view::trace::outline::{Outline, Row};
use crate::widget::tree::{Connector, Indent, guides};

/// Names need this many cells beside their guides.
const NAME_WIDTH: u16 = 12;

/// The indentation of one screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Indentation {
    indent: Indent,
    /// How many levels are drawn.
    levels: u32,
    /// How many levels on the left are not drawn.
    hidden: u32,
    /// How many digits the depth of a row gets; 0 where it is not written.
    digits: usize,
}

impl Indentation {
    /// Returns the indentation for a tree of `max_depth` in `width` cells with the cursor at `cursor_depth`.
    #[must_use]
    pub fn new(max_depth: u32, cursor_depth: u32, width: u16) -> Self {
        let room = width.saturating_sub(NAME_WIDTH);
        let indent = if Indent::Wide.levels(room) >= max_depth { Indent::Wide } else { Indent::Narrow };
        if indent.levels(room) >= max_depth {
            return Self { indent, levels: max_depth, hidden: 0, digits: 0 };
        }
        let digits = max_depth.to_string().len();
        let levels = indent.levels(room.saturating_sub(digits as u16 + 1)).max(2);
        let page = levels / 2;
        let hidden = cursor_depth.saturating_sub(levels).div_ceil(page) * page;
        Self { indent, levels, hidden, digits }
    }

    /// Returns the depth of the row as a number, where it is written.
    #[must_use]
    pub fn number(self, depth: u32) -> String {
        if self.digits == 0 { String::new() } else { format!("{depth:>0$} ", self.digits) }
    }

    /// Returns the guides of the row.
    #[must_use]
    pub fn guides(self, forest: &Forest, outline: &Outline, row: Row) -> String {
        let depth = row.depth(forest).saturating_sub(self.hidden);
        match depth {
            0 => String::new(),
            _ if depth > self.levels => {
                let blank = vec![false; self.levels as usize - 1];
                guides(&blank, connector(forest, outline, row), self.indent)
            }
            _ => guides(&rails(forest, row, depth - 1), connector(forest, outline, row), self.indent),
        }
    }
}

/// Tells for the nearest `levels` spans above the row, the outermost first, whether siblings of theirs follow.
fn rails(forest: &Forest, row: Row, levels: u32) -> Vec<bool> {
    let above = forest.ancestors(row.first(forest)).take(levels as usize);
    let mut rails: Vec<bool> = above.map(|above| forest.end(above) < forest.siblings_end(above)).collect();
    rails.reverse();
    rails
}

fn connector(forest: &Forest, outline: &Outline, row: Row) -> Connector {
    if matches!(row, Row::Joint(_)) {
        return Connector::Joined;
    }
    let is_open_run = matches!(row, Row::Run(_)) && !outline.is_folded(row);
    let is_last = row.end(forest) == forest.siblings_end(row.first(forest));
    if is_last && !is_open_run { Connector::Last } else { Connector::Middle }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shallow_trees_are_wide_and_deeper_ones_narrow() {
        let shallow = Indentation::new(5, 0, 30);
        assert_eq!((shallow.indent, shallow.number(3)), (Indent::Wide, String::new()));
        let deeper = Indentation::new(12, 0, 30);
        assert_eq!((deeper.indent, deeper.hidden, deeper.number(3)), (Indent::Narrow, 0, String::new()));
    }

    #[test]
    fn deep_trees_show_the_levels_around_the_cursor_and_the_depth_as_a_number() {
        let top = Indentation::new(100_000, 0, 34);
        assert_eq!((top.hidden, top.number(7)), (0, "     7 ".to_owned()));
        let deep = Indentation::new(100_000, 5_000, 34);
        assert!(deep.hidden > 4_980 && deep.hidden < 5_000, "{deep:?}");
        assert_eq!(Indentation::new(100_000, 5_001, 34).hidden, deep.hidden, "the tree does not move with every line");
    }
}
