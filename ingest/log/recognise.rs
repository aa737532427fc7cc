//! Tells logs from other files by their first lines.

use crate::log::ansi;
use crate::log::text::is_continuation as may_continue;

/// How many lines are looked at.
const MAX_LINES: usize = 200;

/// Tells whether most lines of a head are records, not counting those that may continue one.
pub(crate) fn is_log(
    head: &[u8],
    is_whole: bool,
    mut is_record: impl FnMut(&[u8]) -> bool,
    is_continuation: impl Fn(&[u8]) -> bool,
) -> bool {
    let (mut num_records, mut num_others) = (0_usize, 0_usize);
    let mut lines = whole_lines(head, is_whole).take(MAX_LINES).peekable();
    while let Some(line) = lines.next() {
        let line = ansi::stripped(line);
        // The names of functions in a stack trace stand before an indented line.
        let is_above = num_records > 0 && lines.peek().is_some_and(|next| next.first() == Some(&b'\t'));
        if is_record(&line) {
            num_records += 1;
        } else if !is_above && !is_continuation(&line) {
            num_others += 1;
        }
    }
    num_records > num_others
}

/// As [`is_log`], with the usual lines that continue a record.
pub(crate) fn is_usual_log(head: &[u8], is_whole: bool, is_record: impl FnMut(&[u8]) -> bool) -> bool {
    is_log(head, is_whole, is_record, may_continue)
}

/// The last line counts only where it has an end, or nothing comes after it.
fn whole_lines(head: &[u8], is_whole: bool) -> impl Iterator<Item = &[u8]> {
    let len = if is_whole { head.len() } else { crate::lines::whole(head) };
    let head = head.get(..len).unwrap_or_default();
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let start = head.iter().position(|&byte| byte != 0).unwrap_or(head.len());
    head.get(start..)
        .unwrap_or_default()
        .split(|&byte| byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
}
