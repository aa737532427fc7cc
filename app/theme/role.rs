//! What a style is for. Views name roles, themes give them styles.

macro_rules! roles {
    ($($role:ident $name:literal $doc:literal)+) => {
        /// What a style is for.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Role { $(#[doc = $doc] $role,)+ }

        impl Role {
            /// All roles, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$role,)+];

            /// Returns the name of the role in theme files.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)+ }
            }

            /// Returns what the role is for, in one sentence.
            #[must_use]
            pub const fn doc(self) -> &'static str {
                match self { $(Self::$role => $doc,)+ }
            }
        }
    };
}

roles! {
    Background "background" "The whole screen, below everything."
    Text "text" "What is read."
    Strong "strong" "What is read first: the name of the trace, the value that matters."
    Dim "dim" "What is read last: units, hints, what repeats."
    Faint "faint" "Rules, tracks of bars, guides of trees: seen, not read."
    Accent "accent" "The one colour of the theme: active things, counts that changed."
    Heading "heading" "Column heads and titles of panes."
    Good "good" "Done, healthy, live."
    Warn "warn" "Look here soon."
    Error "error" "Broken."
    Info "info" "Notes about what is shown."
    Selection "selection" "The row under the cursor, in the pane that has the keys."
    SelectionIdle "selection-idle" "The row under the cursor of a pane without the keys."
    Border "border" "Lines around panes."
    BorderFocus "border-focus" "Lines around the pane that has the keys."
    Chrome "chrome" "The lines on top and at the bottom."
    Tab "tab" "A view that can be switched to."
    TabActive "tab-active" "The view that is shown."
    Key "key" "A key to press, in hints and help."
    Bar "bar" "Bars that belong to no service."
    CriticalPath "critical-path" "What the end of the trace waited for."
    Gap "gap" "Waiting between a parent's start and its child's."
    Match "match" "The part of a text that a search or filter found."
    Number "number" "Numbers in tables."
    Time "time" "Times and dates."
    Id "id" "Trace and span ids."
    Mark "mark" "Marks of traces and spans: stitched, incomplete, duplicate."
    Null "null" "An absent value."
    Popup "popup" "The ground of pickers, help and other layers."
    PopupBorder "popup-border" "Lines around layers."
    Prompt "prompt" "The sign before a line that is typed into."
    Caret "caret" "The sign under the place of a mistake."
    Keyword "keyword" "Keywords of SQL and `TraceQL`."
    Literal "literal" "Texts, numbers and truth values of SQL, `TraceQL` and JSON."
    Name "name" "Names of columns, attributes and views in SQL, `TraceQL` and JSON."
    Comment "comment" "Comments of SQL."
}

impl Role {
    /// Tells whether the role is a ground that must be told apart without colours too.
    #[must_use]
    pub const fn is_selection(self) -> bool {
        matches!(self, Self::Selection | Self::TabActive)
    }
}
