use std::sync::Arc;

use serde_json::json;

use crate::cancel::Cancel;
use crate::detect::Rules;
use crate::store::Store;
use crate::store::tests::support::{rows, texts};
use crate::testing::{SECOND_NS, START_NS, load_text, request, span};

/// `count` calls of a worker, each a trace of its own.
fn lonely_calls(from: i64, count: i64) -> String {
    let calls: Vec<_> = (0..count)
        .map(|number| {
            let trace = format!("{:032x}", from + number + 1);
            span((&trace, 1, 0), "GET", 3, (START_NS + (from + number) * SECOND_NS, 1_000_000), &json!({}))
        })
        .collect();
    request("worker", &calls).to_string() + "\n"
}

#[test]
fn findings_are_made_once_and_again_when_rows_or_rules_change() {
    let store = Store::temporary().unwrap();
    load_text(&store, &lonely_calls(0, 30));
    let first = store.analyse(&Cancel::default()).unwrap();
    assert_eq!((first.stretches, first.findings), (1, 1));
    assert_eq!(store.analyse(&Cancel::default()).unwrap().stretches, 0, "nothing changed");

    let listed = "SELECT concat_ws(' ', rule, subject, occurrences, out_of, severity) FROM findings";
    assert_eq!(texts(&store, listed), ["root-shape-violation worker 30 30 med"]);
    assert_eq!(rows(&store, "SELECT trace_id FROM traces WHERE num_findings = 1").len(), 30);

    load_text(&store, &lonely_calls(30, 5));
    assert_eq!(store.analyse(&Cancel::default()).unwrap().stretches, 1);
    assert_eq!(texts(&store, listed), ["root-shape-violation worker 35 35 med"]);

    let folder = tempfile::tempdir().unwrap();
    let text = "id = \"root-shape-violation\"\nenabled = false\n";
    std::fs::write(folder.path().join("root-shape-violation.toml"), text).unwrap();
    store.set_rules(Arc::new(Rules::with_folder(folder.path()).0));
    store.analyse(&Cancel::default()).unwrap();
    assert!(rows(&store, listed).is_empty(), "a rule that is off finds nothing");
}

#[test]
fn an_empty_store_has_nothing_to_say() {
    let store = Store::temporary().unwrap();
    store.analyse(&Cancel::default()).unwrap();
    assert!(rows(&store, "SELECT * FROM findings").is_empty());
    assert!(rows(&store, "SELECT * FROM stitches").is_empty());
}

#[test]
fn rules_of_sql_find_what_their_select_says() {
    let store = Store::temporary().unwrap();
    load_text(&store, &lonely_calls(0, 4));
    let folder = tempfile::tempdir().unwrap();
    let rule = |id: &str, sql: &str| {
        let text = format!(
            "id = \"{id}\"\ngroup = \"X\"\nversion = 1\nseverity = \"low\"\nconfidence = 0.5\ndefinition = \"D.\"\nsql = \"{sql}\"\n\
             [thresholds]\nleast = 3\n[fix]\ntext = \"Change it.\"\n"
        );
        std::fs::write(folder.path().join(format!("{id}.toml")), text).unwrap();
    };
    rule(
        "busy",
        "SELECT service AS subject, count(*) AS occurrences, 'many' AS why, list(trace_id) AS trace_ids FROM spans \
         GROUP BY service HAVING count(*) > {{least}}",
    );
    rule("broken", "SELECT nothing FROM spans");
    store.set_rules(Arc::new(Rules::with_folder(folder.path()).0));
    let analysed = store.analyse(&Cancel::default()).unwrap();
    let broken: Vec<&str> = analysed.broken.iter().map(|rule| rule.id.as_str()).collect();
    assert_eq!(broken, ["broken"]);
    let listed = "SELECT concat_ws(' ', rule, subject, occurrences, severity, evidence->>'$.why', fix) FROM findings";
    assert_eq!(texts(&store, listed), ["busy worker 4 low many Change it."]);
    assert_eq!(rows(&store, "SELECT trace_id FROM traces WHERE num_findings = 1").len(), 4);
}
