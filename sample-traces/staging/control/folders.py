"""Folders outside of the sources: what is built, and what runs."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCES = Path(__file__).resolve().parent.parent


def cache() -> Path:
    """Returns where the services are built: $STAGING_HOME, else below the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return made(os.environ.get("STAGING_HOME") or base / "riftline" / "staging")


def state() -> Path:
    """Returns where pid files and logs are: $STAGING_STATE, else below the user's state."""
    base = Path(os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state")
    return made(os.environ.get("STAGING_STATE") or base / "riftline" / "staging")


def peers() -> Path:
    """Returns where others' programs are that staging can use: $RIFTLINE_PEERS, else below the user's cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return Path(os.environ.get("RIFTLINE_PEERS") or base / "riftline" / "peers")


def made(folder: str | Path) -> Path:
    path = Path(folder).resolve()
    path.mkdir(parents=True, exist_ok=True)
    return path


@contextmanager
def turn(folder: Path) -> Iterator[None]:
    """Lets one script at a time change what stands in `folder`; the next one waits."""
    with (folder / "turn.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
