use std::collections::BTreeSet;

use super::*;

fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_bundled_list_is_the_folder() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sql");
    let in_folder: BTreeSet<String> = sql_files(&folder, &mut Vec::new())
        .into_iter()
        .map(|(name, _)| name)
        .filter(|name| !name.starts_with("answers/") && !name.starts_with("store/"))
        .collect();
    let listed: BTreeSet<String> = BUNDLED.iter().map(|&(name, _)| name.to_owned()).collect();
    assert_eq!(in_folder, listed);
    assert_eq!(Catalog::bundled().queries().len(), listed.len());
}

#[test]
fn bundled_queries_describe_themselves_and_bind_their_defaults() {
    for query in Catalog::bundled().queries() {
        assert!(!query.header.description.is_empty(), "{}", query.name);
        let sql = query.bind(&[]).unwrap();
        assert_eq!(placeholders::find(&sql).unwrap(), [], "{}", query.name);
    }
}

#[test]
fn values_are_quoted_and_typed() {
    let catalog = Catalog::bundled();
    let query = catalog.find("slow_operations").unwrap();
    let sql = query.bind(&given(&[("service", "o'hara"), ("limit", "3")])).unwrap();
    assert!(sql.contains("'o''hara'") && sql.contains("LIMIT 3"), "{sql}");
    let bad = query.bind(&given(&[("limit", "3; drop")])).unwrap_err();
    assert!(matches!(bad, NameError::BadValue { .. }), "{bad}");
    let unknown = query.bind(&given(&[("top", "3")])).unwrap_err();
    assert!(unknown.to_string().contains("it has service"), "{unknown}");
}

#[test]
fn names_are_found_or_explained() {
    let catalog = Catalog::bundled();
    assert_eq!(catalog.find("http/routes").unwrap().name, "http/routes");
    assert!(catalog.find("slow").unwrap_err().to_string().contains("latency/slow_traces"));
}

#[test]
fn placeholders_in_strings_and_comments_are_left_alone() {
    let sql = "SELECT '$a', \"$b\", $c -- $d\n/* $e */ - $f / 2, 'it''s $g'";
    let names: Vec<String> = placeholders::find(sql).unwrap().into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["c", "f"]);
    let replaced = placeholders::replace(sql, |name| Ok::<_, ()>(name.to_uppercase())).unwrap();
    assert_eq!(replaced, "SELECT '$a', \"$b\", C -- $d\n/* $e */ - F / 2, 'it''s $g'");
}

#[test]
fn the_user_s_folder_goes_first_and_its_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("http")).unwrap();
    fs::write(folder.path().join("http/routes.sql"), "-- title: Mine\nSELECT 1").unwrap();
    fs::write(folder.path().join("own.sql"), "-- title: Own\n-- parameter: n int = 1\nSELECT $n").unwrap();
    fs::write(folder.path().join("bad.sql"), "-- title: Bad\nSELECT\n$m").unwrap();
    fs::write(folder.path().join("unused.sql"), "-- title: Unused\n-- parameter: n int = 1\nSELECT 1").unwrap();
    let (catalog, mistakes) = Catalog::with_folder(folder.path());
    assert_eq!(catalog.find("http/routes").unwrap().header.title, "Mine");
    assert_eq!(catalog.find("own").unwrap().bind(&given(&[("n", "7")])).unwrap().lines().last(), Some("SELECT 7"));
    let told: Vec<_> = mistakes.iter().map(|mistake| (mistake.line, mistake.message.contains("parameter"))).collect();
    assert_eq!(told, [(3, true), (1, true)]);
    let (catalog, mistakes) = Catalog::with_folder(&folder.path().join("not there"));
    assert_eq!((catalog.queries().len(), mistakes.len()), (BUNDLED.len(), 0));
}
