//! `riftline chaos plan`: which fault an incident was, and an experiment that injects it.

use riftline_queries::lab::read;
use riftline_queries::replay::derive::{About, Derived};
use riftline_queries::replay::id::TraceId;
use riftline_queries::trace::window::{Window, Without};
use serde_json::{Map, Value};

use crate::chaos::experiment::{DriverChoice, Expect};
use crate::chaos::plan::{self, Choice, PlanError, Planned};
use crate::chaos::run::prepare::sentence;
use crate::cli::chaos::PlanArgs;
use crate::error::Failure;
use crate::headless::{Context, answer, say, source};
use crate::rules;

/// Derives and writes an experiment.
pub fn run(args: &PlanArgs, context: &Context) -> Result<(), Failure> {
    let choice = choice(args)?;
    let window = window(args, context)?;
    let about = about(&args.about, &window)?;
    let derived = plan::derived(&window, &rules::load().0, &about).map_err(PlanError::Refused)?;
    if args.json {
        let text = serde_json::to_string_pretty(&derived).unwrap_or_default();
        return answer::write_out(|out| Ok(writeln!(out, "{text}")?));
    }
    describe(&derived, args.candidate);
    let mut planned = plan::plan(&window, derived, &choice)?;
    give(args, &mut planned)
}

fn give(args: &PlanArgs, planned: &mut Planned) -> Result<(), Failure> {
    let Some(path) = &args.out else {
        return answer::write_out(|out| Ok(out.write_all(planned.experiment.to_yaml().as_bytes())?));
    };
    planned.write(path, &args.about)?;
    say::plain(&format!("\nwritten to {}; next: riftline chaos run {} --dry-run", path.display(), path.display()));
    Ok(())
}

/// Reads what was named into memory: files at once, a store as far as it fits.
fn window(args: &PlanArgs, context: &Context) -> Result<Window, Failure> {
    let has_store =
        args.from.store.is_typed || args.from.sources.is_empty() || source::named_store(&args.from)?.is_some();
    if !has_store {
        let inputs = source::inputs(&args.from.sources);
        return read::window(&inputs, Without::default()).map_err(|error| Failure::Input(error.to_string()));
    }
    let (store, _temporary) = source::open_here(&args.from, context)?;
    let failed = |error| Failure::asking(error, None);
    let time_ns = if store.fits_at_once().map_err(failed)? { 0 } else { time_of(&store, &args.about, context)? };
    store.recording(time_ns, &context.cancel).map_err(failed)
}

/// Returns the time of the trace or finding that was named.
fn time_of(store: &riftline_queries::store::Store, about: &str, context: &Context) -> Result<i64, Failure> {
    use riftline_queries::desk::{Desk, Question};
    use riftline_queries::table::Cell;
    let name = about.replace('\'', "''");
    let sql = format!(
        "SELECT epoch_ns(min(at)) AS at FROM (SELECT min(start) AS at FROM traces WHERE starts_with(trace_id, '{name}') \
         UNION ALL SELECT max(last_seen) FROM findings WHERE starts_with(id, '{name}') OR rule = '{name}')"
    );
    let question = Question::Sql { sql, max_rows: None };
    let table = store.ask(&question, &context.cancel).map_err(|error| Failure::asking(error, None))?;
    match table.get(0, "at") {
        Cell::Int(at) => Ok(at),
        _ => Err(Failure::Absent(format!("{about} is neither a trace nor a finding of this store"))),
    }
}

/// Takes what was typed as a trace id, where one begins so, or as a finding.
fn about(text: &str, window: &Window) -> Result<About, Failure> {
    let digits = text.to_lowercase();
    let is_id = digits.len() >= 4 && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut found = window.traces.iter().filter(|&&id| is_id && format!("{id:032x}").starts_with(&digits));
    match (found.next(), found.next()) {
        (Some(&id), None) => Ok(About::Trace(TraceId(id))),
        (Some(_), Some(_)) => Err(Failure::usage(format!("several traces begin with {text}: write more of it"))),
        (None, _) => Ok(About::Finding(text.to_owned())),
    }
}

fn choice(args: &PlanArgs) -> Result<Choice, Failure> {
    let pair = |text: &String| {
        let pair = text.split_once('=').map(|(left, right)| (left.to_owned(), right.to_owned()));
        pair.ok_or_else(|| Failure::usage(format!("`{text}`: write NAME=VALUE")))
    };
    let settings: Vec<(String, String)> = args.settings.iter().map(pair).collect::<Result<_, _>>()?;
    let options: Map<String, Value> = settings.into_iter().map(|(key, text)| (key, value(text))).collect();
    Ok(Choice {
        environment: args.environment.clone(),
        url: args.target.clone(),
        driver: DriverChoice { name: args.driver.clone(), options },
        services: args.services.iter().map(pair).collect::<Result<_, _>>()?,
        candidate: usize::from(args.candidate).saturating_sub(1),
        requests: args.requests,
        rps: args.rps,
        expect: if args.tolerated { Expect::Tolerated } else { Expect::Reproduced },
    })
}

/// Numbers, flags, lists and objects are written as in JSON; everything else is a text.
fn value(text: String) -> Value {
    match serde_json::from_str::<Value>(&text) {
        Ok(value) if !value.is_string() => value,
        _ => Value::from(text),
    }
}

/// Says what was derived, the chosen candidate marked.
fn describe(derived: &Derived, chosen: u8) {
    say::plain(&format!(
        "{} requests of {} show it, {} do not",
        derived.num_incident, derived.operation, derived.num_baseline
    ));
    for (number, candidate) in (1_u8..).zip(&derived.candidates) {
        let mark = if number == chosen { '>' } else { ' ' };
        let edge = &candidate.edge;
        say::plain(&format!(
            "{mark} {number}. {:.2}  {} -> {}  {}",
            candidate.confidence,
            edge.client,
            edge.server,
            sentence(&candidate.fault)
        ));
        say::plain(&format!("          {} ({} of {})", candidate.why, candidate.share.hits, candidate.share.calls));
        candidate.notes.iter().for_each(|note| say::plain(&format!("          {note}")));
    }
    derived.warnings.iter().for_each(|warning| say::always(warning));
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        match &error {
            PlanError::Refused(_) | PlanError::NothingToSend(_) => Self::Absent(error.to_string()),
            PlanError::NoSuchCandidate(_) => Self::usage(error.to_string()),
            PlanError::Write { .. } => Self::Input(error.to_string()),
        }
    }
}
