"""Everything that lies in a spool, to the server: this process's own segments and those that dead ones left."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from tellback.client import notice, slices
from tellback.client.delivery import Delivery
from tellback.client.folder import ProcessFolder, process_folders, second_choice
from tellback.client.process import Header
from tellback.client.segment import SUFFIX, Segment

if TYPE_CHECKING:
    from tellback.client.spool import Spool


class Shipper:
    """Ships by one thread at a time; gives up at the first failure and says so, `delivery` knows how long to wait."""

    def __init__(self, delivery: Delivery, mine: Callable[[Header], bool]) -> None:
        self.delivery = delivery
        self._mine = mine  # whether a segment with this header is for our server

    def ship_own(self, spool: "Spool") -> bool:
        """Send what this process has written so far, and delete segments that are full and acknowledged."""
        return all(self._ship_segment(spool, segment) for segment in list(spool.own))

    def _ship_segment(self, spool: "Spool", segment: Segment) -> bool:
        active = segment is spool.active
        end = segment.position() if active else segment.seal()
        while True:
            with spool.shelf:
                if segment.fd < 0:  # the budget took it, or the spool was closed
                    return True
                # Nothing but its first line, or not even a record more: nothing to say.
                start = segment.acknowledged
                data = slices.read(segment.fd, start, end) if max(start, segment.head) < end else b""
                segment.sending = bool(data)
            if not data:
                break
            sent = False
            try:
                sent = self.delivery.send(segment.id, segment.header[:-1], start, data)
            finally:
                with spool.shelf:
                    if sent:
                        segment.acknowledged = start + len(data)
                    segment.sending = False
            if not sent:
                return False
        if not active:
            with spool.shelf:
                if segment in spool.own and segment is not spool.active:
                    spool.own.remove(segment)
                    segment.delete()
        return True

    def ship_orphans(self, root: Path, own: Path | None = None) -> bool:
        """Send and delete what processes that are gone have left for the same destination."""
        for path in _folders(root):
            if path == own:
                continue
            folder = ProcessFolder.take(path)
            if folder is None:
                continue
            try:
                for file in folder.segments():
                    if not self._ship_file(file):
                        return False
            finally:
                folder.release()
        return True

    def _ship_file(self, path: Path) -> bool:
        try:
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        except OSError:
            return True  # gone, or not ours to read
        try:
            end = os.fstat(fd).st_size
            line, header = slices.read_header(fd)
            empty = len(slices.read(fd, len(line) + 1, end)) == 0 if line else not slices.read(fd, 0, end)
            if slices.is_newer(header):
                notice.once(
                    "newer",
                    f"{path} was written by a newer Tellback and is left alone; a program with that version ships it, "
                    "or its `tellback ship`.",
                )
                return True
            if not empty and not self._mine(header):
                return True
            offset = 0
            while not empty and (data := slices.read(fd, offset, end)):
                if not self.delivery.send(path.name.removesuffix(SUFFIX), line, offset, data):
                    return False
                offset += len(data)
        finally:
            os.close(fd)
        path.unlink(missing_ok=True)
        return True


def _folders(root: Path) -> Iterator[Path]:
    """Of this spool, and of what was recorded while its place would not do."""
    yield from process_folders(root)
    if (second := second_choice()) != root:
        yield from process_folders(second)
