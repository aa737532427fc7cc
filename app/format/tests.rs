use riftline_queries::table::{Column, Values};

use super::*;

/// One row of everything that can go wrong in a terminal or a parser.
fn hostile() -> Table {
    let texts = ["plain", "esc \u{1b}[31m red", "quote \" comma , newline \n pipe |", "bidi \u{202e} c1 \u{9b}2J", ""];
    let text = texts.iter().map(|text| Some(Box::from(*text))).collect();
    let json = [r#"{"a":1}"#, "[\n1,\t2]", r#""\u001b""#, "no json", "\"\u{202e}\""];
    let json = json.iter().map(|text| Some(Box::from(*text))).collect();
    let columns = vec![
        Column { name: "name".to_owned(), values: Values::Text(text) },
        Column {
            name: "duration_ns".to_owned(),
            values: Values::Int(vec![Some(1), None, Some(-2_310_000_000), Some(i64::MAX), Some(0)]),
        },
        Column { name: "name".to_owned(), values: Values::Json(json) },
        Column {
            name: "x\u{1b}".to_owned(),
            values: Values::Double(vec![Some(1.0), Some(f64::NAN), Some(0.1), Some(1e300), None]),
        },
        Column {
            name: "start".to_owned(),
            values: Values::Time(vec![Some(1_789_383_123_112_000_001), None, Some(0), None, None]),
        },
    ];
    Table { columns, is_cut: false }
}

fn printed(table: &Table, format: Format, face: &Face) -> String {
    let mut out = Vec::new();
    print(table, format, face, &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

fn terminal(width: usize) -> Face {
    Face { is_terminal: true, width: Some(width), ..Face::default() }
}

fn is_inert(text: &str) -> bool {
    text.chars().all(|letter| letter == '\n' || !(letter.is_control() || ('\u{202a}'..='\u{202e}').contains(&letter)))
}

#[test]
fn no_format_lets_control_characters_through_to_a_terminal() {
    for format in [Format::Table, Format::Json, Format::Ndjson, Format::Csv, Format::Markdown] {
        let text = printed(&hostile(), format, &terminal(200));
        assert!(is_inert(&text), "{format:?}: {text:?}");
    }
}

#[test]
fn ndjson_reads_back_as_what_was_printed() {
    let text = printed(&hostile(), Format::Ndjson, &Face::default());
    let rows: Vec<serde_json::Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 5);
    assert_eq!(rows[1]["name"], "esc \u{1b}[31m red");
    assert_eq!(rows[3]["name"], "bidi \u{202e} c1 \u{9b}2J");
    assert_eq!(rows[0]["name_2"], serde_json::json!({"a": 1}));
    assert_eq!(rows[1]["name_2"], serde_json::json!([1, 2]));
    assert_eq!(rows[3]["name_2"], "no json");
    assert_eq!(rows[2]["duration_ns"], -2_310_000_000_i64);
    assert_eq!(rows[1]["x\u{1b}"], "NaN");
    assert_eq!(rows[0]["start"], "2026-09-14T10:52:03.112000001Z");
    assert!(is_inert(&text), "{text:?}");
}

#[test]
fn json_is_one_array_with_the_rows_of_ndjson() {
    let array: serde_json::Value = serde_json::from_str(&printed(&hostile(), Format::Json, &Face::default())).unwrap();
    let lines = printed(&hostile(), Format::Ndjson, &Face::default());
    let rows: Vec<serde_json::Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(array.as_array(), Some(&rows));
    assert_eq!(printed(&Table::default(), Format::Json, &Face::default()), "[]\n");
}

#[test]
fn csv_tells_null_from_empty_and_quotes_what_needs_it() {
    let text = printed(&hostile(), Format::Csv, &Face::default());
    let lines: Vec<&str> = text.split('\n').collect();
    assert_eq!(lines[0], "name,duration_ns,name_2,x\u{1b},start");
    assert_eq!(lines[1], r#"plain,1,"{""a"":1}",1.0,2026-09-14T10:52:03.112000001Z"#);
    assert!(text.contains("\"quote \"\" comma , newline \n pipe |\","), "{text}");
    assert!(text.contains("\n\"\",0,"), "{text}");
}

#[test]
fn markdown_keeps_data_in_its_cell() {
    let text = printed(&hostile(), Format::Markdown, &Face::default());
    assert!(text.starts_with("| name | duration_ns |"), "{text}");
    assert!(text.contains("| --- | ---: | --- | ---: | --- |"), "{text}");
    assert!(text.contains("pipe \\| |"), "{text}");
    assert_eq!(text.lines().count(), 7);
}

#[test]
fn a_table_on_a_terminal_fits_and_has_units() {
    for width in [20, 40, 60, 80, 120] {
        let text = printed(&hostile(), Format::Table, &terminal(width));
        let widest = text.lines().map(unicode_width::UnicodeWidthStr::width).max();
        assert!(widest <= Some(width), "{width}: {text}");
    }
    let text = printed(&hostile(), Format::Table, &terminal(200));
    assert!(text.contains("-2.31 s"), "{text}");
    assert!(!text.contains("duration_ns"), "{text}");
}

#[test]
fn a_table_in_a_pipe_is_exact_and_whole() {
    let text = printed(&hostile(), Format::Table, &Face::default());
    assert!(text.contains("duration_ns") && text.contains("-2310000000"), "{text}");
    assert!(text.contains(&i64::MAX.to_string()), "{text}");
}

#[test]
fn columns_without_room_are_counted() {
    let columns = (0..30).map(|index| Column { name: format!("column_{index}"), values: Values::Int(vec![Some(1)]) });
    let table = Table { columns: columns.collect(), is_cut: false };
    let mut out = Vec::new();
    let hidden = print(&table, Format::Table, &terminal(80), &mut out).unwrap();
    let shown = String::from_utf8(out).unwrap();
    let num_shown = shown.lines().next().unwrap().split_whitespace().count();
    assert_eq!(num_shown + hidden.num_columns, 30);
}
