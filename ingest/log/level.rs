//! What loggers call their levels, and the severity numbers of OTLP.

/// Returns the severity of a level's name, such as `WARN`, `warning` or `INFO+2`; nothing where it is no level.
#[inline]
pub(crate) fn of_name(name: &[u8]) -> Option<u8> {
    let mut lower = [0_u8; 12];
    let place = lower.get_mut(..name.len())?;
    for (to, from) in place.iter_mut().zip(name) {
        *to = from.to_ascii_lowercase();
    }
    let severity = match &*place {
        b"trace" | b"trc" | b"trce" | b"silly" | b"finest" => 1,
        b"verbose" | b"vrb" | b"finer" => 2,
        b"debug" | b"dbg" | b"dbug" | b"debg" | b"fine" | b"d" => 5,
        b"config" | b"http" => 7,
        b"info" | b"inf" | b"information" | b"informational" | b"i" | b"log" | b"default" => 9,
        b"notice" | b"note" | b"ok" | b"success" => 10,
        b"warn" | b"warning" | b"wrn" | b"w" => 13,
        b"error" | b"err" | b"eror" | b"erro" | b"fail" | b"failure" | b"severe" | b"exception" | b"e" => 17,
        b"crit" => 18,
        b"alert" => 19,
        b"fatal" | b"ftl" | b"fatl" | b"critical" | b"panic" | b"pnc" | b"dpanic" | b"emerg" | b"emergency" | b"f" => {
            21
        }
        name => return shifted(name),
    };
    Some(severity)
}

/// As [`of_name`], for words that stand in a text: no single letters and no names that are words of their own.
#[inline]
pub(crate) fn of_word(word: &[u8]) -> Option<u8> {
    let is_level = (3..=9).contains(&word.len()) && word.iter().all(u8::is_ascii_alphabetic);
    if !is_level || matches!(word, b"log" | b"note" | b"http" | b"fine" | b"default" | b"success" | b"exception") {
        return None;
    }
    of_name(word)
}

/// `info+2` of Go's slog: the next severity for each step.
fn shifted(name: &[u8]) -> Option<u8> {
    let sign = name.iter().position(|byte| matches!(byte, b'+' | b'-'))?;
    let (name, steps) = name.split_at_checked(sign)?;
    let steps: i8 = std::str::from_utf8(steps).ok()?.parse().ok()?;
    let base = match name {
        b"debug" => 5,
        b"info" => 9,
        b"warn" => 13,
        b"error" => 17,
        _ => return None,
    };
    u8::try_from((base + i16::from(steps)).clamp(1, 24)).ok()
}

/// What the numbers of a level mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scale {
    /// 10 trace to 60 fatal (pino, bunyan), 0 emergency to 7 debug (syslog, GELF), 10000 and so on (logback).
    Any,
    /// 10 debug to 50 critical.
    Python,
    /// 0 emergency to 7 debug.
    Syslog,
    /// 1 to 24.
    Otlp,
}

/// Returns the severity of a level's number.
pub(crate) fn of_number(number: u64, scale: Scale) -> Option<u8> {
    const SYSLOG: [u8; 8] = [21, 19, 18, 17, 13, 10, 9, 5];
    const TENS: [u8; 6] = [1, 5, 9, 13, 17, 21];
    let index = usize::try_from(number).ok()?;
    match scale {
        Scale::Otlp => u8::try_from(number).ok().filter(|number| (1..=24).contains(number)),
        Scale::Python if number <= 50 => TENS.get(index / 10).copied(),
        Scale::Any if (10..70).contains(&number) => TENS.get(index / 10 - 1).copied(),
        Scale::Any if number == 5_000 => Some(1),
        Scale::Any if number.is_multiple_of(10_000) => TENS.get(index / 10_000).copied(),
        Scale::Any | Scale::Syslog => SYSLOG.get(index).copied(),
        Scale::Python => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_levels_by_name_and_number() {
        let names = [
            ("INFO", 9),
            ("warning", 13),
            ("Error", 17),
            ("CRITICAL", 21),
            ("TRACE", 1),
            ("INFO+2", 11),
            ("DEBUG-4", 1),
            ("notice", 10),
        ];
        for (name, severity) in names {
            assert_eq!(of_name(name.as_bytes()), Some(severity), "{name}");
        }
        for word in ["", "information technology", "Charge", "info+x", "e"] {
            assert_eq!(of_word(word.as_bytes()), None, "{word}");
        }
        let numbers = [
            (30, Scale::Any, 9),
            (50, Scale::Any, 17),
            (30, Scale::Python, 13),
            (50, Scale::Python, 21),
            (3, Scale::Any, 17),
            (20_000, Scale::Any, 9),
            (40_000, Scale::Any, 17),
            (13, Scale::Otlp, 13),
        ];
        for (number, scale, severity) in numbers {
            assert_eq!(of_number(number, scale), Some(severity), "{number} {scale:?}");
        }
        assert_eq!(of_number(u64::MAX, Scale::Any), None);
    }
}
