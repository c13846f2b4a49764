"""All that this process counts: its series, the pages they lie on, and the reports that tell of them.

A number that is new comes here for its slot, under a lock; every later add goes straight to that slot.
"""

import os
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from tellback.client import chores, live, native
from tellback.client.folder import PAGES
from tellback.client.fork import Mark
from tellback.client.metrics.page import Page, split
from tellback.client.metrics.rates import Rates
from tellback.client.metrics.telling import TOTAL, Grown, grown, lines
from tellback.client.segment import new_id

if TYPE_CHECKING:
    from tellback.client.spool import Spool

P = ParamSpec("P")
R = TypeVar("R")

INTERVAL: Final = 10.0
"""Seconds between reports; `flush` and `close` report at once."""
HEARTBEAT: Final = 60.0
"""Seconds after which a gauge that has not changed is told of again."""
FIRST: Final = 1024
MOST: Final = 1 << 18
"""Slots of the first page, and of all of them together: 64 KiB to 16 MiB. Each next page is four times as large."""

_HOLDS: Final = ("gauge", "meter")
"""Types that say what holds now, a meter by its rates."""

CHUNK: Final = 64 << 10
"""Bytes of lines that go into the spool at once."""

Cell = tuple["memoryview[float]", int]
"""Where a number lies: `values[index]`."""


class Series:
    """One metric with one set of labels."""

    __slots__ = ("definition", "quick", "take")

    def __init__(self, definition: dict[str, Any]) -> None:
        self.definition = definition
        self.quick: Callable[..., None] | None = None
        """A host's call of this series. None until it has a slot, as `take`."""
        self.take: Callable[[float], bool] | None = None
        """Puts a value that was looked at into its slots; False where there is no room."""


