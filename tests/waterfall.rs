//! The trace view on the screen: what an engineer sees of whole, torn, deep and wide traces.

mod script;
mod torn;

use std::collections::BTreeSet;

use proptest::prelude::*;
use riftline::view::trace::data::TraceData;
use riftline::view::trace::outline::{Outline, Row};
use riftline_queries::table::{Column, Table, Values};
use riftline_queries::trace::details::SpanDetails;
use riftline_queries::trace::spans::Spans;

use script::{START_NS, Screen, TRACE_ID, push};

const CHECKOUT: &str = "
    01 -  0    2310  gateway   POST /checkout
    02 01 2    61.4  gateway   auth
    03 01 110  2190  gateway   POST orders
    04 03 130  2160  orders    POST /orders
    05 04 160  40    orders    SELECT stock
    06 04 240  500   orders    charge!
    07 06 250  480   payments  Charge!
    08 04 800  1400  orders    charge
    09 08 810  1380  payments  Charge
    0a 04 2210 0.002 orders    publish order.created
    0b 0a 2260 300   shipping  consume order.created
";

fn details() -> SpanDetails {
    SpanDetails {
        trace_id: TRACE_ID.to_owned(),
        span_id: "0000000000000001".to_owned(),
        service: "gateway".to_owned(),
        name: "POST /checkout".to_owned(),
        kind: 2,
        start_ns: START_NS,
        duration_ns: 2_310_000_000,
        status: 2,
        status_message: "context deadline exceeded".to_owned(),
        attributes:
            r#"{"app.tenant":"7","http.request.method":"POST","http.response.status_code":504,"error.type":"timeout"}"#
                .to_owned(),
        resource: r#"{"service.name":"gateway","k8s.pod.name":"gateway-7d9f"}"#.to_owned(),
        scope_name: "@opentelemetry/instrumentation-http".to_owned(),
        events: format!(
            r#"[{{"time_ns":{},"name":"exception","attributes":{{"exception.stacktrace":"a\n  at b\u001b[31m"}}}}]"#,
            START_NS + 12_300_000
        ),
        links: r#"[{"trace_id":"0af7651916cd43dd8448eb211c80319c","span_id":"b7ad6b7169203331"}]"#.to_owned(),
        source: "incident.jsonl.gz".to_owned(),
        ..SpanDetails::default()
    }
}

fn log_lines() -> Table {
    let column = |name: &str, values| Column { name: name.to_owned(), values };
    let columns = vec![
        column("time", Values::Time(vec![Some(START_NS + 113_000_000)])),
        column("severity", Values::Text(vec![Some("warn".into())])),
        column("span_id", Values::Text(vec![Some("0000000000000001".into())])),
        column("body", Values::Text(vec![Some("payments call failed: deadline exceeded".into())])),
    ];
    Table { columns, is_cut: false }
}

#[test]
fn a_whole_trace_at_both_sizes() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut screen = Screen::showing(width, height, CHECKOUT);
        screen.tell_details(details());
        screen.tell_logs(log_lines());
        insta::assert_snapshot!(format!("checkout_{width}x{height}"), screen.text());
    }
}

#[test]
fn the_critical_path_is_told_by_more_than_colour() {
    let mut screen = Screen::showing(80, 24, CHECKOUT);
    screen.press("p");
    insta::assert_snapshot!("critical_path_80x24", screen.text());
}

#[test]
fn a_long_run_of_siblings_is_one_row_until_it_is_opened() {
    let mut script = "01 - 0 1000 orders POST /orders\n".to_owned();
    for row in 0..512 {
        let duration = if row == 100 { 9.0 } else { 1.0 };
        script.push_str(&format!("{:x} 01 {} {duration} orders SELECT stock\n", row + 16, 10 + row));
    }
    script.push_str("0f 01 900 90 payments Charge\n");
    let mut screen = Screen::showing(80, 24, &script);
    insta::assert_snapshot!("run_80x24", screen.text());
    screen.press("down enter down down");
    assert!(screen.lines_with("├ SELECT stock").len() > 8);
    screen.press("z");
    assert_eq!(screen.lines_with("├ SELECT stock").len(), 0, "z on a member folds its run");
    assert_eq!(screen.lines_with("├ ▸ × 512 SELECT stock").len(), 1);
}

