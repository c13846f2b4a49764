"""What was accepted before: byte ranges of segments, and digests of bodies that have no identity of their own.

A claim is made when a batch is handed to the journal and undone when its sync fails. Every batch that is not yet
durable fails together with the first that failed, so undoing them newest first restores exactly what was.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from typing import Protocol, TypeVar

from tellback.server.intake.contract import Batch, Range

_V = TypeVar("_V")

DIGEST_NS = 3_600_000_000_000
"""How long a repeated body is a duplicate: an hour."""


def merged(ranges: Sequence[Range], new: Range) -> tuple[Range, ...]:
    """Sorted, disjoint `ranges` with `new` in them; touching ranges become one."""
    first, last = new
    if first >= last:
        return tuple(ranges)
    before = [r for r in ranges if r[1] < first]
    after = [r for r in ranges if r[0] > last]
    for low, high in ranges[len(before) : len(ranges) - len(after)]:
        first, last = min(first, low), max(last, high)
    return (*before, (first, last), *after)


def covers(ranges: Sequence[Range], first: int, last: int) -> bool:
    """Whether all of [first, last) was accepted."""
    at = bisect_right(ranges, first, key=lambda r: r[0]) - 1
    return at >= 0 and ranges[at][1] >= last


def overlaps(ranges: Sequence[Range], first: int, last: int) -> bool:
    """Whether any byte of [first, last) was accepted."""
    return any(low < last and first < high for low, high in ranges)


class Accepted(Protocol):
    """What a batch and its mark in the journal have in common."""

    project: str
    received: int
    segment: str | None
    offset: int
    size: int
    digest: str | None
    duplicates: int


class Index:
    """The server's memory of what it accepted; used from the event loop's thread, or while it waits."""

    def __init__(
        self,
        ranges: Iterable[tuple[str, str, int, int]] = (),
        digests: Iterable[tuple[str, str, int]] = (),
    ) -> None:
        self.epoch = 0
        """Rises with each undoing: what was decoded against an older epoch is decoded again."""
        self._ranges: dict[tuple[str, str], tuple[Range, ...]] = {}
        self._digests: dict[tuple[str, str], int] = {}
        self._claims: dict[int, tuple[tuple[Range, ...] | None, int | None]] = {}
        self._swept = 0
        for project, segment, first, last in ranges:
            key = project, segment
            self._ranges[key] = merged(self._ranges.get(key, ()), (first, last))
        for project, digest, received in digests:
            self._digests[project, digest] = received

    def ranges(self, project: str, segment: str) -> Sequence[Range]:
        return self._ranges.get((project, segment), ())

    def repeated(self, project: str, digest: str, now: int) -> bool:
        received = self._digests.get((project, digest))
        return received is not None and now - received < DIGEST_NS

    def learn(self, accepted: Iterable[Accepted]) -> None:
        """Batches that are durable and were not yet loaded when the server started."""
        for batch in accepted:
            if batch.segment is not None:
                key = batch.project, batch.segment
                self._ranges[key] = merged(self._ranges.get(key, ()), (batch.offset, batch.offset + batch.size))
            if batch.digest is not None and not batch.duplicates:
                self._digests[batch.project, batch.digest] = batch.received

    def claim(self, batch: Batch) -> None:
        """Count the batch as accepted, though it is not yet durable."""
        ranges = received = None
        if batch.segment is not None:
            key = batch.project, batch.segment
            ranges = self._ranges.get(key)
            self._ranges[key] = merged(ranges or (), (batch.offset, batch.offset + batch.size))
        if batch.digest is not None:
            received = self._digests.get((batch.project, batch.digest))
            # A repeat does not extend the hour: the first one counts.
            if received is None or batch.received - received >= DIGEST_NS:
                self._digests[batch.project, batch.digest] = batch.received
        self._claims[id(batch)] = ranges, received

    def settle(self, batches: Iterable[Batch]) -> None:
        """These are durable."""
        for batch in batches:
            self._claims.pop(id(batch), None)

    def undo(self, batches: Sequence[Batch]) -> None:
        """These, in the order in which they were claimed, are not durable and never will be."""
        self.epoch += 1
        for batch in reversed(batches):
            if id(batch) not in self._claims:
                continue
            ranges, received = self._claims.pop(id(batch))
            if batch.segment is not None:
                _restore(self._ranges, (batch.project, batch.segment), ranges)
            if batch.digest is not None:
                _restore(self._digests, (batch.project, batch.digest), received)

    def sweep(self, now: int) -> None:
        """Forget digests that no longer matter; cheap to call often."""
        if now - self._swept < DIGEST_NS // 60:
            return
        self._swept = now
        for key in [key for key, received in self._digests.items() if now - received >= DIGEST_NS]:
            del self._digests[key]


def _restore(values: dict[tuple[str, str], _V], key: tuple[str, str], value: _V | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
