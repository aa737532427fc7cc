//! The command line: what can be typed, and nothing of what it does. `docs/cli.md`, the man page and the completions are made
//! from these definitions.

pub mod chaos;
pub mod parse;
pub mod span_of_time;

use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum, ValueHint};

use crate::format::Format;
use crate::humane::Zone;

const ABOUT: &str = "Traces in the terminal: read them, ask them, see where the time went";
const LONG_ABOUT: &str = "Reads OpenTelemetry traces, logs and metrics from files, folders and pipes, keeps them in one store, \
shows them in the terminal and answers questions from scripts.";

const EXAMPLES: &str = "\
Examples:
  riftline traces.jsonl                      look at a file
  kubectl logs collector | riftline -        look at what a pipe brings
  riftline ingest --store incident.rift *.pb.gz
  riftline query --store incident.rift \"select service, count(*) from spans group by 1\"
  riftline traces --store incident.rift --traceql '{ status = error }'
  riftline trace --store incident.rift 4bf92f35

Exit codes:
  0 done   1 done, and the answer is no   2 usage   3 input   4 store   5 refused for safety   130, 143 stopped by a signal";

/// Everything that was typed.
#[derive(Debug, Clone, Parser)]
#[command(name = "riftline", version, about = ABOUT, long_about = LONG_ABOUT, after_help = EXAMPLES)]
#[command(override_usage = "riftline [OPTIONS] [SOURCE...]\n       riftline <COMMAND>", disable_help_subcommand = true)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Option<Command>,
    #[command(flatten)]
    pub workstation: WorkstationArgs,
    #[command(flatten)]
    pub common: CommonArgs,
}

/// `riftline` without a command: the workstation.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct WorkstationArgs {
    #[command(flatten)]
    pub from: FromArgs,
    /// Also receive OTLP, and show what comes
    #[arg(long, env = "RIFTLINE_LISTEN", value_parser = FalseyValueParser::new())]
    pub listen: bool,
    #[command(flatten)]
    pub doors: DoorArgs,
    /// Keep reading files that grow, through rotation and truncation
    #[arg(long, env = "RIFTLINE_FOLLOW", value_parser = FalseyValueParser::new())]
    pub follow: bool,
    /// Take mouse clicks and the wheel
    #[arg(long, env = "RIFTLINE_MOUSE", value_parser = FalseyValueParser::new())]
    pub mouse: bool,
}

/// Where to receive.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Receivers")]
pub struct DoorArgs {
    /// Where to receive OTLP over gRPC: an address, a port, or `off` [default: 127.0.0.1:4317]
    #[arg(long, value_name = "ADDR", env = "RIFTLINE_GRPC")]
    pub grpc: Option<String>,
    /// Where to receive OTLP over HTTP [default: 127.0.0.1:4318]
    #[arg(long, value_name = "ADDR", env = "RIFTLINE_HTTP")]
    pub http: Option<String>,
    /// Where to receive Zipkin v2 spans, such as 127.0.0.1:9411 [default: off]
    #[arg(long, value_name = "ADDR", env = "RIFTLINE_ZIPKIN")]
    pub zipkin: Option<String>,
    /// Where to receive Jaeger's Thrift over HTTP, such as 127.0.0.1:14268 [default: off]
    #[arg(long, value_name = "ADDR", env = "RIFTLINE_JAEGER")]
    pub jaeger: Option<String>,
}

/// The commands for scripts.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum Command {
    /// Read sources into a store and leave; prints a summary
    Ingest(IngestArgs),
    /// Receive OTLP into a store and show what comes, until stopped
    Listen(ListenArgs),
    /// Answer one SELECT, a named query, or a TraceQL filter
    Query(QueryArgs),
    /// List traces, newest first
    Traces(ListArgs),
    /// Print one trace
    Trace(TraceArgs),
    /// List services: spans, errors, durations
    Services(ListArgs),
    /// List who calls whom: calls, errors, durations
    Edges(ListArgs),
    /// List log records by time
    Logs(ListArgs),
    /// Say what is wrong: where context was lost, who has to change what, how sure that is
    Findings(FindingsArgs),
    /// Write traces in a format that others read
    Export(ExportArgs),
    /// Replay a recorded fault against staging, and judge whether it failed the same way
    #[command(subcommand)]
    Chaos(chaos::ChaosCommand),
    /// Forward connections, and inject what a run or a Toxiproxy client orders
    Proxy(chaos::ProxyArgs),
    /// Measure stitching: tear traces, join them again, tell how often that is right
    #[command(subcommand)]
    Lab(LabCommand),
    /// List socket events by time: connections opened, closed, sent again
    Flows(ListArgs),
    /// Check configuration, themes, named queries, keymap, log patterns, formats and views: every mistake with file and line
    Check(PrintArgs),
    /// Print a completion script
    Completions(CompletionsArgs),
    /// Print the manual page
    Man,
    /// List the themes
    Themes(PrintArgs),
    /// Tell versions, folders, what the terminal can do, and whether the store is healthy
    Doctor(DoctorArgs),
}

