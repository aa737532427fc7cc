//! Which requests? The list of traces.
//!
//! ```text
//!  98 204 traces, newest first     { duration > 1s }                                     1–38 of 98 204
//!   start         root                                           duration      spans svc err marks
//!  ▌10:52:03.112  gateway  POST /checkout          ████████      2.31 s           47   6   2 ≠
//!   10:52:02.981  gateway  GET /users              ▏              61 ms            5   2
//!  4bf92f3577b34da6a3ce929d0e0e4736  2026-09-14 10:52:03.112  12.3 s before the newest
//! ```

pub mod column;
mod filter;
pub mod page;
mod render;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use riftline_queries::desk::Question;
use riftline_queries::error::AskError;

use super::{Gesture, Handled, Mouse, Selected, Turn, View, ViewId};
use crate::tui::chord::Chord;
use crate::tui::command::{Command, Context};
use crate::tui::effect::{Answer, Call, Effect, Exported, Owner, Request, Slot, Target};
use crate::tui::layer::picker::names_question;
use crate::tui::state::Shared;
use crate::widget::scroll::Scroll;
use column::{COLUMNS, Order};
use filter::FilterLine;
use page::{Choice, Page, PageRequest, Row, WINDOW};

const PAGE: Slot = Slot { owner: Owner::View(ViewId::Traces), name: "page" };
const NAMES: Slot = Slot { owner: Owner::View(ViewId::Traces), name: "names" };

/// How many rows are wanted before the anchor.
const LEAD: u64 = WINDOW / 2;

/// The list of traces.
#[derive(Debug, Default)]
pub struct Traces {
    choice: Choice,
    page: Page,
    scroll: Scroll,
    /// Whether the cursor was put on a trace; else it stays at the top as rows arrive.
    is_placed: bool,
    has_answer: bool,
    failure: Option<AskError>,
    /// While a filter is typed.
    editing: Option<FilterLine>,
    /// How wide the services and the operations of the window are.
    root_width: (u16, u16),
    /// Services and operations, to complete filters with.
    names: Vec<String>,
}

/// Returns the names of the columns that the list can be sorted by.
pub fn columns() -> impl Iterator<Item = &'static str> {
    COLUMNS.iter().map(|column| column.name)
}

impl Traces {
    fn len(&self) -> usize {
        usize::try_from(self.page.whole.len).unwrap_or(usize::MAX)
    }

    /// Returns the trace at `index` of the list, where it is in the window.
    fn row(&self, index: usize) -> Option<&Row> {
        let first = usize::try_from(self.page.first).ok()?;
        self.page.rows.get(index.checked_sub(first)?)
    }

    fn current(&self) -> Option<&Row> {
        self.row(self.scroll.cursor)
    }

    /// Asks for the list anew, around the trace under the cursor.
    fn ask_anew(&mut self, turn: &mut Turn<'_>) {
        self.choice.range = turn.shared.range;
        let anchor = self.current().filter(|_| self.is_placed).map(|row| row.trace_id.clone());
        let first = if anchor.is_some() { LEAD } else { 0 };
        let request = PageRequest { choice: self.choice.clone(), first, anchor, whole: None };
        turn.push(Effect::ask(PAGE, Request::Page(Box::new(request))));
    }

    /// Asks for another window where rows on the screen are not in this one.
    fn ask_around(&mut self, turn: &mut Turn<'_>) {
        let height = usize::from(render::parts(turn.area).rows.height);
        let last = (self.scroll.top + height).min(self.len()).saturating_sub(1);
        if self.len() == 0 || (self.row(self.scroll.top).is_some() && self.row(last).is_some()) {
            return;
        }
        let first = u64::try_from(self.scroll.top).unwrap_or(u64::MAX).saturating_sub(LEAD);
        let request = PageRequest { choice: self.choice.clone(), first, anchor: None, whole: Some(self.page.whole) };
        turn.push(Effect::ask(PAGE, Request::Page(Box::new(request))));
    }

