//! Everything a user can do, listed once: keymap, palette, help and documentation read this list.
//!
//! The list holds names only; what a command does stands in the view or layer of its context, or in [`super::update`].

use std::fmt::Write as _;

/// Where a command can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Context {
    /// In every view and layer that does not use the key itself.
    Everywhere,
    /// Wherever a cursor moves: lists, trees, tables, pickers.
    Moving,
    /// While a line is typed: palette, filter, search.
    Prompt,
    Triage,
    Traces,
    Trace,
    Query,
    /// While SQL is typed.
    Editor,
    Chaos,
}

/// What the word after a command's name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Argument {
    None,
    /// May be left out.
    Optional(ArgumentKind),
    Required(ArgumentKind),
}

/// What completes an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArgumentKind {
    File,
    Theme,
    View,
    Column,
    TraceQl,
    TraceId,
    /// A format and a file: `csv slow.csv`.
    Export,
    Text,
}

/// What is known about a command beside its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CommandInfo {
    pub command: Command,
    /// As typed after `:`.
    pub name: &'static str,
    /// One sentence.
    pub doc: &'static str,
    pub context: Context,
    /// Default keys, as in keymap files.
    pub keys: &'static [&'static str],
    pub argument: Argument,
    /// One or two words for the bottom line.
    pub short: &'static str,
}

macro_rules! commands {
    ($($context:ident { $($command:ident $name:literal [$($key:literal)*] $short:literal $doc:literal $(($argument:ident $kind:ident))?;)+ })+) => {
        /// What a user can do.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Command { $($(#[doc = $doc] $command,)+)+ }

        /// All commands, by context, in the order in which help shows them.
        pub const COMMANDS: &[CommandInfo] = &[$($(CommandInfo {
            command: Command::$command,
            name: $name,
            doc: $doc,
            context: Context::$context,
            keys: &[$($key),*],
            argument: commands!(@argument $($argument $kind)?),
            short: $short,
        },)+)+];
    };
    (@argument) => { Argument::None };
    (@argument $argument:ident $kind:ident) => { Argument::$argument(ArgumentKind::$kind) };
}

