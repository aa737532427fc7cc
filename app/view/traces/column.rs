//! The columns of the list: what they are called, how they sort, and how wide they are.

/// A column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// For `:sort`.
    pub name: &'static str,
    pub title: &'static str,
    /// What it sorts by, in SQL over the view `traces`; never null.
    pub key: &'static str,
    /// Whether the first press sorts the largest first.
    pub descends: bool,
}

/// All columns, as `s` goes through them.
pub const COLUMNS: &[Column] = &[
    Column { name: "start", title: "start", key: "start", descends: true },
    Column { name: "duration", title: "duration", key: "duration_ns", descends: true },
    Column { name: "errors", title: "err", key: "num_errors", descends: true },
    Column { name: "spans", title: "spans", key: "num_spans", descends: true },
    Column { name: "services", title: "svc", key: "num_services", descends: true },
    Column {
        name: "root",
        title: "root",
        key: "coalesce(root_service, '') || ' ' || coalesce(root_name, '')",
        descends: false,
    },
    Column {
        name: "marks",
        title: "marks",
        key: "(not is_complete)::int + is_stitched::int + (num_findings > 0)::int",
        descends: true,
    },
];

/// What the list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Index into [`COLUMNS`].
    pub column: usize,
    pub descends: bool,
}

impl Default for Order {
    fn default() -> Self {
        Self::by(0)
    }
}

impl Order {
    /// Returns the order that a column has at first.
    #[must_use]
    pub fn by(column: usize) -> Self {
        let column = column % COLUMNS.len();
        Self { column, descends: COLUMNS[column].descends }
    }

    /// Returns the order by the column called `name`.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        COLUMNS.iter().position(|column| column.name == name).map(Self::by)
    }

    /// Returns the column.
    #[must_use]
    pub fn info(self) -> &'static Column {
        &COLUMNS[self.column % COLUMNS.len()]
    }

    /// Returns the order in words, for the line above the list.
    #[must_use]
    pub fn words(self) -> String {
        match (self.info().name, self.descends) {
            ("start", true) => "newest first".to_owned(),
            ("start", false) => "oldest first".to_owned(),
            ("duration", true) => "slowest first".to_owned(),
            ("duration", false) => "fastest first".to_owned(),
            (name, true) => format!("by {name}, most first"),
            (name, false) => format!("by {name}, least first"),
        }
    }
}
