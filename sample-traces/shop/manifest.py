"""Counts a recording and writes its manifest.toml; nothing in there is counted by hand.

usage: manifest.py shop FOLDER REQUESTS_JSON GATEWAY_PROPAGATORS    a recording of the shop
       manifest.py encodings FOLDER                                 the same spans in other encodings
"""

import json
import sys
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import otlp
from otlp import Record

SERVER, CLIENT = 2, 3
ERROR = 2
LICENCE = "MIT OR Apache-2.0"
HOW = (
    "A shop of five services ran on one machine, traced by the OpenTelemetry SDKs below. A sink took their OTLP over "
    "HTTP and wrote it with the Collector's pdata package, line by line as the Collector's file exporter does."
)
STOCK_READS = "tracecontext,baggage"
FIX = "let the gateway send W3C too (OTEL_PROPAGATORS=tracecontext,baggage,b3), or let stock read B3 beside W3C"


def table(header: str, entries: dict) -> str:
    """Returns one TOML table. JSON's strings, integers and flat arrays are TOML's too."""
    lines = [f"{key} = {json.dumps(value)}" for key, value in entries.items()]
    return "\n".join([header, *lines]) + "\n"


def read(path: Path) -> tuple[list[dict], list[Record]]:
    requests = otlp.requests(path)
    signal = path.name.split(".")[0]
    return requests, [record for request in requests for record in otlp.records(request, signal)]


def file_table(path: Path, requests: list[dict], found: list[Record]) -> str:
    signal = path.name.split(".")[0]
    entries = {
        "path": path.name,
        "signal": signal,
        "format": otlp.FORMATS[otlp.suffix(path)],
        "export_requests": len(requests),
        {"traces": "spans", "logs": "log_records", "metrics": "metrics"}[signal]: len(found),
    }
    if signal == "metrics":
        entries["data_points"] = sum(otlp.data_points(record.body) for record in found)
    if signal == "logs":
        entries["with_trace_id"] = sum(bool(record.body.get("traceId")) for record in found)
    return table("[[files]]", entries)


def sdk_tables(spans: list[Record]) -> list[str]:
    tables = []
    for service in sorted({span.service for span in spans}):
        own = [span for span in spans if span.service == service]
        resource = own[0].resource
        distro = [resource[key] for key in ("telemetry.distro.name", "telemetry.distro.version") if key in resource]
        entries = {
            "service": service,
            "language": resource["telemetry.sdk.language"],
            "sdk": f"{resource['telemetry.sdk.name']} {resource['telemetry.sdk.version']}",
            "instrumentation": sorted({f"{s.scope['name']} {s.scope.get('version', '')}".strip() for s in own}),
        }
        tables.append(table("[[origin.sdks]]", entries | ({"distro": " ".join(distro)} if distro else {})))
    return tables


def span_counts(spans: list[Record]) -> dict:
    """Returns what any reader of these spans must count, whatever their encoding."""
    ids = {(span.body["traceId"], span.body["spanId"]) for span in spans}
    parents = [(s.body["traceId"], s.body["parentSpanId"]) for s in spans if s.body.get("parentSpanId")]
    return {
        "spans": len(spans),
        "traces": len({span.body["traceId"] for span in spans}),
        "services": sorted({span.service for span in spans}),
        "roots": len(spans) - len(parents),
        "orphans": sum(parent not in ids for parent in parents),
        "duplicates": len(spans) - len(ids),
    }


def severed(spans: list[Record]) -> list[tuple[str, str, int]]:
    """Returns (caller, callee, count): server spans that begin a trace although a service called them."""
    heads = Counter(s.service for s in spans if s.body["kind"] == SERVER and not s.body.get("parentSpanId"))
    unanswered = Counter(caller for caller in calls_without_callee(spans))
    return [(caller, callee, heads[callee]) for callee in sorted(heads) if callee != "gateway" for caller in unanswered]


