"""Knows that this process is a fork, also of a fork that Python does not see (C extensions, uWSGI)."""

import mmap
import os
import sys
from collections.abc import Callable
from typing import Final

_MADV_WIPEONFORK: Final = 18  # linux/mman.h, since 4.14; the mmap module does not name it


class Mark:
    """A byte that is 1 in the process that set it and 0 in every fork of it.

    `page[0]` costs 44 ns, `os.getpid()` 261. Linux wipes the page in the child, whoever forked. Elsewhere only forks
    through Python are seen.
    """

    __slots__ = ("page",)

    def __init__(self) -> None:
        self.page: mmap.mmap | bytearray = bytearray(1)
        if sys.platform == "linux":
            page = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
            try:
                page.madvise(_MADV_WIPEONFORK)
            except OSError:  # an older kernel, or one that only pretends to be Linux
                page.close()
            else:
                self.page = page
        self.page[0] = 1


_in_child: list[Callable[[], None]] = []


def after_fork(action: Callable[[], None]) -> None:
    """Have `action` run in each child that Python forks. Registered once: Python takes no hook back."""
    if not _in_child and hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_run)
    _in_child[:] = [action]


def _run() -> None:
    for action in _in_child:
        action()
