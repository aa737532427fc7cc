use super::*;
use crate::table::Column;

fn text(values: &[&str]) -> Values {
    Values::Text(values.iter().map(|value| (!value.is_empty()).then(|| (*value).into())).collect())
}

/// gateway calls orders, orders calls stock; one trace.
fn table() -> Table {
    let columns = [
        ("trace_id", text(&["0a"; 4])),
        ("span_id", text(&["01", "02", "03", "04"])),
        ("parent_span_id", text(&["", "01", "02", "03"])),
        ("service", text(&["gateway", "gateway", "orders", "orders"])),
        ("kind", text(&["server", "client", "server", "client"])),
        ("start_ns", Values::Int([0, 10, 20, 30].map(Some).to_vec())),
        ("attributes", Values::Json(vec![Some(r#"{"http.request.header.b3":"x","a":1}"#.into()); 4])),
    ];
    let columns = columns.into_iter().map(|(name, values)| Column { name: name.to_owned(), values }).collect();
    Table { columns, is_cut: false }
}

fn ablation() -> Ablation {
    Ablation { rate: 1.0, pack: 1.0, seed: 7, ..Ablation::default() }
}

#[test]
fn the_callee_begins_a_trace_of_its_own_and_the_truth_says_whose_it_was() {
    let at = Place::parse("gateway -> orders");
    let torn = ablate(&table(), &Ablation { trace_id: true, at, ..ablation() }, 0);
    let trace = |row: usize| torn.table.get(row, "trace_id");
    assert_eq!(trace(0), trace(1));
    assert_ne!(trace(1), trace(2));
    assert_eq!(trace(2), trace(3), "what is below goes along");
    assert_eq!(torn.table.get(2, "parent_span_id"), Cell::Null);
    let [line] = torn.truth.as_slice() else { panic!("{:?}", torn.truth) };
    let line: Value = serde_json::from_str(line).unwrap();
    assert_eq!(
        (line["child_span"].as_str(), line["parent_span"].as_str()),
        (Some("0000000000000003"), Some("0000000000000002"))
    );
    assert_eq!(line["both_kept"], true);
}

#[test]
fn inside_a_service_its_calls_begin_traces() {
    let torn = ablate(&table(), &Ablation { trace_id: true, at: Place::parse("orders"), ..ablation() }, 0);
    assert_eq!(torn.truth.len(), 1);
    assert_eq!(torn.table.get(3, "parent_span_id"), Cell::Null);
}

#[test]
fn headers_go_and_the_rest_stays() {
    let torn = ablate(&table(), &Ablation { headers: true, ..ablation() }, 0);
    assert_eq!(torn.table.get(0, "attributes"), Cell::Json(r#"{"a":1}"#));
    assert_eq!(torn.table.get(2, "parent_span_id"), Cell::Text("0000000000000002"));
}

#[test]
fn repetitions_have_their_own_ids_and_come_later() {
    let (first, second) = (ablate(&table(), &ablation(), 0), ablate(&table(), &ablation(), 1));
    assert_ne!(first.table.get(0, "trace_id"), second.table.get(0, "trace_id"));
    let Cell::Int(later) = second.table.get(0, "start_ns") else { panic!("no time") };
    assert!(later > 30);
}
