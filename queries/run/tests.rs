use std::sync::mpsc::sync_channel;
use std::thread;

use super::*;
use crate::table::Cell;
use crate::testing::shop;

fn ask(store: &Store, sql: &str) -> Result<Table, AskError> {
    run(store, sql, None, &Cancel::default())
}

#[test]
fn a_select_is_answered_with_types() {
    let store = shop();
    let table = ask(
        &store,
        "select service, count(*) n, min(start) first, any_value(attributes) a from spans group by 1 order by 1",
    )
    .unwrap();
    assert_eq!(table.num_rows(), 2);
    assert_eq!((table.get(0, "service"), table.get(0, "n")), (Cell::Text("gateway"), Cell::Int(4)));
    assert_eq!(table.get(0, "first"), Cell::Time(crate::testing::START_NS));
    assert!(matches!(table.get(0, "a"), Cell::Json(text) if text.contains("http")));
    let types = ask(
        &store,
        "select sum(duration_ns) s, 1.5 d, [1, 2] l, {'a': 1} t, 'x'::blob b, date '2024-01-02' d2, \
         interval 1 hour i, 18446744073709551615::ubigint u from spans",
    );
    let types = types.unwrap();
    assert!(matches!(types.get(0, "s"), Cell::Int(sum) if sum > 0));
    assert_eq!((types.get(0, "d"), types.get(0, "l")), (Cell::Double(1.5), Cell::Json("[1,2]")));
    assert_eq!((types.get(0, "t"), types.get(0, "d2")), (Cell::Json("{\"a\":1}"), Cell::Text("2024-01-02")));
    assert_eq!(types.get(0, "u"), Cell::UInt(u64::MAX));
}

#[test]
fn every_view_can_be_read_whole() {
    let store = shop();
    for view in ["spans", "logs", "metrics", "traces", "edges", "sources", "rejects", "stitches", "findings", "runs"] {
        ask(&store, &format!("select * from {view}")).unwrap_or_else(|error| panic!("{view}: {error}"));
    }
}

#[test]
fn derived_views_are_settled_when_they_are_named() {
    let store = shop();
    assert!(store.needs_settling());
    ask(&store, "select count(*) from spans").unwrap();
    assert!(store.needs_settling());
    assert_eq!(ask(&store, "select count(*) n from TRACES").unwrap().get(0, "n"), Cell::Int(3));
    assert!(!store.needs_settling());
}

#[test]
fn anything_but_one_select_is_refused() {
    let store = shop();
    for sql in [
        "copy spans to '/tmp/x.csv'",
        "attach '/tmp/x.db'",
        "install httpfs",
        "load json",
        "pragma database_list",
        "set memory_limit = '1TB'",
        "create table t (a int)",
        "insert into raw_spans default values",
        "delete from raw_spans",
        "drop view spans",
        "call pragma_version()",
        "export database '/tmp/x'",
        "begin",
        "select 1; drop view spans",
        "select 1; select 2",
        "explain analyze delete from raw_spans",
    ] {
        let error = ask(&store, sql).unwrap_err();
        assert!(matches!(error, AskError::Refused { .. }), "{sql}: {error:?}");
    }
    assert_eq!(ask(&store, "select count(*) n from spans").unwrap().get(0, "n"), Cell::Int(6));
}

#[test]
fn files_and_the_network_cannot_be_reached() {
    let store = shop();
    for sql in [
        "select * from read_csv('/etc/passwd')",
        "select * from read_text('/etc/passwd')",
        "select * from glob('/etc/*')",
        "select * from read_parquet('http://localhost/x')",
        "from '/etc/passwd'",
        "select getenv('HOME')",
    ] {
        let error = ask(&store, sql).unwrap_err();
        assert!(matches!(error, AskError::Refused { .. } | AskError::Bad { .. }), "{sql}: {error:?}");
    }
}

#[test]
fn mistakes_are_told_with_their_place() {
    let store = shop();
    for (sql, at) in [
        ("selekt 1", Some(0)),
        ("select 1 form spans where", Some(14)),
        ("select nosuch from spans", Some(7)),
        ("select name\nfrom spans\nwhere 'ü' = nosuch", Some(36)),
        ("select * from nosuch", Some(14)),
        ("select 'a' || nosuch(1)", Some(14)),
        ("-- ü\n /* /* */ */ select name\nfrom spans\nwhere nosuch = 1", Some(48)),
        ("select ?", None),
        ("", Some(0)),
        ("-- nothing", Some(10)),
        ("select 1\0", Some(8)),
    ] {
        match ask(&store, sql) {
            Err(AskError::Bad { message, at: found }) => {
                assert_eq!(found, at, "{sql}: {message}");
                assert!(!message.contains("LINE 1"), "{message}");
            }
            other => panic!("{sql}: {other:?}"),
        }
    }
    assert!(matches!(ask(&store, "select cast(name as int) from spans"), Err(AskError::Bad { .. })));
}

#[test]
fn the_row_cap_cuts_and_says_so() {
    let store = shop();
    let cut = run(&store, "select * from range(100000)", Some(5_000), &Cancel::default()).unwrap();
    assert_eq!((cut.num_rows(), cut.is_cut), (5_000, true));
    let whole = run(&store, "select * from range(5000)", Some(5_000), &Cancel::default()).unwrap();
    assert_eq!((whole.num_rows(), whole.is_cut), (5_000, false));
}

#[test]
fn a_runaway_question_stops_when_it_is_cancelled() {
    let store = shop();
    let cancel = Cancel::default();
    let (send, answer) = sync_channel(1);
    thread::scope(|scope| {
        let (asking, stopping) = (cancel.clone(), store.clone());
        scope.spawn(move || {
            let sql = "select count(*) from range(100000000000) a, range(1000) b where a.range * b.range = 7";
            send.send(run(&stopping, sql, None, &asking)).unwrap();
        });
        cancel.stop();
        assert_eq!(answer.recv().unwrap(), Err(AskError::Cancelled));
    });
    assert_eq!(run(&store, "select 1", None, &cancel), Err(AskError::Cancelled));
    assert_eq!(ask(&store, "select 1 x").unwrap().get(0, "x"), Cell::Int(1));
}

#[test]
fn bundled_queries_fit_the_store_and_answer() {
    let store = shop();
    let catalog = Catalog::bundled();
    assert_eq!(check_catalog(&store, &catalog), Ok(Vec::new()));
    for query in catalog.queries() {
        ask(&store, &query.bind(&[]).unwrap()).unwrap_or_else(|error| panic!("{}: {error}", query.name));
    }
}

#[test]
fn queries_that_do_not_fit_are_named_with_their_line() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("bad.sql"), "-- title: Bad\nSELECT name\nFROM spans\nWHERE nosuch = 1").unwrap();
    let (catalog, mistakes) = Catalog::with_folder(folder.path());
    assert_eq!(mistakes, []);
    let mistakes = check_catalog(&shop(), &catalog).unwrap();
    assert_eq!(mistakes.len(), 1);
    assert_eq!((mistakes[0].line, mistakes[0].path.ends_with("bad.sql")), (4, true), "{mistakes:?}");
}
