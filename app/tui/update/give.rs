//! Does commands: those of the workstation itself here, the others in the view that is shown.

use super::super::analyst::Wish;
use super::super::effect::Request;
use super::super::export;
use super::super::layer::help::Help;
use super::super::layer::palette::Palette;
use super::super::layer::picker::{self, Picker};
use super::super::remember::Change;
use super::{
    Call, Command, Effect, Handled, Outside, Owner, Slot, State, Target, ViewId, bookmarks, news, range, with_view,
};
use crate::view::VIEWS;

/// Does what `call` says.
pub fn give(state: &mut State, call: &Call, effects: &mut Vec<Effect>) {
    let mut handled = Handled::No;
    with_view(state, state.shown, effects, |view, turn| handled = view.command(call, turn));
    if handled == Handled::No && !everywhere(state, call, effects) && !elsewhere(call, effects) {
        effects.push(Effect::say(format!("{} does nothing here", call.command.info().name)));
    }
}

/// Gives commands that belong to another view there, so that `:run` works from everywhere.
fn elsewhere(call: &Call, effects: &mut Vec<Effect>) -> bool {
    let _ = (call, effects);
    matches!(call.command.info().context, super::Context::Moving | super::Context::Prompt | super::Context::Editor)
}

fn everywhere(state: &mut State, call: &Call, effects: &mut Vec<Effect>) -> bool {
    match call.command {
        Command::Quit => effects.push(Effect::Outside(Outside::Quit)),
        Command::Back => effects.push(Effect::Back),
        Command::Suspend => effects.push(Effect::Outside(Outside::Suspend)),
        Command::Interrupt => interrupt(state, effects),
        Command::Help => effects.push(Effect::Over(Box::new(Help::new(state)))),
        Command::Palette => effects.push(Effect::Over(Box::new(Palette::new("")))),
        Command::Jump => effects.extend(picker::jump(state)),
        Command::Themes => effects.push(Effect::Over(Box::new(Picker::themes(&state.shared)))),
        Command::Copy => copy(state, effects),
        Command::Bookmark => bookmarks::toggle(state, effects),
        Command::Bookmarks => bookmarks::list(state, effects),
        Command::NarrowTime => range::narrow(state, effects),
        Command::WidenTime => range::widen(state, effects),
        Command::Export => export(state, &call.argument, effects),
        Command::Save => save(&call.argument, effects),
        Command::Theme => theme(&call.argument, state, effects),
        Command::Mouse => mouse(state, effects),
        Command::Refresh => refresh(state, effects),
        Command::Rules => rules(&call.argument, effects),
        Command::Open => open(&call.argument, effects),
        Command::View => view_named(&call.argument, effects),
        other => return view_at(other, effects),
    }
    true
}

fn view_at(command: Command, effects: &mut Vec<Effect>) -> bool {
    const KEYS: [Command; 8] = [
        Command::ViewAt1,
        Command::ViewAt2,
        Command::ViewAt3,
        Command::ViewAt4,
        Command::ViewAt5,
        Command::ViewAt6,
        Command::ViewAt7,
        Command::ViewAt8,
    ];
    let Some(index) = KEYS.iter().position(|key| *key == command) else { return false };
    match VIEWS.iter().find(|entry| usize::from(entry.number) == index + 1) {
        Some(entry) => effects.push(Effect::Show { view: entry.id, target: Target::Same }),
        None => effects.push(Effect::say(format!("view {} is not built yet", index + 1))),
    }
    true
}

fn rules(argument: &str, effects: &mut Vec<Effect>) {
    match argument.trim() {
        "" | "reload" => effects.push(Effect::Outside(Outside::Analyse(Wish::ReadRules))),
        other => effects.push(Effect::complain(format!("rules can be told to reload, not to `{other}`"))),
    }
}

fn view_named(name: &str, effects: &mut Vec<Effect>) {
    match VIEWS.iter().find(|entry| entry.name.eq_ignore_ascii_case(name)) {
        Some(entry) => effects.push(Effect::Show { view: entry.id, target: Target::Same }),
        None => effects.push(Effect::complain(format!("there is no view `{name}`"))),
    }
}

fn open(id: &str, effects: &mut Vec<Effect>) {
    let target = Target::Trace { id: id.trim().to_lowercase(), span_id: None };
    effects.push(Effect::Show { view: ViewId::Trace, target });
}

fn interrupt(state: &State, effects: &mut Vec<Effect>) {
    let asked: Vec<Slot> = state.shared.pending.iter().copied().collect();
    if asked.is_empty() {
        effects.push(Effect::Outside(Outside::Quit));
    } else {
        effects.extend(asked.into_iter().map(|slot| Effect::Outside(Outside::Cancel(slot))));
        effects.push(Effect::say("stopped"));
    }
}

fn copy(state: &State, effects: &mut Vec<Effect>) {
    let texts = state.view().map(|view| view.selected(&state.shared).texts).unwrap_or_default();
    if texts.is_empty() {
        effects.push(Effect::say("nothing to copy here"));
    } else {
        effects.push(Effect::Over(Box::new(Picker::copy(texts))));
    }
}

fn export(state: &State, argument: &str, effects: &mut Vec<Effect>) {
    let Some(source) = state.view().and_then(|view| view.exported(&state.shared)) else {
        return effects.push(Effect::say("nothing to export here"));
    };
    let (name, path) = argument.split_once(char::is_whitespace).unwrap_or((argument, ""));
    match export::format(name) {
        Some(format) if !path.trim().is_empty() => {
            let request = Request::Export { source, format, path: export::expand(path.trim()) };
            effects.push(Effect::ask(Slot { owner: Owner::State, name: "export" }, request));
        }
        None if !name.is_empty() => {
            let known = export::FORMATS.map(|(name, _)| name).join(", ");
            effects.push(Effect::complain(format!("no format `{name}`; there are {known}")));
        }
        _ => {
            let name = if name.is_empty() { "csv" } else { name };
            effects.push(Effect::Over(Box::new(Palette::new(&format!("export {name} ")))));
        }
    }
}

fn save(argument: &str, effects: &mut Vec<Effect>) {
    let path = export::expand(argument.trim());
    effects.push(Effect::say(format!("saving {}", path.display())));
    effects.push(Effect::ask(Slot { owner: Owner::State, name: "save" }, Request::Save(path)));
}

fn theme(name: &str, state: &State, effects: &mut Vec<Effect>) {
    match state.shared.themes.load(name) {
        Ok(_) => effects.extend([Effect::Preview(name.to_owned()), Effect::Remember(Change::Theme(name.to_owned()))]),
        Err(error) => effects.push(Effect::complain(error.to_string())),
    }
}

fn mouse(state: &State, effects: &mut Vec<Effect>) {
    let on = !state.shared.memory.mouse;
    effects.push(Effect::Outside(Outside::Mouse(on)));
    effects.push(Effect::Remember(Change::Mouse(on)));
    effects.push(Effect::say(if on { "mouse on; hold shift to select text" } else { "mouse off" }));
}

fn refresh(state: &mut State, effects: &mut Vec<Effect>) {
    effects.push(Effect::Outside(Outside::Redraw));
    effects.push(news::ask_extent());
    with_view(state, state.shown, effects, |view, turn| view.refresh(turn));
}
