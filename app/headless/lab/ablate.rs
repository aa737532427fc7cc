//! `riftline lab ablate`: writes torn traces as OTLP, and the truth about them.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use riftline_queries::desk::Question;
use riftline_queries::lab::ablate::{Ablation, Place, Torn, ablate};
use riftline_queries::table::Table;

use super::super::trace::otlp;
use super::super::trace::rows::Trace;
use super::super::{Context, answer, source};
use crate::cli::{AblateArgs, Drop, FromArgs};
use crate::error::Failure;
use crate::format::PrintError;

/// Whole rows of the view: what is not torn is written as it was recorded.
const SPANS: &str = "SELECT * FROM spans ORDER BY start_ns, trace_id, span_id";
const MAX_SPANS: u64 = 5_000_000;

/// Tears and writes.
pub fn run(args: &AblateArgs, context: &Context) -> Result<(), Failure> {
    let from = FromArgs { sources: args.sources.clone(), ..FromArgs::default() };
    let question = Question::Sql { sql: SPANS.to_owned(), max_rows: Some(MAX_SPANS) };
    let (table, read) = source::ask(&from, &question, None, context)?;
    let mut truth = args.truth.as_deref().map(create).transpose()?;
    match args.out.as_deref() {
        None => answer::write_out(|out| write(&table, args, truth.as_mut(), out).map_err(PrintError::from))?,
        Some(path) => {
            let mut out = create(path)?;
            write(&table, args, truth.as_mut(), &mut out)?;
            out.flush()?;
        }
    }
    if let Some(mut truth) = truth {
        truth.flush()?;
    }
    read
}

fn create(path: &Path) -> Result<BufWriter<File>, Failure> {
    let file = File::create(path).map_err(|error| Failure::Input(format!("write {}: {error}", path.display())))?;
    Ok(BufWriter::new(file))
}

fn write(
    table: &Table,
    args: &AblateArgs,
    mut truth: Option<&mut BufWriter<File>>,
    out: &mut dyn Write,
) -> io::Result<()> {
    let ablation = ablation(args);
    for repetition in 0..args.repeat.max(1) {
        let torn: Torn = ablate(table, &ablation, repetition);
        otlp::print(&Trace::new(torn.table), out)?;
        if let Some(truth) = truth.as_mut() {
            torn.truth.iter().try_for_each(|line| writeln!(truth, "{line}"))?;
        }
    }
    Ok(())
}

fn ablation(args: &AblateArgs) -> Ablation {
    let drops = |what: Drop| args.drop.contains(&what);
    Ablation {
        trace_id: drops(Drop::TraceId),
        parent_span_id: drops(Drop::ParentSpanId),
        kind: drops(Drop::Kind),
        attributes: drops(Drop::Attributes),
        headers: drops(Drop::Headers),
        at: args.at.as_deref().map(Place::parse).unwrap_or_default(),
        rate: args.rate,
        loss: args.loss,
        skew_ns: args.skew.unwrap_or(0),
        pack: args.pack,
        seed: args.seed,
    }
}
