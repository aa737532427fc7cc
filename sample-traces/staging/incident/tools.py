"""Third-party tools on the edges of production: each forwards all of them, and can be told to break one and to stop doing so."""

import json
import re
import subprocess
import urllib.request
from pathlib import Path
from typing import Protocol

import envoy
import injector
from faults import Fault

TOXIPROXY = "http://127.0.0.1:8474"
ENVOY_ADMIN_PORT = 19901


class Tool(Protocol):
    """What a recording needs of a tool."""

    def command(self) -> list[str]:
        """Returns how it is started."""

    def version(self) -> str:
        """Returns its name and version."""

    def begin(self) -> None:
        """Puts the fault in."""

    def end(self) -> None:
        """Takes the fault away."""


class Toxiproxy:
    """Adds and deletes one toxic."""

    def __init__(self, fault: Fault, proxies: list[dict], folder: Path) -> None:
        self.fault = fault
        self.program = str(needed("toxiproxy-server"))
        self.config = folder / "toxiproxy-proxies.json"
        self.config.write_text(json.dumps(proxies))
        self.toxics = f"{TOXIPROXY}/proxies/{fault.edge}/toxics"

    def command(self) -> list[str]:
        return [self.program, "-host", "127.0.0.1", "-port", "8474", "-config", str(self.config)]

    def version(self) -> str:
        # One that `go install` built calls itself "git"; what it was built from stands in the program.
        modules = subprocess.run(
            ["go", "version", "-m", self.program], capture_output=True, text=True, check=True
        ).stdout
        return next(
            f"Toxiproxy {line.split()[2].lstrip('v')}" for line in modules.splitlines() if line.split()[:1] == ["mod"]
        )

    def begin(self) -> None:
        send("POST", self.toxics, json.dumps(self.fault.settings).encode())

    def end(self) -> None:
        send("DELETE", f"{self.toxics}/{self.fault.settings['name']}")


class Envoy:
    """Raises the share of aborted requests from 0, and lowers it again."""

    def __init__(self, fault: Fault, proxies: list[dict], folder: Path) -> None:
        self.share = fault.share
        self.program = str(needed("envoy"))
        abort = {"abort": fault.settings | {"percentage": {"numerator": 0}}}
        faults = {proxy["name"]: abort if proxy["name"] == fault.edge else {} for proxy in proxies}
        self.config = envoy.write(folder / "envoy-config.json", proxies, ENVOY_ADMIN_PORT, faults)

    def command(self) -> list[str]:
        return [
            self.program,
            "--config-path",
            str(self.config),
            "--concurrency",
            "1",
            "--base-id",
            "19902",
            "--log-level",
            "error",
        ]

    def version(self) -> str:
        told = subprocess.run([self.program, "--version"], capture_output=True, text=True, check=True).stdout
        numbers = re.search(r"/(\d+\.\d+\.\d+)/", told)
        return f"Envoy {numbers[1]}" if numbers else "Envoy"

    def begin(self) -> None:
        self._abort(round(self.share * 100))

    def end(self) -> None:
        self._abort(0)

    def _abort(self, percent: int) -> None:
        send("POST", f"http://127.0.0.1:{ENVOY_ADMIN_PORT}/runtime_modify?fault.http.abort.abort_percent={percent}")


class Nginx:
    """Reads its configuration again, with and without the lines that break an edge."""

    def __init__(self, fault: Fault, proxies: list[dict], folder: Path) -> None:
        self.fault, self.proxies, self.folder = fault, proxies, folder
        self.program = str(needed("nginx"))
        self._write([])

    def command(self) -> list[str]:
        return [
            self.program,
            "-p",
            str(self.folder),
            "-c",
            str(self.folder / "nginx.conf"),
            "-e",
            str(self.folder / "nginx-error.log"),
        ]

    def version(self) -> str:
        return (
            subprocess.run([self.program, "-v"], capture_output=True, text=True, check=True)
            .stderr.split(": ")[1]
            .strip()
        )

    def begin(self) -> None:
        self._reload(self.fault.settings)

    def end(self) -> None:
        self._reload([])

    def _reload(self, lines: list[str]) -> None:
        """New workers take the sockets over; those that answer with the old configuration are awaited."""
        before = self._workers()
        self._write(lines)
        subprocess.run([*self.command(), "-s", "reload"], check=True)
        while before & self._workers():
            subprocess.run(["sleep", "0.05"], check=True)

    def _workers(self) -> set[str]:
        master = (self.folder / "nginx.pid").read_text().strip()
        return set(subprocess.run(["pgrep", "-P", master], capture_output=True, text=True, check=False).stdout.split())

    def _write(self, lines: list[str]) -> None:
        servers = "\n".join(
            self._server(proxy, lines if proxy["name"] == self.fault.edge else []) for proxy in self.proxies
        )
        temporary = "\n".join(f"{kind}_temp_path tmp;" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        (self.folder / "nginx.conf").write_text(
            f"daemon off; user root; worker_processes 1; pid nginx.pid; events {{}}\n"
            f"http {{ access_log off; {temporary}\n{servers}\n}}\n"
        )

    @staticmethod
    def _server(proxy: dict, lines: list[str]) -> str:
        grpc = proxy["name"] in envoy.GRPC
        onward = f"grpc_pass grpc://{proxy['upstream']};" if grpc else f"proxy_pass http://{proxy['upstream']};"
        host = "grpc_set_header Host $http_host;" if grpc else "proxy_set_header Host $http_host;"
        listen = f"{proxy['listen']}{' http2' if grpc else ''}"
        return f"server {{ listen {listen}; location / {{ {onward} {host} {' '.join(lines)} }} }}"


TOOLS = {"toxiproxy": Toxiproxy, "envoy": Envoy, "nginx": Nginx}


def needed(program: str) -> Path:
    found = injector.find(program) or next((p for p in [Path("/usr/sbin") / program] if p.is_file()), None)
    if found is None:
        raise SystemExit(f"record: {program} is missing on this machine")
    return found


def send(method: str, url: str, body: bytes | None = None) -> None:
    request = urllib.request.Request(url, data=body if body is not None else b"", method=method)
    with urllib.request.urlopen(request, timeout=10):
        pass
