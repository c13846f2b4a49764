"""Counts the frames of a list of shots (CSV with the columns `shot` and `frames`), and tells Tellback about it.

    python examples/script.py shots.csv

The five lines that instrument it are marked.
"""

import csv
import getpass
import logging
import sys
import time
from pathlib import Path

import tellback  # 1

log = logging.getLogger("framecount")


def count(path: Path) -> int:
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    log.info("read %d shots from %s", len(rows), path.name)
    return sum(int(row["frames"]) for row in rows)


def main() -> int:
    tellback.init(service="framecount", release="1.0")  # 2
    logging.basicConfig(level=logging.INFO, handlers=[logging.StreamHandler(), tellback.LogHandler()])  # 3
    path = Path(sys.argv[1])
    with tellback.bound(user=getpass.getuser()):
        begun = time.perf_counter_ns()
        try:
            frames = count(path)
        except (OSError, KeyError, ValueError):
            reference = tellback.capture()  # 4
            print(f"{path} cannot be counted. Tell the pipeline team this number: {reference}", file=sys.stderr)
            return 1
        tellback.event("frames_counted", duration=time.perf_counter_ns() - begun, frames=frames)  # 5
    print(frames)
    return 0


if __name__ == "__main__":
    sys.exit(main())
