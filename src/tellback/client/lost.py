"""Counts what the client had to drop, by reason, until the spool has taken a record that says so."""

from itertools import count


class Lost:
    """Counters that any thread, signal handler or finalizer may add to without a lock.

    `dict[reason] += 1` is three steps under the GIL and loses counts; a lock could be held by the very thread that a
    signal handler interrupts. `next` on an `itertools.count` is one step. Its value is read from its `repr`, the one
    way that neither changes it nor is deprecated.
    """

    __slots__ = ("_counters", "_many", "_told")

    def __init__(self) -> None:
        self._counters: dict[str, count[int]] = {}
        self._many: dict[str, int] = {}
        self._told: dict[str, int] = {}

    def add(self, reason: str, records: int = 1) -> None:
        counter = self._counters.get(reason)
        if counter is None:
            counter = self._counters.setdefault(reason, count())
        for _ in range(records):
            next(counter)

    def add_many(self, reason: str, records: int) -> None:
        """Any number at once. By the keeper alone."""
        self._many[reason] = self._many.get(reason, 0) + records

    def total(self) -> dict[str, int]:
        """All that was dropped, by reason."""
        out = {reason: int(repr(counter)[6:-1]) for reason, counter in list(self._counters.items())}
        for reason, records in list(self._many.items()):
            out[reason] = out.get(reason, 0) + records
        return out

    def untold(self) -> dict[str, int]:
        """What no record has spoken of yet. The keeper alone calls this and `told`, one caller at a time."""
        now = self.total()
        return {reason: n - self._told.get(reason, 0) for reason, n in now.items() if n > self._told.get(reason, 0)}

    def told(self, reason: str, records: int) -> None:
        self._told[reason] = self._told.get(reason, 0) + records
