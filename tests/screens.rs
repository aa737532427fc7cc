//! Screens as text: keys in, what is seen out, on a store that answers from memory.
//!
//! With `RIFTLINE_PICTURES=FOLDER` each screen is also written there as SVG, in its colours.

mod chaos;
mod desk;
mod findings;

use std::collections::VecDeque;
use std::fs;
use std::path::Path;

use desk::Desk;
use insta::assert_snapshot;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline::theme::Depth;
use riftline::theme::catalog::Themes;
use riftline::tui::effect::{Event, LoadNews, Outside};
use riftline::tui::opening::Opening;
use riftline::tui::state::State;
use riftline::tui::update::{start, update};
use riftline::tui::{Preferences, draw, picture};
use riftline_ingest::read::Progress;
use riftline_queries::analyse::Analysed;

const SMALL: (u16, u16) = (80, 24);
const LARGE: (u16, u16) = (160, 48);

/// A workstation without a terminal: what it asks is answered at once.
struct Screen {
    state: State,
    desk: Desk,
}

impl Screen {
    fn open(desk: Desk, (width, height): (u16, u16)) -> Self {
        Self::open_with(desk, (width, height), &Preferences::default(), false)
    }

    fn open_with(desk: Desk, (width, height): (u16, u16), preferences: &Preferences, is_loading: bool) -> Self {
        let store_name = Some("incident.rift".to_owned());
        let preferences = Preferences { store_name, ..preferences.clone() };
        let state = Opening { preferences, is_loading, ..Opening::default() }.state().unwrap();
        let mut screen = Self { state, desk };
        screen.state.area = Rect::new(0, 0, width, height);
        let outside = start(&mut screen.state);
        screen.perform(outside);
        screen
    }

    fn perform(&mut self, outside: Vec<Outside>) {
        let mut waiting = VecDeque::from(outside);
        while let Some(task) = waiting.pop_front() {
            if let Outside::Ask { slot, request } = task
                && let Some(answer) = self.desk.answer(slot, &request)
            {
                waiting.extend(update(&mut self.state, Event::Answer { slot, answer }));
            }
        }
    }

    fn send(&mut self, event: Event) {
        let outside = update(&mut self.state, event);
        self.perform(outside);
    }

    /// Presses keys, written as in keymap files and separated by spaces.
    fn press(mut self, keys: &str) -> Self {
        for key in keys.split(' ') {
            self.send(Event::Key(key.parse().unwrap()));
        }
        self
    }

    /// Types a text, letter by letter.
    fn typed(mut self, text: &str) -> Self {
        for letter in text.chars() {
            let key = if letter == ' ' { "space".to_owned() } else { letter.to_string() };
            self.send(Event::Key(key.parse().unwrap()));
        }
        self
    }

    fn draw(&self) -> Buffer {
        let mut buffer = Buffer::empty(self.state.area);
        draw::render(&self.state, self.state.area, &mut buffer);
        buffer
    }

    /// Returns the screen as text, and leaves a picture where one is wanted.
    fn seen(&self, name: &str) -> String {
        let buffer = self.draw();
        if let Some(folder) = std::env::var_os("RIFTLINE_PICTURES") {
            let path = Path::new(&folder).join(format!("{name}.svg"));
            fs::write(path, picture::svg(&buffer, &self.state.shared.theme)).unwrap();
        }
        text(&buffer)
    }
}

fn text(buffer: &Buffer) -> String {
    let width = usize::from(buffer.area.width).max(1);
    let line = |cells: &[ratatui::buffer::Cell]| cells.iter().map(ratatui::buffer::Cell::symbol).collect::<String>();
    buffer.content.chunks(width).map(|cells| line(cells).trim_end().to_owned() + "\n").collect()
}

macro_rules! assert_screen {
    ($name:literal, $screen:expr) => {
        assert_snapshot!($name, $screen.seen($name))
    };
}

#[test]
fn traces_at_both_sizes() {
    assert_screen!("traces-80", Screen::open(Desk::shop(), SMALL).press("j j j"));
    assert_screen!("traces-160", Screen::open(Desk::shop(), LARGE).press("s j j m j"));
}

#[test]
fn traces_far_down_are_fetched_as_they_are_reached() {
    let screen = Screen::open(Desk::shop(), SMALL).press("G k");
    assert_screen!("traces-end", screen);
}

#[test]
fn a_filter_is_completed_while_it_is_typed_and_mistakes_stand_under_a_caret() {
    assert_screen!("filter-completion", Screen::open(Desk::shop(), SMALL).press("/").typed("resource.ser"));
    let mistaken = Screen::open(Desk::shop(), SMALL).press("/").typed("name = = \"x\"");
    assert_screen!("filter-mistake", mistaken);
    let used = Screen::open(Desk::shop(), LARGE).press("/").typed("duration > 1s").press("enter x");
    assert_screen!("filter-used", used);
}

