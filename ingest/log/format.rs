//! The formats of logs, each with how it is recognised and read.

use crate::format::{Decoder, Format, Opening, Settings};
use crate::log::access::{self, Access};
use crate::log::custom::{self, Custom};
use crate::log::json::{self, JsonLines};
use crate::log::klog::{self, Klog};
use crate::log::logfmt::{self, Logfmt};
use crate::log::recognise::is_usual_log;
use crate::log::stream::{self, Grammar, LogDecoder};
use crate::log::syslog::{self, Syslog};
use crate::log::text::{self, TextLines};

/// A format of logs.
#[derive(Debug)]
pub struct LogFormat {
    kind: Kind,
    name: &'static str,
    description: &'static str,
    sample: &'static [u8],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Klog,
    Syslog,
    Access,
    Logfmt,
    Pattern,
    Text,
}

/// `log-pattern`: what a pattern of the user's describes. It stands before the others: the user knows better.
pub static PATTERN: LogFormat = LogFormat {
    kind: Kind::Pattern,
    name: "log-pattern",
    description: "logs that a pattern in the folder log-patterns describes",
    sample: include_bytes!("../../sample-traces/formats/log-pattern.log"),
};

/// `log-json`
pub static JSON: LogFormat = LogFormat {
    kind: Kind::Json,
    name: "log-json",
    description: "logs as JSON lines: zap, slog, logrus, zerolog, pino, winston, bunyan, Python, logback, log4j2, ECS, tracing",
    sample: include_bytes!("../../sample-traces/formats/log.jsonl"),
};

/// `klog`
pub static KLOG: LogFormat = LogFormat {
    kind: Kind::Klog,
    name: "klog",
    description: "logs of klog and glog: Kubernetes and its parts",
    sample: include_bytes!("../../sample-traces/formats/klog.log"),
};

/// `syslog`
pub static SYSLOG: LogFormat = LogFormat {
    kind: Kind::Syslog,
    name: "syslog",
    description: "syslog of RFC 3164 and RFC 5424, with and without priority",
    sample: include_bytes!("../../sample-traces/formats/syslog.log"),
};

/// `access-log`
pub static ACCESS: LogFormat = LogFormat {
    kind: Kind::Access,
    name: "access-log",
    description: "access logs of nginx and Apache: common, combined, with fields behind them",
    sample: include_bytes!("../../sample-traces/formats/access.log"),
};

/// `logfmt`
pub static LOGFMT: LogFormat = LogFormat {
    kind: Kind::Logfmt,
    name: "logfmt",
    description: "logs as key=value lines: logrus, slog, Prometheus, Grafana",
    sample: include_bytes!("../../sample-traces/formats/logfmt.log"),
};

/// `log-text`
pub static TEXT: LogFormat = LogFormat {
    kind: Kind::Text,
    name: "log-text",
    description: "logs as text with a time near the beginning of the line: Python, logback, log4j2, Spring Boot, zap, nginx errors",
    sample: include_bytes!("../../sample-traces/formats/text.log"),
};

impl LogFormat {
    /// Tells whether a line begins a record, where that can be told without the user's patterns.
    fn begins(&self) -> Option<fn(&[u8]) -> bool> {
        Some(match self.kind {
            Kind::Json => json::begins,
            Kind::Klog => klog::begins,
            Kind::Syslog => syslog::begins,
            Kind::Access => access::begins,
            Kind::Logfmt => logfmt::begins,
            Kind::Text => text::begins,
            Kind::Pattern => return None,
        })
    }

    fn recognises(&self, head: &[u8], is_whole: bool, settings: &Settings) -> bool {
        match self.kind {
            Kind::Json => {
                let mut lines = JsonLines::new(settings);
                is_usual_log(head, is_whole, |line| lines.is_log(line)) || lines.is_spread_log(head)
            }
            Kind::Klog => is_usual_log(head, is_whole, klog::begins),
            Kind::Syslog => is_usual_log(head, is_whole, syslog::begins),
            Kind::Access => is_usual_log(head, is_whole, access::is_log),
            Kind::Logfmt => is_usual_log(head, is_whole, logfmt::is_log),
            Kind::Text => is_usual_log(head, is_whole, text::is_log),
            Kind::Pattern => custom::fitting(head, is_whole, settings).is_some(),
        }
    }
}

impl Format for LogFormat {
    fn name(&self) -> &'static str {
        self.name
    }

    fn description(&self) -> &'static str {
        self.description
    }

    fn sample(&self) -> &'static [u8] {
        self.sample
    }

    fn recognises(&self, head: &[u8], is_whole: bool) -> bool {
        Self::recognises(self, head, is_whole, &Settings::default())
    }

    fn recognises_with(&self, head: &[u8], is_whole: bool, settings: &Settings) -> bool {
        Self::recognises(self, head, is_whole, settings)
    }

    fn cut(&self, bytes: &[u8], target: usize) -> Option<usize> {
        stream::cut(bytes, target, self.begins()?)
    }

    fn whole_units(&self, bytes: &[u8]) -> usize {
        let continues = matches!(self.kind, Kind::Json | Kind::Klog | Kind::Syslog | Kind::Text);
        match self.begins() {
            Some(begins) => stream::whole(bytes, begins, continues),
            None => crate::lines::whole(bytes),
        }
    }

    fn decoder(&self, settings: &Settings, opening: &Opening) -> Box<dyn Decoder> {
        let grammar: Box<dyn Grammar> = match self.kind {
            Kind::Json => Box::new(JsonLines::new(settings)),
            Kind::Klog => Box::new(Klog),
            Kind::Syslog => Box::new(Syslog),
            Kind::Access => Box::new(Access),
            Kind::Logfmt => Box::new(Logfmt::default()),
            Kind::Text => Box::new(TextLines),
            Kind::Pattern => Box::new(Custom::new(settings, &opening.head)),
        };
        Box::new(LogDecoder::new(grammar, settings, opening))
    }
}