/// Options that every command takes.
#[derive(Debug, Clone, Default, PartialEq, Args)]
#[command(next_help_heading = "Common options")]
pub struct CommonArgs {
    /// When to use colours
    #[arg(long, global = true, value_enum, value_name = "WHEN", env = "RIFTLINE_COLOR")]
    pub color: Option<When>,
    /// Show no progress
    #[arg(long, global = true, env = "RIFTLINE_NO_PROGRESS", value_parser = FalseyValueParser::new())]
    pub no_progress: bool,
    /// Say nothing but the answer and errors
    #[arg(long, short, global = true, env = "RIFTLINE_QUIET", value_parser = FalseyValueParser::new())]
    pub quiet: bool,
    /// Configuration file instead of config.toml in the configuration folder
    #[arg(long, global = true, value_name = "FILE", env = "RIFTLINE_CONFIG", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Theme of the workstation (`riftline themes` lists them)
    #[arg(long, global = true, value_name = "NAME", env = "RIFTLINE_THEME")]
    pub theme: Option<String>,
    /// Time zone in which times are shown: utc, local, or an offset such as +02:00
    #[arg(long, global = true, value_name = "ZONE", env = "RIFTLINE_TZ", allow_hyphen_values = true)]
    pub tz: Option<Zone>,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum When {
    #[default]
    Auto,
    Always,
    Never,
}

/// Where records come from.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct FromArgs {
    /// Files, folders, globs, `-` for stdin, or a store
    #[arg(value_name = "SOURCE", value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub store: StoreArgs,
}

/// Which store, and how sources are read.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct StoreArgs {
    /// Store to use instead of the default one
    #[arg(long, value_name = "FILE", env = "RIFTLINE_STORE", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
    /// Format of the sources, instead of looking at their content
    #[arg(long, value_name = "FORMAT", env = "RIFTLINE_FROM")]
    pub from: Option<String>,
    /// Fail (exit 3) if a single record is refused
    #[arg(long, env = "RIFTLINE_STRICT", value_parser = FalseyValueParser::new())]
    pub strict: bool,
    /// Whether the store was typed; one that only the environment names gives way to sources.
    #[arg(skip)]
    pub is_typed: bool,
}

/// How the answer is printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub struct PrintArgs {
    /// Format of the answer [default: table on a terminal, ndjson in a pipe]
    #[arg(long, value_enum, value_name = "FORMAT", env = "RIFTLINE_FORMAT")]
    pub format: Option<Format>,
}

/// Which rows of a view.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct SelectArgs {
    /// Only traces with a span that matches, such as '{ resource.service.name = "orders" && duration > 100ms }'
    #[arg(long, value_name = "FILTER", env = "RIFTLINE_TRACEQL")]
    pub traceql: Option<String>,
    /// Only the last stretch of time before the newest record, such as 15m or 1h30m
    #[arg(long, value_name = "TIME", env = "RIFTLINE_SINCE", value_parser = span_of_time::parse)]
    pub since: Option<i64>,
    /// At most this many rows; 0 lifts the limit [default: 100000]
    #[arg(long, value_name = "N", env = "RIFTLINE_LIMIT")]
    pub limit: Option<u64>,
}

