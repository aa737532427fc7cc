use super::*;
use crate::testing::{FIRST, SECOND, SECOND_NS, THIRD, load_text, request, shop, span};
use crate::traceql::{compile_spans, parse};

fn ask(store: &Store, question: &Question) -> Result<Table, AskError> {
    store.ask(question, &Cancel::default())
}

fn texts(table: &Table, column: &str) -> Vec<String> {
    (0..table.num_rows())
        .map(|row| match table.get(row, column) {
            Cell::Text(text) => text.to_owned(),
            other => format!("{other:?}"),
        })
        .collect()
}

fn filtered(traceql: &str) -> Selection {
    Selection { traceql: Some(traceql.to_owned()), ..Selection::default() }
}

#[test]
fn traces_come_newest_first_and_as_selected() {
    let store = shop();
    let all = ask(&store, &Question::Traces(Selection::default())).unwrap();
    assert_eq!(texts(&all, "trace_id"), [THIRD, SECOND, FIRST]);
    assert_eq!((all.get(2, "num_spans"), all.get(2, "num_errors")), (Cell::Int(3), Cell::Int(1)));
    let limited = Selection { limit: Some(1), ..Selection::default() };
    assert_eq!(texts(&ask(&store, &Question::Traces(limited)).unwrap(), "trace_id"), [THIRD]);
    // The newest record is the tick, one second after the second trace began.
    let recent = Selection { since_ns: Some(SECOND_NS), ..Selection::default() };
    assert_eq!(texts(&ask(&store, &Question::Traces(recent)).unwrap(), "trace_id"), [THIRD, SECOND]);
}

#[test]
fn traceql_selects_traces_by_everything_it_can_name() {
    let store = shop();
    for (query, expected) in [
        ("{ }", &[THIRD, SECOND, FIRST][..]),
        ("{ status = error }", &[FIRST]),
        ("{ status = error } && { kind = client }", &[FIRST]),
        ("{ status = error } || { name = \"tick\" }", &[THIRD, FIRST]),
        ("{ span.http.method = \"GET\" }", &[SECOND, FIRST]),
        ("{ span.http.response.status_code = 200 }", &[SECOND]),
        ("{ span.http.status_code = \"200\" }", &[THIRD]),
        ("{ span.http.status_code != nil }", &[THIRD, SECOND, FIRST]),
        ("{ span.http.route = nil && kind = internal }", &[THIRD]),
        ("{ resource.service.name = `orders` && duration >= 500ms }", &[FIRST]),
        ("{ resource.deployment.environment = \"test\" && name =~ \"GET.*\" }", &[SECOND, FIRST]),
        ("{ name =~ \"GET\" }", &[]),
        ("{ .team = \"blue\" }", &[SECOND]),
        ("{ .team != \"blue\" }", &[]),
        ("{ !(.team = \"blue\") && kind = server && trace:rootService = \"gateway\" }", &[FIRST]),
        ("{ .retries > 2 && span.ratio < 0.6 }", &[FIRST]),
        ("{ span.retries = 3.0 }", &[FIRST]),
        ("{ span.cache.hit }", &[THIRD]),
        ("{ span.tags = \"b\" }", &[SECOND, FIRST]),
        ("{ span.tags != \"b\" }", &[]),
        ("{ event:name = \"exception\" && event.exception.type =~ \"Time.*\" }", &[FIRST]),
        ("{ event:timeSinceStart < 1us }", &[FIRST]),
        ("{ link:traceID = \"ab\" }", &[]),
        ("{ instrumentation:name = \"tests\" && span:childCount > 0 && status = unset }", &[SECOND, FIRST]),
        ("{ statusMessage = \"broken\" }", &[FIRST]),
        ("{ span:parentID = nil && trace:duration > 2s }", &[FIRST]),
        ("{ rootName = \"GET /cart\" && span:id = \"3\" }", &[FIRST]),
        ("{ trace:id = \"BBBB0000000000000000000000000003\" }", &[THIRD]),
    ] {
        let table = ask(&store, &Question::Traces(filtered(query))).unwrap_or_else(|error| panic!("{query}: {error}"));
        assert_eq!(texts(&table, "trace_id"), expected, "{query}");
        let spans = compile_spans(&parse(query).unwrap(), &store.conventions());
        let spans = run::run(&store, &spans, None, &Cancel::default()).unwrap();
        assert_eq!(spans.num_rows() > 0, !expected.is_empty(), "{query}");
    }
    let bad = ask(&store, &Question::Traces(filtered("{ nosuch = 1 }"))).unwrap_err();
    assert!(matches!(bad, AskError::Bad { at: Some(2), .. }), "{bad:?}");
}

