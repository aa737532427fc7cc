"""Starts staging: see `up`."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path

import build
import fleet
import health
from fleet import Service
from folders import SOURCES, cache, state, turn
from injector import INJECTORS
from process import Daemon

START_SECONDS = 60
PROXY_PORTS = (fleet.FRONT_PROXY, fleet.ORDERS_PROXY, fleet.PAYMENTS_PROXY, fleet.STOCK_PROXY)
CHECKS = {fleet.HTTP: health.http_answers, fleet.HTTP2: health.http2_answers}


def main() -> None:
    asked = arguments()
    home, folder = cache(), state()
    with turn(home):
        build.build(home)
    command = INJECTORS[asked.injector]().command() if asked.injector in INJECTORS else None
    deployment = fleet.staging(fleet.PROXIED if asked.edges == "proxied" else fleet.DIRECT)
    with turn(folder):
        bring_up(fleet.services(home, deployment), folder)
        switch_injector(asked.injector, command, folder)
    print(f"staging: up, edges {asked.edges}, front on 127.0.0.1:{front(asked)}, logs in {folder}")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="up", description="Starts staging; returns once every service answers.")
    parser.add_argument("--edges", choices=["direct", "proxied"], help="call each other, or the ports of proxies.json")
    parser.add_argument("--injector", choices=["none", *INJECTORS], default="none", help="what listens on those ports")
    asked = parser.parse_args()
    asked.edges = asked.edges or ("direct" if asked.injector == "none" else "proxied")
    return asked


def front(asked: argparse.Namespace) -> int:
    return fleet.FRONT_PROXY if asked.injector != "none" else fleet.FRONT_PORT


def bring_up(services: list[Service], folder: Path) -> None:
    """Starts what does not run as it should, all at once, and waits until all answer."""
    stale = [service for service in services if not runs(service, folder)]
    for service in reversed(stale):
        Daemon(folder, service.name).stop()
    for service in stale:
        if health.accepts(service.address, service.port):
            sys.exit(f"staging: port {service.port} of {service.name} is taken by something else")
        Daemon(folder, service.name).start(service.command, service.folder, service.settings, mark(service))
    for service in services:
        await_service(service, folder)


def runs(service: Service, folder: Path) -> bool:
    return Daemon(folder, service.name).runs_as(service.command, service.settings, mark(service))


def mark(service: Service) -> str:
    """Returns what changes when the service is built anew."""
    built = service.folder / build.MARK
    return built.read_text() if built.is_file() else ""


def await_service(service: Service, folder: Path) -> None:
    daemon = Daemon(folder, service.name)
    answers = partial(CHECKS[service.check], service.address, service.port)
    if not health.wait(answers, daemon.runs, START_SECONDS):
        sys.exit(f"staging: {service.name} does not answer on port {service.port}:\n{daemon.last_words()}")


def switch_injector(wanted: str, command: list[str] | None, folder: Path) -> None:
    """Stops the injectors that are not wanted, and starts the one that is."""
    for name in INJECTORS:
        if name != wanted:
            Daemon(folder, name).stop()
    if command is None:
        return
    daemon = Daemon(folder, wanted)
    # Toxiproxy logs each piece of data unless it is told not to.
    settings = {"PATH": os.environ["PATH"], "HOME": str(folder), "LOG_LEVEL": "error"}
    if not daemon.runs_as(command, settings, config_digest()):
        daemon.stop()
        free_ports()
        daemon.start(command, folder, settings, config_digest())
    await_injector(wanted, daemon)


def config_digest() -> str:
    return "".join((SOURCES / file).read_text() for file in ("proxies.json", "control/envoy.py"))


def free_ports() -> None:
    """Ends the program where something else stands on the edges already."""
    taken = [port for port in PROXY_PORTS if health.accepts("127.0.0.1", port)]
    if taken:
        sys.exit(f"staging: ports {taken} of the edges are taken by something else")


def await_injector(name: str, daemon: Daemon) -> None:
    """Waits for its API, for every edge, and for the front behind it."""
    api = INJECTORS[name]().answers
    edges = [partial(health.accepts, "127.0.0.1", port) for port in PROXY_PORTS]
    through = partial(health.http_answers, "127.0.0.1", fleet.FRONT_PROXY)
    for answers in (api, *edges, through):
        if not health.wait(answers, daemon.runs, START_SECONDS):
            sys.exit(f"staging: {name} does not answer:\n{daemon.last_words()}")


if __name__ == "__main__":
    main()
