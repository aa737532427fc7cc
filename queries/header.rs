//! The comment that a named query begins with.
//!
//! ```text
//! file        = { header line } , sql ;
//! header line = "-- title: " text | "-- description: " text | "-- parameter: " parameter ;
//! parameter   = name type "=" default [ " -- " text ] ;      (name: lower case, digits, _)
//! type        = "text" | "int" | "double" | "bool" | "duration" ;
//! ```
//!
//! The SQL names a parameter as `$name`. Comment lines without a known key are ordinary comments. A `duration` is written
//! `250ms` and stands in the SQL as nanoseconds.

use crate::traceql;

/// What a named query says about itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Header {
    pub title: String,
    /// Empty where there is none.
    pub description: String,
    pub parameters: Vec<Parameter>,
}

/// A value that whoever asks may choose.
#[derive(Debug, Clone, PartialEq)]
pub struct Parameter {
    pub name: String,
    pub type_: ParameterType,
    /// As written in the header.
    pub default: String,
    /// Empty where there is none.
    pub description: String,
}

/// The type of a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ParameterType {
    Text,
    Int,
    Double,
    Bool,
    Duration,
}

/// A mistake in a named query; `line` is 1-based.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {message}")]
pub struct HeaderError {
    pub line: usize,
    pub message: String,
}

const TYPES: [(&str, ParameterType); 5] = [
    ("text", ParameterType::Text),
    ("int", ParameterType::Int),
    ("double", ParameterType::Double),
    ("bool", ParameterType::Bool),
    ("duration", ParameterType::Duration),
];

impl ParameterType {
    /// Returns the name of the type in a header.
    #[must_use]
    pub fn name(self) -> &'static str {
        TYPES.iter().find(|(_, known)| *known == self).map_or("", |(name, _)| name)
    }

    /// Returns `value` as an SQL literal, or nothing where it is not of the type.
    #[must_use]
    pub fn literal(self, value: &str) -> Option<String> {
        match self {
            Self::Text if value.contains('\0') => None,
            Self::Text => Some(format!("'{}'", value.replace('\'', "''"))),
            Self::Int => value.parse::<i64>().ok().map(|value| value.to_string()),
            Self::Double => {
                let value = value.parse::<f64>().ok().filter(|value| value.is_finite())?;
                Some(format!("CAST('{value:?}' AS DOUBLE)"))
            }
            Self::Bool => value.parse::<bool>().ok().map(|value| value.to_string()),
            Self::Duration => traceql::duration_ns(value).map(|nanoseconds| nanoseconds.to_string()),
        }
    }
}

/// Reads the header of `text`.
pub fn parse(text: &str) -> Result<Header, HeaderError> {
    let mut header = Header { title: String::new(), description: String::new(), parameters: Vec::new() };
    for (index, line) in text.lines().enumerate() {
        let Some(comment) = line.trim_start().strip_prefix("--") else {
            break;
        };
        let Some((key, value)) = comment.split_once(':') else {
            continue;
        };
        let result = header.take(key.trim(), value.trim());
        result.map_err(|message| HeaderError { line: index + 1, message })?;
    }
    if header.title.is_empty() {
        return Err(HeaderError { line: 1, message: "the first line is not \"-- title: …\"".to_owned() });
    }
    Ok(header)
}

impl Header {
    fn take(&mut self, key: &str, value: &str) -> Result<(), String> {
        match key {
            "title" if !self.title.is_empty() => Err("a second title".to_owned()),
            "title" => {
                value.clone_into(&mut self.title);
                Ok(())
            }
            "description" => {
                let between = if self.description.is_empty() { "" } else { " " };
                self.description = format!("{}{between}{value}", self.description);
                Ok(())
            }
            "parameter" => {
                let parameter = parameter(value)?;
                if self.parameters.iter().any(|known| known.name == parameter.name) {
                    return Err(format!("a second parameter {}", parameter.name));
                }
                self.parameters.push(parameter);
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

fn parameter(text: &str) -> Result<Parameter, String> {
    let form = || "expected \"name type = default -- description\"".to_owned();
    let (declaration, rest) = text.split_once('=').ok_or_else(form)?;
    let (name, type_name) = declaration.trim().split_once(' ').ok_or_else(form)?;
    let (default, description) = rest.split_once(" -- ").unwrap_or((rest, ""));
    if !is_name(name) {
        return Err(format!("{name:?} is not a name of lower-case letters, digits and _"));
    }
    let type_name = type_name.trim();
    let known = TYPES.map(|(name, _)| name).join(", ");
    let type_ = TYPES.iter().find(|(name, _)| *name == type_name).map(|&(_, type_)| type_);
    let type_ = type_.ok_or_else(|| format!("unknown type {type_name:?}: known are {known}"))?;
    let default = unquoted(default.trim()).to_owned();
    if type_.literal(&default).is_none() {
        return Err(format!("the default {default:?} of {name} is not of type {type_name}"));
    }
    Ok(Parameter { name: name.to_owned(), type_, default, description: description.trim().to_owned() })
}

fn unquoted(text: &str) -> &str {
    text.strip_prefix('\'').and_then(|text| text.strip_suffix('\'')).unwrap_or(text)
}

/// Tells whether `name` can stand behind the `$` of a parameter.
pub(crate) fn is_name(name: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.starts_with(|first: char| first.is_ascii_lowercase()) && name.bytes().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_title_description_and_parameters() {
        let text = "-- title: Slow: the list\n-- description: One.\n-- description: Two.\n-- a remark\n\
                    -- parameter: service text = 'a''s' -- only this one\n-- parameter: over duration = 250ms\nSELECT 1\n\
                    -- title: not read";
        let header = parse(text).unwrap();
        assert_eq!((header.title.as_str(), header.description.as_str()), ("Slow: the list", "One. Two."));
        assert_eq!(header.parameters[0].description, "only this one");
        assert_eq!(header.parameters[1].type_.literal("250ms").unwrap(), "250000000");
    }

    #[test]
    fn mistakes_are_told_with_their_line() {
        for (text, line, part) in [
            ("SELECT 1", 1, "title"),
            ("-- title: a\n-- title: b", 2, "second title"),
            ("-- title: a\n-- parameter: x", 2, "name type = default"),
            ("-- title: a\n-- parameter: X int = 1", 2, "lower-case"),
            ("-- title: a\n-- parameter: x number = 1", 2, "known are text, int"),
            ("-- title: a\n-- parameter: x int = one", 2, "not of type int"),
            ("-- title: a\n\n", 0, ""),
            ("-- title: a\n-- parameter: x int = 1\n-- parameter: x int = 2", 3, "second parameter"),
        ] {
            match parse(text) {
                Err(error) => assert!(error.line == line && error.message.contains(part), "{error}"),
                Ok(header) => assert_eq!((line, header.title.as_str()), (0, "a")),
            }
        }
    }

    #[test]
    fn literals_are_typed_and_quoted() {
        assert_eq!(ParameterType::Text.literal("o'hara"), Some("'o''hara'".to_owned()));
        assert_eq!(ParameterType::Int.literal("1; drop"), None);
        assert_eq!(ParameterType::Double.literal("NaN"), None);
        assert_eq!(ParameterType::Bool.literal("true"), Some("true".to_owned()));
        assert_eq!(ParameterType::Duration.literal("2"), None);
    }
}
