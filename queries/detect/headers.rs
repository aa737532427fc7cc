//! Headers and RPC metadata that instrumentation captured from requests, and the contexts that they hold.
//!
//! Keys: `http.request.header.<name>` and `rpc.request.metadata.<name>`; before them `http.request.header.<name_with_underscores>`
//! and `rpc.grpc.request.metadata.<name>`. Values of a header that came twice are joined by commas.

mod decode;

use crate::trace::window::{Symbol, Window};

const PREFIXES: [&str; 3] = ["http.request.header.", "rpc.request.metadata.", "rpc.grpc.request.metadata."];

/// A way to write a trace context into a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Format {
    W3c,
    B3Single,
    B3Multi,
    Jaeger,
    XRay,
    GoogleCloud,
    Datadog,
    /// Ids are texts: nothing to compare.
    SkyWalking,
    /// The binary form in gRPC metadata.
    GrpcBinary,
    OpenTracing,
}

/// A context as a caller sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Context {
    pub format: Format,
    /// 0 where there is none, or one that cannot be read. Formats of 64 bits fill the low half.
    pub trace_id: u128,
    /// The span that sent it; 0 where there is none.
    pub span_id: u64,
    pub sampled: Option<bool>,
}

/// Which keys of a window are captured headers.
#[derive(Debug, Default)]
pub struct Headers {
    /// Sorted by key; names in lower case with dashes.
    names: Vec<(Symbol, String)>,
}

impl Format {
    /// Returns the name by which `OTEL_PROPAGATORS` knows it, or its own.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::W3c => "tracecontext",
            Self::B3Single => "b3",
            Self::B3Multi => "b3multi",
            Self::Jaeger => "jaeger",
            Self::XRay => "xray",
            Self::GoogleCloud => "x-cloud-trace-context",
            Self::Datadog => "datadog",
            Self::SkyWalking => "sw8",
            Self::GrpcBinary => "grpc-trace-bin",
            Self::OpenTracing => "ottrace",
        }
    }

    #[must_use]
    pub fn is_b3(self) -> bool {
        matches!(self, Self::B3Single | Self::B3Multi)
    }
}

impl Context {
    /// Tells whether it carries ids, not only a sampling decision.
    #[must_use]
    pub fn has_ids(&self) -> bool {
        self.trace_id != 0 && self.span_id != 0
    }

    /// Tells whether this is the context of a trace; of an id of 64 bits the low half is compared.
    #[must_use]
    pub fn is_of(&self, trace_id: u128) -> bool {
        let is_narrow = self.trace_id >> 64 == 0;
        self.trace_id != 0 && (self.trace_id == trace_id || is_narrow && self.trace_id as u64 == trace_id as u64)
    }
}

impl Headers {
    /// Finds the keys under which headers were captured.
    #[must_use]
    pub fn of(window: &Window) -> Self {
        let all = (0..window.texts.len() as u32).map(Symbol);
        let names = all.filter_map(|key| Some((key, name(window.text(key))?))).collect();
        Self { names }
    }

    /// Tells whether no headers were captured at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Returns the headers of a span: name in lower case, and value.
    pub fn all<'a>(&'a self, window: &'a Window, span: u32) -> impl Iterator<Item = (&'a str, &'a str)> {
        let attributes = if self.is_empty() { &[] } else { window.attributes(span) };
        attributes.iter().filter_map(|&(key, value)| Some((self.name(key)?, window.text(value))))
    }

    /// Returns the value of a header.
    #[must_use]
    pub fn get<'a>(&'a self, window: &'a Window, span: u32, name: &str) -> Option<&'a str> {
        self.all(window, span).find(|&(found, _)| found == name).map(|(_, value)| value)
    }

    /// Returns the contexts in the headers of a span, at most one a format, ordered by format. Those without a valid id have
    /// none: they show that a context was sent.
    #[must_use]
    pub fn contexts(&self, window: &Window, span: u32) -> Vec<Context> {
        let headers: Vec<(&str, &str)> = self.all(window, span).collect();
        if headers.is_empty() { Vec::new() } else { decode::contexts(&headers) }
    }

    fn name(&self, key: Symbol) -> Option<&str> {
        let at = self.names.binary_search_by_key(&key, |&(known, _)| known).ok()?;
        self.names.get(at).map(|(_, name)| name.as_str())
    }
}

/// Returns the header that an attribute's key stands for.
fn name(key: &str) -> Option<String> {
    let rest = PREFIXES.iter().find_map(|prefix| key.strip_prefix(prefix)).filter(|rest| !rest.is_empty())?;
    Some(rest.to_ascii_lowercase().replace('_', "-"))
}

#[cfg(test)]
mod tests;