class Book:
    """Made at the first add of a process, on its spool."""

    def __init__(self, spool: "Spool", asked: Sequence[Callable[[], object]] = ()) -> None:
        """`asked` is called by the keeper before its reports. Not by `flush` and `close`, whose caller may hold a lock
        that the host's function wants."""
        self.pid = os.getpid()
        self.gate = Mark().page
        """`gate[0]` is 1 where adds are taken: 0 while the red button is pressed, after the end, and in every fork. An
        add reads nothing else to know."""
        self.gate[0] = 0
        self.pages: list[Page] = []
        self.rates: dict[int, Rates] = {}
        """Of meters, by the id of their series."""
        self.closed = False
        self._spool = spool
        self._asked = asked
        self._governor = live.governor
        self._lock = native.rlock()  # a signal handler may count while its own thread makes a slot
        self._telling = native.lock()
        self._numbers: dict[tuple[int, int], int] = {}
        """What a series (by its id) is called on a page (by its place)."""
        self._kept: dict[int, Series] = {}
        """Lest another series get its id."""
        self._next = time.monotonic() + INTERVAL
        self._told_at: dict[tuple[int, int], float] = {}

    def locked(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        """Do it while no other thread makes a slot."""
        with self._lock:
            return work(*args, **kwargs)

    def slot(self, series: Series, key: int = TOTAL) -> Cell | None:
        """A slot of its own for one number of a series, at 0; None where there is no room."""
        with self._lock:
            if self.closed:
                return None
            self._kept[id(series)] = series
            for place in range(len(self.pages) - 1, -1, -1):
                cell = self._slot_on(place, series, key)
                if cell is not None:
                    return cell
            return self._slot_on(len(self.pages) - 1, series, key) if self._grow() else None

    def kept(self) -> list[tuple[int, Series]]:
        """All series by their ids."""
        return list(self._kept.items())

    def _slot_on(self, place: int, series: Series, key: int) -> Cell | None:
        page = self.pages[place]
        number = self._numbers.get((place, id(series)))
        if number is None:
            number = page.define(series.definition)
            if number is None:
                return None
            self._numbers[place, id(series)] = number
        index = page.take(number, key)
        return None if index is None else (page.values, index)

    def _grow(self) -> bool:
        slots = FIRST << 2 * len(self.pages)
        if sum(page.slots for page in self.pages) + slots > MOST or self._spool.over_budget:
            return False
        now = time.time_ns()
        path = self._spool.folder.path / (new_id(now) + PAGES)
        try:
            self.pages.append(Page(path, slots, self._spool.active.header, now))
        except OSError:
            return False
        return True

    # Reports

    def turn(self, hurry: bool) -> None:
        """A chore (`chores`): report when it is time, or in a `hurry`; not while the red button is pressed."""
        if self.closed or self.pid != os.getpid():
            chores.remove(self)
            return
        self.gate[0] = open_ = live.spool is self._spool
        if hurry:
            if open_:
                self.report()
            return
        if open_ and live.governor is not self._governor:
            # Other rules: every series is looked at anew, and those that are not to be have no slot.
            self.close()
            self._spool.book = None
            return
        now = time.monotonic()
        for rates in list(self.rates.values()):
            rates.tick(now)
        if open_ and now >= self._next:
            self._next = now + INTERVAL
            for task in list(self._asked):
                task()
            self.report()
            if self.pages and not self.pages[0].path.exists():  # deleted under our feet: begin anew where the spool is
                self.close()
                self._spool.book = None

    def report(self) -> bool:
        """Put on record what was added since the last report; False if the spool had no room for all of it."""
        # One at a time; `flush` waits for the keeper's, but not for ever (it may be called by a signal handler).
        if not self._telling.acquire(timeout=1):
            return False
        try:
            done = [self._report(place, page) for place, page in enumerate(list(self.pages))]
            return all(done)
        finally:
            self._telling.release()

    def _report(self, place: int, page: Page) -> bool:
        used = page.used
        snapshot = memoryview(page.values[:used].tobytes()).cast("d")
        keys = page.keys[:used].tolist()
        told = page.told()[:used]
        changes = grown(keys, snapshot, told) if snapshot.tobytes() != told.tobytes() else {}
        self._add_quiet(place, page, keys, snapshot, changes)
        if not changes:
            return True
        now = time.time_ns()
        # The order is what a takeover relies on: first what will be told, then the lines, then that they are there.
        page.telling()[:used] = snapshot
        rates = {
            number: self.rates[series].values
            for (on, series), number in self._numbers.copy().items()
            if on == place and series in self.rates
        }
        made = list(lines(page.series, changes, page.id, page.report + 1, now, rates))
        with self._spool.shelf:  # lest the sender delete a segment before the page says that its lines are told
            left_out = self._place(made)
            if len(left_out) == len(made):
                return False
            for index, key in enumerate(keys):
                if split(key)[0] in left_out:
                    page.telling()[index] = page.told()[index]
            page.commit(now)
        return not left_out

    def _place(self, made: list[tuple[int, bytes]]) -> set[int]:
        """Put lines into the spool, many at a time; gives the series whose lines had no room."""
        left_out: set[int] = set()
        chunk: list[tuple[int, bytes]] = []
        size = 0
        for at, (number, line) in enumerate(made, 1):
            chunk.append((number, line))
            size += len(line)
            if size >= CHUNK or at == len(made):
                if left_out or not self._spool.place(b"".join(part for _, part in chunk), counted=False):
                    left_out.update(number for number, _ in chunk)
                chunk, size = [], 0
        return left_out

    def _add_quiet(self, place: int, page: Page, keys: list[int], values: "memoryview[float]", changes: Grown) -> None:
        """What has not changed for a while is told of all the same, if it holds: who looks at one hour sees it."""
        now = time.monotonic()
        for index, packed in enumerate(keys):
            number, key = split(packed)
            if key != TOTAL or number not in page.series or page.series[number]["type"] not in _HOLDS:
                continue
            if number in changes or now - self._told_at.get((place, number), now) >= HEARTBEAT:
                changes.setdefault(number, {}).setdefault(TOTAL, (0.0, values[index]))
                self._told_at[place, number] = now

    # Ends

    def inherited(self) -> None:
        """This process is a fork that Python made: adds go to a book of its own."""
        self.gate[0] = 0

    def leave(self) -> None:
        """Take no more, and leave the pages as they are."""
        self.gate[0] = 0
        with self._lock:
            self.closed = True

    def end(self) -> None:
        """A chore's end."""
        self.close()

    def close(self) -> None:
        """The last report; pages of which all is told are taken off the disk, others are left for a takeover."""
        if self.closed or self.pid != os.getpid():
            return
        self.leave()
        if self.report():
            for page in self.pages:
                page.delete()