#[test]
fn an_empty_store_says_what_to_do() {
    assert_screen!("empty-80", Screen::open(Desk::empty(), SMALL));
    assert_screen!("nothing-fits", Screen::open(Desk::empty(), SMALL).press("x"));
}

#[test]
fn while_files_are_read_the_first_traces_are_there() {
    let mut screen = Screen::open_with(Desk::empty(), SMALL, &Preferences::default(), true);
    assert_screen!("loading-nothing-yet", screen);
    screen.desk = Desk::shop();
    screen.send(Event::Load(LoadNews::Progress(Progress { bytes_read: 43_000_000, bytes_total: Some(100_000_000) })));
    screen.send(Event::Load(LoadNews::Settled));
    assert_screen!("loading-first-traces", screen);
}

#[test]
fn the_cursor_stays_on_its_trace_when_rows_arrive() {
    let mut screen = Screen::open(Desk::shop(), SMALL).press("j j");
    let before = screen.state.view().unwrap().selected(&screen.state.shared).texts;
    screen.desk.add_newer(7);
    screen.send(Event::Load(LoadNews::Settled));
    let after = screen.state.view().unwrap().selected(&screen.state.shared).texts;
    assert_eq!(before.first(), after.first());
}

#[test]
fn a_store_that_does_not_answer_says_so() {
    assert_screen!("error-80", Screen::open(Desk::broken(), SMALL));
}

/// The shop, looked through for what is broken.
fn analysed(desk: Desk, size: (u16, u16)) -> Screen {
    let mut screen = Screen::open(desk, size);
    let found = Analysed { stretches: 1, ..Analysed::default() };
    screen.send(Event::Load(LoadNews::Analysed(Ok(found))));
    screen
}

#[test]
fn findings_are_listed_with_what_to_change_and_the_list_of_traces_says_that_there_are_some() {
    assert_screen!("traces-findings-80", analysed(Desk::shop(), SMALL));
    assert_screen!("triage-80", analysed(Desk::shop(), SMALL).press("1"));
    assert_screen!("triage-160", analysed(Desk::shop(), LARGE).press("1 j"));
    assert_screen!("triage-high", analysed(Desk::shop(), SMALL).press("1 f"));
}

#[test]
fn a_finding_opens_into_its_evidence_with_both_traces_side_by_side() {
    assert_screen!("finding-80", analysed(Desk::shop(), SMALL).press("1 enter"));
    assert_screen!("finding-160", analysed(Desk::shop(), LARGE).press("1 enter n"));
    let end = analysed(Desk::shop(), SMALL).press("1 enter G").seen("finding-end");
    assert!(end.contains("rule ") && !end.contains("more ↓"), "{end}");
    let screen = analysed(Desk::shop(), SMALL).press("1 j enter esc");
    assert_eq!(screen.seen("back"), analysed(Desk::shop(), SMALL).press("1 j").seen("list"));
}

#[test]
fn from_an_example_the_trace_is_three_keys_away() {
    let screen = analysed(Desk::shop(), SMALL).press("1 enter enter");
    assert_eq!(screen.state.shown, riftline::view::ViewId::Trace);
}

#[test]
fn a_muted_finding_is_hidden_until_it_is_asked_for() {
    let screen = analysed(Desk::shop(), SMALL).press("1 x");
    assert!(!screen.seen("muted").contains("gateway → orders"), "{}", screen.seen("muted"));
    assert!(screen.press("X").seen("shown").contains("(muted) gateway"));
}

#[test]
fn findings_are_filtered_while_a_text_is_typed() {
    let screen = analysed(Desk::shop(), SMALL).press("1 /").typed("ends-late");
    let seen = screen.seen("filtered");
    assert!(seen.contains("child-ends-late") && !seen.contains("b3-not"), "{seen}");
    assert!(screen.press("esc").seen("all").contains("b3-not-read"));
}

#[test]
fn where_there_are_no_findings_one_line_says_why() {
    let line = |screen: &Screen, text: &str| assert!(screen.seen("line").contains(text), "{}", screen.seen("line"));
    line(&Screen::open(Desk::empty(), SMALL).press("1"), "looking for what is broken");
    line(&analysed(Desk::empty(), SMALL).press("1"), "this store holds no traces yet");
    line(&analysed(Desk::healthy(), SMALL).press("1"), "nothing found that is broken");
    line(&analysed(Desk::broken(), SMALL).press("1"), "disk I/O error");
    line(&analysed(Desk::shop(), SMALL).press("1 /").typed("zzz"), "no finding fits");
    assert_screen!("triage-empty", analysed(Desk::healthy(), SMALL).press("1"));
}

