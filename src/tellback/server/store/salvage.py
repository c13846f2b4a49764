"""When the engine refuses a file or dies of it: find the lines that it cannot load, so that all others are kept.

Intake writes only what every engine loads, so this is for the day when that turns out wrong. The looking is done by a
process of its own, which may die of what it looks at: run as a module it halves a file until each refused line stands
alone; a line that kills it is found by halving the file it is given.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import duckdb

from tellback.server.journal import Closed
from tellback.server.journal.format import MARK, Mark
from tellback.server.store.load import Culprit, rows

Found = dict[int, str]
"""Index of a line to the reason."""

Judge = Callable[[Sequence[bytes]], Found | None]
"""Which of these lines the engine refuses; None when it dies."""

_PROBE_SECONDS = 120
_PROBE = "probe-"

SALVAGED = ".salvaged"
"""The suffix of a file's copy without its culprits."""


def culprits(file: Closed, zone: str, judge: Judge | None = None) -> list[Culprit]:
    """The lines of `file` that cannot be loaded; [] when the engine takes it, so that the fault lies elsewhere."""
    with file.path.open("rb") as opened:
        data = opened.read(file.size)
    lines = data.splitlines(keepends=True)
    found = survey(lines, judge or (lambda part: _probe(part, zone, file.path.parent)))
    owners = _owners(lines, [mark for mark, _ in file.marks])
    return [
        Culprit(n, owners[n].project, owners[n].wire, owners[n].received, reason, lines[n])
        for n, reason in sorted(found.items())
    ]


def without(file: Closed, found: Sequence[Culprit], target: Path) -> None:
    """Write `file` to `target` without the lines found."""
    gone = {culprit.line for culprit in found}
    with file.path.open("rb") as opened:
        lines = opened.read(file.size).splitlines(keepends=True)
    target.write_bytes(b"".join(line for n, line in enumerate(lines) if n not in gone))


def sweep(folder: Path) -> None:
    """Remove what a process that was killed while it looked has left behind."""
    for left in folder.glob(f"{_PROBE}*"):
        shutil.rmtree(left, ignore_errors=True)
    for left in folder.glob(f"*{SALVAGED}"):
        left.unlink(missing_ok=True)


def survey(lines: Sequence[bytes], judge: Judge) -> Found:
    """What `judge` finds; where it dies, what it finds in each half."""
    found = judge(lines)
    if found is not None:
        return found
    if len(lines) == 1:
        return {0: "the engine dies while loading it"}
    middle = len(lines) // 2
    right = survey(lines[middle:], judge)
    return survey(lines[:middle], judge) | {middle + n: reason for n, reason in right.items()}


def _owners(lines: Sequence[bytes], marks: Sequence[Mark]) -> list[Mark]:
    """For each line the batch that it is of."""
    owners: list[Mark] = []
    remaining = iter(marks)
    mark = next(remaining)
    for line in lines:
        owners.append(mark)
        if line.startswith(MARK):
            mark = next(remaining, mark)
    return owners


def _probe(lines: Sequence[bytes], zone: str, folder: Path) -> Found | None:
    with tempfile.TemporaryDirectory(prefix=_PROBE, dir=folder) as temporary:
        path = Path(temporary) / "lines"
        path.write_bytes(b"".join(lines))
        command = [sys.executable, "-m", "tellback.server.store.salvage", str(path), zone]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_PROBE_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return None
    if done.returncode != 0:
        return None
    return {int(n): reason for n, reason in json.loads(done.stdout).items()}


def refused(path: Path, zone: str) -> Found:
    """Halve a file until each line that the engine refuses stands alone."""
    lines = path.read_bytes().splitlines(keepends=True)
    part = path.with_suffix(".part")
    connection = duckdb.connect()
    found: Found = {}

    def look(first: int, last: int) -> None:
        part.write_bytes(b"".join(lines[first:last]))
        records = sum(line.startswith(b'{"time":') for line in lines[first:last])
        try:
            got = connection.execute(f"SELECT count(*) FROM ({rows([part], zone)}) WHERE day IS NOT NULL").fetchone()
            reason = "" if got == (records,) else f"{got and got[0]} of {records} records are read from it"
        except duckdb.Error as error:
            reason = str(error).partition("\n")[0]
        if not reason:
            return
        if last - first == 1:
            found[first] = f"the engine cannot load it: {reason}"
            return
        middle = (first + last) // 2
        look(first, middle)
        look(middle, last)

    look(0, len(lines))
    return found


if __name__ == "__main__":
    print(json.dumps(refused(Path(sys.argv[1]), sys.argv[2])))
