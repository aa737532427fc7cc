//! Guides in front of the rows of a tree.

/// How a row hangs on its parent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Connector {
    /// It stands under nothing.
    None,
    /// More siblings follow.
    Middle,
    Last,
    /// It was not recorded there.
    Joined,
}

/// How much room a level takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Indent {
    /// Two cells.
    Wide,
    /// One cell, and one before the name.
    Narrow,
}

impl Indent {
    /// Returns how many cells the guides of `levels` levels take.
    #[must_use]
    pub const fn width(self, levels: u32) -> u32 {
        match self {
            Self::Wide => levels.saturating_mul(2),
            Self::Narrow => levels.saturating_add(1),
        }
    }

    /// Returns how many levels fit into `width` cells.
    #[must_use]
    pub const fn levels(self, width: u16) -> u32 {
        match self {
            Self::Wide => width as u32 / 2,
            Self::Narrow => (width as u32).saturating_sub(1),
        }
    }
}

/// Returns the guides of one row. `rails` tells for each level above the row's own, outermost first, whether its line goes on
/// below this row.
#[must_use]
pub fn guides(rails: &[bool], connector: Connector, indent: Indent) -> String {
    let space = if indent == Indent::Wide { " " } else { "" };
    let mut guides = String::new();
    for &goes_on in rails {
        guides.push_str(if goes_on { "│" } else { " " });
        guides.push_str(space);
    }
    match connector {
        Connector::None => return guides,
        Connector::Middle => guides.push('├'),
        Connector::Last => guides.push('└'),
        Connector::Joined => guides.push('┆'),
    }
    guides.push(' ');
    guides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_go_on_where_siblings_follow() {
        assert_eq!(guides(&[], Connector::None, Indent::Wide), "");
        assert_eq!(guides(&[], Connector::Middle, Indent::Wide), "├ ");
        assert_eq!(guides(&[true, false], Connector::Last, Indent::Wide), "│   └ ");
        assert_eq!(guides(&[true, false], Connector::Last, Indent::Narrow), "│ └ ");
    }

    #[test]
    fn what_fits_is_what_is_drawn() {
        for (indent, levels) in [(Indent::Wide, 3), (Indent::Narrow, 3)] {
            let width = guides(&[true, true], Connector::Last, indent).chars().count() as u32;
            assert_eq!(width, indent.width(levels));
            assert_eq!(indent.levels(width as u16), levels);
        }
    }
}
