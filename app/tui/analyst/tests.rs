use crossbeam_channel::bounded;
use std::fs;

use super::*;

const PATIENCE: Duration = Duration::from_secs(30);

/// A store, the news about it, and the analyst who tells them.
fn start(rules: Option<PathBuf>) -> (Analyst, Receiver<LoadNews>) {
    let store = Arc::new(Store::temporary().unwrap());
    let (send, news) = bounded(64);
    (Analyst::start(store, rules, true, send).unwrap(), news)
}

fn wish(analyst: &Analyst, wish: Wish) {
    analyst.wishes().unwrap().send(wish).unwrap();
}

/// Waits for the end of looking; returns what was said until then.
fn said(news: &Receiver<LoadNews>) -> Vec<String> {
    let mut said = Vec::new();
    loop {
        match news.recv_timeout(PATIENCE).unwrap() {
            LoadNews::Said { text, .. } => said.push(text),
            LoadNews::Analysed(result) => {
                result.unwrap();
                return said;
            }
            _ => {}
        }
    }
}

#[test]
fn it_looks_when_it_is_asked_and_says_so() {
    let (analyst, news) = start(None);
    wish(&analyst, Wish::Look);
    assert_eq!(news.recv_timeout(PATIENCE), Ok(LoadNews::Analysing));
    assert_eq!(said(&news), Vec::<String>::new());
}

#[test]
fn rules_that_changed_are_read_before_the_next_look_and_mistakes_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let (analyst, news) = start(Some(folder.path().to_owned()));
    wish(&analyst, Wish::Look);
    said(&news);
    fs::write(folder.path().join("mine.toml"), "id = \"mine\"\ngroup = 7\n").unwrap();
    wish(&analyst, Wish::Look);
    assert!(said(&news).iter().any(|text| text.contains("mine.toml, line")));
    fs::remove_file(folder.path().join("mine.toml")).unwrap();
    wish(&analyst, Wish::ReadRules);
    assert!(said(&news).iter().any(|text| text.ends_with(" rules")));
}

#[test]
fn it_leaves_at_once_when_the_workstation_closes() {
    let (analyst, _news) = start(None);
    let begun = Instant::now();
    drop(analyst);
    assert!(begun.elapsed() < FAREWELL);
}
