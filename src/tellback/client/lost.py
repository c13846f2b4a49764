"""Counts what the client had to drop, by reason, until the spool has taken a record that says so."""

from collections.abc import Mapping
from itertools import count
from typing import Final

MOST: Final = 1_000
"""Reasons that are kept apart; what comes after them is counted without its attributes."""

Reason = tuple[str, tuple[tuple[str, str], ...]]
"""A word, and attributes that say more."""


class Lost:
    """Counters that any thread, signal handler or finalizer may add to without a lock.

    `dict[reason] += 1` is three steps under the GIL and loses counts; a lock could be held by the very thread that a
    signal handler interrupts. `next` on an `itertools.count` is one step. Its value is read from its `repr`, the one
    way that neither changes it nor is deprecated.
    """

    __slots__ = ("_counters", "_many", "_told")

    def __init__(self) -> None:
        self._counters: dict[Reason, count[int]] = {}
        self._many: dict[Reason, int] = {}
        self._told: dict[Reason, int] = {}

    def add(self, reason: str, records: int = 1, attrs: Mapping[str, str] | None = None) -> None:
        key: Reason = (reason, tuple(attrs.items()) if attrs else ())
        counter = self._counters.get(key)
        if counter is None:
            if attrs and len(self._counters) >= MOST:
                key = (reason, ())
            counter = self._counters.setdefault(key, count())
        for _ in range(records):
            next(counter)

    def add_many(self, reason: str, records: int) -> None:
        """Any number at once. By the keeper alone."""
        self._many[reason, ()] = self._many.get((reason, ()), 0) + records

    def total(self) -> dict[str, int]:
        """All that was dropped, by reason."""
        out: dict[str, int] = {}
        for (reason, _), records in self._counts().items():
            out[reason] = out.get(reason, 0) + records
        return out

    def untold(self) -> dict[Reason, int]:
        """What no record has spoken of yet. The keeper alone calls this and `told`, one caller at a time."""
        now, told = self._counts(), self._told
        return {reason: n - told.get(reason, 0) for reason, n in now.items() if n > told.get(reason, 0)}

    def told(self, reason: Reason, records: int) -> None:
        self._told[reason] = self._told.get(reason, 0) + records

    def _counts(self) -> dict[Reason, int]:
        out = {reason: int(repr(counter)[6:-1]) for reason, counter in list(self._counters.items())}
        for reason, records in list(self._many.items()):
            out[reason] = out.get(reason, 0) + records
        return out