commands! {
    Everywhere {
        Help "help" ["?" "f1"] "keys" "Shows the keys of this view.";
        Palette "palette" [":"] "command" "Opens the command line.";
        Jump "jump" ["ctrl-p"] "jump" "Jumps to a service, operation, trace, saved query, theme, view or command by a few letters of it.";
        ViewAt1 "view-1" ["1"] "" "Shows view 1, Triage.";
        ViewAt2 "view-2" ["2"] "" "Shows view 2, Traces.";
        ViewAt3 "view-3" ["3"] "" "Shows view 3, Trace.";
        ViewAt4 "view-4" ["4"] "" "Shows view 4, Map.";
        ViewAt5 "view-5" ["5"] "" "Shows view 5, Logs.";
        ViewAt6 "view-6" ["6"] "" "Shows view 6, Compare.";
        ViewAt7 "view-7" ["7"] "" "Shows view 7, Query.";
        ViewAt8 "view-8" ["8"] "" "Shows view 8, Chaos.";
        View "view" [] "" "Shows a view by its name." (Required View);
        Open "open" [] "" "Opens the trace with this id, or the only one whose id begins so." (Required TraceId);
        Filter "filter" ["/"] "filter" "Filters this list." (Optional TraceQl);
        Copy "copy" ["y"] "copy" "Copies the id, the JSON or the SQL of what is selected to the clipboard (OSC 52, also over ssh).";
        Bookmark "bookmark" ["m"] "bookmark" "Sets a bookmark on what is selected, or takes it away.";
        Bookmarks "bookmarks" ["'"] "bookmarks" "Lists bookmarks.";
        NarrowTime "narrow-time" ["]"] "narrow" "Narrows the time range to half, around what is selected.";
        WidenTime "widen-time" ["["] "widen" "Widens the time range to twice its length, until it is everything.";
        Themes "themes" ["T"] "themes" "Picks a theme; each is shown as the cursor reaches it.";
        Theme "theme" [] "" "Uses a theme by its name." (Required Theme);
        Export "export" ["e"] "export" "Writes what is shown to a file: csv, json, ndjson, markdown or parquet." (Optional Export);
        Save "save" [] "" "Keeps a copy of the whole store in a file." (Required File);
        Mouse "mouse" [] "" "Turns the mouse on or off; remembered.";
        Refresh "refresh" ["ctrl-l"] "refresh" "Asks the store again and draws the screen anew.";
        Rules "rules" [] "" "Reads the rules for findings in the configuration folder again: `:rules reload`." (Optional Text);
        NextPane "next-pane" ["tab"] "pane" "Gives the keys to the next pane.";
        PreviousPane "previous-pane" ["shift-tab"] "" "Gives the keys to the pane before.";
        Enter "enter" ["enter"] "open" "Goes into what is selected.";
        Back "back" ["esc" "backspace"] "back" "Goes back to where you came from, with the cursor where it was.";
        Interrupt "interrupt" ["ctrl-c"] "" "Stops what is being asked; leaves riftline where nothing is.";
        Suspend "suspend" ["ctrl-z"] "" "Puts riftline to sleep, back to the shell.";
        Quit "quit" ["q"] "quit" "Leaves riftline.";
    }
    Moving {
        Up "up" ["up" "k"] "" "Moves up.";
        Down "down" ["down" "j"] "" "Moves down.";
        Left "left" ["left" "h"] "" "Moves or scrolls left.";
        Right "right" ["right" "l"] "" "Moves or scrolls right.";
        PageUp "page-up" ["page-up" "ctrl-b" "ctrl-u"] "" "Moves up one page.";
        PageDown "page-down" ["page-down" "ctrl-f" "ctrl-d"] "" "Moves down one page.";
        First "first" ["g" "home"] "" "Moves to the first.";
        Last "last" ["G" "end"] "" "Moves to the last.";
    }
    Prompt {
        Accept "accept" ["enter"] "accept" "Takes what is typed.";
        Complete "complete" ["tab"] "complete" "Takes the completion.";
        Cancel "cancel" ["esc" "ctrl-c"] "cancel" "Leaves everything as it was.";
        PromptUp "prompt-up" ["up" "ctrl-p"] "" "Moves to the completion or line before.";
        PromptDown "prompt-down" ["down" "ctrl-n"] "" "Moves to the next completion or line.";
    }
    Triage {
        Severity "severity" ["f"] "severity" "Shows all findings, then only those of severity high, med or low and above.";
        Mute "mute" ["x"] "mute" "Hides the finding in this store, or shows it again; remembered.";
        ShowMuted "show-muted" ["X"] "" "Shows muted findings too, or hides them again.";
        NextExample "next-example" ["n" "right" "l"] "next example" "Shows the next example of the finding.";
        PreviousExample "previous-example" ["N" "left" "h"] "" "Shows the example before.";
        FindingSql "finding-sql" ["s"] "SQL" "Shows the row of the finding in the Query view.";
        ReplayFinding "replay-finding" ["r"] "replay" "Derives an experiment that replays the finding against staging, and shows it in the Chaos view.";
    }
    Traces {
        Sort "sort" ["s"] "sort" "Sorts by the next column, or by the one named." (Optional Column);
        Reverse "reverse" ["S"] "reverse" "Turns the order around.";
        ErrorsOnly "errors-only" ["x"] "errors" "Shows only traces with errors, or all again.";
        ClearFilter "clear-filter" ["X"] "" "Takes the filter and the time range away.";
        FilterSame "filter-same" ["o"] "same root" "Filters by the root service and operation of the selected trace.";
    }
    Trace {
        Waterfall "waterfall" ["w"] "waterfall" "Shows the spans of the trace by time.";
        Flame "flame" ["f"] "flame" "Shows the trace as a flame graph: spans of one service and operation merged by their path.";
        ByService "by-service" ["a"] "services" "Shows which service took the time.";
        CriticalPath "critical-path" ["p"] "critical path" "Marks what the end of the trace waited for.";
        Fold "fold" ["z" "space"] "fold" "Folds what stands below the selected span, or opens it.";
        FoldAll "fold-all" ["Z"] "fold all" "Folds everything below the first two levels, or opens everything.";
        Focus "focus" ["."] "focus" "Lays the time axis over the selected span, or over the whole trace again.";
        Earlier "earlier" ["<"] "" "Moves a zoomed time axis to what was before.";
        Later "later" [">"] "" "Moves a zoomed time axis to what came later.";
        NextMatch "next-match" ["n"] "next" "Goes to the next match, or to the next error where nothing is searched for.";
        PreviousMatch "previous-match" ["N"] "" "Goes to the match or error before.";
        Healed "healed" ["H"] "healed/raw" "Shows the trace with all that was joined to it, or only the spans that carry its id as they were recorded.";
        Clock "clock" ["S"] "clocks" "Moves times to one clock where clocks are off, or shows them as they were recorded.";
        SpanLogs "span-logs" ["L"] "logs" "Gives the keys to the log lines of the selected span.";
        ReplayTrace "replay-trace" ["r"] "replay" "Derives an experiment that replays what went wrong in the trace against staging, and shows it in the Chaos view.";
    }
    Query {
        Run "run" ["f5" "alt-enter" "r"] "run" "Runs the statement.";
        Edit "edit" ["i"] "edit" "Gives the keys to the editor.";
        SavedQueries "saved-queries" ["n"] "saved" "Lists saved queries.";
        SaveQuery "save-query" [] "" "Keeps the statement under a name." (Required Text);
        History "history" ["H"] "history" "Lists statements that were run before.";
        Chart "chart" ["c"] "chart" "Draws the answer as bars, then as a line, then as a table again.";
        Summary "summary" ["u"] "columns" "Summarises the columns of the answer.";
        SortColumn "sort-column" ["s"] "sort" "Sorts the answer by this column, up, down, then as it came.";
        ClearEditor "clear" [] "" "Empties the editor.";
    }
    Editor {
        EditorRun "editor-run" ["f5" "alt-enter"] "run" "Runs the statement; so does Enter after a semicolon.";
        EditorComplete "editor-complete" ["tab"] "complete" "Completes the name before the cursor.";
        EditorLeave "editor-leave" ["esc"] "leave" "Gives the keys to the answer.";
        EditorOlder "editor-older" ["alt-up" "ctrl-up"] "" "Takes the statement before this one out of the history.";
        EditorNewer "editor-newer" ["alt-down" "ctrl-down"] "" "Takes the statement after this one out of the history.";
        EditorClear "editor-clear" ["ctrl-k"] "" "Empties the editor.";
    }
    Chaos {
        DryRun "dry-run" ["d"] "dry run" "Says what a run of the experiment would do; nothing is changed anywhere.";
        RunExperiment "run-experiment" ["R"] "run" "Runs the experiment once the name of its environment is typed.";
        StopRun "stop-run" ["s"] "stop" "Stops the run that is under way and has it undo its fault; so does Ctrl-C.";
        Recover "recover" ["U"] "undo" "Undoes what runs left that were cut off.";
        Journal "journal" ["J"] "journal" "Shows the journal of the run, or its verdict again.";
    }
}

