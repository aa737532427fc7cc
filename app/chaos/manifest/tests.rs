pub mod schema;

use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;
use riftline_queries::replay::fault::{Magnitude, Place, Unit, When};
use serde_json::{Map, json};

use super::*;

/// A target that every injector can use.
pub fn target() -> Target {
    let labels = |name: &str| [("app".to_owned(), name.to_owned())].into();
    Target {
        context: "staging".to_owned(),
        namespace: "shop".to_owned(),
        labels: labels("payments"),
        host: "payments".to_owned(),
        port: 8080,
        protocol: Protocol::Http,
        client: labels("orders"),
        pods: Pods::One,
        only_pod: false,
        run: "exp42".to_owned(),
        duration: Duration::from_mins(2),
        marker: Some("exp42".to_owned()),
        about_timeouts: false,
        virtual_service: None,
        service_account: None,
    }
}

/// A fault of this kind with these parameters.
pub fn fault(kind: &str, with: Value) -> Fault {
    let Value::Object(with) = with else { panic!("{with} are no parameters") };
    let magnitude = (kind == "latency").then_some(Magnitude::Uniform { low_ms: 200.0, high_ms: 400.0 });
    Fault { kind: kind.to_owned(), place: Place::Request, when: When::default(), magnitude, with }
}

/// Faults of every kind that there is, with parameters.
fn every_fault() -> Vec<Fault> {
    let mut faults: Vec<Fault> = [
        ("latency", json!({})),
        ("error", json!({"status": 503, "body": "{}", "retry_after_s": 5})),
        ("error", json!({"grpc_status": 14, "message": "down"})),
        ("abort", json!({"where": "before", "how": "reset"})),
        ("abort", json!({"where": "body"})),
        ("idle-reset", json!({"after_ms": 300_000})),
        ("hang", json!({"release_ms": 100})),
        ("drip", json!({"bytes": 1, "every_ms": 10})),
        ("bandwidth", json!({"kb_per_s": 64})),
        ("truncate", json!({"bytes": 10})),
        ("connection-limit", json!({"max": 3})),
        ("context-drop", json!({})),
        ("context-drop", json!({"headers": ["traceparent"]})),
        ("context-rename", json!({"to": "x-trace"})),
        ("context-case", json!({})),
        ("context-corrupt", json!({"how": "zero-ids"})),
        ("context-duplicate", json!({})),
        ("context-swap", json!({})),
        ("context-short-id", json!({})),
        ("context-sampled", json!({})),
        ("deadline-drop", json!({})),
    ]
    .into_iter()
    .map(|(kind, with)| fault(kind, with))
    .collect();
    for place in [Place::Connection, Place::Response] {
        faults.push(Fault { place, ..fault("latency", json!({})) });
        faults.push(Fault { place, ..fault("context-drop", json!({})) });
    }
    faults
}

/// Targets that differ in what changes manifests.
fn every_target() -> Vec<Target> {
    let mut targets = Vec::new();
    for protocol in [Protocol::Http, Protocol::Grpc, Protocol::Tcp] {
        for pods in [Pods::One, Pods::Fixed(2), Pods::Percent(50)] {
            targets.push(Target { protocol, pods, ..target() });
            targets.push(Target { protocol, pods, client: BTreeMap::default(), marker: None, ..target() });
            targets.push(Target { protocol, pods, virtual_service: Some("payments".to_owned()), ..target() });
        }
    }
    targets
}

/// Every manifest that can be made of these.
pub fn every_manifest() -> Vec<Manifest> {
    let all = MANIFESTS.iter().flat_map(|injector| {
        let pairs = every_target()
            .into_iter()
            .flat_map(|target| every_fault().into_iter().map(move |fault| (target.clone(), fault)));
        pairs.filter_map(|(target, fault)| manifest(injector.name, &fault, &target).ok())
    });
    all.collect()
}

#[test]
fn every_object_keeps_to_its_schema_ends_and_names_its_run() {
    let mut made = 0;
    for injector in MANIFESTS {
        for target in every_target() {
            for fault in every_fault() {
                let Ok(manifest) = manifest(injector.name, &fault, &target) else { continue };
                made += 1;
                let wrong = schema::mistakes(&manifest);
                assert_eq!(wrong, Vec::<String>::new(), "{} {fault:?}\n{}", injector.name, manifest.yaml(&target));
                if manifest.shape == Shape::Object {
                    assert_eq!(manifest.body["metadata"]["name"], "riftline-exp42");
                    assert_eq!(manifest.body["metadata"]["labels"][RUN_LABEL], "exp42");
                }
            }
        }
    }
    assert!(made > 200, "{made} manifests were looked at");
}

