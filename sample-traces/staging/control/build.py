"""Builds the services outside of the sources, each only when its sources have changed since."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from folders import SOURCES

NEEDED = {
    "node": "Node 20", "npm": "npm", "go": "Go 1.25", "java": "Java 17", "mvn": "Maven", "python3": "Python 3.11",
}  # fmt: skip
MARK = ".built-from"


def build(home: Path) -> None:
    """Builds what is not built in `home`; ends the program with status 3 where a tool is missing."""
    stale = {name: step for name, step in STEPS.items() if not fresh(home / name, SOURCES / name)}
    if not stale:
        return
    missing = [what for tool, what in NEEDED.items() if shutil.which(tool) is None]
    if missing:
        print(f"staging: missing on this machine: {', '.join(missing)}", file=sys.stderr)
        sys.exit(3)
    for name, step in stale.items():
        print(f"staging: building {name}")
        one(name, step, home)


def one(name: str, step: Callable[[Path, Path], None], home: Path) -> None:
    folder = home / name
    (folder / MARK).unlink(missing_ok=True)
    shutil.copytree(SOURCES / name, folder, dirs_exist_ok=True)
    try:
        step(folder, home)
    except subprocess.CalledProcessError as failed:
        print(f"staging: {name} cannot be built: {failed}", file=sys.stderr)
        sys.exit(1)
    (folder / MARK).write_text(digest(SOURCES / name))


def fresh(built: Path, sources: Path) -> bool:
    mark = built / MARK
    return mark.is_file() and mark.read_text() == digest(sources)


def digest(sources: Path) -> str:
    files = sorted(path for path in sources.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    told = hashlib.sha256()
    for path in files:
        told.update(f"{path.relative_to(sources)}\0".encode() + path.read_bytes() + b"\0")
    return told.hexdigest()


def run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, stdout=sys.stderr)


def stock(folder: Path, home: Path) -> None:
    run(["go", "build", "-o", str(home / "bin" / "stock"), "."], folder)


def orders(folder: Path, _home: Path) -> None:
    run(["python3", "-m", "venv", "venv"], folder)
    run(["venv/bin/pip", "install", "--quiet", "--requirement", "requirements.txt"], folder)


def gateway(folder: Path, _home: Path) -> None:
    run(["npm", "install", "--silent", "--no-package-lock", "--no-audit", "--no-fund", "--omit=dev"], folder)


def payments(folder: Path, _home: Path) -> None:
    run(["mvn", "-q", "-B", "package"], folder)


STEPS: dict[str, Callable[[Path, Path], None]] = {
    "stock": stock,
    "payments": payments,
    "orders": orders,
    "gateway": gateway,
}