impl Command {
    /// Returns what is known about the command.
    #[must_use]
    pub fn info(self) -> &'static CommandInfo {
        // The list and the enum come from one macro, in the same order.
        &COMMANDS[self as usize]
    }

    /// Returns the command called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        COMMANDS.iter().find(|info| info.name == name).map(|info| info.command)
    }
}

impl Context {
    /// All contexts, as help shows them.
    pub const ALL: [Self; 9] = [
        Self::Everywhere,
        Self::Moving,
        Self::Prompt,
        Self::Triage,
        Self::Traces,
        Self::Trace,
        Self::Query,
        Self::Editor,
        Self::Chaos,
    ];

    /// Returns the name of the context's table in keymap files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Everywhere => "everywhere",
            Self::Moving => "moving",
            Self::Prompt => "prompt",
            Self::Triage => "triage",
            Self::Traces => "traces",
            Self::Trace => "trace",
            Self::Query => "query",
            Self::Editor => "editor",
            Self::Chaos => "chaos",
        }
    }
}

/// Returns the documentation of all commands and their default keys, as Markdown.
#[must_use]
pub fn documentation() -> String {
    let mut text = String::from(concat!(
        "# Keys and commands\n\nEvery command can be given by name after `:`. ",
        "Keys are changed in `keymap.toml` in the configuration folder:\n\n",
        "```toml\n[everywhere]\nquit = [\"q\", \"ctrl-q\"]\n```\n",
    ));
    for context in Context::ALL {
        let _ = write!(text, "\n## {}\n\n| command | keys | what it does |\n| --- | --- | --- |\n", context.name());
        for info in COMMANDS.iter().filter(|info| info.context == context) {
            let keys: Vec<String> = info.keys.iter().map(|key| format!("`{key}`")).collect();
            let _ = writeln!(text, "| `{}` | {} | {} |", info.name, keys.join(" "), info.doc);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tui::chord::Chord;

    #[test]
    fn names_are_unique_and_lead_back_to_their_commands() {
        let names: BTreeSet<_> = COMMANDS.iter().map(|info| info.name).collect();
        assert_eq!(names.len(), COMMANDS.len());
        for info in COMMANDS {
            assert_eq!(info.command.info(), info);
            assert_eq!(Command::named(info.name), Some(info.command));
            assert!(info.doc.ends_with('.'), "{}", info.name);
        }
    }

    #[test]
    fn default_keys_are_keys_and_no_context_uses_one_twice() {
        let mut taken = BTreeSet::new();
        for info in COMMANDS {
            for key in info.keys {
                assert_eq!(key.parse::<Chord>().map(|chord| chord.to_string()), Ok((*key).to_owned()));
                assert!(taken.insert((info.context, *key)), "{key} twice in {}", info.context.name());
            }
        }
    }
}
