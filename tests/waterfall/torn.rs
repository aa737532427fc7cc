//! A trace that was torn into three, on the screen: healed, raw, and with its clocks.

use riftline::tui::effect::{Outside, Request};
use riftline::view::trace::data::TraceData;
use riftline::view::trace::torn::{Named, Sight};
use riftline_queries::trace::healed::{Healed, Join, NONE};

use super::script::{Screen, TRACE_ID, spans};

/// Orders and payments began traces of their own; payments' clock is 300 ms behind.
const REQUEST: &str = "
    01 -  0    2310  gateway   POST /checkout
    02 01 2    61.4  gateway   auth
    03 01 110  2190  gateway   POST orders
    04 03 130  2160  orders    POST /orders
    05 04 160  40    orders    SELECT stock
    06 04 640  500   orders    charge!
    07 06 350  480   payments  Charge!
";

fn join(confidence: f64, is_accepted: bool, why: &str) -> Join {
    Join { recorded_parent: 0, confidence, is_accepted, rule: "call-timing".to_owned(), why: why.to_owned() }
}

fn healed() -> Healed {
    let sure = join(
        0.97,
        true,
        "begins 20.00 ms after the parent and ends 10.00 ms before it, as 70 other calls do; no other fits",
    );
    let maybe = join(0.61, false, "begins 10.00 ms after the parent; 2 fit in time, the next best has 0.39");
    Healed {
        spans: spans(REQUEST),
        traces: vec![TRACE_ID.to_owned(), "747ec6392f7f2b1d6d41f3625d105e85".to_owned(), "56eba630".repeat(4)],
        trace: vec![0, 0, 0, 1, 1, 1, 2],
        joins: vec![sure, maybe],
        join: vec![NONE, NONE, NONE, 0, NONE, NONE, 1],
        offset_ns: vec![0, 0, 0, 0, 0, 0, 300_000_000],
    }
}

fn data(sight: Sight) -> TraceData {
    let finding = Named {
        rule: "b3-not-extracted".to_owned(),
        subject: "shop/gateway -> shop/orders".to_owned(),
        fix: "Let the callee read B3 too.\njava: -Dotel.propagators=b3".to_owned(),
    };
    TraceData::of(TRACE_ID.to_owned(), healed(), sight, vec![finding])
}

fn showing(width: u16, height: u16, sight: Sight) -> Screen {
    let mut screen = Screen::new(width, height);
    screen.open();
    screen.show_data(data(sight));
    screen
}

#[test]
fn joined_spans_say_how_sure_it_is_why_and_what_to_change() {
    for (width, height) in [(80, 24), (160, 48)] {
        let mut screen = showing(width, height, Sight::default());
        screen.press("down down down down");
        screen.tell_details(super::details());
        insta::assert_snapshot!(format!("healed_{width}x{height}"), screen.text());
    }
}

#[test]
fn raw_shows_what_was_recorded() {
    insta::assert_snapshot!("raw_80x24", showing(80, 24, Sight::RAW).text());
}

#[test]
fn keys_ask_for_the_other_look() {
    let mut screen = showing(80, 24, Sight::default());
    let asked = |screen: &Screen| {
        screen.asked.iter().rev().find_map(|asked| match asked {
            Outside::Ask { request: Request::Trace { sight, .. }, .. } => Some(*sight),
            _ => None,
        })
    };
    screen.press("S");
    assert_eq!(asked(&screen), Some(Sight { is_healed: true, on_one_clock: false }));
    screen.show_data(data(Sight { is_healed: true, on_one_clock: false }));
    assert!(screen.text().contains("clocks as recorded"), "{}", screen.text());
    screen.press("H");
    assert_eq!(asked(&screen), Some(Sight { is_healed: false, on_one_clock: false }));
}

#[test]
fn a_joint_folds_with_its_parent_and_the_cursor_goes_over_it() {
    let mut screen = showing(80, 24, Sight::default());
    assert_eq!(screen.lines_with("┆ b3-not-extracted").len(), 1);
    assert_eq!(screen.lines_with("┆ call-timing").len(), 1);
    screen.press("down down z");
    assert_eq!(screen.lines_with("┆ b3-not-extracted").len(), 0);
    screen.press("z down z");
    assert_eq!(screen.lines_with("┆ b3-not-extracted").len(), 0, "z on a joint folds what it stands in");
}
