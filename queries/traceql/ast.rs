//! What a query says.

/// A query: spanset filters, and how they combine over the spans of one trace.
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    /// `{ … }`: the trace has a span for which the condition holds.
    Filter(Condition),
    /// At least two, all of which the trace answers.
    All(Vec<Query>),
    /// At least two, one of which the trace answers.
    Any(Vec<Query>),
}

/// What must hold for one span.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    Always(bool),
    Comparison {
        field: Field,
        operator: Operator,
        value: Value,
    },
    /// At least two.
    All(Vec<Condition>),
    /// At least two.
    Any(Vec<Condition>),
    Not(Box<Condition>),
}

/// What a comparison looks at.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Field {
    Intrinsic(Intrinsic),
    Attribute { scope: Scope, key: String },
}

/// Where an attribute is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scope {
    /// The span, then its resource.
    Any,
    Span,
    Resource,
    Event,
    Link,
    Instrumentation,
}

/// Fields that spans and traces have by nature.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Intrinsic {
    Name,
    Status,
    StatusMessage,
    Kind,
    Duration,
    SpanId,
    ParentId,
    ChildCount,
    TraceId,
    TraceDuration,
    RootName,
    RootService,
    EventName,
    EventTimeSinceStart,
    LinkSpanId,
    LinkTraceId,
    InstrumentationName,
    InstrumentationVersion,
}

/// How a field is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
    /// The regular expression matches the whole value.
    Matches,
    MatchesNot,
}

/// What a field is compared with.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Text(String),
    Int(i64),
    /// Finite.
    Double(f64),
    Bool(bool),
    /// Nanoseconds.
    Duration(i64),
    Status(Status),
    Kind(Kind),
    Nil,
}

/// Status of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    Unset,
    Ok,
    Error,
}

/// Kind of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    Unspecified,
    Internal,
    Server,
    Client,
    Producer,
    Consumer,
}

impl Query {
    /// Tells whether answering needs the settled view `traces`.
    #[must_use]
    pub fn uses_traces(&self) -> bool {
        match self {
            Self::Filter(condition) => condition.uses_traces(),
            Self::All(queries) | Self::Any(queries) => queries.iter().any(Self::uses_traces),
        }
    }
}

impl Condition {
    fn uses_traces(&self) -> bool {
        match self {
            Self::Always(_) => false,
            Self::Comparison { field, .. } => matches!(
                field,
                Field::Intrinsic(Intrinsic::TraceDuration | Intrinsic::RootName | Intrinsic::RootService)
            ),
            Self::All(conditions) | Self::Any(conditions) => conditions.iter().any(Self::uses_traces),
            Self::Not(condition) => condition.uses_traces(),
        }
    }
}
