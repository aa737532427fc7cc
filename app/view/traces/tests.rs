use super::filter::complete_query;
use super::page::Row;
use super::*;

#[test]
fn what_is_typed_becomes_a_whole_query() {
    let query = |typed: &str| complete_query(typed).unwrap();
    assert_eq!(query("{ duration > 1s"), "{ duration > 1s }");
    assert_eq!(query("duration > 1s"), "{ duration > 1s }");
    assert_eq!(query("{ duration > 1s }"), "{ duration > 1s }");
    assert!(query("checkout").contains("(?i).*checkout.*"), "{}", query("checkout"));
    assert!(query("a.b").contains("a\\\\.b"), "{}", query("a.b"));
}

#[test]
fn a_mistake_is_where_it_was_typed() {
    let at = |typed: &str| complete_query(typed).unwrap_err().at;
    assert_eq!(at("duration >> 1s") + 2, at("{ duration >> 1s"));
}

#[test]
fn the_same_root_is_a_filter_whatever_it_is_called() {
    let row = Row { root_service: "a\"b".to_owned(), root_name: "POST /x\\y".to_owned(), ..Row::default() };
    assert!(complete_query(&filter::same_root(&row)).is_ok());
}

#[test]
fn orders_go_round_and_are_found_by_name() {
    let last = Order::by(COLUMNS.len() - 1);
    assert_eq!(Order::by(last.column + 1), Order::default());
    assert_eq!(Order::named("duration").map(Order::words), Some("slowest first".to_owned()));
    assert_eq!(Order::named("colour"), None);
}
