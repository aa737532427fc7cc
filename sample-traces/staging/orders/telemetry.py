"""Sets up the SDK. OTEL_* variables say where spans go and which propagators are in use."""

from flask import Flask
from opentelemetry import baggage, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.flask import FlaskInstrumentor
from opentelemetry.instrumentation.grpc import GrpcInstrumentorClient
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import Span, Status, StatusCode


def start(app: Flask) -> TracerProvider:
    """Traces requests to `app` and calls over requests and gRPC from now on."""
    provider = TracerProvider()
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    FlaskInstrumentor().instrument_app(app, excluded_urls="healthz", request_hook=note_customer)
    RequestsInstrumentor().instrument()
    GrpcInstrumentorClient().instrument()
    return provider


def note_customer(span: Span, _environ: dict) -> None:
    customer = baggage.get_baggage("shop.customer")
    if customer:
        span.set_attribute("shop.customer", str(customer))


def failed(error: Exception) -> None:
    """Writes on the request's span what made it fail."""
    span = trace.get_current_span()
    span.record_exception(error)
    span.set_status(Status(StatusCode.ERROR, str(error)))
