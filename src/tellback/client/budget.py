"""The disk cannot fill: what a spool may take, and what gives way."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from tellback.client import slices
from tellback.client.folder import PAGES, REJECTED, ProcessFolder, process_folders
from tellback.client.process import Header
from tellback.client.segment import SUFFIX
from tellback.client.spool import Spool

MOST: Final = 1 << 30
SHARE: Final = 10

Mine = Callable[[Header], bool]
"""Whether a segment with this header is for the server that we send to."""


def limit(root: Path, used: int) -> int:
    """Bytes that the whole spool may take: 1 GiB, or a tenth of what would be free without it, whichever is less."""
    return min(MOST, (shutil.disk_usage(root).free + used) // SHARE)


def files(root: Path) -> Iterator[tuple[Path, int]]:
    """Each file that counts, the oldest first within its folder, and its size. A dead process's page is never deleted:
    who takes its folder over makes records of it."""
    for folder in (root / REJECTED, *process_folders(root)):
        try:
            found = sorted(path for path in folder.iterdir() if path.suffix in (SUFFIX, PAGES))
        except OSError:
            continue
        for path in found:
            try:
                yield path, path.stat().st_size
            except OSError:
                continue


def enforce(spool: Spool, mine: Mine, most: int | None = None) -> None:
    """Make room for the next segment: set-aside slices go first, then what dead processes left, then this one's own,
    oldest first. What is lost so is counted as `budget`. If only living processes hold the room, no more is taken."""
    found = list(files(spool.root))
    used = sum(size for _, size in found)
    allowed = limit(spool.root, used) if most is None else most
    excess = used + spool.next_size() - allowed
    for path, size in found:
        if excess <= 0:
            break
        if path.parent.name == REJECTED or _drop_orphan(spool, path, mine):
            path.unlink(missing_ok=True)
            excess -= size
    for segment in list(spool.own):
        if excess <= 0 or segment is spool.active:
            break
        with spool.shelf:
            if segment in spool.own:
                spool.own.remove(segment)
                end = segment.seal()
                spool.lost.add("budget", _records(segment.fd, max(segment.acknowledged, segment.head), end))
                segment.delete()
                excess -= segment.size
    spool.over_budget = excess > 0
    if excess > 0:
        spool.drop_spares()


def _drop_orphan(spool: Spool, path: Path, mine: Mine) -> bool:
    """Whether a segment may be deleted, being an orphan's; counts its records if they were for our server."""
    if path.parent == spool.folder.path:
        return False
    folder = ProcessFolder.take(path.parent)
    if folder is None:
        return False
    try:
        if path.suffix == PAGES:  # made into records by taking the folder, or of a newer version, which knows it
            return False
        fd = os.open(path, os.O_RDONLY)
        try:
            line, header = slices.read_header(fd)
            if mine(header):
                spool.lost.add("budget", _records(fd, len(line) + 1 if line else 0, os.fstat(fd).st_size))
        finally:
            os.close(fd)
    except OSError:
        return False
    finally:
        folder.let_go()
    return True


def _records(fd: int, offset: int, end: int) -> int:
    count = 0
    while data := slices.read(fd, offset, end):
        count += data.count(b"\n")
        offset += len(data)
    return count
