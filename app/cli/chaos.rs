//! `riftline chaos` and `riftline proxy` as they are typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::builder::FalseyValueParser;
use clap::{Args, Subcommand, ValueEnum, ValueHint};

use super::{FromArgs, PrintArgs};
use crate::chaos::proxy::link::Protocol;

/// `riftline chaos`.
#[derive(Debug, Clone, PartialEq, Subcommand)]
pub enum ChaosCommand {
    /// Derive an experiment from a recorded trace or finding: which fault, where, how strong, how often
    Plan(PlanArgs),
    /// Say what is wrong with an experiment, without touching the network
    Check(ExperimentArgs),
    /// Run an experiment against staging: a dry run first, then what you confirm
    Run(RunArgs),
    /// Send an experiment's traffic once, with nothing armed: for the stock `chaos run`
    Drive(DriveArgs),
    /// Stop the run that is under way and undo its fault
    Stop(DataArgs),
    /// Undo what runs left that were cut off
    Recover(DataArgs),
    /// List the runs
    List(ListRunsArgs),
    /// Show one run: plan, journal, verdict
    Show(ShowArgs),
    /// Judge a run again: by another experiment, or against what another run did
    Judge(JudgeArgs),
    /// Say what faults a file of Toxiproxy or Chaos Mesh holds, as an experiment has them
    Import(ImportArgs),
    /// Write an experiment as others run it
    Export(ExportChaosArgs),
    /// List the faults that can be injected
    Faults(PrintArgs),
    /// Watch over a run and undo what it leaves
    #[command(hide = true)]
    Reap(ReapArgs),
}

/// Where runs keep what they did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct DataArgs {
    /// Folder to keep runs in instead of the data folder
    #[arg(long, value_name = "FOLDER", env = "RIFTLINE_DATA", value_hint = ValueHint::DirPath)]
    pub data: Option<PathBuf>,
}

impl DataArgs {
    /// Returns what the environment says, for those who were not asked for a folder.
    #[must_use]
    pub fn of_environment() -> Self {
        Self { data: std::env::var_os("RIFTLINE_DATA").filter(|folder| !folder.is_empty()).map(PathBuf::from) }
    }
}

/// `riftline chaos plan`.
#[derive(Debug, Clone, Default, PartialEq, Args)]
pub struct PlanArgs {
    /// Trace id, or id or rule of a finding
    #[arg(value_name = "TRACE|FINDING")]
    pub about: String,
    #[command(flatten)]
    pub from: FromArgs,
    /// File to write the experiment to; the incident's spans go beside it [default: stdout, without them]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
    /// Name of the environment that it will run in
    #[arg(long, value_name = "NAME", default_value = "staging", env = "RIFTLINE_ENVIRONMENT")]
    pub environment: String,
    /// Where requests will be sent
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:18080", env = "RIFTLINE_TARGET")]
    pub target: String,
    /// Who injects: builtin, toxiproxy, envoy, chaos-mesh, istio
    #[arg(long, value_name = "NAME", default_value = "builtin")]
    pub driver: String,
    /// Option of the driver, such as proxy=orders-payments or api=http://127.0.0.1:8474
    #[arg(long = "set", value_name = "KEY=VALUE")]
    pub settings: Vec<String>,
    /// Name of a service in staging where it differs: PRODUCTION=STAGING
    #[arg(long = "service", value_name = "NAME=NAME")]
    pub services: Vec<String>,
    /// Take the second or third candidate instead of the first
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=3))]
    pub candidate: u8,
    /// Requests of each arm
    #[arg(long, value_name = "N", default_value_t = 60)]
    pub requests: u32,
    /// Requests a second
    #[arg(long, value_name = "N", default_value_t = 5.0)]
    pub rps: f64,
    /// Expect that staging stands it: to show that a fix holds
    #[arg(long)]
    pub tolerated: bool,
    /// Print what was derived, with all candidates, as JSON
    #[arg(long)]
    pub json: bool,
}

/// An experiment file.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ExperimentArgs {
    /// Experiment, as JSON or YAML
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub experiment: PathBuf,
}