    fn take(&mut self, page: Page, turn: &mut Turn<'_>) {
        let height = render::parts(turn.area).rows.height;
        let offset = self.scroll.cursor.saturating_sub(self.scroll.top);
        self.root_width = render::root_width(&page.rows);
        self.page = page;
        self.has_answer = true;
        self.failure = None;
        if let Some(anchor) = self.page.anchor.and_then(|anchor| usize::try_from(anchor).ok()) {
            self.scroll = Scroll { cursor: anchor, top: anchor.saturating_sub(offset) };
        }
        self.scroll.follow(self.len(), height);
        let services = self.page.rows.iter().map(|row| row.root_service.clone());
        let mut services: Vec<String> = services.filter(|service| !service.is_empty()).collect();
        services.sort();
        services.dedup();
        turn.push(Effect::Learn(services));
        self.ask_around(turn);
    }

    fn order(&mut self, order: Order, turn: &mut Turn<'_>) {
        self.choice.order = order;
        self.start_over(turn);
    }

    /// Asks for another list: the cursor is at its top.
    fn start_over(&mut self, turn: &mut Turn<'_>) {
        self.scroll = Scroll::default();
        self.is_placed = false;
        self.ask_anew(turn);
    }

    fn sort(&mut self, name: &str, turn: &mut Turn<'_>) {
        let order = if name.is_empty() { Some(Order::by(self.choice.order.column + 1)) } else { Order::named(name) };
        match order {
            Some(order) => self.order(order, turn),
            None => turn.push(Effect::complain(format!(
                "no column `{name}`; there are {}",
                columns().collect::<Vec<_>>().join(", ")
            ))),
        }
    }

    fn enter(&self, turn: &mut Turn<'_>) {
        if let Some(row) = self.current() {
            let target = Target::Trace { id: row.trace_id.clone(), span_id: None };
            turn.push(Effect::Show { view: ViewId::Trace, target });
        }
    }

    /// Opens the line that filters are typed into, or uses the filter that was typed in the palette.
    fn filter(&mut self, typed: &str, turn: &mut Turn<'_>) {
        if typed.is_empty() {
            self.editing = Some(FilterLine::new(self.choice.filter.as_deref().unwrap_or_default()));
            turn.push(Effect::ask(NAMES, Request::Table(names_question())));
            return;
        }
        match filter::complete_query(typed) {
            Ok(filter) => self.use_filter(Some(filter), turn),
            Err(error) => turn.push(Effect::complain(error.message)),
        }
    }

    fn use_filter(&mut self, filter: Option<String>, turn: &mut Turn<'_>) {
        self.editing = None;
        if self.choice.filter != filter {
            self.choice.filter = filter;
            self.start_over(turn);
        }
    }

    fn filter_same(&mut self, turn: &mut Turn<'_>) {
        if let Some(row) = self.current() {
            let filter = filter::same_root(row);
            self.use_filter(Some(filter), turn);
        }
    }

    /// Does what a command says while a filter is typed.
    fn edit(&mut self, command: Command, turn: &mut Turn<'_>) -> Handled {
        let Some(line) = &mut self.editing else { return Handled::No };
        match command {
            Command::Cancel => self.editing = None,
            Command::Accept => match line.accept(&self.names) {
                filter::Accepted::Query(filter) => self.use_filter(filter, turn),
                filter::Accepted::NotYet => {}
            },
            Command::Complete => line.complete(&self.names),
            other => line.choose(other),
        }
        Handled::Yes
    }

    /// Tells whether any condition hides traces.
    fn is_narrowed(&self) -> bool {
        self.choice.filter.is_some() || self.choice.errors_only || self.choice.range.is_some()
    }
}

