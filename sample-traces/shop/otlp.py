"""Reads recorded OTLP in every encoding of the samples, so that it can be counted without riftline."""

import gzip
import io
import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import zstandard
from google.protobuf.json_format import MessageToDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

LENGTH = struct.Struct(">I")
FORMATS = {
    ".jsonl": "OTLP JSON lines",
    ".jsonl.gz": "OTLP JSON lines, gzip",
    ".jsonl.zst": "OTLP JSON lines, zstd",
    ".binpb": "OTLP protobuf, each message after its length in 4 bytes, big-endian",
    ".binpb.gz": "OTLP protobuf, each message after its length in 4 bytes, big-endian; gzip",
}


def suffix(path: Path) -> str:
    return "".join(path.suffixes)


def requests(path: Path) -> list[dict]:
    """Returns the export requests of a file as their JSON objects."""
    data = unpacked(path)
    if ".binpb" in suffix(path):
        return [as_json(message) for message in messages(data)]
    return [json.loads(line) for line in data.splitlines()]


def unpacked(path: Path) -> bytes:
    data = path.read_bytes()
    if path.suffix == ".gz":
        return gzip.decompress(data)
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().stream_reader(io.BytesIO(data)).read()
    return data


def messages(data: bytes) -> Iterator[bytes]:
    offset = 0
    while offset < len(data):
        (length,) = LENGTH.unpack_from(data, offset)
        offset += LENGTH.size + length
        yield data[offset - length : offset]


def as_json(message: bytes) -> dict:
    """Returns a traces request as JSON; ids become hex, as OTLP JSON has them and proto3 JSON has not."""
    request = ExportTraceServiceRequest.FromString(message)
    answer = MessageToDict(request)
    pairs = zip(
        (span for group in request.resource_spans for scope in group.scope_spans for span in scope.spans),
        (span for group in answer["resourceSpans"] for scope in group["scopeSpans"] for span in scope["spans"]),
        strict=True,
    )
    for span, written in pairs:
        written["traceId"] = span.trace_id.hex()
        written["spanId"] = span.span_id.hex()
        written["parentSpanId"] = span.parent_span_id.hex()
    return answer


@dataclass
class Record:
    """A span, a log record or a metric, with the service and what else its resource and scope say."""

    service: str
    resource: dict
    scope: dict
    body: dict


def records(request: dict, signal: str) -> Iterator[Record]:
    """Yields every span, log record or metric of a request."""
    group, scope, record = {
        "traces": ("resourceSpans", "scopeSpans", "spans"),
        "logs": ("resourceLogs", "scopeLogs", "logRecords"),
        "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
    }[signal]
    for resource in request.get(group, []):
        attributes = {each["key"]: next(iter(each["value"].values())) for each in resource["resource"]["attributes"]}
        for scoped in resource.get(scope, []):
            for each in scoped[record]:
                yield Record(attributes["service.name"], attributes, scoped["scope"], each)


def data_points(metric: dict) -> int:
    """Returns how many data points a metric has, whatever its type."""
    return sum(len(value.get("dataPoints", [])) for value in metric.values() if isinstance(value, dict))
