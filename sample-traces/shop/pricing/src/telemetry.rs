//! The SDK: spans, metrics and logs over OTLP; `OTEL_*` variables say where to and under which name.

use opentelemetry::global;
use opentelemetry::propagation::{TextMapCompositePropagator, TextMapPropagator};
use opentelemetry_appender_tracing::layer::OpenTelemetryTracingBridge;
use opentelemetry_otlp::{LogExporter, MetricExporter, SpanExporter};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::propagation::{BaggagePropagator, TraceContextPropagator};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

type Failure = Box<dyn std::error::Error + Send + Sync>;

pub struct Telemetry {
    traces: SdkTracerProvider,
    metrics: SdkMeterProvider,
    logs: SdkLoggerProvider,
}

/// Starts the three signals and makes them the global ones.
pub fn start() -> Result<Telemetry, Failure> {
    global::set_text_map_propagator(propagators(&std::env::var("OTEL_PROPAGATORS").unwrap_or_default()));
    let resource = Resource::builder().build();
    let traces = SdkTracerProvider::builder()
        .with_resource(resource.clone())
        .with_batch_exporter(SpanExporter::builder().with_http().build()?)
        .build();
    let metrics = SdkMeterProvider::builder()
        .with_resource(resource.clone())
        .with_periodic_exporter(MetricExporter::builder().with_http().build()?)
        .build();
    let logs = SdkLoggerProvider::builder()
        .with_resource(resource)
        .with_batch_exporter(LogExporter::builder().with_http().build()?)
        .build();
    global::set_tracer_provider(traces.clone());
    global::set_meter_provider(metrics.clone());
    tracing_subscriber::registry()
        .with(OpenTelemetryTracingBridge::new(&logs).with_filter(filter_fn(of_pricing)))
        .init();
    Ok(Telemetry { traces, metrics, logs })
}

/// Keeps the exporters' own logs out: exporting them would make more of them.
fn of_pricing(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.target().starts_with("pricing")
}

impl Telemetry {
    /// Sends what is still held back.
    pub fn stop(self) -> Result<(), Failure> {
        self.traces.shutdown()?;
        self.metrics.shutdown()?;
        self.logs.shutdown()?;
        Ok(())
    }
}

/// Builds the propagators named in `OTEL_PROPAGATORS`, which this SDK leaves to the application.
#[expect(deprecated, reason = "the crate's exporter is deprecated, its B3 propagator has no successor")]
fn propagators(names: &str) -> TextMapCompositePropagator {
    let chosen = names.split(',').filter_map(|name| -> Option<Box<dyn TextMapPropagator + Send + Sync>> {
        match name {
            "tracecontext" => Some(Box::new(TraceContextPropagator::new())),
            "baggage" => Some(Box::new(BaggagePropagator::new())),
            "b3" => Some(Box::new(opentelemetry_zipkin::Propagator::new())),
            _ => None,
        }
    });
    TextMapCompositePropagator::new(chosen.collect())
}
