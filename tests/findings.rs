//! What `riftline findings`, `trace --healed`, `export --healed` and `lab` say about recorded traces.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Output;

use riftline_queries::detect::Rules;
use serde_json::Value;

use crate::support::{describe, riftline, stdout_of};

fn sample(name: &str) -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-traces").join(name);
    ["traces.jsonl", "logs.jsonl"].map(|file| folder.join(file).display().to_string()).to_vec()
}

/// Recordings of others, where they are there.
fn shared() -> Option<PathBuf> {
    let named = std::env::var_os("RIFTLINE_SHARED_DATA").map(PathBuf::from);
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    let folder = named.unwrap_or(beside);
    folder.join("shop").is_dir().then_some(folder)
}

fn run(args: &[&str], sources: &[String]) -> Output {
    let home = tempfile::tempdir().expect("folder");
    riftline(home.path()).args(args).args(sources).output().expect("run riftline")
}

fn lines(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a row")).collect()
}

fn text<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// What one run of the shop must say.
struct Expected {
    run: &'static str,
    /// Any of these rules is the primary; none: nothing above info.
    rules: &'static [&'static str],
    /// Subject and occurrences that fit together.
    subjects: &'static [(&'static str, &'static [i64])],
    sides: &'static [&'static str],
    /// Rules that may stand besides, on these subjects.
    allowed: &'static [(&'static str, &'static [&'static str])],
}

const SPLIT: &[&str] = &["b3-not-extracted", "propagator-format-mismatch", "context-not-injected"];

/// As the recordings' own description has it.
const RUNS: &[Expected] = &[
    Expected { run: "healthy", rules: &[], subjects: &[], sides: &[], allowed: &[] },
    Expected {
        run: "b3split",
        rules: SPLIT,
        subjects: &[("gateway -> orders", &[211]), ("gateway -> inventory", &[89]), ("gateway", &[300])],
        sides: &["gateway"],
        allowed: &[("*", &["gateway -> orders", "gateway -> inventory", "gateway"])],
    },
    Expected {
        run: "b3mixed",
        rules: SPLIT,
        subjects: &[("gateway -> orders", &[212]), ("gateway", &[212]), ("orders", &[212])],
        sides: &["gateway", "orders"],
        allowed: &[],
    },
    Expected {
        run: "poolctx",
        rules: &["async-context-loss"],
        subjects: &[("orders", &[362, 181]), ("orders -> inventory", &[362])],
        sides: &["orders"],
        allowed: &[
            ("async-context-loss", &["orders"]),
            ("root-shape-violation", &["orders"]),
            ("baggage-lost", &["orders", "orders -> inventory"]),
        ],
    },
    Expected {
        run: "baggage",
        rules: &["baggage-lost"],
        subjects: &[("gateway -> orders", &[212]), ("orders", &[212, 786, 1210])],
        sides: &["orders"],
        allowed: &[("baggage-lost", &["orders -> inventory", "orders -> payments", "orders -> shipping"])],
    },
    Expected {
        run: "slowpay",
        rules: &[],
        subjects: &[],
        sides: &[],
        allowed: &[("child-outlives-parent", &["orders -> payments"])],
    },
    Expected {
        run: "earlyend",
        rules: &["child-outlives-parent"],
        subjects: &[("gateway", &[308, 175, 133]), ("orders", &[591, 208, 175, 33])],
        sides: &["gateway", "orders"],
        allowed: &[("child-outlives-parent", &["gateway", "orders"])],
    },
    Expected { run: "semconv", rules: &[], subjects: &[], sides: &[], allowed: &[] },
    Expected {
        run: "clockskew",
        rules: &["clock-skew"],
        subjects: &[
            ("payments", &[212]),
            ("inventory", &[664]),
            ("orders -> payments", &[212]),
            ("gateway -> inventory", &[88]),
            ("orders -> inventory", &[364]),
            ("shipping -> inventory", &[212]),
        ],
        sides: &["payments", "inventory"],
        allowed: &[("clock-skew", &["payments", "inventory"])],
    },
    Expected {
        run: "missing",
        rules: &["telemetry-loss", "orphan-span"],
        subjects: &[
            ("orders", &[486, 581, 355, 203, 308]),
            ("orders -> inventory", &[113]),
            ("orders -> payments", &[89]),
            ("orders -> shipping", &[71]),
            ("gateway -> orders", &[84]),
        ],
        sides: &["orders"],
        allowed: &[
            ("telemetry-loss", &["orders"]),
            ("orphan-span", &["orders", "inventory", "payments", "shipping"]),
            ("dark-hop", &["gateway -> orders"]),
        ],
    },
    Expected { run: "duplicates", rules: &[], subjects: &[], sides: &[], allowed: &[] },
    Expected {
        run: "ctxleak",
        rules: &["context-leak-megatrace", "child-outlives-parent"],
        subjects: &[("gateway", &[47, 38, 35, 15]), ("gateway -> orders", &[43]), ("gateway -> inventory", &[4])],
        sides: &["gateway"],
        allowed: &[("context-leak-megatrace", &["gateway"]), ("child-outlives-parent", &["gateway"])],
    },
    Expected {
        run: "msgdrop",
        rules: &["message-context-missing", "context-not-injected"],
        subjects: &[("orders -> shipping", &[211]), ("shipping", &[211]), ("orders", &[211])],
        sides: &["orders"],
        allowed: &[("baggage-lost", &["orders -> shipping", "shipping", "shipping -> inventory"])],
    },
    Expected {
        run: "linkmsg",
        rules: &[],
        subjects: &[],
        sides: &[],
        allowed: &[("baggage-lost", &["orders -> shipping", "shipping", "shipping -> inventory"])],
    },
    Expected {
        run: "errors",
        rules: &[],
        subjects: &[],
        sides: &[],
        allowed: &[("child-outlives-parent", &["gateway"])],
    },
];

