"""From the series of this process to single values by path."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tellback.client.metrics.reading import Reading, read
from tellback.client.status.tree import shown


class Value(NamedTuple):
    path: str
    labels: dict[str, str]
    value: float
    total: bool
    """It only grows, since this process began; else it is what holds now."""


def values() -> Iterator[Value]:
    """Each number there is: a counter's and a gauge's under its name, others below it (`request_time.p99`)."""
    for reading in read():
        yield from _values(reading)


def _values(reading: Reading) -> Iterator[Value]:
    path = ".".join(re.sub(r"[^\w-]", "_", part) or "_" for part in reading.name.split("."))
    whole = shown(reading)
    if not isinstance(whole, dict):
        yield Value(path, reading.labels, whole, reading.type == "counter")
        return
    for name, value in whole.items():
        if isinstance(value, int | float):
            yield Value(f"{path}.{name}", reading.labels, float(value), name in ("count", "sum"))


def number(value: float) -> str:
    """All the digits it has; whole numbers without a point."""
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
