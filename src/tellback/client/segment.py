"""One segment: a file of lines, mapped into memory, that only grows. `docs/spec/spool.md` has the format.

An append is `mmap.write(line)`: one C call under the GIL that copies and moves the position, so it needs no lock and is
whole or not at all for every other thread. The bytes are in the page cache when it returns: they survive the process.
"""

import mmap
import os
from pathlib import Path
from typing import Final

SUFFIX: Final = ".ndjson"


def new_id(time: int) -> str:
    """32 hex digits, the older the lower: which segment goes first needs no look inside."""
    return f"{time:016x}{os.urandom(8).hex()}"


class Segment:
    """A segment that this process writes. Made whole by `create`: reserved on the disk, mapped, first line written."""

    __slots__ = ("acknowledged", "end", "fd", "head", "header", "id", "map", "path", "size", "write")

    def __init__(self, path: Path, fd: int, size: int, header: bytes) -> None:
        self.path = path
        self.id = path.name.removesuffix(SUFFIX)
        self.fd = fd
        self.size = size
        self.header = header
        self.head = len(header)
        self.map = mmap.mmap(fd, size)
        self.write = self.map.write
        self.write(header)
        self.acknowledged = 0
        """Bytes from the start that the server has acknowledged."""
        self.end: int | None = None
        """Where its data ends, once it is sealed."""

    @classmethod
    def create(cls, folder: Path, id_: str, size: int, header: bytes) -> "Segment":
        """Reserve `size` bytes and map them. OSError where there is no room or no folder.

        Only reserved blocks may be written through a map: a hole that the disk cannot fill would be a SIGBUS.
        """
        path = folder / (id_ + SUFFIX)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            reserve(fd, size)
            return cls(path, fd, size, header)
        except BaseException:
            os.close(fd)
            path.unlink(missing_ok=True)
            raise

    def position(self) -> int:
        """Bytes of whole lines so far."""
        return self.map.tell() if self.end is None else self.end

    def seal(self) -> int:
        """Take no more lines, from any thread; gives where the data ends. May be called again, by anyone, at any point.

        Moving the position to the end makes every later write raise ValueError. A line that another thread wrote
        between the two calls is found by its bytes: what follows the data is NUL, and no line holds one. (A filler
        line of exactly the space left, retried when another thread slips in, does the same but writes up to 8 MiB for
        nothing.)
        """
        if self.end is None:
            seen = self.map.tell()
            self.map.seek(0, os.SEEK_END)
            if self.map[self.size - 1]:
                self.end = self.size
            else:
                # At the end already: another thread or a signal handler is sealing it and has not yet said so.
                self.end = self.map.find(b"\0", seen if seen < self.size else self.head)
        return self.end

    def sync(self) -> None:
        """Have what was written so far survive a power cut. Takes as long as the disk takes."""
        if os.name == "nt":
            self.map.flush()
        os.fsync(self.fd)  # on Linux it covers pages dirtied through a map; unlike mmap.flush it releases the GIL

    def trim(self) -> None:
        """Give back what a sealed segment does not use."""
        end = self.seal()
        self._unmap()  # Windows cannot cut a mapped file
        os.ftruncate(self.fd, end)

    def close(self) -> None:
        """Let go of the file; its data stay. Takes no more lines."""
        self._unmap()
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    def delete(self) -> None:
        """Close and remove. Unmapped first, for Windows."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _unmap(self) -> None:
        if self.end is None and not self.map.closed:
            self.seal()
        self.map.close()


def reserve(fd: int, size: int) -> None:
    """Have the disk set `size` bytes aside for a new file; they read as NULs."""
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(fd, 0, size)
        return
    block = bytes(1 << 16)
    for _ in range(0, size, len(block)):
        os.write(fd, block)
    os.ftruncate(fd, size)


def sync_folder(path: Path) -> None:
    """Have the names in a folder survive a power cut. OSError."""
    if os.name == "nt":  # a folder cannot be opened there
        return
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
