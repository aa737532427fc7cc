"""Runs the shop once: starts the sink and the services, sends the load, stops them all.

usage: record.py SHOP_HOME RUN_FOLDER GATEWAY_PROPAGATORS OTHER_PROPAGATORS
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import load

SINK_PORT = 28318
STOP_SECONDS = 60
START_SECONDS = 120
METRIC_MILLISECONDS = "2000"


@dataclass
class Service:
    """One process of the shop: where it listens and how it is started."""

    name: str
    version: str
    port: int
    command: list[str]
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)


def services(home: Path) -> list[Service]:
    """Returns the services, callees before callers."""
    gateway = home / "gateway" / "target"
    return [
        Service("pricing", "1.7.0", 28083, [str(home / "bin" / "pricing")], home / "pricing"),
        Service("payments", "3.2.0", 28082, ["node", "--require", "./telemetry.js", "server.js"], home / "payments",
                {"NODE_ENV": "production", "OTEL_NODE_RESOURCE_DETECTORS": "env,serviceinstance"}),
        Service("orders", "5.0.3", 28081, [str(home / "orders/venv/bin/opentelemetry-instrument"),
                                           str(home / "orders/venv/bin/python"), "app.py"], home / "orders",
                {"PRICING_URL": "http://127.0.0.1:28083", "PAYMENTS_URL": "http://127.0.0.1:28082",
                 "OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED": "true"}),
        Service("stock", "0.9.2", 28084, [str(home / "bin" / "stock")], home / "stock"),
        Service("gateway", "2.4.1", 28080, ["java", f"-javaagent:{gateway}/agent/opentelemetry-javaagent.jar", "-cp",
                                            f"{gateway}/gateway.jar:{gateway}/lib/*", "shop.Gateway"], home / "gateway",
                {"STOCK_PORT": "28084", "ORDERS_URL": "http://127.0.0.1:28081",
                 "OTEL_RESOURCE_DISABLED_KEYS": "process.command_args,process.command_line,"
                                                "process.executable.path,os.description,os.version"}),
    ]


def environment(service: Service, propagators: str) -> dict[str, str]:
    """Returns a whole environment: nothing of this machine but PATH gets in."""
    return {
        "PATH": os.environ["PATH"],
        "HOME": str(service.folder),
        "TZ": "UTC",
        "PORT": str(service.port),
        "OTEL_SERVICE_NAME": service.name,
        "OTEL_RESOURCE_ATTRIBUTES": f"service.namespace=shop,service.version={service.version},"
                                    f"deployment.environment.name=sample,host.name={service.name}-1",
        "OTEL_PROPAGATORS": propagators,
        "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://127.0.0.1:{SINK_PORT}",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf",
        "OTEL_TRACES_EXPORTER": "otlp",
        "OTEL_METRICS_EXPORTER": "otlp",
        "OTEL_LOGS_EXPORTER": "otlp",
        "OTEL_METRIC_EXPORT_INTERVAL": METRIC_MILLISECONDS,
        **service.settings,
    }


def start(command: list[str], folder: Path, settings: dict[str, str], log: Path, port: int) -> subprocess.Popen:
    """Starts a process and returns once it accepts connections."""
    if accepts(port):
        sys.exit(f"port {port} is taken: something else listens there")
    with log.open("wb") as out:
        process = subprocess.Popen(command, cwd=folder, env=settings, stdout=out, stderr=subprocess.STDOUT)
    end = time.monotonic() + START_SECONDS
    while not accepts(port):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            sys.exit(f"{command[0]} does not listen on {port}:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)
    return process


def accepts(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def stop(process: subprocess.Popen) -> None:
    """Asks a process to end and waits until it has: the SDKs send what they hold before they go."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        raise


def main(home: Path, run: Path, gateway: str, others: str) -> None:
    running = []
    try:
        sink = [str(home / "bin" / "sink"), f"127.0.0.1:{SINK_PORT}", str(run)]
        running.append(start(sink, run, {"PATH": os.environ["PATH"]}, run / "sink.log", SINK_PORT))
        for service in services(home):
            settings = environment(service, gateway if service.name == "gateway" else others)
            running.append(start(service.command, service.folder, settings, run / f"{service.name}.log", service.port))
        with ThreadPoolExecutor(load.CUSTOMERS) as customers:
            answers = list(customers.map(lambda asked: load.send("http://127.0.0.1:28080", asked), load.requests()))
    finally:
        # Last in, first out: callers first, the sink last, and each of them whatever became of the others.
        with ExitStack() as stops:
            for process in running:
                stops.callback(stop, process)
    (run / "requests.json").write_text(json.dumps(answers))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], sys.argv[4])
