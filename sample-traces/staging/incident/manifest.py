"""Makes the files of a recording from what a run left: traces.jsonl.gz, and manifest.toml with counts that were taken without riftline.

usage: manifest.py FAULT RUN_FOLDER FOLDER
"""

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import production
from faults import FAULTS, Fault
from folders import cache

CLIENT = 3
ERROR = 2
MOST_BYTES = 250_000
LICENCE = "MIT OR Apache-2.0"
HOW = (
    "The four services of sample-traces/staging ran as production in a network of their own on one machine, under a steady load of GETs: healthy, "
    "then with the fault, then healthy again. A sink took their OTLP over HTTP and wrote it with the Collector's pdata package. Requests that warmed "
    "the services up are left out, and in stack traces the folders of the recording machine are replaced."
)
MACHINE = ("/home/", "/root/", "/Users/", "process.command", "process.owner")


@dataclass
class Span:
    """A span, with the resource and scope that it stands under."""

    resource: dict
    scope: dict
    body: dict

    @property
    def service(self) -> str:
        return self.resource["service.name"]


def main(name: str, run: Path, folder: Path) -> None:
    told = json.loads((run / "run.json").read_text())
    lines = kept((run / "traces.jsonl").read_text().splitlines(), told["phases"]["before"]["from_ns"])
    text = "".join(f"{json.dumps(line, separators=(',', ':'))}\n" for line in lines)
    refuse_machine(text)
    packed = gzip.compress(text.encode(), 9, mtime=0)
    if len(packed) > MOST_BYTES:
        raise SystemExit(f"record: {len(packed)} bytes are too many for a sample")
    spans = [span for line in lines for span in spans_of(line)]
    (folder / "traces.jsonl.gz").write_bytes(packed)
    (folder / "manifest.toml").write_text(manifest(folder.name, FAULTS[name], told, lines, spans))


def kept(lines: list[str], begin_ns: int) -> list[dict]:
    """Returns the export requests without the traces that began before `begin_ns`, and without folders of this machine."""
    requests = [json.loads(neutral(line)) for line in lines]
    cold = {
        span.body["traceId"]
        for line in requests
        for span in spans_of(line)
        if int(span.body["startTimeUnixNano"]) < begin_ns
    }
    for line in requests:
        for resource in line["resourceSpans"]:
            for scope in resource["scopeSpans"]:
                scope["spans"] = [span for span in scope["spans"] if span["traceId"] not in cold]
            resource["scopeSpans"] = [scope for scope in resource["scopeSpans"] if scope["spans"]]
        line["resourceSpans"] = [resource for resource in line["resourceSpans"] if resource["scopeSpans"]]
    return [line for line in requests if line["resourceSpans"]]


def neutral(line: str) -> str:
    """Replaces folders of this machine: those of the services, and those of Python's own library."""
    line = line.replace(str(cache()), "/srv/shop")
    return re.sub(r"(?<=\")/[^\" ]*?/(?=lib/python3\.\d+/)", "/usr/", line)


def refuse_machine(text: str) -> None:
    found = [word for word in MACHINE if word in text]
    if found:
        raise SystemExit(f"record: {found} of this machine is in the recording")


def spans_of(request: dict) -> Iterator[Span]:
    for resource in request["resourceSpans"]:
        attributes = {each["key"]: next(iter(each["value"].values())) for each in resource["resource"]["attributes"]}
        for scope in resource["scopeSpans"]:
            for body in scope["spans"]:
                yield Span(attributes, scope["scope"], body)


def manifest(name: str, fault: Fault, told: dict, lines: list[dict], spans: list[Span]) -> str:
    sent = told["phases"]
    file = {
        "path": "traces.jsonl.gz",
        "signal": "traces",
        "format": "OTLP JSON lines, gzip",
        "export_requests": len(lines),
        "spans": len(spans),
    }
    return "\n".join([
        origin(name, spans),
        *sdks(spans),
        table("[[files]]", file),
        table("[incident]", incident(fault, told["tool"], sent) | struck(fault, sent["during"], spans)),
        *(table(f"[incident.{phase}]", each) for phase, each in sent.items()),
        table("[expect]", {"requests": sum(phase["sent"] for phase in sent.values())} | counts(spans)),
        *broken(fault, spans),
        *(table("[[expect.findings]]", {"rule": rule, "subject": subject}) for rule, subject in fault.findings),
    ])  # fmt: skip


