"""What was seen and not yet told: small sets, shipped as records of kind `usage`.

Counting and draining need no thread: who watches calls `note`, who has time calls `drain`.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Final

MAX_CHARACTERS: Final = 60_000
"""Of one record's list: well below what a message may hold."""

MOST: Final = 200_000
"""Places that are remembered; code that a host makes anew again and again shall not fill its memory."""

Emit = Callable[[str, str, str | None], None]
"""(the record's name, its list: one place a line, the user)."""


class Recorder:
    """Takes each place once and gives them out in lists. Any thread may note; one at a time drains."""

    def __init__(
        self, emit: Emit, seen: str, user: Callable[[], str | None], wake: Callable[[], None] = lambda: None
    ) -> None:
        """`seen` is the name of the records: how it was seen. `wake` is told when there is something to drain again."""
        self._emit = emit
        self._seen = seen
        self._user = user
        self._wake = wake
        self._known: set[tuple[str, str]] = set()
        self._waiting: deque[tuple[str, str | None, str]] = deque()
        """(record's name, user, place). A deque, because append and popleft are whole under the GIL."""

    def note(self, module: str, function: str) -> None:
        """A function was called."""
        self._once(self._seen, f"{module}:{function}")

    def line(self, module: str, number: int) -> None:
        """A line was run."""
        self._once("lines", f"{module}:{number}")

    def _once(self, name: str, place: str) -> None:
        if (name, place) not in self._known and len(self._known) < MOST:
            self._known.add((name, place))
            first = not self._waiting
            self._waiting.append((name, self._user(), place))
            if first:
                self._wake()

    def again(self) -> None:
        """Take what comes from here on as new."""
        self._known.clear()

    def waived(self) -> None:
        """What waits is told by another process: this one is its fork."""
        self._waiting.clear()

    def drain(self) -> None:
        """Make records of what was noted since the last time."""
        sets: dict[tuple[str, str | None], list[str]] = {}
        for _ in range(len(self._waiting)):
            try:
                name, user, place = self._waiting.popleft()
            except IndexError:  # another thread drains, too
                break
            sets.setdefault((name, user), []).append(place)
        for (name, user), places in sets.items():
            for text in lists(sorted(places)):
                self._emit(name, text, user)


def lists(places: Iterable[str]) -> Iterator[str]:
    """Places, one a line, in texts of at most MAX_CHARACTERS."""
    part: list[str] = []
    size = 0
    for place in places:
        place = place[: MAX_CHARACTERS // 2]
        if part and size + len(place) >= MAX_CHARACTERS:
            yield "\n".join(part)
            part, size = [], 0
        part.append(place)
        size += len(place) + 1
    if part:
        yield "\n".join(part)
