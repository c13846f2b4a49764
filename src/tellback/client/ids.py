"""Ids of traces and spans, in the form of W3C Trace Context: random, unique, and made without a system call.

A process draws its beginning from the system and counts on from there in steps that scatter over the whole range, so no
two ids of one process are the same, and two processes meet as rarely as random ids do. `random.getrandbits` was
rejected: after a fork that Python does not see, parent and child would draw the same ids.
"""

import os
from itertools import count
from typing import Final

from tellback.client.fork import Mark

_MASK: Final = 2**64 - 1
# Odd, so that the steps visit every number of 64 bits; the first is that of a Weyl sequence (2**64 / golden ratio).
_STEP: Final = 0x9E3779B97F4A7C15
_OTHER_STEP: Final = 0xD1342543DE82EF95

_numbers: Final = count(1)
_mark: Mark | None = None
_begin = (0, 0)


def span_id() -> str:
    """16 hex digits, never all zero."""
    if _mark is None or not _mark.page[0]:
        _draw()
    return f"{(_begin[0] + next(_numbers) * _STEP) & _MASK or 1:016x}"


def trace_id() -> str:
    """32 hex digits, never all zero. Also the id of a run."""
    if _mark is None or not _mark.page[0]:
        _draw()
    number = next(_numbers)
    low = (_begin[0] + number * _STEP) & _MASK or 1
    return f"{(_begin[1] + number * _OTHER_STEP) & _MASK:016x}{low:016x}"


def _draw() -> None:
    """In a new process, and in each fork of it."""
    global _mark, _begin
    _begin = (int.from_bytes(os.urandom(8), "big"), int.from_bytes(os.urandom(8), "big"))
    if _mark is None:
        _mark = Mark()
        if hasattr(os, "register_at_fork"):  # where the system does not wipe the mark
            os.register_at_fork(after_in_child=_draw)
    _mark.page[0] = 1