#[test]
fn each_run_of_the_shop_is_diagnosed_as_its_description_says() {
    let Some(data) = shared() else {
        eprintln!("skipped: the shared recordings are not here");
        return;
    };
    let mut wrong = Vec::new();
    for expected in RUNS {
        let folder = data.join("shop").join(expected.run);
        let sources = ["traces.jsonl.gz", "logs.jsonl.gz"].map(|file| folder.join(file).display().to_string());
        let output = run(&["findings", "--group", "A,B,C,D,F", "--fail-on", "high"], &sources);
        let found: Vec<Value> = lines(&output).into_iter().filter(|row| text(row, "severity") != "info").collect();
        wrong.extend(judge(expected, &found).map(|why| format!("{}: {why}\n{}", expected.run, shown(&found))));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn shown(found: &[Value]) -> String {
    let line = |row: &Value| {
        format!("    {} {} {} {}/{}\n", row["severity"], row["rule"], row["subject"], row["occurrences"], row["out_of"])
    };
    found.iter().map(line).collect()
}

fn judge(expected: &Expected, found: &[Value]) -> Option<String> {
    let is_allowed = |row: &Value| {
        expected.allowed.iter().any(|(rule, subjects)| {
            (*rule == text(row, "rule") || *rule == "*" && expected.rules.contains(&text(row, "rule")))
                && subjects.contains(&text(row, "subject"))
        })
    };
    let rest = match (expected.rules, found.split_first()) {
        ([], _) => found,
        (_, None) => return Some("nothing was found".to_owned()),
        (rules, Some((first, rest))) => {
            if let Some(why) = judge_primary(expected, rules, first) {
                return Some(why);
            }
            rest
        }
    };
    let false_alarm = rest.iter().find(|row| !is_allowed(row));
    false_alarm.map(|row| format!("false alarm: {} {}", text(row, "rule"), text(row, "subject")))
}

fn judge_primary(expected: &Expected, rules: &[&str], first: &Value) -> Option<String> {
    if !rules.contains(&text(first, "rule")) {
        return Some(format!("the first is {}", text(first, "rule")));
    }
    let subject = expected.subjects.iter().find(|(subject, _)| *subject == text(first, "subject"));
    let Some((_, counts)) = subject else { return Some(format!("about {}", text(first, "subject"))) };
    let occurrences = first["occurrences"].as_i64().unwrap_or_default();
    if !counts.iter().any(|count| (occurrences - count).abs() * 10 <= *count) {
        return Some(format!("{occurrences} occurrences, not one of {counts:?}"));
    }
    let side = first["evidence"]["side"].as_str().unwrap_or_default();
    (!expected.sides.contains(&side)).then(|| format!("{side} is to change something, not one of {:?}", expected.sides))
}

#[test]
fn a_lost_header_is_named_with_its_edge_and_who_has_to_change_what() {
    let output = run(&["findings", "--group", "A,B,C,D", "--fail-on", "high"], &sample("shop-b3-split"));
    assert_eq!(output.status.code(), Some(1), "{}", describe(&output));
    let found = lines(&output);
    let first = &found[0];
    assert!(SPLIT.contains(&text(first, "rule")), "{first}");
    assert!(["gateway", "gateway -> stock"].contains(&text(first, "subject")), "{first}");
    let occurrences = first["occurrences"].as_i64().unwrap_or_default();
    assert!((65..=72).contains(&occurrences), "72 calls were made: {first}");
    // Either can repair it: the gateway sends B3 to stock, which reads W3C.
    let language = match text(&first["evidence"], "side") {
        "gateway" => "java",
        "stock" => "go",
        other => panic!("{other} cannot repair it: {first}"),
    };
    assert!(text(first, "fix").contains(language), "the recipe is for that service's language: {first}");
    let above: BTreeSet<&str> =
        found.iter().filter(|row| text(row, "severity") != "info").map(|row| text(row, "rule")).collect();
    assert_eq!(above.len(), 1, "one lost header is one finding: {above:?}");
}

#[test]
fn healthy_traces_have_nothing_above_info() {
    let output = run(&["findings", "--group", "A,B,C,D", "--fail-on", "low"], &sample("shop-healthy"));
    assert_eq!(output.status.code(), Some(0), "{}", describe(&output));
}

#[test]
fn a_finding_is_explained_with_both_sides_of_the_break() {
    let sources = sample("shop-b3-split");
    let found = lines(&run(&["findings", "--severity", "high"], &sources));
    let id = text(&found[0], "id").to_owned();
    let output = run(&["findings", "--explain", &id[..6]], &sources);
    let said = String::from_utf8_lossy(&output.stdout);
    for part in ["Who has to change: ", "On one side", "On the other side", &id] {
        assert!(said.contains(part), "{part}: {said}");
    }
    let missing = run(&["findings", "--explain", "nothing-of-that-name"], &sources);
    assert_eq!(missing.status.code(), Some(1));
}

/// Returns a trace that begins at the gateway and was torn.
fn torn_trace(sources: &[String]) -> String {
    let traces = lines(&run(&["traces"], sources));
    let of_gateway = |row: &&Value| row["is_stitched"] == true && text(row, "root_service") == "gateway";
    text(traces.iter().find(of_gateway).expect("a torn trace"), "trace_id").to_owned()
}

#[test]
fn a_healed_trace_has_both_sides_in_one_tree_and_says_why() {
    let sources = sample("shop-b3-split");
    let id = torn_trace(&sources);
    let tree = |how: &str| {
        let output = run(&["trace", &id, how, "--format", "tree"], &sources);
        String::from_utf8(output.stdout).expect("text")
    };
    assert!(!tree("--raw").contains("stock"), "as recorded the callee is not there");
    let healed = tree("--healed");
    assert!(healed.contains("stock") && healed.contains("┆ ≠"), "{healed}");
    assert_eq!(healed.lines().filter(|line| line.starts_with("stock")).count(), 0, "the callee stands below its call");
}

#[test]
fn healed_export_links_the_joined_span_to_its_call_and_changes_nothing_else() {
    let sources = sample("shop-b3-split");
    let links = |healed: bool| {
        let args: &[&str] = if healed { &["export", "otlp", "--healed"] } else { &["export", "otlp"] };
        let output = run(args, &sources);
        let home = tempfile::tempdir().expect("folder");
        let path = home.path().join("out.jsonl");
        fs::write(&path, &output.stdout).expect("write");
        let path = path.display().to_string();
        let sql = "select count(*) as spans, count(links) as links, count(parent_span_id) as parents from spans";
        lines(&run(&["query", sql], &[path]))[0].clone()
    };
    let (plain, healed) = (links(false), links(true));
    assert_eq!((&plain["spans"], &plain["parents"]), (&healed["spans"], &healed["parents"]));
    let added = healed["links"].as_i64().unwrap_or_default() - plain["links"].as_i64().unwrap_or_default();
    assert!((65..=72).contains(&added), "72 calls were torn: {added} links");
}

#[test]
fn the_lab_tears_traces_and_finds_the_same_parents_again() {
    let home = tempfile::tempdir().expect("folder");
    let path = |name: &str| home.path().join(name).display().to_string();
    let tear = |out: &str, truth: &str| {
        let args = ["lab", "ablate", "--drop", "trace-id", "--at", "gateway->orders", "-o", out, "--truth", truth];
        stdout_of(riftline(home.path()).args(args).args(&sample("shop-healthy")[..1]));
    };
    tear(&path("torn.jsonl"), &path("truth.jsonl"));
    tear(&path("again.jsonl"), &path("again-truth.jsonl"));
    let read = |name: &str| fs::read_to_string(path(name)).expect("torn traces");
    assert_eq!(read("torn.jsonl"), read("again.jsonl"), "the same seed gives the same bytes");
    let torn = read("truth.jsonl").lines().count();
    assert!(torn > 10, "{torn} calls were torn");
    let output = run(&["lab", "stitch", "--truth", &path("truth.jsonl")], &[path("torn.jsonl")]);
    let rows = lines(&output);
    let all = rows.iter().find(|row| text(row, "what") == "all").expect("a row for all");
    assert_eq!(all["torn"].as_u64(), Some(torn as u64));
    assert!(all["precision"].as_f64() >= Some(0.98) && all["best_guess"].as_f64() >= Some(0.9), "{all}");
}

#[test]
fn calibration_tears_healthy_calls_of_the_users_own_data() {
    let rows = lines(&run(&["lab", "calibrate"], &sample("shop-healthy")));
    let all = rows.iter().find(|row| text(row, "what") == "calls: all").expect("a row for all calls");
    assert!(all["torn"].as_u64() > Some(20) && all["precision"].as_f64() >= Some(0.95), "{all}");
}

#[test]
fn rules_of_a_folder_can_be_tried() {
    let folder = tempfile::tempdir().expect("folder");
    for rule in SPLIT {
        let text = format!("id = \"{rule}\"\nenabled = false\n");
        fs::write(folder.path().join(format!("{rule}.toml")), text).expect("rule");
    }
    let folder = folder.path().display().to_string();
    let rows = lines(&run(&["findings", "--dry-run", &folder], &sample("shop-b3-split")));
    assert!(rows.iter().any(|row| text(row, "change") == "gone" && SPLIT.contains(&text(row, "rule"))), "{rows:?}");
}

/// `docs/rules.md`, made of the rules.
fn rules_page() -> String {
    let mut page = "# Rules\n\nWhat `riftline findings` looks for. Made from `queries/rules/*.toml`; \
                    [how to change or add one](../queries/rules/README.md).\n"
        .to_owned();
    let mut group = String::new();
    for rule in Rules::bundled().all() {
        if rule.group != group {
            group.clone_from(&rule.group);
            page.push_str(&format!("\n## Group {group}\n"));
        }
        page.push_str(&format!("\n### {}\n\n{}\n\n", rule.id, rule.definition));
        page.push_str(&format!("- {}, confidence up to {}\n", rule.severity.name(), rule.confidence));
        let thresholds: Vec<String> = rule.thresholds.iter().map(|(name, value)| format!("`{name}` {value}")).collect();
        if !thresholds.is_empty() {
            page.push_str(&format!("- thresholds: {}\n", thresholds.join(", ")));
        }
        if !rule.symptom_of.is_empty() {
            page.push_str(&format!("- stands under: {}\n", rule.symptom_of.join(", ")));
        }
        let fix = rule.fix.get("text").cloned().unwrap_or_default();
        page.push_str(&format!("- fix: {}\n", fix.trim().replace('\n', " ")));
        for (language, how) in rule.fix.iter().filter(|(language, _)| *language != "text") {
            page.push_str(&format!("  - {language}: {}\n", how.trim().replace('\n', " ")));
        }
    }
    page
}

#[test]
fn the_page_of_rules_is_made_of_the_rules() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules.md");
    let page = rules_page();
    if std::env::var_os("RIFTLINE_BLESS").is_some() {
        fs::write(&path, &page).expect("write");
    }
    assert_eq!(fs::read_to_string(&path).expect("docs/rules.md"), page, "RIFTLINE_BLESS=1 writes it anew");
}
