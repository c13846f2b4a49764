"""The thread that keeps the spool in order, so that calls need not: spares, budget, the red button, what was lost."""

import ctypes  # noqa: F401 -- see below
import logging  # noqa: F401
import time
from typing import Final

# `prefault` and `notice` use ctypes and logging. Whoever starts the threads imports what they use: a fork beside a
# thread that imports leaves the child waiting for that import for ever.
from tellback.client import budget, chores, live, native, notice
from tellback.client.encode import line
from tellback.client.spool import Spool
from tellback.client.switch import Switch
from tellback.client.waker import Waker

TICK: Final = 1.0
HOUSEKEEPING: Final = 5.0
"""Seconds between looks at the red button, and between looks at the disk."""


class Keeper:
    """Never holds the GIL for long and never the lock that calls take while it waits for the disk."""

    def __init__(self, spool: Spool, switch: Switch, mine: budget.Mine) -> None:
        self._spool = spool
        self._switch = switch
        self._mine = mine
        self._next = 0.0
        self._rotations = 0
        self._telling = native.lock()
        self.waker = Waker()
        self.stopped = False

    def run(self) -> None:
        while not self.stopped:
            for task in (self._look, self._chores, self._housekeeping, self._spool.refill):
                try:
                    task()
                except Exception:  # a disk that fails now may not fail at the next turn; spares are but a comfort
                    self._spool.lost.add("keeper", 0)
            self.waker.wait(TICK)

    def _look(self) -> None:
        if not self.stopped:
            self._switch.apply(self._spool)

    def _chores(self) -> None:
        if not self.stopped:
            chores.run()

    def _housekeeping(self) -> None:
        now = time.monotonic()
        # Also whenever a segment was filled: a program that writes much would be far over its budget by the next look.
        if self.stopped or (now < self._next and self._spool.rotations == self._rotations):
            return
        self._next, self._rotations = now + HOUSEKEEPING, self._spool.rotations
        self._spool.moved()
        budget.enforce(self._spool, self._mine)
        self.tell_lost()

    def tell_lost(self, patience: float = 0.0) -> None:
        """Put what was dropped on record, unless the red button is pressed: then nothing at all is recorded."""
        # `flush` calls this, too; who comes while the other tells has nothing to add. Only `close`, after which nothing
        # can be told any more, waits for the other to end, for `patience` seconds.
        if live.spool is not self._spool or not self._telling.acquire(timeout=patience):
            return
        try:
            self._tell()
        finally:
            self._telling.release()

    def _tell(self) -> None:
        for reason, records in self._spool.lost.untold().items():
            told = line({"kind": "lost", "name": reason[0], "value": records}, dict(reason[1]))
            if not self._spool.place(told):
                return  # which counted one more; all of it is told when there is room again
            self._spool.lost.told(reason, records)
            notice.detail(f"Dropped, which is told to the server: {records} ({reason[0]}).")
            if reason[0] == "invalid" and reason[1]:
                _say(**dict(reason[1]))


def _say(schema: str, version: str, reason: str) -> None:
    """By the keeper and not by the call that was wrong: the host's handlers may wait for a disk."""
    notice.once(
        f"invalid {schema} {version} {reason}",
        f"Events {schema} version {version} were not recorded: {reason}. They are counted; "
        "tellback.schema(..., strict=True) raises in tests.",
    )
