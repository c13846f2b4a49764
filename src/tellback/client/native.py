"""The interpreter's own threads and locks, also where gevent has put greenlets in their place.

Tellback's threads block: on a queue, on the disk, on a socket. As greenlets they would stop the whole program each
time. And a call of the host's must not switch to another greenlet in its middle.
"""

import _thread
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

try:
    # The C module: gevent patches `queue`, which takes the name from it.
    from _queue import SimpleQueue
except ImportError:  # an interpreter without it
    from queue import SimpleQueue

if TYPE_CHECKING:
    from threading import Lock, RLock

__all__ = ["SimpleQueue", "get_ident", "lock", "rlock", "start", "start_new_thread"]


def _original(name: str) -> Any:
    monkey = sys.modules.get("gevent.monkey")
    return getattr(_thread, name) if monkey is None else monkey.get_original("_thread", name)


# Taken now: a program may patch itself long after Tellback was imported, as gunicorn's workers do, or before.
start_new_thread: Callable[..., int] = _original("start_new_thread")
get_ident: Callable[[], int] = _original("get_ident")
_allocate_lock = _original("allocate_lock")
_rlock = _original("RLock")


def start(work: Callable[[], None]) -> bool:
    """Run `work` in a thread; False if there can be no more of them, or the interpreter is ending.

    Not threading.Thread: its start waits for the thread, under a lock that a signal handler's caller may hold. Unnamed,
    because threading would keep a thread that it did not start in its list for ever.
    """
    with suppress(RuntimeError):
        start_new_thread(work, ())
        return True
    return False


def lock() -> "Lock":
    made: Lock = _allocate_lock()
    return made


def rlock() -> "RLock":
    made: RLock = _rlock()
    return made