#[test]
fn query_at_both_sizes() {
    assert_screen!("query-80", Screen::open(Desk::shop(), SMALL).press("7 f5 esc j l"));
    assert_screen!("query-160", Screen::open(Desk::shop(), LARGE).press("7 f5 esc j enter"));
    assert_screen!("query-bars", Screen::open(Desk::shop(), SMALL).press("7 f5 esc c"));
    assert_screen!("query-line", Screen::open(Desk::shop(), SMALL).press("7 f5 esc c c"));
    assert_screen!("query-summary", Screen::open(Desk::shop(), SMALL).press("7 f5 esc u"));
}

#[test]
fn sql_is_completed_and_its_mistakes_stand_under_a_caret() {
    let completed = Screen::open(Desk::shop(), SMALL).press("7 ctrl-k").typed("select num_s");
    assert_screen!("query-completion", completed);
    let mistaken = Screen::open(Desk::shop(), SMALL).press("7 ctrl-k").typed("select frm spans").press("f5");
    assert_screen!("query-mistake", mistaken);
}

#[test]
fn layers_lie_over_the_view() {
    assert_screen!("help-80", Screen::open(Desk::shop(), SMALL).press("?"));
    assert_screen!("help-160", Screen::open(Desk::shop(), LARGE).press("?"));
    assert_screen!("palette-80", Screen::open(Desk::shop(), SMALL).press(":").typed("e"));
    assert_screen!("palette-mistake", Screen::open(Desk::shop(), SMALL).press(":").typed("exprot x").press("enter"));
    assert_screen!("jump-80", Screen::open(Desk::shop(), SMALL).press("ctrl-p").typed("ord"));
    assert_screen!("themes-80", Screen::open(Desk::shop(), SMALL).press("T"));
    assert_screen!("copy-80", Screen::open(Desk::shop(), SMALL).press("y"));
}

#[test]
fn below_the_smallest_size_one_line_says_so_and_no_size_panics() {
    assert_screen!("too-small", Screen::open(Desk::shop(), (60, 10)));
    let mut screen = Screen::open(Desk::shop(), SMALL).press("7 f5 esc enter ?");
    for keys in ["esc", "esc 1", "enter", "esc 2", "/", "a b", "esc :", "esc ctrl-p", "esc T", "esc ?"] {
        screen = screen.press(keys);
        for (width, height) in [(1, 1), (0, 0), (2, 40), (80, 1), (79, 24), (80, 24), (81, 25), (300, 100), (500, 24)] {
            screen.send(Event::Resize(Rect::new(0, 0, width, height)));
            let buffer = screen.draw();
            assert_eq!(buffer.area, Rect::new(0, 0, width, height));
        }
        screen.send(Event::Resize(Rect::new(0, 0, 80, 24)));
    }
}

#[test]
fn back_leads_to_where_one_came_from_with_the_cursor_where_it_was() {
    let screen = Screen::open(Desk::shop(), SMALL).press("j j j j");
    let before = screen.seen("before");
    let screen = screen.press("7 esc esc");
    assert_eq!(screen.seen("after"), before);
}

#[test]
fn every_theme_draws_the_list_and_no_colour_leaves_every_sign() {
    let plain = text(&Screen::open(Desk::shop(), SMALL).draw());
    let themes = Themes::default();
    for name in themes.names() {
        let preferences = Preferences { theme: Some(name.clone()), ..Preferences::default() };
        let screen = Screen::open_with(Desk::shop(), LARGE, &preferences, false).press("s j j m j");
        screen.seen(&format!("theme-{name}"));
        let screen = Screen::open_with(Desk::shop(), SMALL, &preferences, false);
        assert_eq!(text(&screen.draw()), plain, "{name} changes what is read");
    }
    let themes = Themes { depth: Depth::None, ..Themes::default() };
    let preferences = Preferences { themes, ..Preferences::default() };
    let screen = Screen::open_with(Desk::shop(), SMALL, &preferences, false);
    let buffer = screen.draw();
    assert!(buffer.content.iter().all(|cell| cell.fg == ratatui::style::Color::Reset && cell.bg == cell.fg));
    assert_eq!(text(&buffer), plain);
}

#[test]
fn keys_md_is_what_the_list_of_commands_says() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/keys.md");
    let wanted = riftline::tui::command::documentation();
    if std::env::var_os("RIFTLINE_BLESS").is_some() {
        fs::write(&path, &wanted).unwrap();
    }
    assert_eq!(
        fs::read_to_string(path).unwrap(),
        wanted,
        "RIFTLINE_BLESS=1 cargo test --release keys_md writes it anew"
    );
}