/// What a run may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct RunArgs {
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// Run without asking, if the plan still has this hash (the dry run prints it)
    #[arg(long, value_name = "HASH")]
    pub yes: Option<String>,
    /// Only say what would be done
    #[arg(long, env = "RIFTLINE_DRY_RUN", value_parser = FalseyValueParser::new())]
    pub dry_run: bool,
    /// Send methods that may change something, where the experiment lists them
    #[arg(long)]
    pub allow_unsafe_methods: bool,
    /// Exact name of a target that looks like production; counts only with `chaos_allow_production` in the configuration
    #[arg(long, value_name = "NAME")]
    pub production: Option<String>,
    #[command(flatten)]
    pub data: DataArgs,
}

/// `riftline chaos drive`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct DriveArgs {
    /// Experiment file, or a run whose experiment is meant
    #[arg(long, value_name = "RUN|FILE")]
    pub run: String,
    #[command(flatten)]
    pub data: DataArgs,
}

/// `riftline chaos list`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ListRunsArgs {
    #[command(flatten)]
    pub data: DataArgs,
    #[command(flatten)]
    pub print: PrintArgs,
}

/// `riftline chaos show`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ShowArgs {
    /// Run, or the first letters of it, or `last`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Print the journal too
    #[arg(long)]
    pub journal: bool,
    #[command(flatten)]
    pub data: DataArgs,
}

/// `riftline chaos judge`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct JudgeArgs {
    /// Run to judge, or the first letters of it, or `last`
    #[arg(value_name = "RUN")]
    pub run: String,
    /// Experiment whose incident it is held against [default: the run's own]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "incident")]
    pub experiment: Option<PathBuf>,
    /// Run whose fault arm is taken for the incident
    #[arg(long, value_name = "RUN")]
    pub incident: Option<String>,
    /// Print the verdict with all its figures, as JSON
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub data: DataArgs,
}

/// `riftline chaos import`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ImportArgs {
    /// Configuration of Toxiproxy (JSON) or objects of Chaos Mesh (YAML)
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub file: PathBuf,
}

/// `riftline chaos export`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ExportChaosArgs {
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// Who is to run it
    #[arg(long, value_enum, value_name = "FORMAT")]
    pub format: ChaosFormat,
    /// File to write [default: stdout]
    #[arg(long, short, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub out: Option<PathBuf>,
}

/// Whose experiments can be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ChaosFormat {
    /// An experiment with stock providers only
    Chaostoolkit,
    /// `NetworkChaos` or `HTTPChaos`
    ChaosMesh,
    /// `VirtualService`
    Istio,
    /// `ChaosEngine`
    Litmus,
}

/// `riftline chaos reap`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
pub struct ReapArgs {
    /// Run to watch over
    pub run: String,
    #[command(flatten)]
    pub data: DataArgs,
}

/// `riftline proxy`.
#[derive(Debug, Clone, PartialEq, Eq, Args)]
pub struct ProxyArgs {
    /// Where to listen; together with --upstream
    #[arg(long, value_name = "ADDR", requires = "upstream")]
    pub listen: Option<SocketAddr>,
    /// Where to forward to: host:port
    #[arg(long, value_name = "ADDR", requires = "listen")]
    pub upstream: Option<String>,
    /// Name of that link
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub name: String,
    /// What is spoken on that link
    #[arg(long, value_enum, default_value_t)]
    pub protocol: Protocol,
    /// File with links as Toxiproxy reads them: a JSON list of {name, listen, upstream, enabled}
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub links: Option<PathBuf>,
    /// Where to take orders: Toxiproxy's HTTP API, and more
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:8474", env = "RIFTLINE_PROXY_API")]
    pub api: SocketAddr,
    /// Where to send a span for each request that was hit: OTLP over HTTP
    #[arg(long, value_name = "URL")]
    pub otlp: Option<String>,
    /// Most connections at a time
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    pub connections: usize,
    /// End once no run needs it any more
    #[arg(long, hide = true)]
    pub exit_with_lease: bool,
}
