use proptest::prelude::*;

use super::field::{KINDS, OPERATORS, SCOPES, STATUSES, fit};
use super::*;
use crate::semconv::conventions;

fn printed(query: &str) -> String {
    parse(query).unwrap_or_else(|error| panic!("{query}: {} at {}", error.message, error.at)).to_string()
}

#[test]
fn queries_read_and_print() {
    for (query, expected) in [
        ("{}", "{ }"),
        ("{ true }", "{ }"),
        (" {name=\"GET /\"} ", "{ span:name = \"GET /\" }"),
        (
            "{ span.http.status_code>=200&&span.http.status_code<300 }",
            "{ span.http.status_code >= 200 && span.http.status_code < 300 }",
        ),
        ("{ .a = 1 || .b = 2 && .c = 3 }", "{ .a = 1 || (.b = 2 && .c = 3) }"),
        ("{ status = error } && { kind=server } || {}", "({ span:status = error } && { span:kind = server }) || { }"),
        ("{ 100ms < duration }", "{ span:duration > 100ms }"),
        ("{ status = \"error\" }", "{ span:status = error }"),
        ("{ span.\"odd key\".x = nil }", "{ span.\"odd key.x\" = nil }"),
        ("{ span.cache.hit && !(.x = true) }", "{ span.cache.hit = true && !(.x = true) }"),
        ("{ !span.cache.hit }", "{ !(span.cache.hit = true) }"),
        ("{ .a =~ `\\d+` }", "{ .a =~ \"\\\\d+\" }"),
        ("{ duration > 1h30m }", "{ span:duration > 90m }"),
        ("{ duration > 1.5ms }", "{ span:duration > 1500us }"),
        ("{ event:timeSinceStart > -5s }", "{ event:timeSinceStart > -5s }"),
        ("{ .a != minInt }", "{ .a != -9223372036854775808 }"),
        ("{ rootServiceName = `a` && traceDuration > 1s }", "{ trace:rootService = \"a\" && trace:duration > 1s }"),
        (
            "{ event.exception.message =~ `.*` || link.x = 1 || instrumentation.y = 1e3 }",
            "{ event.exception.message =~ \".*\" || link.x = 1 || instrumentation.y = 1000.0 }",
        ),
    ] {
        assert_eq!(printed(query), expected, "{query}");
        assert_eq!(printed(expected), expected);
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    for (query, at, part) in [
        ("", 0, "expected a spanset filter"),
        ("name = 1", 0, "expected a spanset filter"),
        ("{ span.http.status", 18, "expected a comparison (= != < <= > >= =~ !~) after `span.http.status`"),
        ("{ span.http.status }}", 20, "expected && or ||"),
        ("{ span.a = }", 11, "expected a condition"),
        ("{ http.method = 1 }", 2, "span.http.method"),
        ("{ foo = 1 }", 2, "unknown name `foo`"),
        ("{ duration > 100 }", 13, "duration with a unit"),
        ("{ duration > 100q }", 16, "unknown unit"),
        ("{ status > error }", 11, "use = or !="),
        ("{ status = server }", 11, "error, ok or unset"),
        ("{ name =~ \"(\" }", 10, "bad regular expression"),
        ("{ name = \"a\\.b\" }", 11, "unknown escape"),
        ("{ name = \"a", 9, "not closed"),
        ("{ .a = 1 * 2 }", 9, "arithmetic"),
        ("{ .a = .b }", 7, "two fields"),
        ("{ 1 = 1 }", 2, "one side"),
        ("{ } | count() > 1", 4, "pipelines"),
        ("{ } >> { }", 4, "only && and ||"),
        ("{ .a = 99999999999999999999 }", 7, "too large"),
        ("{ duration > 999999999h }", 13, "too long"),
        ("({ }", 4, "expected )"),
        ("{ (.a = 1 }", 10, "or )"),
        ("{ !.a = 1 }", 3, "parentheses"),
        ("{ .a = \"\0\" }", 7, "NUL"),
        ("{ span. = 1 }", 7, "attribute name"),
        ("{ name }", 7, "expected a comparison"),
    ] {
        let error = parse(query).unwrap_err();
        assert!(error.message.contains(part), "{query}: {}", error.message);
        assert_eq!(error.at, at, "{query}: {}", error.message);
    }
}

#[test]
fn nesting_is_limited_and_long_chains_are_not() {
    for open in ["(", "{ (", "{ !"] {
        let deep = format!("{open}{}", open.trim_start_matches("{ ").repeat(100_000));
        assert!(parse(&deep).unwrap_err().message.contains("too deeply"));
    }
    let long = format!("{{ {}.a = 1 }}", ".a = 1 && ".repeat(50_000));
    assert_eq!(parse(&long).unwrap().to_string(), long);
}

#[test]
fn completion_knows_what_comes_next() {
    let conventions = conventions();
    let values = |field: &Field| match field {
        Field::Attribute { key, .. } if key == "service.name" => vec!["orders".to_owned(), "o\"x".to_owned()],
        _ => vec!["500".to_owned()],
    };
    for (query, from, expected) in [
        ("", 0, "{ "),
        ("{ sta", 2, "status"),
        ("{ span.http.resp", 2, "span.http.response.status_code"),
        ("{ resource.serv", 2, "resource.service.name"),
        ("{ status ", 9, "= "),
        ("{ status =", 10, "error"),
        ("{ status = er", 11, "error"),
        ("{ .a = 1 && du", 12, "duration"),
        ("{ resource.service.name = ", 26, "\"orders\""),
        ("{ resource.service.name = \"o", 26, "\"o\\\"x\""),
        ("{ span.http.status_code >= 5", 27, "500"),
        ("{ status = error ", 17, "&& "),
        ("{ status = error } ", 19, "|| "),
        ("{ !(kin", 4, "kind"),
    ] {
        let completions = complete(query, query.len(), &conventions, &values);
        let found = completions.iter().find(|completion| completion.text == expected);
        assert_eq!(found.map(|completion| completion.from), Some(from), "{query}: {completions:?}");
    }
    assert_eq!(complete("{ foo bar ", 10, &conventions, &values), []);
    assert_eq!(complete("{ ü", 3, &conventions, &values), []);
}

fn field() -> impl Strategy<Value = Field> {
    let intrinsics: Vec<Field> = field::INTRINSICS.iter().map(|row| Field::Intrinsic(row.intrinsic)).collect();
    let scopes = prop::sample::select(SCOPES.map(|(scope, _)| scope).to_vec());
    let keys = prop_oneof!["[a-z]{1,3}(\\.[a-z_]{1,3}){0,2}", "[^\0]{1,6}"];
    prop_oneof![
        prop::sample::select(intrinsics),
        (scopes, keys).prop_map(|(scope, key)| Field::Attribute { scope, key })
    ]
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        "[^\0]{0,8}".prop_map(Value::Text),
        any::<i64>().prop_map(Value::Int),
        any::<f64>().prop_filter("finite", |double| double.is_finite()).prop_map(Value::Double),
        any::<bool>().prop_map(Value::Bool),
        (-i64::MAX..=i64::MAX).prop_map(Value::Duration),
        (-10_000..10_000_i64).prop_map(|milliseconds| Value::Duration(milliseconds * 1_000_000)),
        prop::sample::select(STATUSES.map(|(status, _)| Value::Status(status)).to_vec()),
        prop::sample::select(KINDS.map(|(kind, _)| Value::Kind(kind)).to_vec()),
        Just(Value::Nil),
    ]
}

