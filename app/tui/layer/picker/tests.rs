use super::*;

fn item(label: &str) -> Item {
    Item { kind: "service", label: label.to_owned(), note: String::new(), choice: Choice::Preview(label.to_owned()) }
}

#[test]
fn a_few_letters_find_the_best_first() {
    let items = [item("orders"), item("checkout"), item("POST /checkout"), item("payments")];
    let found: Vec<&str> = search(&items, "chk").into_iter().map(|index| items[index].label.as_str()).collect();
    assert_eq!(found, ["checkout", "POST /checkout"]);
    assert_eq!(search(&items, "").len(), 4);
    assert_eq!(search(&items, "zzz"), Vec::<usize>::new());
}

#[test]
fn what_looks_like_a_trace_id_can_be_opened() {
    let choice = |typed: &str| items::typed_id(typed).map(|item| item.label);
    assert_eq!(choice("4BF9"), Some("4bf9".to_owned()));
    assert_eq!(choice("4bf"), None);
    assert_eq!(choice("checkout"), None);
}

#[test]
fn names_are_quoted_for_traceql() {
    assert_eq!(items::quoted("a\"b\\"), "\"a\\\"b\\\\\"");
}