/// `riftline ingest`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct IngestArgs {
    /// Files, folders, globs, or `-` for stdin
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub store: StoreArgs,
    /// Bring the derived views up to date before leaving
    #[arg(long)]
    pub settle: bool,
    /// Keep reading files that grow, through rotation and truncation, until stopped
    #[arg(long, env = "RIFTLINE_FOLLOW", value_parser = FalseyValueParser::new())]
    pub follow: bool,
    /// Make records durable every N records [default: 122880]
    #[arg(long, value_name = "N", env = "RIFTLINE_COMMIT_ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    pub commit_rows: Option<u64>,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline listen`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ListenArgs {
    /// Store to use instead of the default one
    #[arg(long, value_name = "FILE", env = "RIFTLINE_STORE", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
    #[command(flatten)]
    pub doors: DoorArgs,
    /// Show nothing: for services and scripts
    #[arg(long, env = "RIFTLINE_HEADLESS", value_parser = FalseyValueParser::new())]
    pub headless: bool,
}

/// `riftline query`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct QueryArgs {
    /// SELECT to answer (unless -n, -f, --traceql, --list or --summary is given), then sources; after -n also KEY=VALUE
    #[arg(value_name = "SQL|SOURCE|KEY=VALUE")]
    pub words: Vec<String>,
    /// Named query to answer
    #[arg(long, short, value_name = "NAME", group = "question")]
    pub name: Option<String>,
    /// File with the SELECT to answer; `-` for stdin
    #[arg(long, short, value_name = "FILE.sql", group = "question", value_hint = ValueHint::FilePath)]
    pub file: Option<String>,
    /// List the spans that match a filter, such as '{ status = error }'
    #[arg(long, value_name = "FILTER", group = "question")]
    pub traceql: Option<String>,
    /// List the named queries
    #[arg(long, group = "question")]
    pub list: bool,
    /// Tell what the store holds
    #[arg(long, group = "question")]
    pub summary: bool,
    /// At most this many rows; 0 lifts the limit [default: 100000]
    #[arg(long, value_name = "N", env = "RIFTLINE_LIMIT")]
    pub limit: Option<u64>,
    /// Let the SELECT reach files and the network
    #[arg(long)]
    pub allow_external: bool,
    #[command(flatten)]
    pub store: StoreArgs,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline traces`, `services`, `edges`, `logs`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct ListArgs {
    #[command(flatten)]
    pub from: FromArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline trace`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct TraceArgs {
    /// Trace id, or its first digits (at least 4)
    pub id: String,
    #[command(flatten)]
    pub from: FromArgs,
    /// With what was torn off it: joined spans stand where they belong, and say why
    #[arg(long, env = "RIFTLINE_HEALED", value_parser = FalseyValueParser::new(), conflicts_with = "raw")]
    pub healed: bool,
    /// As recorded [default]
    #[arg(long)]
    pub raw: bool,
    /// Format of the trace [default: tree on a terminal, json in a pipe]
    #[arg(long, value_enum, value_name = "FORMAT", env = "RIFTLINE_FORMAT")]
    pub format: Option<TraceFormat>,
}

/// How one trace is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TraceFormat {
    /// A tree with bars and durations
    Tree,
    /// Nested spans
    Json,
    /// An OTLP request
    Otlp,
    /// A page that needs nothing else
    Html,
    /// Spans as rows
    Table,
    /// Spans as rows
    Ndjson,
    /// Spans as rows
    Csv,
    /// Spans as rows
    Markdown,
    /// Spans as rows
    Parquet,
    /// Spans as rows
    Arrow,
}

/// `riftline findings`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct FindingsArgs {
    #[command(flatten)]
    pub from: FromArgs,
    /// Only findings of this severity or worse
    #[arg(long, value_enum, value_name = "SEVERITY", env = "RIFTLINE_SEVERITY")]
    pub severity: Option<Level>,
    /// Only findings of these groups, such as A,B,C,D; counts for --fail-on too
    #[arg(long, value_name = "GROUPS", value_delimiter = ',', env = "RIFTLINE_GROUP")]
    pub group: Vec<String>,
    /// Only findings of this rule
    #[arg(long, value_name = "ID", env = "RIFTLINE_RULE")]
    pub rule: Option<String>,
    /// Answer no (exit 1) if there is a finding of this severity or worse
    #[arg(long, value_enum, value_name = "SEVERITY", env = "RIFTLINE_FAIL_ON")]
    pub fail_on: Option<Level>,
    /// Explain one finding, by its id or the first digits of it, or all of one rule
    #[arg(long, value_name = "ID")]
    pub explain: Option<String>,
    /// Tell what the rules of this folder would change, and change nothing
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub dry_run: Option<PathBuf>,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub enum Level {
    Crit,
    High,
    Med,
    Low,
    Info,
}

