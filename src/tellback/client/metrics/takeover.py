"""What a process that is gone had counted and not told: told in its name, once.

It may have died between any two steps of a report (`book.Book.report`): the copy is taken, the lines are written, the
report is committed. Which of the next report's lines were written is read from the segments beside the page, which
are deleted by nobody in between. The lines written here carry the number after that, so that a takeover that dies
itself is continued by the next.
"""

import os
import time
from pathlib import Path

from tellback.client import notice, slices
from tellback.client.folder import PAGES
from tellback.client.metrics.page import Left
from tellback.client.metrics.telling import grown, lines
from tellback.client.segment import SUFFIX as SEGMENT
from tellback.client.segment import new_id


def settle(folder: Path) -> None:
    """Turn the pages in a process's folder into lines of a segment there. Call it with the folder's lock held.

    OSError where the disk has no room; then the page stays, and the next takeover tells what is still to be told.
    """
    for path in sorted(folder.glob("*" + PAGES)):
        try:
            page = Left(path)
        except ValueError as error:
            # Half made when its process died, or a newer version's: that version's own process may know it.
            if not path.read_bytes().strip(b"\0"):
                path.unlink(missing_ok=True)
            notice.once("page", f"Metrics are left where they lie: {error}.")
            continue
        found = _owed(page, folder)
        if found:
            _write(folder, page.header, found)
        path.unlink(missing_ok=True)


def _owed(page: Left, folder: Path) -> list[bytes]:
    first, second = (_told(folder, page.id, page.report + step) for step in (1, 2))
    since_told = grown(page.keys, page.values, page.told)
    since_telling = grown(page.keys, page.values, page.telling) if first else {}
    owed = {
        series: parts
        for series in since_told
        if series not in second and (parts := (since_telling if series in first else since_told).get(series))
    }
    # Counted after the last report and before the end, which nobody saw: the last report's time is the nearest known.
    return [line for _, line in lines(page.series, owed, page.id, page.report + 2, page.time, {})]


def _told(folder: Path, page: str, report: int) -> set[int]:
    """Series that a report speaks of in whole lines of the folder's segments."""
    mark = f'"{page}.{report}.'.encode()
    told: set[int] = set()
    for path in sorted(folder.glob("*" + SEGMENT)):
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        try:
            offset, end = 0, os.fstat(fd).st_size
            while data := slices.read(fd, offset, end):
                offset += len(data)
                told.update(int(part.split(b'"', 1)[0]) for part in data.split(mark)[1:])
        finally:
            os.close(fd)
    return told


def _write(folder: Path, header: bytes, found: list[bytes]) -> None:
    path = folder / (new_id(time.time_ns()) + SEGMENT)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(header + b"".join(found))
