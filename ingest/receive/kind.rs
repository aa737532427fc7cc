//! What a request is: how it came, and what it carries.

/// How a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Protocol {
    Grpc,
    Http,
    Zipkin,
    Jaeger,
}

/// What a request carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Payload {
    /// OTLP protobuf.
    Traces,
    Logs,
    Metrics,
    /// OTLP JSON, of any signal: it says itself of which.
    Json,
    ZipkinJson,
    ZipkinProto,
    JaegerThrift,
}

/// Protocol and payload: one byte in the spool.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Kind {
    pub protocol: Protocol,
    pub payload: Payload,
}

impl Protocol {
    const ALL: [Self; 4] = [Self::Grpc, Self::Http, Self::Zipkin, Self::Jaeger];

    /// Returns the scheme of its addresses.
    #[must_use]
    pub const fn scheme(self) -> &'static str {
        match self {
            Self::Grpc => "grpc",
            Self::Http => "http",
            Self::Zipkin => "zipkin",
            Self::Jaeger => "jaeger",
        }
    }
}

impl Payload {
    const ALL: [Self; 7] =
        [Self::Traces, Self::Logs, Self::Metrics, Self::Json, Self::ZipkinJson, Self::ZipkinProto, Self::JaegerThrift];

    /// Returns the name of its format in [`crate::format::FORMATS`].
    #[must_use]
    pub const fn format(self) -> &'static str {
        match self {
            Self::Traces | Self::Logs | Self::Metrics => "otlp-proto",
            Self::Json => "otlp-json",
            Self::ZipkinJson => "zipkin-json",
            Self::ZipkinProto => "zipkin-proto",
            Self::JaegerThrift => "jaeger-thrift",
        }
    }
}

impl Kind {
    /// Returns the byte that stands for it. Never change what a byte means: spools outlive versions.
    #[must_use]
    pub fn code(self) -> u8 {
        let protocol = Protocol::ALL.iter().position(|&one| one == self.protocol).unwrap_or_default() as u8;
        let payload = Payload::ALL.iter().position(|&one| one == self.payload).unwrap_or_default() as u8;
        ((protocol + 1) << 4) | (payload + 1)
    }

    /// Returns what the byte stands for.
    #[must_use]
    pub fn of_code(code: u8) -> Option<Self> {
        let protocol = *Protocol::ALL.get(usize::from(code >> 4).checked_sub(1)?)?;
        let payload = *Payload::ALL.get(usize::from(code & 15).checked_sub(1)?)?;
        Some(Self { protocol, payload })
    }
}