fn comparison() -> impl Strategy<Value = Condition> {
    let operators = prop::sample::select(OPERATORS.map(|(operator, _)| operator).to_vec());
    (field(), operators, value()).prop_map(|(field, operator, value)| match fit(&field, operator, value) {
        Ok(value) => Condition::Comparison { field, operator, value },
        Err(_) => Condition::Always(false),
    })
}

fn condition() -> impl Strategy<Value = Condition> {
    comparison().prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Condition::Any),
            inner.prop_map(|inner| Condition::Not(Box::new(inner))),
        ]
    })
}

fn query() -> impl Strategy<Value = Query> {
    condition().prop_map(Query::Filter).prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Query::All),
            prop::collection::vec(inner, 2..4).prop_map(Query::Any),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back(query in query()) {
        let text = query.to_string();
        prop_assert_eq!(parse(&text), Ok(query), "{}", text);
    }

    #[test]
    fn no_text_makes_it_panic(text in "[{}()!&|=<>~.\"`a-z0-9:µ \\\\-]{0,40}", cursor in 0..50_usize) {
        if let Ok(query) = parse(&text) {
            prop_assert_eq!(parse(&query.to_string()), Ok(query));
        }
        for completion in complete(&text, cursor.min(text.len()), &conventions(), &|_| Vec::new()) {
            prop_assert!(text.is_char_boundary(completion.from));
        }
    }
}
