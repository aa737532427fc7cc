//! Sentences in lines: broken between words, where one word is wider than a line also inside it.

use unicode_segmentation::UnicodeSegmentation;

use super::text::{inert, width};

/// Returns `text`, inert, in lines of at most `room` cells; line ends stay.
#[must_use]
pub fn wrap(text: &str, room: u16) -> Vec<String> {
    text.split('\n').flat_map(|line| wrap_line(&inert(line), room.max(1))).collect()
}

fn wrap_line(line: &str, room: u16) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut used = 0_u16;
    for word in line.split_inclusive(' ') {
        let cells = width(word.trim_end());
        if used > 0 && used.saturating_add(cells) > room && cells <= room {
            lines.push(String::new());
            used = 0;
        }
        for part in parts(word, room) {
            if used > 0 && used.saturating_add(width(part)) > room {
                // The blank that ends a full line is not seen.
                if part == " " {
                    continue;
                }
                lines.push(String::new());
                used = 0;
            }
            used = used.saturating_add(width(part));
            if let Some(last) = lines.last_mut() {
                last.push_str(part);
            }
        }
    }
    lines
}

/// Returns a word and the blank behind it; one that is wider than a line in graphemes.
fn parts(word: &str, room: u16) -> Vec<&str> {
    let text = word.trim_end_matches(' ');
    if width(text) > room {
        return word.graphemes(true).collect();
    }
    vec![text, &word[text.len()..]].into_iter().filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_broken_between_words() {
        assert_eq!(wrap("one two three", 8), ["one two ", "three"]);
        assert_eq!(wrap("(one two) three", 9), ["(one two)", "three"]);
        assert_eq!(wrap("a\nb", 8), ["a", "b"]);
        assert_eq!(wrap("abcdef", 4), ["abcd", "ef"]);
        assert_eq!(wrap("", 4), [""]);
    }

    proptest! {
        #[test]
        fn no_line_is_too_wide_and_nothing_but_blanks_is_lost(text in "[a-z日 ]{0,60}", room in 2_u16..20) {
            let lines = wrap(&text, room);
            prop_assert!(lines.iter().all(|line| width(line) <= room), "{lines:?}");
            let letters = |text: &str| text.replace(' ', "");
            prop_assert_eq!(letters(&lines.concat()), letters(&text));
        }
    }
}
