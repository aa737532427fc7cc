"""A few spans of OpenTelemetry's SDK, sent by its exporters to Zipkin as protobuf and as JSON. usage: otel.py SINK"""

import sys

from opentelemetry.exporter.zipkin.json import ZipkinExporter as Json
from opentelemetry.exporter.zipkin.proto.http import ZipkinExporter as Proto
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import SpanKind, StatusCode

sink = sys.argv[1]
provider = TracerProvider(resource=Resource.create({"service.name": "orders", "service.version": "1.4.2"}))
provider.add_span_processor(BatchSpanProcessor(Proto(endpoint=f"{sink}/otel/proto")))
provider.add_span_processor(BatchSpanProcessor(Json(endpoint=f"{sink}/otel/json")))
tracer = provider.get_tracer("shop.orders", "0.3.0")

with tracer.start_as_current_span("POST /orders", kind=SpanKind.SERVER) as root:
    root.set_attribute("http.response.status_code", 500)
    with tracer.start_as_current_span("INSERT orders", kind=SpanKind.CLIENT) as insert:
        insert.set_attribute("db.system.name", "postgresql")
        insert.add_event("retry", {"attempt": 2})
    root.set_status(StatusCode.ERROR, "no stock left")
provider.shutdown()
