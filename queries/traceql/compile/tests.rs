use super::*;
use crate::semconv::conventions;
use crate::traceql::parse;

fn sql(query: &str) -> String {
    compile(&parse(query).unwrap(), &conventions())
}

fn condition(query: &str) -> String {
    compile_spans_condition(&parse(query).unwrap(), &conventions())
}

#[test]
fn old_and_new_names_read_the_same_column() {
    assert_eq!(condition("{ span.http.method = \"GET\" }"), "(s.http_request_method = 'GET')");
    assert_eq!(condition("{ .http.method = \"GET\" }"), condition("{ span.http.request.method = \"GET\" }"));
    assert_eq!(condition("{ resource.deployment.environment = `x` }"), "(s.deployment_environment_name = 'x')");
    assert_eq!(condition("{ .db.statement =~ `SELECT.*` }"), "(regexp_full_match(s.db_query_text, 'SELECT.*'))");
}

#[test]
fn values_of_another_type_are_read_from_what_was_recorded() {
    let sql = condition("{ span.http.status_code = \"500\" }");
    assert!(sql.contains("'/http.response.status_code'") && sql.contains("'/http.status_code'"), "{sql}");
    assert!(!sql.contains("s.http_response_status_code"), "{sql}");
    let nil = condition("{ span.http.route = nil }");
    assert!(nil.starts_with("(s.http_route IS NULL AND (coalesce(len("), "{nil}");
}

#[test]
fn literals_cannot_leave_their_quotes() {
    assert_eq!(condition("{ name = \"o'hara\" }"), "(s.name = 'o''hara')");
    let sql = condition("{ span.\"a' OR true --/~\" = 1 }");
    assert!(sql.contains("'/a'' OR true --~1~0'"), "{sql}");
}

#[test]
fn intrinsics_read_their_columns() {
    for (query, expected) in [
        ("{ status = error }", "(s.status = 'error')"),
        ("{ kind != server }", "(s.kind <> 'server')"),
        ("{ 1.5s < duration }", "(s.duration_ns > 1500000000)"),
        ("{ span:id = \"AB\" }", "(s.span_id = '00000000000000ab')"),
        ("{ span:parentID = nil }", "(s.parent_span_id IS NULL)"),
        (
            "{ trace:duration > 2s }",
            "(s.trace_id IN (SELECT t.trace_id FROM traces t WHERE t.duration_ns > 2000000000))",
        ),
        ("{ !(name = `x` || .http.route = `/`) }", "(NOT coalesce(((s.name = 'x') OR (s.http_route = '/')), false))"),
    ] {
        assert_eq!(condition(query), expected);
    }
}

#[test]
fn spansets_combine_as_sets_of_traces() {
    assert_eq!(sql("{ }"), "SELECT DISTINCT trace_id FROM spans");
    assert_eq!(
        sql("{ kind = server } && ({ status = error } || { })"),
        "SELECT trace_id FROM ((SELECT DISTINCT s.trace_id FROM spans s WHERE (s.kind = 'server')) INTERSECT \
         (SELECT trace_id FROM ((SELECT DISTINCT s.trace_id FROM spans s WHERE (s.status = 'error')) UNION \
         (SELECT DISTINCT trace_id FROM spans))))"
    );
    let spans = compile_spans(&parse("{ kind = server } && { status = error }").unwrap(), &conventions());
    assert!(spans.contains("WHERE ((s.kind = 'server') OR (s.status = 'error')) AND s.trace_id IN ("), "{spans}");
}
