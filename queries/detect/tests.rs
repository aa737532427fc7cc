pub(crate) mod anything;
mod baggage;
mod boundary;
mod ids;
mod loss;
mod propagation;
mod sampling;
pub(crate) mod scene;
mod timing;

use super::{DETECTORS, Rule, Rules};

#[test]
fn every_rule_that_comes_with_riftline_is_whole() {
    for detector in DETECTORS {
        let rule = Rule::parse(detector.rule).unwrap_or_else(|error| panic!("{}: {error}", detector.id));
        assert_eq!(rule.id, detector.id);
        assert!(rule.sql.is_some() != detector.detect.is_some(), "{}: either SQL or a function", detector.id);
        assert!(rule.definition.ends_with('.'), "{}: one sentence", detector.id);
        assert!(rule.fix.contains_key("text"), "{}: says what to change", detector.id);
        for cause in &rule.symptom_of {
            assert!(DETECTORS.iter().any(|other| other.id == cause), "{}: no rule is named {cause}", detector.id);
        }
    }
}

#[test]
fn a_users_folder_changes_what_it_names() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    write("a.toml", "id = \"root-shape-violation\"\nseverity = \"low\"\n[thresholds]\nmin_roots = 3\n");
    write("b.toml", "id = \"mine\"\ngroup = \"X\"\n");
    let (rules, mistakes) = Rules::with_folder(folder.path());
    let rule = rules.get("root-shape-violation").unwrap();
    assert_eq!((rule.severity.name(), rule.count("min_roots")), ("low", 3));
    assert!(rule.threshold("min_share") > 0.0, "what is not named stays");
    assert_eq!(mistakes.len(), 1, "{mistakes:?}");
    assert!(mistakes[0].message.contains("missing field"), "{mistakes:?}");
}
