"""Real senders against a real riftline: the shop's SDKs (Java, Go, Python, Node, Rust) export to `riftline listen`, which is killed with
SIGKILL while they do and started again; at the end every span must be there, once.

usage: send.py RIFTLINE SHOP_HOME [COLLECTOR]

SHOP_HOME is what `sample-traces/shop/build.sh` built. Ways that are tried: `http` (all five over HTTP), `grpc` (Java and Node over gRPC,
the others over HTTP), and, where COLLECTOR is an OpenTelemetry Collector with the OTLP receiver, the OTLP and OTLP/HTTP exporters and the
file exporter, `collector-grpc` and `collector-http`: there riftline's spans are held to those that the Collector wrote to its file.
Prints a line a way; exits with 1 where a span is missing or there twice.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "shop"))
import load  # noqa: E402
import record  # noqa: E402

GRPC, HTTP = 24317, 24318
COLLECTOR_GRPC, COLLECTOR_HTTP = 25317, 25318
SPEAKS_GRPC = {"gateway", "payments"}
KILLS = 3
SPANS = 1032

COLLECTOR_CONFIG = """
receivers:
  otlp: {{protocols: {{grpc: {{endpoint: 127.0.0.1:{grpc}}}, http: {{endpoint: 127.0.0.1:{http}}}}}}}
processors:
  batch: {{send_batch_size: 64, timeout: 100ms}}
exporters:
  file: {{path: {file}}}
  otlp: {{endpoint: 127.0.0.1:{to_grpc}, tls: {{insecure: true}}, retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}}}
  otlphttp: {{endpoint: "http://127.0.0.1:{to_http}", retry_on_failure: {{initial_interval: 100ms, max_interval: 1s}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines:
    traces: {{receivers: [otlp], processors: [batch], exporters: [{exporter}, file]}}
    logs: {{receivers: [otlp], processors: [batch], exporters: [{exporter}]}}
    metrics: {{receivers: [otlp], processors: [batch], exporters: [{exporter}]}}
"""


class Listener:
    """A riftline that listens, and is killed and started again now and then."""

    def __init__(self, riftline: str, store: Path) -> None:
        self.command = [riftline, "listen", "--headless", "--grpc", f"127.0.0.1:{GRPC}", "--http", f"127.0.0.1:{HTTP}",
                        "--store", str(store)]
        self.kills = 0
        self.is_over = threading.Event()
        self.start()
        self.thread = threading.Thread(target=self.kill_now_and_then)
        self.thread.start()

    def start(self) -> None:
        with open(os.devnull, "wb") as nowhere:
            self.process = subprocess.Popen(self.command, stderr=nowhere)
        end = time.monotonic() + 30
        while not record.accepts(HTTP):
            if time.monotonic() > end:
                sys.exit("riftline does not listen")
            time.sleep(0.02)

    def kill_now_and_then(self) -> None:
        while self.kills < KILLS and not self.is_over.wait(1.5):
            self.process.kill()
            self.process.wait()
            self.kills += 1
            time.sleep(0.3)
            self.start()

    def stop(self) -> int:
        self.is_over.set()
        self.thread.join()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(120)


def run(riftline: str, home: Path, folder: Path, way: str, collector: str | None) -> bool:
    """Sends the load one way; returns whether all spans are there once."""
    listener = Listener(riftline, folder / "live.rift")
    running = []
    try:
        if collector:
            running.append(start_collector(collector, folder, way))
        for service in record.services(home):
            settings = record.environment(service, "tracecontext,baggage") | endpoint(service.name, way)
            log = folder / f"{service.name}.log"
            running.append(record.start(service.command, service.folder, settings, log, service.port))
        with ThreadPoolExecutor(load.CUSTOMERS) as customers:
            list(customers.map(lambda asked: load.send("http://127.0.0.1:28080", asked), load.requests()))
    finally:
        with ExitStack() as stops:
            stops.callback(lambda: listener.stop())
            for process in running:
                stops.callback(record.stop, process)
    return judge(riftline, folder, way, listener.kills)


def endpoint(service: str, way: str) -> dict[str, str]:
    is_grpc = way == "grpc" and service in SPEAKS_GRPC
    through = way.startswith("collector")
    port = {(False, False): HTTP, (True, False): GRPC, (False, True): COLLECTOR_HTTP}[(is_grpc, through)]
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{port}",
            "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc" if is_grpc else "http/protobuf"}


def start_collector(collector: str, folder: Path, way: str) -> subprocess.Popen:
    exporter = "otlp" if way == "collector-grpc" else "otlphttp"
    config = folder / "collector.yaml"
    config.write_text(COLLECTOR_CONFIG.format(grpc=COLLECTOR_GRPC, http=COLLECTOR_HTTP, file=folder / "sent.jsonl", to_grpc=GRPC,
                                              to_http=HTTP, exporter=exporter))
    return record.start([collector, "--config", str(config)], folder, {"PATH": os.environ["PATH"], "HOME": str(folder)},
                        folder / "collector.log", COLLECTOR_HTTP)


def judge(riftline: str, folder: Path, way: str, kills: int) -> bool:
    stored = ask(riftline, ["--store", str(folder / "live.rift")])
    sent = ask(riftline, [str(folder / "sent.jsonl")]) if (folder / "sent.jsonl").exists() else None
    ids = set(stored)
    missing = len(set(sent) - ids) if sent is not None else SPANS - len(ids)
    twice = len(stored) - len(ids)
    is_good = missing == 0 and twice == 0
    print(f"{way}: {len(stored)} spans stored, {missing} missing, {twice} twice, {kills} kills{'' if is_good else ': FAILED'}")
    return is_good


def ask(riftline: str, where: list[str]) -> list[str]:
    sql = "select trace_id || span_id as id from spans"
    command = [riftline, "query", sql, "--format", "ndjson", "--limit", "0", *where]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [json.loads(line)["id"] for line in answer.splitlines()]


def main(riftline: str, home: Path, collector: str | None) -> None:
    ways = ["http", "grpc"] + (["collector-grpc", "collector-http"] if collector else [])
    results = []
    for way in ways:
        with tempfile.TemporaryDirectory(prefix="riftline-live-") as folder:
            results.append(run(riftline, home, Path(folder), way, collector if way.startswith("collector") else None))
    sys.exit(0 if all(results) else 1)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3] if len(sys.argv) > 3 else None)
