"""The incidents that are recorded: what goes wrong on which edge, and which tool does it.

A new one is one more entry here, and a folder `replay-NAME` with a record.sh like the others'.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Fault:
    """One incident."""

    client: str
    server: str
    # What riftline calls it, with the share of calls that are hit.
    kind: str
    share: float
    # The tool, and what it is told: a toxic, the settings of Envoy's fault filter, or lines for nginx.
    tool: str
    settings: dict | list[str]
    # Findings that must be there: rule and subject. None means nothing above info.
    findings: list[tuple[str, str]] = field(default_factory=list)

    @property
    def edge(self) -> str:
        return f"{self.client}-{self.server}"


def toxic(kind: str, stream: str, toxicity: float, **attributes: int) -> dict:
    return {"name": kind, "type": kind, "stream": stream, "toxicity": toxicity, "attributes": attributes}


FAULTS = {
    "latency": Fault("orders", "payments", "latency", 1.0, "toxiproxy", toxic("latency", "downstream", 1.0, latency=800, jitter=200)),
    "error": Fault("orders", "payments", "error", 0.4, "envoy", {"http_status": 503}),
    "context-drop": Fault("gateway", "orders", "context-drop", 1.0, "nginx", [
        'proxy_set_header traceparent "";', 'proxy_set_header tracestate "";', 'proxy_set_header baggage "";',
    ], [("context-not-injected", "gateway -> orders")]),
    # Each call is a connection of its own: the share of connections is the share of calls.
    "abort": Fault("orders", "payments", "abort", 0.6, "toxiproxy", toxic("reset_peer", "downstream", 0.6, timeout=0)),
    # Nothing that orders sends arrives, and nobody says so.
    "hang": Fault("orders", "payments", "hang", 1.0, "toxiproxy", toxic("timeout", "upstream", 1.0, timeout=0)),
    "grpc-error": Fault("orders", "stock", "error", 0.6, "envoy", {"grpc_status": 14}),
}  # fmt: skip