impl View for Traces {
    fn contexts(&self) -> &'static [Context] {
        if self.editing.is_some() { &[Context::Prompt] } else { &[Context::Traces, Context::Moving] }
    }

    fn wants_text(&self) -> bool {
        self.editing.is_some()
    }

    fn show(&mut self, target: Target, turn: &mut Turn<'_>) {
        if let Target::Filter(filter) = target {
            self.editing = None;
            self.choice.filter = Some(filter);
            self.start_over(turn);
        } else if !self.has_answer || self.choice.range != turn.shared.range {
            self.ask_anew(turn);
        }
    }

    fn command(&mut self, call: &Call, turn: &mut Turn<'_>) -> Handled {
        if self.editing.is_some() {
            return self.edit(call.command, turn);
        }
        let height = render::parts(turn.area).rows.height;
        if self.scroll.command(call.command, self.len(), height) {
            self.is_placed = call.command != Command::First;
            self.ask_around(turn);
            return Handled::Yes;
        }
        match call.command {
            Command::Enter => self.enter(turn),
            Command::Filter => self.filter(&call.argument, turn),
            Command::Sort => self.sort(&call.argument, turn),
            Command::Reverse => {
                let order = Order { descends: !self.choice.order.descends, ..self.choice.order };
                self.order(order, turn);
            }
            Command::ErrorsOnly => {
                self.choice.errors_only = !self.choice.errors_only;
                self.start_over(turn);
            }
            Command::ClearFilter => {
                self.choice.errors_only = false;
                self.choice.filter = None;
                turn.push(Effect::EveryTime);
                turn.push(Effect::Give(Command::Refresh.into()));
                self.scroll = Scroll::default();
                self.is_placed = false;
            }
            Command::FilterSame => self.filter_same(turn),
            _ => return Handled::No,
        }
        Handled::Yes
    }

    fn key(&mut self, chord: Chord, _turn: &mut Turn<'_>) {
        if let Some(line) = &mut self.editing {
            line.key(chord, &self.names);
        }
    }

    fn paste(&mut self, text: &str, _turn: &mut Turn<'_>) {
        if let Some(line) = &mut self.editing {
            line.paste(text, &self.names);
        }
    }

    fn mouse(&mut self, mouse: Mouse, turn: &mut Turn<'_>) {
        let rows = render::parts(turn.area).rows;
        match mouse.gesture {
            Gesture::WheelUp => self.scroll.wheel(-3, self.len(), rows.height),
            Gesture::WheelDown => self.scroll.wheel(3, self.len(), rows.height),
            Gesture::Click | Gesture::DoubleClick if rows.contains(mouse.at) => {
                let index = self.scroll.top + usize::from(mouse.at.y - rows.y);
                if index < self.len() {
                    self.scroll.cursor = index;
                }
            }
            _ => return,
        }
        self.is_placed = true;
        self.ask_around(turn);
        if mouse.gesture == Gesture::DoubleClick {
            self.enter(turn);
        }
    }

    fn answer(&mut self, slot: Slot, answer: Answer, turn: &mut Turn<'_>) {
        match answer {
            Answer::Page(page) => self.take(*page, turn),
            Answer::Table(table) if slot == NAMES => {
                self.names = filter::names(&table);
                let names = &self.names;
                self.editing.iter_mut().for_each(|line| line.renew(names));
            }
            Answer::Failed(AskError::Cancelled) => {}
            Answer::Failed(error) if slot == PAGE => self.failure = Some(error),
            _ => {}
        }
    }

    fn refresh(&mut self, turn: &mut Turn<'_>) {
        self.ask_anew(turn);
    }

    fn hints(&self) -> Vec<Command> {
        if self.editing.is_some() {
            return vec![Command::Accept, Command::Complete, Command::Cancel];
        }
        vec![Command::Enter, Command::Filter, Command::Sort, Command::ErrorsOnly, Command::FilterSame, Command::Copy]
    }

    fn selected(&self, _shared: &Shared) -> Selected {
        let Some(row) = self.current() else { return Selected::default() };
        let mut texts = vec![("trace id", row.trace_id.clone()), ("json", render::json(row))];
        texts.extend(self.choice.sql().ok().map(|sql| ("sql", sql)));
        texts.extend(self.choice.filter.clone().map(|filter| ("traceql", filter)));
        let label = format!("{} {}", row.root_service, row.root_name);
        let target = Target::Trace { id: row.trace_id.clone(), span_id: None };
        Selected { texts, bookmark: Some((label, target)), time_ns: Some(row.start_ns) }
    }

    fn exported(&self, _shared: &Shared) -> Option<Exported> {
        let sql = self.choice.sql().ok().filter(|_| self.len() > 0)?;
        Some(Exported::Question(Question::Sql { sql, max_rows: Some(self.page.whole.len) }))
    }

    fn legend(&self, shared: &Shared) -> Vec<(String, &'static str)> {
        render::legend(shared)
    }

    fn render(&self, area: Rect, buffer: &mut Buffer, shared: &Shared) {
        render::render(self, area, buffer, shared);
    }
}

#[cfg(test)]
mod tests;
