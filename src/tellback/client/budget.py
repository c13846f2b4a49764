"""The disk cannot fill: what a spool may take, and what gives way."""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import msgspec

from tellback.client import slices
from tellback.client.folder import PAGES, REJECTED, ProcessFolder, process_folders
from tellback.client.process import Header
from tellback.client.segment import SUFFIX
from tellback.client.spool import FIRST, LARGEST, Spool
from tellback.record import Line

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
    # A budget that holds but one segment would be all or nothing.
    spool.largest = max(FIRST, min(LARGEST, allowed // 4 // FIRST * FIRST))
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
            # What is on its way would be counted as lost and arrive all the same.
            if segment in spool.own and not segment.sending:
                spool.own.remove(segment)
                end = segment.seal()
                _give_up(spool, segment.fd, max(segment.acknowledged, segment.head), end)
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
            if slices.is_newer(header):
                return False
            if mine(header):
                _give_up(spool, fd, len(line) + 1 if line else 0, os.fstat(fd).st_size)
        finally:
            os.close(fd)
    except OSError:
        return False
    finally:
        folder.let_go()
    return True


def _give_up(spool: Spool, fd: int, offset: int, end: int) -> None:
    """Count what a segment holds as lost. What it tells of earlier losses is told anew, lest it be forgotten."""
    while data := slices.read(fd, offset, end):
        offset += len(data)
        records = data.count(b"\n")
        if b'"kind":"lost"' in data:
            for line in data.splitlines():
                if (told := _told(line)) is not None:
                    spool.lost.add_many(*told)
                    records -= 1
        spool.lost.add_many("budget", records)


def _told(line: bytes) -> tuple[str, int] | None:
    """Reason and number, if a line is a record of what was lost."""
    if b'"kind":"lost"' not in line:
        return None
    try:
        record = msgspec.json.decode(line, type=Line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    if record.kind != "lost" or not record.name or not record.value or not 0 < record.value < 2**63:
        return None
    return record.name, int(record.value)