/// `riftline export`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct ExportArgs {
    /// Format to write
    #[arg(value_enum)]
    pub to: ExportFormat,
    #[command(flatten)]
    pub from: FromArgs,
    #[command(flatten)]
    pub select: SelectArgs,
    /// Add a span link from each joined span to the span that was found for it
    #[arg(long, env = "RIFTLINE_HEALED", value_parser = FalseyValueParser::new())]
    pub healed: bool,
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// What traces can be written as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// OTLP in JSON, one request a trace and line
    Otlp,
}

/// `riftline lab`.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum LabCommand {
    /// Tear traces: take out ids, parents, kinds, attributes or spans, and write what is left with the truth about it
    Ablate(AblateArgs),
    /// Join torn traces and tell how often that is right
    Stitch(LabStitchArgs),
    /// Mask healthy calls of your own data, join them blindly, and tell how far joins can be trusted there
    Calibrate(CalibrateArgs),
}

/// `riftline lab ablate`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct AblateArgs {
    /// Files, folders, globs, or `-` for stdin
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// What to take out
    #[arg(long, value_enum, value_delimiter = ',', required = true, value_name = "WHAT")]
    pub drop: Vec<Drop>,
    /// Edge at which it is taken out, as `CALLER->CALLEE`, or a service for what happens inside of it [default: everywhere]
    #[arg(long, value_name = "EDGE")]
    pub at: Option<String>,
    /// Share of the calls that it happens to, 0 to 1
    #[arg(long, default_value_t = 1.0, value_name = "SHARE")]
    pub rate: f64,
    /// Share of all spans that are lost besides
    #[arg(long, default_value_t = 0.0, value_name = "SHARE")]
    pub loss: f64,
    /// Moves the clock of each service by up to this much, such as 120ms
    #[arg(long, value_name = "TIME", value_parser = span_of_time::parse)]
    pub skew: Option<i64>,
    /// Packs traces this many times closer in time
    #[arg(long, default_value_t = 1.0, value_name = "FACTOR")]
    pub pack: f64,
    /// Repeats everything this many times, one after the other, with fresh ids
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub repeat: u32,
    /// Chooses among equals: the same seed gives the same bytes
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    /// File to write the torn traces to [default: stdout]
    #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// File to write the truth to
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub truth: Option<PathBuf>,
}

/// What `riftline lab ablate` takes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Drop {
    /// The callee, or at a service the work inside of it, begins a trace of its own
    TraceId,
    /// Parents: spans keep their trace
    ParentSpanId,
    Kind,
    Attributes,
    /// Captured headers and links
    Headers,
}

/// `riftline lab stitch`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct LabStitchArgs {
    /// Files, folders, globs, or `-` for stdin
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// JSON lines with the true parents
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub truth: PathBuf,
    /// Evidence that is not looked at
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub without: Vec<Without>,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// Evidence that the lab can leave out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Without {
    Urls,
    Logs,
    Links,
}

/// `riftline lab calibrate`.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct CalibrateArgs {
    /// Files, folders, globs, or `-` for stdin
    #[arg(value_name = "SOURCE", required = true, value_hint = ValueHint::AnyPath)]
    pub sources: Vec<String>,
    /// Evidence that is not looked at
    #[arg(long, value_enum, value_delimiter = ',', value_name = "WHAT")]
    pub without: Vec<Without>,
    /// Chooses which calls are masked
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub seed: u64,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline doctor`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct DoctorArgs {
    /// Store to look at instead of the default one
    #[arg(long, value_name = "FILE", env = "RIFTLINE_STORE", value_hint = ValueHint::FilePath)]
    pub store: Option<PathBuf>,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline completions`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct CompletionsArgs {
    /// Shell to complete for
    #[arg(value_enum)]
    pub shell: clap_complete::Shell,
}
