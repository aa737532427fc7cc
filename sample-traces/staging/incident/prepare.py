"""Builds what a recording needs, while the network is still there: the services, and the sink of the shop's recordings.

usage: prepare.py RUN_FOLDER
"""

import subprocess
import sys
from pathlib import Path

import build
from folders import SOURCES, cache, turn

if __name__ == "__main__":
    home = cache()
    with turn(home):
        build.build(home)
    sink = SOURCES.parent / "shop" / "sink"
    copy = home / "sink"
    copy.mkdir(exist_ok=True)
    for file in sink.iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    subprocess.run(["go", "mod", "tidy"], cwd=copy, check=True, stderr=subprocess.DEVNULL)
    subprocess.run(["go", "build", "-o", str(home / "bin" / "sink"), "."], cwd=copy, check=True)
    Path(sys.argv[1], "logs").mkdir()
