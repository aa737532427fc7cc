//! `riftline proxy`: forwards connections, and injects what a run or a Toxiproxy client orders.

use std::path::Path;
use std::sync::Arc;

use super::{Context, say};
use crate::chaos::import;
use crate::chaos::proxy::link::LinkSpec;
use crate::chaos::proxy::otlp::Endpoint;
use crate::chaos::proxy::registry::Limits;
use crate::chaos::proxy::{Options, Running, run as serve};
use crate::cli::chaos::ProxyArgs;
use crate::error::Failure;
use crate::signals;

/// How long connections may take to end after a signal.
const FAREWELL: std::time::Duration = std::time::Duration::from_secs(10);

/// Forwards until a signal comes.
pub fn run(args: &ProxyArgs, context: &Context) -> Result<(), Failure> {
    let quiet = context.settings.is_quiet;
    let options = Options {
        links: links(args)?,
        api: Some(args.api),
        otlp: args
            .otlp
            .as_deref()
            .map(Endpoint::parse)
            .transpose()
            .map_err(|error| Failure::usage(format!("--otlp: {error}")))?,
        exit_with_lease: args.exit_with_lease,
        limits: Limits { max_connections: args.connections, ..Limits::default() },
        say: Arc::new(move |line| {
            if !quiet {
                say::plain(line);
            }
        }),
    };
    signals::allow_more(FAREWELL);
    let (stop, stopped) = tokio::sync::oneshot::channel();
    let stop = std::sync::Mutex::new(Some(stop));
    let _hook = context.cancel.on_stop(move || {
        let sender = stop.lock().ok().and_then(|mut stop| stop.take());
        let _ = sender.map(|sender| sender.send(()));
    });
    let ended = serve(options, |running| say_where(running, context), async move { _ = stopped.await });
    ended.map_err(|error| Failure::Input(error.to_string()))?;
    signals::received().map_or(Ok(()), |signal| Err(Failure::Stopped(signal)))
}

/// Returns the links that were typed or stand in the file that was named; without any, the API makes them.
fn links(args: &ProxyArgs) -> Result<Vec<LinkSpec>, Failure> {
    let mut links = args.links.as_deref().map(from_file).transpose()?.unwrap_or_default();
    if let (Some(listen), Some(upstream)) = (args.listen, &args.upstream) {
        let link = LinkSpec::new(&args.name, &listen.to_string(), upstream);
        links.push(LinkSpec { protocol: args.protocol, ..link });
    }
    Ok(links)
}

/// Reads links as Toxiproxy has them in its configuration; with protocol and certificates as riftline has them beside.
fn from_file(path: &Path) -> Result<Vec<LinkSpec>, Failure> {
    let failed = |reason: &dyn std::fmt::Display| Failure::usage(format!("{}: {reason}", path.display()));
    let text = std::fs::read_to_string(path).map_err(|error| failed(&error))?;
    if let Ok(links) = serde_json::from_str::<Vec<LinkSpec>>(&text) {
        return Ok(links);
    }
    let imported = import::read(&text).map_err(|error| failed(&error))?;
    imported.notes.iter().for_each(|note| say::always(&format!("{}: {note}", path.display())));
    let link = |link: &import::Link| LinkSpec {
        enabled: link.enabled,
        ..LinkSpec::new(&link.name, &link.listen, &link.upstream)
    };
    Ok(imported.links.iter().map(link).collect())
}

fn say_where(running: &Running, context: &Context) {
    for (name, address) in &running.links {
        say::note(context, &format!("{name} listens on {address}"));
    }
    if let Some(api) = running.api {
        say::note(context, &format!("orders are taken on http://{api}"));
    }
}