def origin(name: str, spans: list[Span]) -> str:
    first = min(int(span.body["startTimeUnixNano"]) for span in spans)
    day = datetime.fromtimestamp(first / 1e9, UTC).date().isoformat()
    return table("[origin]", {"name": name, "recorded": day, "by": "record.sh", "how": HOW, "licence": LICENCE})


def sdks(spans: list[Span]) -> list[str]:
    tables = []
    for service in sorted({span.service for span in spans}):
        own = [span for span in spans if span.service == service]
        resource = own[0].resource
        tables.append(
            table(
                "[[origin.sdks]]",
                {
                    "service": service,
                    "language": resource["telemetry.sdk.language"],
                    "sdk": f"{resource['telemetry.sdk.name']} {resource['telemetry.sdk.version']}",
                    "instrumentation": sorted(
                        {f"{span.scope['name']} {span.scope.get('version', '')}".strip() for span in own}
                    ),
                },
            )
        )
    return tables


def incident(fault: Fault, tool: str, sent: dict[str, dict]) -> dict:
    """Returns what was really done: the truth that a derived experiment is held to."""
    return {
        "fault": fault.kind,
        "client": fault.client,
        "server": fault.server,
        "share": fault.share,
        "tool": tool,
        "settings": json.dumps(fault.settings),
        "environment": "production",
        "hosts": sorted(production.hosts()),
        "from_ns": sent["during"]["from_ns"],
        "to_ns": sent["during"]["to_ns"],
    }


def struck(fault: Fault, during: dict, spans: list[Span]) -> dict:
    """Returns how many calls the edge had while the fault was in, and how many of them it hit."""
    calls = [
        span
        for span in spans
        if is_call(span, fault) and during["from_ns"] <= int(span.body["startTimeUnixNano"]) <= during["to_ns"]
    ]
    failed = sum(span.body.get("status", {}).get("code") == ERROR for span in calls)
    silent = fault.kind in ("latency", "context-drop")
    return {"calls": len(calls), "hit": len(calls) if silent else failed}


def is_call(span: Span, fault: Fault) -> bool:
    """Tells by the host that is called; Python's gRPC client tells the service alone."""
    attributes = {each["key"]: each["value"].get("stringValue", "") for each in span.body.get("attributes", [])}
    called = attributes.get("server.address") or attributes.get("rpc.service") or ""
    return span.body["kind"] == CLIENT and span.service == fault.client and fault.server in called.lower()


def counts(spans: list[Span]) -> dict:
    """Returns what any reader of these spans must count."""
    ids = {(span.body["traceId"], span.body["spanId"]) for span in spans}
    parents = [(span.body["traceId"], span.body["parentSpanId"]) for span in spans if span.body.get("parentSpanId")]
    return {
        "spans": len(spans),
        "traces": len({span.body["traceId"] for span in spans}),
        "services": sorted({span.service for span in spans}),
        "roots": len(spans) - len(parents),
        "orphans": sum(parent not in ids for parent in parents),
        "duplicates": len(spans) - len(ids),
        "error_spans": sum(span.body.get("status", {}).get("code") == ERROR for span in spans),
    }


def broken(fault: Fault, spans: list[Span]) -> list[str]:
    """Returns a table where context is lost, and stops a recording that lost it elsewhere."""
    heads = Counter(span.service for span in spans if not span.body.get("parentSpanId"))
    elsewhere = set(heads) - {"gateway"} - ({fault.server} if fault.kind == "context-drop" else set())
    if elsewhere:
        raise SystemExit(f"record: context is lost before {sorted(elsewhere)}, where it should not be")
    lost = heads[fault.server]
    if fault.kind != "context-drop":
        return []
    return [table("[[expect.broken]]", {
        "what": "context lost", "from": fault.client, "to": fault.server, "requests": lost,
        "fix": "let the proxy between them forward traceparent, tracestate and baggage",
    })]  # fmt: skip


def table(header: str, entries: dict) -> str:
    """Returns one TOML table. JSON's strings, numbers and flat arrays are TOML's too; of objects, inline tables are made."""
    return "\n".join([header, *(f"{key} = {value(entry)}" for key, entry in entries.items())]) + "\n"


def value(entry: object) -> str:
    if isinstance(entry, dict):
        return "{ " + ", ".join(f'"{key}" = {value(each)}' for key, each in entry.items()) + " }"
    return json.dumps(entry)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3]))
