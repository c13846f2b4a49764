"""Lines of source code, read aside: a capture shall not wait for a file system that hangs."""

from contextlib import suppress
from queue import Empty
from typing import Final

from tellback.client import native

PATIENCE: Final = 0.05
"""Seconds that a capture waits for a file it has not seen yet. Later captures find the lines, whenever they came."""

_MOST: Final = 2_000  # files

_files: dict[str, list[str]] = {}
_NONE: Final[list[str]] = []


def line(filename: str, number: int) -> str | None:
    """Line `number` (from 1) of a file without its indentation, or None if it is not to be had (quickly)."""
    lines = _files.get(filename)
    if lines is None:
        lines = _fetch(filename)
    if not 0 < number <= len(lines):
        return None
    return lines[number - 1].strip()[:200]


def _fetch(filename: str) -> list[str]:
    if len(_files) >= _MOST:
        return _NONE
    import linecache  # here and not in the thread: a fork meanwhile would leave its child waiting for the import

    done: native.SimpleQueue[None] = native.SimpleQueue()

    def read() -> None:
        # Without module globals linecache calls no loader of the host's; it knows what IPython and doctest made.
        try:
            _files[filename] = linecache.getlines(filename)
        except Exception:
            _files[filename] = _NONE
        done.put(None)

    _files[filename] = _NONE  # who comes meanwhile does without
    if native.start(read):
        with suppress(Empty):
            done.get(timeout=PATIENCE)
    return _files.get(filename, _NONE)
