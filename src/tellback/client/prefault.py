"""Brings the pages of a new segment into memory before a call needs them.

The first write to a page faults with the GIL held: up to 30 ms beside a process that syncs the disk without pause,
0.4 ms where the page was brought in before. `ctypes` releases the GIL during the call, `mmap.madvise` does not.
"""

import mmap
import sys
from typing import Final

_MADV_POPULATE_WRITE: Final = 23  # linux/mman.h, since 5.14


def prefault(page_map: mmap.mmap, size: int) -> bool:
    """Make all pages of a map present and writable; False where the system has no such call. Costs no GIL."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes

        libc = ctypes.CDLL(None, use_errno=True)
        madvise = libc.madvise
        madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        first = ctypes.c_char.from_buffer(page_map)
        try:
            return bool(madvise(ctypes.addressof(first), size, _MADV_POPULATE_WRITE) == 0)
        finally:
            del first  # a map with a view of it cannot be closed
    except (ImportError, OSError, AttributeError, ValueError):
        return False  # no ctypes in this build, no such symbol, or the map was closed meanwhile
