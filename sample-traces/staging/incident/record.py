"""Runs production once: healthy, then with the fault, then healthy again.

usage: record.py FAULT RUN_FOLDER
Leaves traces.jsonl (one export request a line) and run.json (what was sent, answered, and when) in RUN_FOLDER.
"""

import json
import os
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import fleet
import health
import production
from faults import FAULTS
from folders import SOURCES, cache
from process import Daemon
from tools import TOOLS, Tool
from up import CHECKS

REQUESTS_PER_SECOND = 12
SECONDS = {"before": 10, "during": 8, "after": 6}
START_SECONDS = 60
# Ids of one recording differ from those of any other.
FIRST_ID = int(time.time()) % 1_000_000 * 1000


def main(name: str, run: Path) -> None:
    fault = FAULTS[name]
    tool = TOOLS[fault.tool](fault, production.proxies(), run)
    with ExitStack() as stops:
        start_sink(run, stops)
        start_services(run, stops)
        start_tool(tool, run, stops)
        warm_up()
        told = {"tool": tool.version(), "phases": phases(tool)}
    (run / "run.json").write_text(json.dumps(told))


def start_sink(run: Path, stops: ExitStack) -> None:
    begin(run, stops, "sink", [str(cache() / "bin" / "sink"), production.OTLP, str(run)], production.OTLP)


def start_services(run: Path, stops: ExitStack) -> None:
    """Callees before callers; they are stopped the other way round, so that each sends what it holds."""
    for service in fleet.services(cache(), production.deployment()):
        daemon = Daemon(run / "logs", service.name)
        stops.callback(daemon.stop)
        daemon.start(service.command, service.folder, service.settings, "")
        if not health.wait(lambda s=service: CHECKS[s.check](s.address, s.port), daemon.runs, START_SECONDS):
            sys.exit(f"record: {service.name} does not answer:\n{daemon.last_words()}")


def start_tool(tool: Tool, run: Path, stops: ExitStack) -> None:
    for known in production.KNOWN.values():
        begin(run, stops, "tool", tool.command(), known)


def begin(run: Path, stops: ExitStack, name: str, command: list[str], listens: str) -> None:
    """Starts a program unless it runs, and waits until it listens."""
    daemon = Daemon(run / "logs", name)
    address, _, port = listens.rpartition(":")
    if not daemon.runs():
        stops.callback(daemon.stop)
        daemon.start(command, run, {"PATH": os.environ["PATH"], "HOME": str(run)}, "")
    if not health.wait(lambda: health.accepts(address, int(port)), daemon.runs, START_SECONDS):
        sys.exit(f"record: {name} does not listen at {listens}:\n{daemon.last_words()}")


def warm_up() -> None:
    """Lets every service answer some requests first: those of a cold process tell nothing of the incident."""
    load(seconds=3, first=FIRST_ID + 900_000)


def phases(tool: Tool) -> dict[str, dict]:
    """Sends the load in three phases; each ends when all is answered."""
    answered = {"before": phase("before", 0)}
    tool.begin()
    answered["during"] = phase("during", 100_000)
    tool.end()
    answered["after"] = phase("after", 200_000)
    return answered


def phase(name: str, offset: int) -> dict:
    begun = time.time_ns()
    told = load(SECONDS[name], FIRST_ID + offset)
    return {"from_ns": begun, "to_ns": time.time_ns(), "first": FIRST_ID + offset} | told


def load(seconds: int, first: int) -> dict:
    command = [sys.executable, str(SOURCES / "load"), "--url", production.FRONT, "--rate", str(REQUESTS_PER_SECOND),
               "--seconds", str(seconds), "--first", str(first)]  # fmt: skip
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