#[test]
fn published_definitions_agree_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("RIFTLINE_CRDS") else {
        eprintln!("skipped: RIFTLINE_CRDS names no folder with custom resource definitions");
        return;
    };
    let definitions = schema::definitions(std::path::Path::new(&folder));
    assert!(!definitions.is_empty(), "no definitions in {}", folder.display());
    let mut looked_at = 0;
    for injector in MANIFESTS {
        for (target, fault) in
            every_target().iter().flat_map(|target| every_fault().into_iter().map(move |f| (target, f)))
        {
            let Ok(manifest) = manifest(injector.name, &fault, target) else { continue };
            let Some(definition) = definitions.get(schema::kind(&manifest)) else { continue };
            looked_at += 1;
            assert_eq!(
                schema::against(&schema::whole(&manifest)["spec"], &definition["properties"]["spec"]),
                Vec::<String>::new(),
                "{fault:?}"
            );
        }
    }
    assert!(looked_at > 0, "no manifest is of a kind that these define");
}

#[test]
fn a_schema_that_is_not_kept_is_seen() {
    let target = target();
    let mut manifest = manifest("chaos-mesh", &fault("latency", json!({})), &target).unwrap();
    manifest.body["spec"]["latencyy"] = json!("1s");
    manifest.body["spec"]["mode"] = json!("some");
    manifest.body["spec"]["port"] = json!("8080");
    let wrong = schema::mistakes(&manifest);
    assert_eq!(wrong.len(), 3, "{wrong:?}");
}

#[test]
fn latency_of_requests_is_one_delay_of_marked_requests() {
    let fault = Fault {
        when: When { method: Some("get".to_owned()), path: Some("/charge/{id}".to_owned()), ..When::default() },
        ..fault("latency", json!({}))
    };
    let manifest = manifest("chaos-mesh", &fault, &target()).unwrap();
    assert_eq!(
        manifest.body["spec"],
        json!({
            "selector": {"namespaces": ["shop"], "labelSelectors": {"app": "payments"}},
            "mode": "one",
            "duration": "120s",
            "target": "Request",
            "port": 8080,
            "method": "GET",
            "path": "/charge/*",
            "request_headers": {"tracestate": "riftline=exp42"},
            "delay": "300ms",
        })
    );
    let losses = manifest.fidelity.losses.join("\n");
    assert!(losses.contains("median of 300 ms, off by 50 ms"), "{losses}");
    assert!(losses.contains("`/charge/*` also fits"), "{losses}");
}

#[test]
fn latency_of_connections_is_one_of_packets_from_callers_to_the_server() {
    let fault = Fault { place: Place::Connection, ..fault("latency", json!({})) };
    let manifest = manifest("chaos-mesh", &fault, &target()).unwrap();
    assert_eq!(manifest.body["kind"], "NetworkChaos");
    let spec = &manifest.body["spec"];
    assert_eq!(spec["selector"]["labelSelectors"], json!({"app": "orders"}));
    assert_eq!(spec["target"]["selector"]["labelSelectors"], json!({"app": "payments"}));
    assert_eq!(spec["delay"], json!({"latency": "300ms", "jitter": "100ms", "correlation": "0"}));
    assert!(manifest.fidelity.losses.iter().any(|loss| loss.contains("the run's mark cannot be looked at")));
}

#[test]
fn istio_hits_shares_exactly_and_leaves_the_others_alone() {
    let when = When { share: 0.18, ..When::default() };
    let latency = Fault { when: when.clone(), ..fault("latency", json!({})) };
    let made = manifest("istio", &latency, &target()).unwrap();
    assert_eq!(
        made.body["spec"]["http"][0]["fault"],
        json!({"delay": {"percentage": {"value": 18.0}, "fixedDelay": "0.300s"}})
    );
    assert_eq!(
        made.body["spec"]["http"][1],
        json!({"route": [{"destination": {"host": "payments", "port": {"number": 8080}}}]})
    );
    let drop = Fault { when, ..fault("context-drop", json!({"headers": ["traceparent"]})) };
    let made = manifest("istio", &drop, &target()).unwrap();
    let routes = &made.body["spec"]["http"][0]["route"];
    assert_eq!(routes[0]["headers"], json!({"request": {"remove": ["traceparent"]}}));
    assert_eq!((&routes[0]["weight"], &routes[1]["weight"]), (&json!(18), &json!(82)));
}

#[test]
fn istio_puts_a_route_in_front_where_a_virtual_service_is_named() {
    let target = Target { virtual_service: Some("payments".to_owned()), ..target() };
    let made = manifest("istio", &fault("error", json!({"grpc_status": 14})), &target).unwrap();
    assert_eq!(made.body[0]["op"], "add");
    assert_eq!(made.body[0]["path"], "/spec/http/0");
    assert_eq!(made.body[0]["value"]["name"], "riftline-exp42");
    assert_eq!(made.body[0]["value"]["fault"]["abort"]["grpcStatus"], "UNAVAILABLE");
    let text = made.yaml(&target);
    assert!(
        text.starts_with("# kubectl --context staging --namespace shop patch virtualservice payments --type=json"),
        "{text}"
    );
}