def calls_without_callee(spans: list[Record]) -> list[str]:
    """Returns the service of each client span that has no child."""
    parents = {(span.body["traceId"], span.body.get("parentSpanId")) for span in spans}
    calls = [span for span in spans if span.body["kind"] == CLIENT]
    return [call.service for call in calls if (call.body["traceId"], call.body["spanId"]) not in parents]


def verify(spans: list[Record], customers: int) -> None:
    """Stops a recording that is not what it should be: one break at stock in every request, or none at all."""
    members: dict[str, set[str]] = {}
    for span in spans:
        members.setdefault(span.body["traceId"], set()).add(span.service)
    shapes = Counter(tuple(sorted(services)) for services in members.values())
    upper = ("gateway", "orders", "payments", "pricing")
    whole = {tuple(sorted((*upper, "stock"))): customers}
    split = {upper: customers, ("stock",): customers}
    if shapes not in (whole, split):
        raise SystemExit(f"not the traces that {customers} requests should give: {shapes}")
    counts = span_counts(spans)
    if counts["orphans"] or counts["duplicates"] or counts["roots"] != counts["traces"]:
        raise SystemExit(f"spans are missing, or are there twice: {counts}")
    broken = severed(spans)
    expected = [] if shapes == whole else [("gateway", "stock", customers)]
    if broken != expected or len(calls_without_callee(spans)) != sum(count for *_, count in expected):
        raise SystemExit(f"broken calls: {broken}, expected: {expected}")


def broken_tables(spans: list[Record], propagators: str) -> list[str]:
    return [
        table("[[expect.broken]]", {
            "what": "context lost",
            "from": caller,
            "to": callee,
            "sends": propagators,
            "reads": STOCK_READS,
            "requests": count,
            "fix": FIX,
        })
        for caller, callee, count in severed(spans)
    ]  # fmt: skip


def shop(folder: Path, answers: list[dict], propagators: str) -> str:
    paths = [folder / f"{signal}.jsonl" for signal in ("traces", "logs", "metrics")]
    contents = [read(path) for path in paths]
    spans = contents[0][1]
    verify(spans, len(answers))
    statuses = Counter(str(answer["status"]) for answer in answers)
    expect = {"requests": len(answers)} | span_counts(spans)
    expect["error_spans"] = sum(span.body["status"].get("code") == ERROR for span in spans)
    return "\n".join([
        origin(folder, spans, "record.sh"),
        *sdk_tables(spans),
        *(file_table(path, *content) for path, content in zip(paths, contents, strict=True)),
        table("[expect]", expect),
        table("[expect.http_statuses]", dict(sorted(statuses.items()))),
        *broken_tables(spans, propagators),
    ])  # fmt: skip


def origin(folder: Path, spans: list[Record], script: str) -> str:
    first = min(int(span.body["startTimeUnixNano"]) for span in spans)
    day = datetime.fromtimestamp(first / 1e9, UTC).date().isoformat()
    entries = {"name": folder.name, "recorded": day, "by": script, "how": HOW, "licence": LICENCE}
    return table("[origin]", entries)


def encodings(folder: Path) -> str:
    paths = sorted(path for path in folder.iterdir() if otlp.suffix(path) in otlp.FORMATS)
    contents = [read(path) for path in paths]
    counts = [span_counts(spans) for _, spans in contents]
    if any(count != counts[0] for count in counts):
        raise SystemExit(f"the encodings do not hold the same spans: {counts}")
    return "\n".join([
        origin(folder, contents[0][1], "record.sh, from shop-healthy"),
        *(file_table(path, *content) for path, content in zip(paths, contents, strict=True)),
        table("[expect]", counts[0]),
    ])  # fmt: skip


if __name__ == "__main__":
    target = Path(sys.argv[2])
    written = encodings(target) if sys.argv[1] == "encodings" else shop(
        target, json.loads(Path(sys.argv[3]).read_text()), sys.argv[4])
    (target / "manifest.toml").write_text(written)
