//! Spans of time as people type them: `15m`, `1h30m`, `1.5s`.

/// Units with their length in nanoseconds; the longer of two that begin alike first.
const UNITS: [(&str, f64); 9] = [
    ("ns", 1.0),
    ("us", 1e3),
    ("µs", 1e3),
    ("ms", 1e6),
    ("s", 1e9),
    ("m", 60e9),
    ("h", 3_600e9),
    ("d", 86_400e9),
    ("w", 604_800e9),
];

/// Returns the nanoseconds of a text such as `15m`, `1h30m` or `1.5s`; fails with what may be written instead.
pub fn parse(text: &str) -> Result<i64, String> {
    let mut rest = text.trim();
    let mut total = 0.0;
    while !rest.is_empty() {
        let (nanoseconds, after) = one(rest).ok_or_else(|| mistake(text))?;
        total += nanoseconds;
        rest = after;
    }
    let fits = !text.trim().is_empty() && total < i64::MAX as f64;
    fits.then_some(total as i64).ok_or_else(|| mistake(text))
}

/// Takes one number with its unit off the front.
fn one(text: &str) -> Option<(f64, &str)> {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && letter != '.')?;
    let (digits, after) = text.split_at_checked(end)?;
    let number: f64 = digits.parse().ok()?;
    UNITS.iter().find_map(|(unit, size)| Some((number * size, after.strip_prefix(unit)?)))
}

fn mistake(text: &str) -> String {
    format!("`{text}` is no span of time: write a number with a unit, such as 500ms, 15m, 1h30m or 2d")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_units_add_up() {
        let cases = [
            ("15m", 900_000_000_000),
            ("1h30m", 5_400_000_000_000),
            ("1.5s", 1_500_000_000),
            ("250us", 250_000),
            ("500ms", 500_000_000),
            (" 2d ", 172_800_000_000_000),
        ];
        for (text, nanoseconds) in cases {
            assert_eq!(parse(text), Ok(nanoseconds), "{text}");
        }
    }

    #[test]
    fn anything_else_says_what_to_write() {
        for text in ["", "15", "m", "-5m", "1y", "1..2s", "9999999999w", "5m garbage"] {
            assert!(parse(text).is_err_and(|message| message.contains("1h30m")), "{text:?}");
        }
    }
}