#[test]
fn istio_is_refused_where_timeouts_are_the_subject() {
    let target = Target { about_timeouts: true, ..target() };
    let refusal = |kind: &str| fidelity("istio", &fault(kind, json!({})), &target).refusal;
    assert!(refusal("latency").unwrap().contains("suspends timeouts"));
    assert!(refusal("error").unwrap().contains("suspends timeouts"));
    assert!(refusal("hang").unwrap().contains("suspends timeouts"));
    assert_eq!(refusal("context-drop"), None, "header operations are no fault in Istio's sense");
}

#[test]
fn litmus_takes_headers_out_and_says_what_must_be_installed() {
    let made = manifest("litmus", &fault("context-drop", json!({"headers": ["traceparent"]})), &target()).unwrap();
    let experiment = &made.body["spec"]["experiments"][0];
    assert_eq!(experiment["name"], "pod-http-modify-header");
    let env = experiment["spec"]["components"]["env"].as_array().unwrap();
    let value = |name: &str| env.iter().find(|entry| entry["name"] == name).map(|entry| entry["value"].clone());
    assert_eq!(value("HEADERS_MAP"), Some(json!(r#"{"traceparent":""}"#)));
    assert_eq!(value("HEADER_MODE"), Some(json!("request")));
    assert_eq!(value("TOTAL_CHAOS_DURATION"), Some(json!("120")));
    assert!(made.fidelity.losses.iter().any(|loss| loss.contains("must be installed")));
}

#[test]
fn what_cannot_be_done_is_refused_with_a_reason() {
    let grpc = Target { protocol: Protocol::Grpc, ..target() };
    let refused = |injector: &str, fault: &Fault, target: &Target| {
        fidelity(injector, fault, target).refusal.unwrap_or_else(|| panic!("{injector} does {fault:?}"))
    };
    let nth = Fault { when: When { nth: Some(3), ..When::default() }, ..fault("error", json!({})) };
    for injector in MANIFESTS {
        assert!(refused(injector.name, &nth, &target()).contains("cannot count"), "{}", injector.name);
        assert!(refused(injector.name, &fault("context-swap", json!({})), &target()).contains("cannot do"));
    }
    assert!(refused("chaos-mesh", &fault("error", json!({"grpc_status": 14})), &target()).contains("gRPC"));
    assert!(refused("chaos-mesh", &fault("error", json!({})), &grpc).contains("HTTP/1 only"));
    assert!(refused("litmus", &fault("error", json!({"status": 418})), &target()).contains("answers only with"));
    assert!(refused("istio", &fault("error", json!({"grpc_status": 99})), &target()).contains("no gRPC status"));
    assert!(
        refused("chaos-mesh", &fault("context-drop", json!({"headers": ["a b"]})), &target()).contains("list of names")
    );
    let without = Fault { magnitude: None, ..fault("latency", json!({})) };
    assert!(refused("chaos-mesh", &without, &target()).contains("has no magnitude"));
    assert!(refused("helm", &without, &target()).contains("no injector `helm`"));
}

#[test]
fn a_share_that_is_lost_is_said_in_figures() {
    let when = When { share: 0.18, unit: Unit::Request, ..When::default() };
    let share = Fault { when, ..fault("error", json!({})) };
    let losses = fidelity("chaos-mesh", &share, &target()).losses.join("\n");
    assert!(losses.contains("18 % of requests become all of them at one pod"), "{losses}");
    let losses = fidelity("litmus", &share, &target()).losses.join("\n");
    assert!(losses.contains("18 % of requests become 18 % of connections"), "{losses}");
}

#[test]
fn yaml_reads_back_and_keeps_comments_on_their_lines() {
    let target = target();
    let mut made = manifest("chaos-mesh", &fault("hang", json!({})), &target).unwrap();
    made.fidelity.losses.push("two\nlines".to_owned());
    let text = made.yaml(&target);
    assert_eq!(serde_norway::from_str::<Value>(&text).unwrap(), made.body);
    assert!(text.contains("# lost: two lines\n"), "{text}");
}

#[test]
fn parameters_of_no_sense_are_errors_and_no_panic() {
    for with in [json!({"status": "x"}), json!({"kb_per_s": -1}), json!({"headers": 3}), json!({"how": 7}), json!(null)]
    {
        for injector in MANIFESTS {
            for kind in ["error", "bandwidth", "context-drop", "context-corrupt", "abort", "latency", ""] {
                let with: Map<String, Value> = with.as_object().cloned().unwrap_or_default();
                let when = When { share: f64::NAN, ..When::default() };
                let magnitude = Some(Magnitude::Fixed { ms: f64::INFINITY });
                let fault = Fault { kind: kind.to_owned(), place: Place::Response, when, magnitude, with };
                let fidelity = fidelity(injector.name, &fault, &target());
                assert!(fidelity.refusal.is_some() || !fidelity.losses.is_empty(), "{} {fault:?}", injector.name);
            }
        }
    }
}

/// Rows of the table in `docs/chaos-kubernetes.md`: a fault and what it is at each injector.
fn table() -> String {
    let place = Place::Connection;
    let mut rows = vec!["| fault | chaos-mesh | istio | litmus |".to_owned(), "| --- | --- | --- | --- |".to_owned()];
    let made = |injector: &str, fault: &Fault| {
        manifest(injector, fault, &target()).map_or_else(|_| "-".to_owned(), |made| schema::kind(&made).to_owned())
    };
    for name in [
        "latency",
        "error",
        "error (gRPC)",
        "abort",
        "hang",
        "bandwidth",
        "idle-reset",
        "connection-limit",
        "drip",
        "truncate",
        "context-drop",
        "context-corrupt",
        "context-rename",
        "context-case",
        "context-duplicate",
        "context-swap",
        "context-short-id",
        "context-sampled",
        "deadline-drop",
    ] {
        let with = if name == "error (gRPC)" { json!({"grpc_status": 14}) } else { json!({"kb_per_s": 1}) };
        let fault = fault(name.trim_end_matches(" (gRPC)"), with);
        let cells: Vec<String> = MANIFESTS
            .iter()
            .map(|injector| {
                let (usual, other) =
                    (made(injector.name, &fault), made(injector.name, &Fault { place, ..fault.clone() }));
                if usual == other { usual } else { format!("{usual}, of connections {other}") }
            })
            .collect();
        rows.push(format!("| {name} | {} |", cells.join(" | ")));
    }
    rows.join("\n")
}

#[test]
fn the_docs_say_what_becomes_what() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/chaos-kubernetes.md");
    let docs = std::fs::read_to_string(path).unwrap();
    assert!(docs.contains(&table()), "the table in {path} should be\n{}", table());
}

/// Faults with anything in them.
fn any_fault() -> impl Strategy<Value = Fault> {
    let kinds: Vec<String> = every_fault().into_iter().map(|fault| fault.kind).collect();
    let number = || prop_oneof![any::<f64>(), 0.0..1e6, Just(f64::NAN), Just(f64::INFINITY)];
    let value = prop_oneof![
        any::<i64>().prop_map(Value::from),
        "\\PC{0,6}".prop_map(Value::from),
        number().prop_map(Value::from)
    ];
    let name = proptest::sample::select(vec![
        "status",
        "grpc_status",
        "kb_per_s",
        "headers",
        "how",
        "where",
        "body",
        "retry_after_s",
    ]);
    let with = proptest::collection::hash_map(name.prop_map(str::to_owned), value, 0..4);
    let magnitude = prop_oneof![
        Just(None),
        number().prop_map(|ms| Some(Magnitude::Fixed { ms })),
        (number(), number()).prop_map(|(low_ms, high_ms)| Some(Magnitude::Uniform { low_ms, high_ms })),
        (number(), number()).prop_map(|(median_ms, sigma)| Some(Magnitude::Lognormal { median_ms, sigma })),
    ];
    let place = proptest::sample::select(vec![Place::Connection, Place::Request, Place::Response]);
    let when = (
        number(),
        proptest::option::of("\\PC{0,12}"),
        proptest::option::of("[A-Za-z]{1,7}"),
        proptest::option::of("\\PC{0,9}"),
    );
    let when = when.prop_map(|(share, path, method, mark)| When { share, path, method, mark, ..When::default() });
    (proptest::sample::select(kinds), place, when, magnitude, with).prop_map(|(kind, place, when, magnitude, with)| {
        Fault { kind, place, when, magnitude, with: with.into_iter().collect() }
    })
}

proptest! {
    #[test]
    fn whatever_a_fault_says_the_object_keeps_to_its_schema(fault in any_fault(), at in 0..18_usize) {
        let target = &every_target()[at];
        for injector in MANIFESTS {
            if let Ok(made) = manifest(injector.name, &fault, target) {
                prop_assert_eq!(schema::mistakes(&made), Vec::<String>::new());
                let text = made.yaml(target);
                prop_assert_eq!(serde_norway::from_str::<Value>(&text).unwrap(), made.body);
            }
        }
    }
}
