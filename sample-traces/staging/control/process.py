"""Processes that outlive the script which started them: one pid file each, which also says how it was started."""

import hashlib
import json
import os
import signal
import subprocess
import time
from pathlib import Path
from typing import NoReturn

STOP_SECONDS = 10
LOOK_AGAIN_SECONDS = 0.05


class Daemon:
    """One process, known by its name in the folder of state."""

    def __init__(self, state: Path, name: str) -> None:
        self.name = name
        self.pid_file = state / f"{name}.json"
        self.log = state / f"{name}.log"

    def runs_as(self, command: list[str], settings: dict[str, str], mark: str) -> bool:
        """Tells whether it runs and was started with just these."""
        noted = self._noted()
        return self.runs() and noted is not None and noted["as"] == fingerprint(command, settings, mark)

    def runs(self) -> bool:
        noted = self._noted()
        return noted is not None and born(noted["pid"]) == noted["born"]

    def start(self, command: list[str], folder: Path, settings: dict[str, str], mark: str) -> None:
        """Starts it in a session of its own and notes its pid."""
        pid = orphan(command, folder, settings, self.log)
        noted = {"pid": pid, "born": born(pid), "as": fingerprint(command, settings, mark)}
        self.pid_file.write_text(json.dumps(noted))

    def stop(self) -> bool:
        """Asks it to end, waits until it has, and kills it if it does not. Tells whether it ran."""
        noted = self._noted()
        ran = self.runs()
        if ran and noted is not None:
            self._end(noted["pid"])
        self.pid_file.unlink(missing_ok=True)
        return ran

    def last_words(self) -> str:
        if not self.log.is_file():
            return ""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])

    def _end(self, pid: int) -> None:
        os.kill(pid, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while self.runs():
            if time.monotonic() > end:
                os.kill(pid, signal.SIGKILL)
                return
            time.sleep(LOOK_AGAIN_SECONDS)

    def _noted(self) -> dict | None:
        try:
            return json.loads(self.pid_file.read_text())
        except (OSError, ValueError):
            return None


def orphan(command: list[str], folder: Path, settings: dict[str, str], log: Path) -> int:
    """Starts a process whose parent has already ended, and returns its pid: the Envoy of PyPI ends when its parent does."""
    reader, writer = os.pipe()
    middle = os.fork()
    if middle == 0:
        beget(command, folder, settings, log, writer)
    os.close(writer)
    os.waitpid(middle, 0)
    with open(reader, encoding="ascii") as pipe:
        return int(pipe.read())


def beget(command: list[str], folder: Path, settings: dict[str, str], log: Path, writer: int) -> NoReturn:
    """In the process between: starts the real one in a session of its own, tells its pid and ends."""
    os.setsid()
    between = os.getpid()
    child = os.fork()
    if child != 0:
        os.write(writer, str(child).encode())
        os._exit(0)
    while os.getppid() == between:
        time.sleep(LOOK_AGAIN_SECONDS / 10)
    become(command, folder, settings, log)


def become(command: list[str], folder: Path, settings: dict[str, str], log: Path) -> NoReturn:
    """Turns this process into `command`, which writes to `log` and reads nothing."""
    try:
        os.chdir(folder)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644), 1)
        os.dup2(1, 2)
        os.execvpe(command[0], command, settings)
    except OSError as error:
        os.write(2, f"{command[0]}: {error}\n".encode())
    os._exit(127)


def fingerprint(command: list[str], settings: dict[str, str], mark: str) -> str:
    return hashlib.sha256(json.dumps([command, settings, mark], sort_keys=True).encode()).hexdigest()


def born(pid: int) -> str:
    """Returns when the process of this pid was started; empty for one that has ended, so that a pid used again is told apart."""
    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.strip()
    stat, _, started = told.partition(" ")
    return "" if stat.startswith("Z") else started.strip()