#[test]
fn a_trace_is_found_by_the_beginning_of_its_id() {
    let store = shop();
    let spans = ask(&store, &Question::Trace { id: "bbbb".to_owned() }).unwrap();
    assert_eq!(texts(&spans, "name"), ["tick"]);
    let spans = ask(&store, &Question::Trace { id: FIRST.to_uppercase() }).unwrap();
    assert_eq!(texts(&spans, "name"), ["GET /cart", "call", "failing"]);
    let several = ask(&store, &Question::Trace { id: "aaaa".to_owned() }).unwrap_err();
    assert!(several.to_string().contains(FIRST) && several.to_string().contains(SECOND), "{several}");
    let missing = ask(&store, &Question::Trace { id: "cccc".to_owned() }).unwrap_err();
    assert_eq!(missing, AskError::NotFound { what: "trace", id: "cccc".to_owned() });
}

#[test]
fn services_are_counted() {
    let store = shop();
    let services = ask(&store, &Question::Services(Selection::default())).unwrap();
    assert_eq!(texts(&services, "service"), ["gateway", "orders"]);
    assert_eq!((services.get(0, "spans"), services.get(1, "errors")), (Cell::Int(4), Cell::Int(1)));
    assert_eq!(
        (services.get(0, "p50_ns"), services.get(0, "p99_ns")),
        (Cell::Int(SECOND_NS), Cell::Int(3 * SECOND_NS))
    );
    let of_one = ask(&store, &Question::Services(filtered("{ name = \"tick\" }"))).unwrap();
    assert_eq!(texts(&of_one, "service"), ["orders"]);
}

#[test]
fn edges_are_the_same_counted_from_minutes_and_from_spans() {
    let store = shop();
    let settled = ask(&store, &Question::Edges(Selection::default())).unwrap();
    let from_spans = ask(&store, &Question::Edges(filtered("{ }"))).unwrap();
    for column in ["client", "server", "operation", "calls", "errors"] {
        let of = |table: &Table| {
            (0..table.num_rows()).map(|row| format!("{:?}", table.get(row, column))).collect::<Vec<_>>()
        };
        assert_eq!(of(&settled), of(&from_spans), "{column}");
    }
    assert_eq!(texts(&settled, "operation"), ["call", "failing"]);
    let names: Vec<_> = settled.columns.iter().map(|column| column.name.as_str()).collect();
    assert_eq!(names, ["client", "server", "operation", "calls", "errors", "p50_ns", "p99_ns"]);
    let failing = ask(&store, &Question::Edges(filtered("{ status = error }"))).unwrap();
    assert_eq!(texts(&failing, "operation"), ["failing"]);
}

#[test]
fn questions_to_an_empty_store_have_empty_answers() {
    let store = Store::temporary().unwrap();
    let since = Selection { since_ns: Some(5), traceql: Some("{ trace:duration > 1s }".to_owned()), limit: Some(3) };
    for question in [
        Question::Traces(since.clone()),
        Question::Services(since.clone()),
        Question::Edges(since.clone()),
        Question::Edges(Selection { traceql: None, ..since.clone() }),
        Question::Logs(since),
    ] {
        assert_eq!(ask(&store, &question).unwrap().num_rows(), 0, "{question:?}");
    }
}

#[test]
fn quotes_in_the_data_stay_in_the_data() {
    let store = shop();
    let odd = serde_json::json!({"o'key \"x\"/~": "it's"});
    let line = request("o'hara", &[span((THIRD, 77, 9), "x'); --", 1, (1_700_000_100_000_000_000, 1), &odd)]);
    load_text(&store, &line.to_string());
    for query in [
        "{ resource.service.name = \"o'hara\" }",
        "{ name = \"x'); --\" }",
        "{ span.\"o'key \\\"x\\\"/~\" = \"it's\" }",
    ] {
        let table = ask(&store, &Question::Traces(filtered(query))).unwrap();
        assert_eq!(texts(&table, "trace_id"), [THIRD], "{query}");
    }
}
