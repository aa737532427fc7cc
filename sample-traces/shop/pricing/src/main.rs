//! Quotes prices over HTTP: `GET /quote/{sku}?quantity=N`, traced with the OpenTelemetry SDK by hand.

mod quote;
mod telemetry;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use opentelemetry::metrics::Histogram;
use opentelemetry::trace::{SpanKind, Status, TraceContextExt as _, Tracer as _};
use opentelemetry::{Context, KeyValue, global};
use signal_hook::consts::SIGTERM;
use signal_hook::iterator::Signals;
use tiny_http::{Request, Response, Server};

use quote::{Answer, QuoteRequest};

const WORKERS: usize = 4;
const ROUTE: &str = "/quote/{sku}";

fn main() -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let telemetry = telemetry::start()?;
    let port: u16 = std::env::var("PORT")?.parse()?;
    let server = Arc::new(Server::http(("127.0.0.1", port))?);
    let workers: Vec<_> = (0..WORKERS)
        .map(|_| {
            let server = Arc::clone(&server);
            std::thread::spawn(move || work(&server, port))
        })
        .collect();
    Signals::new([SIGTERM])?.forever().next();
    // Which worker an unblocking reaches is not said: unblock all before waiting for one.
    for _ in 0..WORKERS {
        server.unblock();
    }
    for worker in workers {
        worker.join().map_err(|_| "a worker panicked")?;
    }
    telemetry.stop()
}

/// Answers requests until the server is unblocked.
fn work(server: &Server, port: u16) {
    let durations = global::meter("pricing")
        .f64_histogram("http.server.request.duration")
        .with_unit("s")
        .with_description("Duration of HTTP server requests.")
        .build();
    while let Ok(request) = server.recv() {
        serve(request, port, &durations);
    }
}

/// Answers one request inside a server span whose parent comes from the request's headers.
fn serve(request: Request, port: u16, durations: &Histogram<f64>) {
    let begun = Instant::now();
    let parent = parent_of(&request);
    let asked = QuoteRequest::parse(request.url());
    let span = global::tracer("pricing")
        .span_builder(format!("GET {ROUTE}"))
        .with_kind(SpanKind::Server)
        .with_attributes(request_attributes(&request, port))
        .start_with_context(&global::tracer("pricing"), &parent);
    let context = parent.with_span(span);
    let guard = context.clone().attach();
    let answer = quote::answer(asked.as_ref());
    finish(&context, &answer);
    drop(guard);
    let labels = [
        KeyValue::new("http.request.method", "GET"),
        KeyValue::new("http.route", ROUTE),
        KeyValue::new("http.response.status_code", i64::from(answer.status)),
    ];
    durations.record(begun.elapsed().as_secs_f64(), &labels);
    // A caller that has gone away is no matter of this service.
    let _ = request.respond(Response::from_string(answer.body).with_status_code(answer.status));
}

fn parent_of(request: &Request) -> Context {
    let headers: HashMap<String, String> = request
        .headers()
        .iter()
        .map(|header| (header.field.as_str().as_str().to_ascii_lowercase(), header.value.to_string()))
        .collect();
    global::get_text_map_propagator(|propagator| propagator.extract(&headers))
}

fn request_attributes(request: &Request, port: u16) -> Vec<KeyValue> {
    let (path, query) = request.url().split_once('?').unwrap_or((request.url(), ""));
    let mut attributes = vec![
        KeyValue::new("http.request.method", request.method().to_string()),
        KeyValue::new("http.route", ROUTE),
        KeyValue::new("url.scheme", "http"),
        KeyValue::new("url.path", path.to_owned()),
        KeyValue::new("url.query", query.to_owned()),
        KeyValue::new("server.address", "127.0.0.1"),
        KeyValue::new("server.port", i64::from(port)),
        KeyValue::new("network.protocol.version", request.http_version().to_string()),
    ];
    if let Some(peer) = request.remote_addr() {
        attributes.push(KeyValue::new("network.peer.address", peer.ip().to_string()));
        attributes.push(KeyValue::new("network.peer.port", i64::from(peer.port())));
    }
    attributes
}

fn finish(context: &Context, answer: &Answer) {
    let span = context.span();
    span.set_attribute(KeyValue::new("http.response.status_code", i64::from(answer.status)));
    if answer.status >= 500 {
        span.set_attribute(KeyValue::new("error.type", answer.status.to_string()));
        span.set_status(Status::error(answer.body.clone()));
    }
    span.end();
}
