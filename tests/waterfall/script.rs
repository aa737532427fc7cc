//! Traces written as text, and the workstation that shows them.

use std::sync::Arc;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline::tui::draw;
use riftline::tui::effect::{Answer, Event, Outside, Owner, Request, Slot};
use riftline::tui::state::{Shared, State};
use riftline::tui::update::update;
use riftline::view::ViewId;
use riftline::view::trace::data::TraceData;
use riftline_queries::error::AskError;
use riftline_queries::table::Table;
use riftline_queries::trace::details::SpanDetails;
use riftline_queries::trace::spans::Spans;

pub const TRACE_ID: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// 2026-09-14T10:52:03Z.
pub const START_NS: i64 = 1_789_383_123_000_000_000;
const MILLISECOND: i64 = 1_000_000;

/// Reads spans, one a line: id and parent in hex (`-` is none), start and duration in milliseconds, service, name. A name that
/// ends in `!` is that of a span with the status error.
pub fn spans(script: &str) -> Spans {
    let mut spans = Spans::default();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut words = line.split_whitespace();
        let mut word = || words.next().expect("a word");
        let (id, parent) = (hex(word()), hex(word()));
        let (start, duration) = (milliseconds(word()), milliseconds(word()));
        let service = word().to_owned();
        let name = words.collect::<Vec<_>>().join(" ");
        let is_error = name.ends_with('!');
        push(&mut spans, (id, parent), (start, duration), &service, name.trim_end_matches('!'), is_error);
    }
    spans
}

/// Appends one span. Times in nanoseconds; the start counts from [`START_NS`].
pub fn push(spans: &mut Spans, ids: (u64, u64), times: (i64, i64), service: &str, name: &str, is_error: bool) {
    spans.row.push(spans.span_id.len() as i64 + 1);
    spans.span_id.push(ids.0);
    spans.parent_span_id.push(ids.1);
    spans.start_ns.push(START_NS + times.0);
    spans.duration_ns.push(times.1);
    spans.kind.push(2);
    spans.status.push(if is_error { 2 } else { 0 });
    spans.marks.push(0);
    let service = text(spans, service);
    let name = text(spans, name);
    spans.service.push(service);
    spans.name.push(name);
}

fn text(spans: &mut Spans, text: &str) -> u32 {
    let known = spans.texts.iter().position(|known| known.as_ref() == text);
    known.unwrap_or_else(|| {
        spans.texts.push(text.into());
        spans.texts.len() - 1
    }) as u32
}

fn hex(word: &str) -> u64 {
    if word == "-" { 0 } else { u64::from_str_radix(word, 16).expect("a hex id") }
}

fn milliseconds(word: &str) -> i64 {
    (word.parse::<f64>().expect("milliseconds") * MILLISECOND as f64) as i64
}

/// The workstation with the trace view on its screen.
pub struct Screen {
    state: State,
    pub asked: Vec<Outside>,
}

impl Screen {
    pub fn new(width: u16, height: u16) -> Self {
        let mut state = State::new(Shared { store_name: "incident.rift".to_owned(), ..Shared::default() });
        state.area = Rect::new(0, 0, width, height);
        let mut screen = Self { state, asked: Vec::new() };
        screen.press("3");
        screen
    }

    /// Shows the trace of `script`.
    pub fn showing(width: u16, height: u16, script: &str) -> Self {
        let mut screen = Self::new(width, height);
        screen.open();
        screen.show(spans(script));
        screen
    }

    /// Asks for the trace, as the list of traces does.
    pub fn open(&mut self) {
        for key in [":"].into_iter().chain(["o", "p", "e", "n", "space"]) {
            self.press(key);
        }
        self.paste(TRACE_ID);
        self.press("enter");
    }

    pub fn show(&mut self, spans: Spans) {
        self.show_data(TraceData::new(TRACE_ID.to_owned(), spans));
    }

    pub fn show_data(&mut self, data: TraceData) {
        self.answer("trace", Answer::Trace(Arc::new(data)));
    }

    pub fn fail(&mut self, message: &str) {
        self.answer("trace", Answer::Failed(AskError::Store { message: message.to_owned() }));
    }

    /// Answers the last question about a span.
    pub fn tell_details(&mut self, details: SpanDetails) {
        let row = self.asked.iter().rev().find_map(|asked| match asked {
            Outside::Ask { request: Request::Details { row }, .. } => Some(*row),
            _ => None,
        });
        let row = row.expect("details were asked for");
        self.answer("details", Answer::Details { row, details: Box::new(details) });
    }

    pub fn tell_logs(&mut self, lines: Table) {
        self.answer("logs", Answer::Table(Arc::new(lines)));
    }

    pub fn answer(&mut self, name: &'static str, answer: Answer) {
        let slot = Slot { owner: Owner::View(ViewId::Trace), name };
        let asked = update(&mut self.state, Event::Answer { slot, answer });
        self.asked.extend(asked);
    }

    /// Presses keys, written as in keymaps and separated by spaces.
    pub fn press(&mut self, keys: &str) {
        for key in keys.split_whitespace() {
            let asked = update(&mut self.state, Event::Key(key.parse().expect("a key")));
            self.draw_pictures(&asked);
            self.asked.extend(asked);
        }
    }

    /// Does the work of the workers that needs no store.
    fn draw_pictures(&mut self, asked: &[Outside]) {
        for asked in asked {
            if let Outside::Ask { request: Request::Picture { data, kind }, .. } = asked {
                self.answer("picture", Answer::Picture(Box::new(kind.draw(data))));
            }
        }
    }

    pub fn paste(&mut self, text: &str) {
        let asked = update(&mut self.state, Event::Paste(text.to_owned()));
        self.asked.extend(asked);
    }

    pub fn buffer(&self) -> Buffer {
        let mut buffer = Buffer::empty(self.state.area);
        draw::render(&self.state, self.state.area, &mut buffer);
        buffer
    }

    /// Returns the screen as text, without blanks at the ends of lines.
    pub fn text(&self) -> String {
        let buffer = self.buffer();
        let line = |y: u16| {
            let cells = (0..buffer.area.width).map(|x| buffer[(x, y)].symbol());
            cells.collect::<String>().trim_end().to_owned()
        };
        (0..buffer.area.height).map(line).collect::<Vec<_>>().join("\n")
    }

    /// Returns the lines that hold `text`.
    pub fn lines_with(&self, text: &str) -> Vec<String> {
        self.text().lines().filter(|line| line.contains(text)).map(str::to_owned).collect()
    }
}
