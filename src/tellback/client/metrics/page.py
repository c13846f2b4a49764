"""One page: a file of numbers, mapped into memory, that only its process adds to. `docs/spec/metrics.md` has its
format.

A slot is a float64 that one thread adds to, so that an add needs no lock; it only ever grows (a gauge's is set), so
that it outlives the process as it stands. Beside the values stand two copies of them, taken by reports in turn: what
has been told is the difference between a value and the copy that the last whole report took.
"""

import mmap
import os
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, Final

import msgspec

from tellback.client.folder import PAGES
from tellback.client.segment import reserve

MAGIC: Final = int.from_bytes(b"TBMETRIC", "little")
VERSION: Final = 1
HEAD: Final = 128
SLOT: Final = 32
"""Bytes: the slot's key, its value, and the two copies."""
TEXT: Final = 32
"""Bytes of text for each slot."""

_MAGIC, _VERSION, _SLOTS, _REPORT, _TIME = range(5)


class Page:
    """A page of the living process. `values[i] += n` is all that an add is."""

    def __init__(self, path: Path, slots: int, header: bytes, now: int) -> None:
        """Make the file: reserved on the disk, mapped, its first text the process line. OSError without room."""
        self.path = path
        self.id = path.name.removesuffix(PAGES)
        self.slots = slots
        size = size_of(slots)
        fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
        try:
            reserve(fd, size)  # a hole that the disk cannot fill would be a SIGBUS
            self._map = mmap.mmap(fd, size)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        finally:
            os.close(fd)
        whole = memoryview(self._map)
        self._head = whole[:HEAD].cast("Q")
        at = [HEAD + part * 8 * slots for part in range(5)]
        self.keys = whole[at[0] : at[1]].cast("q")
        self.values = whole[at[1] : at[2]].cast("d")
        self.copies = (whole[at[2] : at[3]].cast("d"), whole[at[3] : at[4]].cast("d"))
        self._text = whole[at[4] :]
        self._free = 0  # of the text
        self._next = count()
        self._numbers = count(1)
        self.series: dict[int, dict[str, Any]] = {}
        self._head[_SLOTS], self._head[_VERSION], self._head[_TIME] = slots, VERSION, now
        self._write(header)
        self._head[_MAGIC] = MAGIC  # last: a page without it was never used

    def define(self, definition: dict[str, Any]) -> int | None:
        """Write down what a series is; its number in this page, from 1, or None if there is no room."""
        number = next(self._numbers)
        if not self._write(msgspec.json.encode({"series": number, **definition}) + b"\n"):
            return None
        self.series[number] = definition
        return number

    def _write(self, line: bytes) -> bool:
        # Nothing between reading and setting the position is a call, so no signal handler can come in between.
        at, size = self._free, len(line)
        if at + size > len(self._text):
            return False
        self._free += size
        self._text[at : at + size] = line
        return True

    def take(self, series: int, key: int) -> int | None:
        """A slot of one's own; None if there is none left."""
        index = next(self._next)
        if index >= self.slots:
            return None
        self.keys[index] = series << 32 | key & 0xFFFFFFFF
        return index

    @property
    def used(self) -> int:
        return min(self.slots, int(repr(self._next)[6:-1]))

    @property
    def report(self) -> int:
        """The number of the last report that is on record."""
        return self._head[_REPORT]

    def told(self) -> "memoryview[float]":
        """The values that the last report told of."""
        return self.copies[self.report % 2]

    def telling(self) -> "memoryview[float]":
        """Where the next report puts the values that it tells of, before it tells."""
        return self.copies[(self.report + 1) % 2]

    def commit(self, now: int) -> None:
        """The next report is on record: one store of eight bytes, which a kill cannot halve."""
        self._head[_TIME] = now
        self._head[_REPORT] += 1

    def delete(self) -> None:
        """Take it off the disk; a thread that is adding meanwhile adds to nothing."""
        self.path.unlink(missing_ok=True)


class Left:
    """A page that a process has left behind, read whole."""

    def __init__(self, path: Path) -> None:
        """ValueError if it is none, or of a version that is not known here."""
        data = path.read_bytes()
        if len(data) < HEAD:
            raise ValueError(f"{path} is no page: {len(data)} bytes")
        head = memoryview(data)[:HEAD].cast("Q")
        slots = head[_SLOTS]
        if (head[_MAGIC], head[_VERSION]) != (MAGIC, VERSION) or len(data) < size_of(slots):
            raise ValueError(f"{path} is no page of version {VERSION}")
        self.id = path.name.removesuffix(PAGES)
        self.report, self.time = head[_REPORT], head[_TIME]
        parts = [memoryview(data)[HEAD + part * 8 * slots :][: 8 * slots] for part in range(4)]
        self.keys = parts[0].cast("q")
        self.values, *copies = (part.cast("d") for part in parts[1:])
        self.told, self.telling = copies[self.report % 2], copies[(self.report + 1) % 2]
        text = data[HEAD + SLOT * slots :].split(b"\n")
        self.header = text[0] + b"\n" if text[0].startswith(b'{"kind":"process"') and b"\0" not in text[0] else b""
        self.series = dict(_definitions(text[1:-1]))


def size_of(slots: int) -> int:
    """Bytes of a page."""
    return HEAD + (SLOT + TEXT) * slots


def split(key: int) -> tuple[int, int]:
    """A slot's series and its key within it."""
    low = key & 0xFFFFFFFF
    return key >> 32, low - (1 << 32) if low >= 1 << 31 else low


def _definitions(lines: list[bytes]) -> Iterator[tuple[int, dict[str, Any]]]:
    for line in lines:
        if b"\0" in line:  # being written when the process died: no slot speaks of it yet
            continue
        try:
            definition = msgspec.json.decode(line)
            yield definition.pop("series"), definition
        except (msgspec.DecodeError, UnicodeDecodeError, KeyError, AttributeError):
            continue
