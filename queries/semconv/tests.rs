use super::*;

#[test]
fn the_bundled_list_reads() {
    let list = parse(BUNDLED).unwrap();
    let on_spans = list.iter().filter(|convention| convention.on_spans).count();
    assert!((80..=120).contains(&on_spans), "{on_spans} columns on spans");
    assert!(list.len() > on_spans + 40);
}

#[test]
fn old_keys_lead_to_the_canonical_column() {
    let conventions = conventions();
    let columns: Vec<_> = conventions.span_columns().collect();
    for (old, canonical) in [
        ("http.method", "http.request.method"),
        ("http.status_code", "http.response.status_code"),
        ("http.url", "url.full"),
        ("net.host.name", "server.address"),
        ("net.sock.peer.addr", "network.peer.address"),
        ("db.system", "db.system.name"),
        ("db.statement", "db.query.text"),
        ("db.mongodb.collection", "db.collection.name"),
        ("messaging.destination", "messaging.destination.name"),
        ("code.function", "code.function.name"),
    ] {
        let slot = conventions.slot(old.as_bytes()).unwrap();
        assert_eq!(columns[slot.column as usize].key, canonical, "{old}");
        assert!(slot.alias > 0, "{old}");
    }
    assert_eq!(conventions.slot(b"thread.id").unwrap().value, ValueType::Int);
    assert_eq!(conventions.slot(b"k8s.pod.name"), None);
}

#[test]
fn keys_whose_meaning_depends_on_the_span_keep_their_own_column() {
    let conventions = conventions();
    for key in ["net.peer.name", "net.peer.port", "http.target", "rpc.grpc.status_code"] {
        assert_eq!(conventions.slot(key.as_bytes()).unwrap().alias, 0, "{key}");
    }
}

#[test]
fn mistakes_are_told_with_their_line() {
    let twice =
        "spans = [\n{ key = \"a.b\", type = \"text\" },\n{ key = \"c\", type = \"int\", aliases = [\"a.b\"] },\n]";
    let column = "spans = [{ key = \"a.b\", type = \"text\" }]\nresources = [\n{ key = \"a_b\", type = \"text\" }]";
    let reserved = "spans = [\n\n{ key = \"start.ns\", type = \"int\" }]";
    let type_name = "spans = [\n{ key = \"a\", type = \"string\" }]";
    let quote = "spans = [{ key = \"a\\\"b\", type = \"int\" }]";
    for (text, line, part) in [
        (twice, 3, "listed on line 2"),
        (column, 3, "belongs to \"a.b\""),
        (reserved, 3, "start_ns"),
        (type_name, 2, "string"),
        (quote, 1, "lower-case"),
        ("spans = [\n{ key = \"a\", typ = \"int\" }]", 2, "typ"),
        ("spans = ", 1, ""),
    ] {
        let error = parse(text).unwrap_err();
        assert_eq!(error.line, line, "{error}");
        assert!(error.to_string().contains(part), "{error}");
    }
}

#[test]
fn the_version_follows_the_content() {
    let one = parse("spans = [{ key = \"a\", type = \"int\" }]").unwrap();
    let other_type = parse("spans = [{ key = \"a\", type = \"text\" }]").unwrap();
    let with_alias = parse("spans = [{ key = \"a\", type = \"int\", aliases = [\"b\"] }]").unwrap();
    let on_resources = parse("resources = [{ key = \"a\", type = \"int\" }]").unwrap();
    let versions: std::collections::HashSet<u64> =
        [&one, &other_type, &with_alias, &on_resources].map(|list| version_of(list)).into_iter().collect();
    assert_eq!(versions.len(), 4);
    assert_eq!(version_of(&one), version_of(&one.clone()));
    assert_eq!(conventions_version(), version_of(&parse(BUNDLED).unwrap()));
}
