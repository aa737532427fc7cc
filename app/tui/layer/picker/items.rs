//! What there is to choose from.

use riftline_queries::desk::Question;
use riftline_queries::table::{Cell, Table};

use super::{Choice, Item, Picker, Purpose};
use crate::tui::command::{Argument, COMMANDS, Context};
use crate::tui::effect::{Effect, Owner, Request, Slot, Target};
use crate::tui::remember::Bookmark;
use crate::tui::state::{Shared, State};
use crate::view::query::saved_queries;
use crate::view::{VIEWS, ViewId};
use crate::widget::text::one_line;

/// How many names are fetched to jump to.
const MAX_NAMES: u64 = 20_000;
/// The shortest beginning of a trace id that is looked for.
const SHORTEST_ID: usize = 4;

impl Picker {
    /// Returns the picker of themes, with the cursor on the one in use.
    #[must_use]
    pub fn themes(shared: &Shared) -> Self {
        let items: Vec<Item> = shared.themes.names().into_iter().map(|name| theme(&name, shared)).collect();
        let current = items.iter().position(|item| item.label == shared.theme.name).unwrap_or_default();
        let mut picker = Self::new("theme", items);
        picker.purpose = Purpose::Preview;
        picker.scroll.cursor = current;
        picker.otherwise = Some(Choice::Preview(shared.theme.name.clone()));
        picker
    }

    /// Returns the picker of what can be copied.
    #[must_use]
    pub fn copy(texts: Vec<(&'static str, String)>) -> Self {
        let item = |(what, text): (&'static str, String)| {
            let choice = Choice::Copy { what: what.to_owned(), text: text.clone() };
            Item { kind: what, label: one_line(&text), note: String::new(), choice }
        };
        Self::new("copy", texts.into_iter().map(item).collect())
    }

    /// Returns the picker of bookmarks.
    #[must_use]
    pub fn bookmarks(bookmarks: &[Bookmark]) -> Self {
        Self::new("bookmarks", bookmarks.iter().rev().map(bookmark).collect())
    }
}

/// Opens the picker of everything, and asks for the names in the store.
#[must_use]
pub fn jump(state: &State) -> Vec<Effect> {
    let memory = &state.shared.memory;
    let mut items: Vec<Item> = VIEWS.iter().map(view).collect();
    items.extend(memory.bookmarks().iter().rev().map(bookmark));
    items.extend(saved_queries(&state.shared).into_iter().map(|item| Item { kind: "query", ..item }));
    items.extend(COMMANDS.iter().filter(|info| is_givable(info)).map(|info| {
        let key = state.shared.keymap.keys(info.command).first().map(ToString::to_string).unwrap_or_default();
        Item { kind: "command", label: info.name.to_owned(), note: key, choice: Choice::Give(info.command.into()) }
    }));
    items.extend(state.shared.themes.names().iter().map(|name| theme(name, &state.shared)));
    let mut picker = Picker::new("jump to", items);
    picker.purpose = Purpose::Jump;
    let request = Request::Table(names_question());
    vec![Effect::Over(Box::new(picker)), Effect::ask(Slot { owner: Owner::Layer, name: "names" }, request)]
}

/// Returns the question for services and operations with how many spans each has: (kind, label, n), the most frequent first.
#[must_use]
pub fn names_question() -> Question {
    let sql = format!(
        "select 'service' as kind, service as label, count(*) as n from spans group by all \
         union all select 'operation', name, count(*) from spans group by all \
         union all select 'finding', id || ' ' || rule || ' ' || subject, 0 from findings \
         order by n desc limit {MAX_NAMES}"
    );
    Question::Sql { sql, max_rows: Some(MAX_NAMES) }
}

/// Returns the names that the store answered with.
#[must_use]
pub fn names(table: &Table) -> Vec<Item> {
    (0..table.num_rows()).filter_map(|row| name(table, row)).collect()
}

fn name(table: &Table, row: usize) -> Option<Item> {
    let (Cell::Text(kind), Cell::Text(label)) = (table.get(row, "kind"), table.get(row, "label")) else { return None };
    if kind == "finding" {
        let (id, subject) = label.split_once(' ')?;
        let choice = Choice::Show(ViewId::Triage, Target::Finding(id.to_owned()));
        return Some(Item { kind: "finding", label: subject.to_owned(), note: String::new(), choice });
    }
    let is_service = kind == "service";
    let key = if is_service { "resource.service.name" } else { "name" };
    let filter = format!("{{ {key} = {} }}", quoted(label));
    let note = match table.get(row, "n") {
        Cell::Int(number) => format!("{} spans", crate::humane::count(number.unsigned_abs())),
        _ => String::new(),
    };
    let kind = if is_service { "service" } else { "operation" };
    Some(Item { kind, label: label.to_owned(), note, choice: Choice::Show(ViewId::Traces, Target::Filter(filter)) })
}

/// Returns the trace that `typed` may be the beginning of.
#[must_use]
pub fn typed_id(typed: &str) -> Option<Item> {
    let id = typed.trim().to_lowercase();
    let is_id = (SHORTEST_ID..=32).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let target = Target::Trace { id: id.clone(), span_id: None };
    is_id.then(|| Item {
        kind: "trace id",
        label: id,
        note: "open it".to_owned(),
        choice: Choice::Show(ViewId::Trace, target),
    })
}

/// Returns `text` as a `TraceQL` string.
#[must_use]
pub fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n"))
}

fn is_givable(info: &crate::tui::command::CommandInfo) -> bool {
    !matches!(info.argument, Argument::Required(_))
        && !matches!(info.context, Context::Prompt | Context::Moving | Context::Editor)
}

fn view(entry: &crate::view::ViewEntry) -> Item {
    let choice = Choice::Show(entry.id, Target::Same);
    Item { kind: "view", label: entry.name.to_owned(), note: entry.number.to_string(), choice }
}

fn theme(name: &str, shared: &Shared) -> Item {
    let note = shared.themes.load(name).map_or_else(|error| error.to_string(), |theme| theme.doc);
    Item { kind: "theme", label: name.to_owned(), note, choice: Choice::UseTheme(name.to_owned()) }
}

fn bookmark(bookmark: &Bookmark) -> Item {
    let view = match bookmark.target {
        Target::Sql { .. } => ViewId::Query,
        Target::Filter(_) | Target::Same => ViewId::Traces,
        Target::Trace { .. } => ViewId::Trace,
        Target::Finding(_) => ViewId::Triage,
        Target::Experiment(_) => ViewId::Chaos,
    };
    let choice = Choice::Show(view, bookmark.target.clone());
    Item { kind: "bookmark", label: bookmark.label.clone(), note: String::new(), choice }
}