#[test]
fn orphans_stand_below_the_parent_that_is_missing() {
    let script = "
        01 -  0   900 gateway POST /checkout
        02 01 10  300 gateway POST orders
        13 aa 40  200 orders  POST /orders
        14 13 50  20  orders  SELECT stock
        15 bb 400 100 users   GET /users
        16 aa 300 50  orders  POST /orders/7
    ";
    let screen = Screen::showing(80, 24, script);
    insta::assert_snapshot!("orphans_80x24", screen.text());
}

#[test]
fn cycles_are_cut_and_said() {
    let script = "
        01 -  0   500 gateway POST /checkout
        02 03 100 300 orders  ring a
        03 02 110 250 orders  ring b
        04 04 420 20  users   its own parent
        05 01 10  -30 users   ends before it starts
        06 01 20  30  users   shares
        06 01 60  30  users   shares its id
    ";
    let screen = Screen::showing(80, 24, script);
    insta::assert_snapshot!("cycles_80x24", screen.text());
}

#[test]
fn nothing_reading_failed_and_empty() {
    let mut screen = Screen::new(80, 24);
    insta::assert_snapshot!("nothing_80x24", screen.text());
    screen.open();
    insta::assert_snapshot!("reading_80x24", screen.text());
    screen.fail("no trace has this id; `riftline traces` lists those that there are");
    insta::assert_snapshot!("failed_80x24", screen.text());
    screen.show(Spans::default());
    insta::assert_snapshot!("empty_80x24", screen.text());
}

#[test]
fn details_fill_the_screen_on_enter_and_leave_it_on_escape() {
    let mut screen = Screen::showing(80, 24, CHECKOUT);
    screen.tell_details(details());
    screen.press("enter");
    insta::assert_snapshot!("details_80x24", screen.text());
    screen.press("esc");
    assert!(screen.text().contains("█"));
}

#[test]
fn pictures_of_the_same_trace() {
    let mut screen = Screen::showing(80, 24, CHECKOUT);
    screen.press("f");
    insta::assert_snapshot!("flame_80x24", screen.text());
    screen.press("a");
    insta::assert_snapshot!("services_80x24", screen.text());
    screen.press("esc");
    assert!(screen.text().contains("operation"));
}

#[test]
fn searching_walks_through_matches_and_opens_what_hides_them() {
    let mut screen = Screen::showing(80, 24, CHECKOUT);
    screen.press("Z");
    assert!(screen.lines_with("SELECT stock").is_empty());
    screen.press("/ s t o c k enter");
    assert_eq!(screen.lines_with("SELECT stock").len(), 1);
    assert_eq!(screen.lines_with("1 span  Esc").len(), 1);
    screen.press("esc n");
    assert_eq!(screen.lines_with("error 1 of 2").len(), 1);
}

#[test]
fn zooming_keeps_the_selected_span_in_sight() {
    let mut screen = Screen::showing(80, 24, CHECKOUT);
    screen.press("down down down down .");
    insta::assert_snapshot!("zoom_80x24", screen.text());
}

#[test]
fn a_deep_chain_shows_depths_as_numbers() {
    let mut chain = Spans::default();
    for depth in 0..100_000_u64 {
        let (start, duration) = (depth as i64 * 1_000, (200_000 - depth as i64) * 1_000);
        push(&mut chain, (depth + 1, depth), (start, duration), "recursor", "descend", false);
    }
    let mut screen = Screen::new(80, 24);
    screen.open();
    screen.show(chain);
    screen.press("G");
    insta::assert_snapshot!("deep_80x24", screen.text());
}

