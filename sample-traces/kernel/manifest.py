"""Keeps the beginning of each recording, writes the manifest, and one excerpt a format.

usage: manifest.py WORK HERE FORMATS
"""

import datetime
import json
import platform
import re
import subprocess
import sys
from pathlib import Path

# File, format, lines that are kept (nothing: all), what it is.
FILES = [
    ("bpftrace.json", "bpftrace-json", None, "bpftrace -f json sockets.bt"),
    ("bpftrace.txt", "bpftrace-text", None, "bpftrace sockets.bt"),
    ("tcplife.txt", "bcc", 60, "tcplife"),
    ("tcpstates.txt", "bcc", 80, "tcpstates"),
    ("tcpconnect.txt", "bcc", 60, "tcpconnect"),
    ("runqslower.txt", "bcc", 60, "runqslower 50"),
    ("offcputime.txt", "bcc", None, "offcputime -k 2"),
    ("runqlat.txt", "bcc", None, "runqlat 1 3"),
    ("perf-script.txt", "perf-script", 120, "perf script"),
    ("perf-timehist.txt", "perf-timehist", 80, "perf sched timehist"),
    ("perf.json", "perf-json", 400, "perf data convert --to-json"),
    ("trace_pipe.txt", "ftrace", 120, "trace_pipe"),
    ("ftrace.txt", "ftrace", 120, "trace"),
]
SAMPLES = {
    "bpftrace.json": "bpftrace.json",
    "bpftrace.txt": "bpftrace.txt",
    "tcpstates.txt": "bcc.txt",
    "perf-script.txt": "perf-script.txt",
    "perf-timehist.txt": "perf-timehist.txt",
    "perf.json": "perf.json",
    "ftrace.txt": "ftrace.txt",
}
MAX_BYTES = 24_000


def version(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip().splitlines()[0]
    except (OSError, IndexError):
        return "unknown"


def complaint(path: Path) -> str:
    """Returns what a tool said last."""
    lines = path.with_name(path.name + ".err").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def excerpt(text: str, name: str, num_lines: int) -> str:
    lines = text.splitlines(keepends=True)
    if name == "perf.json":
        return whole_samples(lines, num_lines)
    if name.startswith("bpftrace") and len(lines) > num_lines:
        # Maps stand at the end.
        return "".join(lines[: num_lines // 2] + lines[-num_lines // 2 :])
    return "".join(lines[:num_lines])


def whole_samples(lines: list[str], num_lines: int) -> str:
    last = max(index for index, line in enumerate(lines[:num_lines]) if line.startswith("\t\t}"))
    return "".join(lines[:last]) + "\t\t}\n\t]\n}\n"


def main() -> None:
    work, here, formats = map(Path, sys.argv[1:])
    tables = []
    for name, format_name, num_lines, command in FILES:
        path = work / name
        text = path.read_text(errors="replace") if path.exists() else ""
        if len(text.splitlines()) < 2:
            tables.append(f'[[missing]]\npath = "{name}"\ncommand = "{command}"\nwhy = {json.dumps(complaint(path))}\n')
            continue
        kept = text if num_lines is None and len(text) < MAX_BYTES else excerpt(text, name, num_lines or 200)
        (here / name).write_text(kept)
        tables.append(
            f'[[files]]\npath = "{name}"\nformat = "{format_name}"\ncommand = "{command}"\nlines = {len(kept.splitlines())}\n'
        )
        if name in SAMPLES:
            (formats / SAMPLES[name]).write_text(excerpt(kept, name, 90 if name == "perf.json" else 40))
    (here / "clock.json").write_text((work / "clock.json").read_text())
    perf = re.sub(r"^perf version ", "", version("perf", "--version"))
    origin = [
        "[origin]",
        'name = "kernel"',
        f'recorded = "{datetime.date.today()}"',
        'by = "record.sh"',
        'how = "An HTTP server and its client ran on one machine for a second under each tool, as root."',
        'licence = "MIT OR Apache-2.0"',
        f'kernel = "{platform.release().split("-")[0]}"',
        f'bpftrace = "{version("bpftrace", "--version").split(" ")[-1]}"',
        f'perf = "{perf}"',
        "",
    ]
    (here / "manifest.toml").write_text("\n".join(origin) + "\n" + "\n".join(tables))


if __name__ == "__main__":
    main()
