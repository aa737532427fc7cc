"""Writes the smallest request of the healthy shop in each encoding of OTLP.

usage: otlp.py   (needs the package opentelemetry-proto)
"""

import struct
from pathlib import Path

from google.protobuf.internal.encoder import _VarintBytes
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

import base64
import json

HERE = Path(__file__).parent
IDS = {"traceId", "spanId", "parentSpanId"}


def with_base64_ids(value):
    """Plain protobuf JSON wants base64 where OTLP has hexadecimal ids."""
    if isinstance(value, list):
        return [with_base64_ids(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key: base64.b64encode(bytes.fromhex(one)).decode() if key in IDS else with_base64_ids(one)
        for key, one in value.items()
    }


def main() -> None:
    lines = (HERE.parent / "shop-healthy" / "traces.jsonl").read_text().splitlines()
    line = min(lines, key=len)
    request = ParseDict(with_base64_ids(json.loads(line)), ExportTraceServiceRequest()).SerializeToString()
    (HERE / "otlp.jsonl").write_text(line + "\n")
    (HERE / "otlp.pb").write_bytes(request)
    (HERE / "otlp.delimited.pb").write_bytes(_VarintBytes(len(request)) + request)
    (HERE / "otlp.framed.pb").write_bytes(struct.pack(">I", len(request)) + request)


if __name__ == "__main__":
    main()
