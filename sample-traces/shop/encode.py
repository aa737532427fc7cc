"""Writes one run's traces in other encodings.

usage: encode.py RUN_FOLDER TARGET_FOLDER
"""

import gzip
import sys
from pathlib import Path

import zstandard


def main(run: Path, target: Path) -> None:
    lines = (run / "traces.jsonl").read_bytes()
    frames = (run / "traces.binpb").read_bytes()
    (target / "traces.binpb").write_bytes(frames)
    # No time of day in the header: the same spans give the same bytes.
    (target / "traces.jsonl.gz").write_bytes(gzip.compress(lines, mtime=0))
    (target / "traces.jsonl.zst").write_bytes(zstandard.ZstdCompressor(level=19).compress(lines))
    (target / "traces.binpb.gz").write_bytes(gzip.compress(frames, mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