#[test]
fn nothing_from_data_reaches_the_terminal_as_a_command() {
    let mut screen = Screen::showing(80, 24, "01 - 0 10 \u{1b}[31mred \u{1b}]52;c;AAAA\u{7}name\u{202e}");
    screen.tell_details(details());
    screen.press("enter");
    let is_inert = |cell: &str| !cell.chars().any(|letter| letter.is_control() || letter == '\u{202e}');
    assert!(screen.buffer().content.iter().all(|cell| is_inert(cell.symbol())));
}

/// Returns a trace of any shape: parents may be missing, their own children, or in a ring; ids may be shared.
fn any_spans() -> impl Strategy<Value = Spans> {
    let span = (0_u64..40, 0_u64..48, 0_i64..1_000, -5_i64..500, 0_usize..3);
    prop::collection::vec(span, 0..120).prop_map(|drawn| {
        let mut spans = Spans::default();
        for (id, parent, start, duration, name) in drawn {
            push(&mut spans, (id + 1, parent), (start, duration), "orders", ["a", "b", "c"][name], name == 2);
        }
        spans
    })
}

fn span_rows(data: &TraceData, outline: &Outline) -> Vec<usize> {
    let rows = (0..outline.len()).filter_map(|row| outline.row(row));
    let spans = rows.filter_map(|row| match row {
        Row::Span(rank) => Some(data.forest.span(rank)),
        Row::Run(_) | Row::Missing(_) | Row::Joint(_) => None,
    });
    spans.collect()
}

proptest! {
    #[test]
    fn every_span_is_shown_exactly_once_when_everything_is_open(spans in any_spans()) {
        let data = TraceData::new(TRACE_ID.to_owned(), spans);
        let mut outline = Outline::new(&data.forest);
        for _ in 0..2 {
            outline.toggle_all(&data.forest);
        }
        let hidden = (0..outline.len()).filter_map(|row| outline.row(row)).any(|row| outline.is_folded(row));
        if hidden {
            outline.toggle_all(&data.forest);
        }
        let shown = span_rows(&data, &outline);
        prop_assert_eq!(shown.len(), data.spans.len());
        prop_assert_eq!(shown.into_iter().collect::<BTreeSet<_>>().len(), data.spans.len());
    }

    #[test]
    fn every_span_can_be_revealed_however_all_is_folded(spans in any_spans(), folds in prop::collection::vec(0_usize..200, 0..40)) {
        let data = TraceData::new(TRACE_ID.to_owned(), spans);
        let mut outline = Outline::new(&data.forest);
        for fold in folds {
            if let Some(row) = outline.row(fold % outline.len().max(1)) {
                let folded = !outline.is_folded(row);
                outline.set_folded(&data.forest, row, folded);
            }
        }
        for rank in 0..data.forest.len() {
            let row = outline.reveal(&data.forest, rank);
            prop_assert_eq!(outline.row(row), Some(Row::Span(rank)));
        }
    }

    #[test]
    fn times_of_services_and_flames_add_up(spans in any_spans()) {
        use riftline::view::trace::{flame::Flame, services::Services};
        let data = TraceData::new(TRACE_ID.to_owned(), spans);
        let own: i64 = (0..data.forest.len()).map(|rank| data.self_ns(rank)).sum();
        prop_assert!((0..data.forest.len()).all(|rank| data.self_ns(rank) >= 0));
        prop_assert_eq!(Services::new(&data).times().iter().map(|time| time.self_ns).sum::<i64>(), own);
        prop_assert_eq!(Flame::new(&data).frames()[0].total_ns, own);
    }

    #[test]
    fn any_keys_on_any_trace_draw_a_screen(spans in any_spans(), keys in prop::collection::vec(0_usize..24, 0..30)) {
        const KEYS: [&str; 24] = [
            "up", "down", "left", "right", "page-up", "page-down", "g", "G", "z", "Z", "w", "f", "a", "p", ".", "[", "]", "<",
            ">", "n", "N", "tab", "enter", "esc",
        ];
        let mut screen = Screen::new(80, 24);
        screen.open();
        screen.show(spans);
        for key in keys {
            screen.press(KEYS[key]);
            prop_assert!(!screen.text().is_empty());
        }
    }
}
