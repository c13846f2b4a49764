"""The functions that a host's adds end in: check, add in memory, store into the slot.

They are closures, because a closure's variables are the fastest there are: an add is 1/2 of what prometheus_client
takes for one (benchmarks/metrics.py), and the running total in a variable is cheaper to add to than the slot.

No lock, and still no add is lost between threads or to a signal handler: CPython lets another thread or a handler in
when a call begins or returns and when a loop jumps back, and between reading a total and storing it there is neither.
`tests/client/test_client_metrics.py` reads the bytecode to hold it. Free-threaded builds have no such rule; there
`instruments` goes the careful way, under a lock.
"""

from collections.abc import Callable, Mapping
from math import ceil, log2
from typing import Any, Final

from tellback.client.metrics.book import Cell
from tellback.metric import PER_OCTAVE

MOST: Final = 1e300
"""Values are below it: their sums then stay finite."""

Gate = Mapping[int, int] | Any
Careful = Callable[[Any, dict[str, Any]], None]
Take = Callable[[float], bool]


def adder(gate: Gate, cell: Cell, careful: Careful, labelled: Careful) -> tuple[Callable[..., None], Take]:
    """A counter's `add`, and the same for a value that was looked at."""
    values, index = cell
    total = 0.0
    one: Any = 1

    def add(n: float = 1, **labels: Any) -> None:
        nonlocal total
        if labels:
            labelled(n, labels)
            return
        if gate[0]:
            if n is one:
                total += 1.0
                values[index] = total
                return
            if (type(n) is int or type(n) is float) and 0 <= n < MOST:
                total += n
                values[index] = total
                return
        careful(n, labels)

    def take(n: float) -> bool:
        nonlocal total
        total += n
        values[index] = total
        return True

    return add, take


def setter(gate: Gate, cell: Cell, careful: Careful, labelled: Careful) -> tuple[Callable[..., None], Take]:
    """A gauge's `set`, and the same for a value that was looked at."""
    values, index = cell

    def set_(value: float, /, **labels: Any) -> None:
        if labels:
            labelled(value, labels)
        elif gate[0] and (type(value) is int or type(value) is float) and -MOST < value < MOST:
            values[index] = value
        else:
            careful(value, labels)

    def take(value: float) -> bool:
        values[index] = value
        return True

    return set_, take


def recorder(
    gate: Gate, slot: Callable[[int], Cell | None], keys: tuple[int, int], careful: Careful, labelled: Careful
) -> tuple[Callable[..., None], Take] | None:
    """A histogram's `record`, and the same for a value that was looked at; None where there is no room.

    `slot` gives the slot of a key; `keys` are those of the sum and of the number of zeros. Buckets get theirs when they
    are first hit.
    """
    sum_key, zero_key = keys
    found = slot(sum_key)
    if found is None:
        return None
    sums, at = found
    total = 0.0
    counts: dict[int, list[Any]] = {}
    """By bucket: the count, and where it lies."""

    def record(value: float, /, **labels: Any) -> None:
        nonlocal total
        if labels:
            labelled(value, labels)
            return
        if gate[0] and (type(value) is float or type(value) is int) and 0 < value < MOST:
            count = counts.get(ceil(log2(value) * PER_OCTAVE) - 1)
            if count is not None:
                total += value
                sums[at] = total
                count[0] += 1.0
                count[1][count[2]] = count[0]
                return
        careful(value, labels)

    def take(value: float) -> bool:
        nonlocal total
        key = ceil(log2(value) * PER_OCTAVE) - 1 if value > 0 else zero_key
        count = counts.get(key)
        if count is None:
            made = slot(key)
            if made is None:
                return False
            count = counts.setdefault(key, [0.0, *made])
        total += value
        sums[at] = total
        count[0] += 1.0
        count[1][count[2]] = count[0]
        return True

    return record, take
