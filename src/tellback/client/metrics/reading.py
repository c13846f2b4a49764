"""What this process has counted since it began, for whoever looks at it from inside."""

from collections import Counter
from typing import Any

import msgspec

from tellback.client import live
from tellback.client.metrics.page import split
from tellback.client.metrics.telling import NOUGHT, SUM, WAS_SET


class Reading(msgspec.Struct):
    """One series as it stands."""

    name: str
    type: str
    labels: dict[str, str]
    unit: str | None = None
    caveat: str | None = None
    value: float = 0.0
    """A counter's or meter's total, a gauge's value, the sum of a histogram's values."""
    zeros: int = 0
    buckets: dict[int, int] = {}
    rates: list[float] = []

    @property
    def count(self) -> int:
        return self.zeros + sum(self.buckets.values())


def read() -> list[Reading]:
    """All series of this process by name and labels; none where nothing is recorded."""
    book = live.spool.book if live.spool is not None else None
    if book is None:
        return []
    found: dict[tuple[str, str, tuple[tuple[str, str], ...]], Reading] = {}
    parts: dict[int, Counter[int]] = {}
    for page in list(book.pages):
        used = page.used
        for packed, value in zip(page.keys[:used].tolist(), page.values[:used].tolist(), strict=True):
            number, key = split(packed)
            definition = page.series.get(number)
            if definition is None or (key == WAS_SET and definition["type"] == "gauge"):
                continue
            reading = _reading(found, definition)
            if definition["type"] != "histogram" or key == SUM:
                # A series has one slot for this, on whichever page; never two to be added up but after a race.
                reading.value = value if definition["type"] == "gauge" else reading.value + value
            elif key == NOUGHT:
                reading.zeros += int(value)
            else:
                parts.setdefault(id(reading), Counter())[key] += int(value)
    rates = {id(series.definition): book.rates[at].values for at, series in book.kept() if at in book.rates}
    for page in list(book.pages):
        for definition in list(page.series.values()):
            if id(definition) in rates:
                _reading(found, definition).rates = list(rates[id(definition)])
    for reading in found.values():
        reading.buckets = dict(parts.get(id(reading), {}))
    return [found[key] for key in sorted(found)]


def _reading(found: dict[tuple[str, str, tuple[tuple[str, str], ...]], Reading], definition: dict[str, Any]) -> Reading:
    key = (definition["name"], definition["type"], tuple(sorted(definition["labels"].items())))
    reading = found.get(key)
    if reading is None:
        reading = found[key] = Reading(definition["name"], definition["type"], definition["labels"])
        reading.unit, reading.caveat = definition.get("unit"), definition.get("caveat")
    return reading
