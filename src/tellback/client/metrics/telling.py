"""From what a page has grown by to the lines that tell of it. A living process and a takeover say it alike."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from tellback import metric
from tellback.client.encode import line
from tellback.client.metrics.page import split

TOTAL: Final = 0
"""The key of a counter's, a gauge's and a meter's one value. A histogram's bucket `i` has the key `i`."""
WAS_SET: Final = 1
"""Of a gauge: 1 once it was set, so that one whose first value is 0 is told of."""
SUM: Final = 1 << 20
NOUGHT: Final = SUM + 1
"""Of a histogram: the sum of its values, and how many were 0. Beyond every bucket of a float64 (-68737 to 65535)."""

Grown = dict[int, dict[int, tuple[float, float]]]
"""By series and key: what was added, and the value itself."""


def grown(keys: Sequence[int], values: Sequence[float], told: Sequence[float]) -> Grown:
    """What has changed since `told`, the slots of all threads taken together."""
    out: Grown = {}
    for key, value, before in zip(keys, values, told, strict=True):
        if value != before and key:
            series, part = split(key)
            parts = out.setdefault(series, {})
            added, whole = parts.get(part, (0.0, 0.0))
            parts[part] = (added + value - before, whole + value)
    return out


def lines(
    series: dict[int, dict[str, Any]], changes: Grown, page: str, report: int, now: int, rates: dict[int, list[float]]
) -> Iterator[tuple[int, bytes]]:
    """One line for each series that has something to tell, with its series."""
    for number, parts in changes.items():
        definition = series.get(number)
        if definition is None:
            continue
        value, more = _parts(definition["type"], parts)
        if number in rates:
            more.update(zip(metric.RATES, rates[number], strict=True))
        own = {"time": now, "kind": "metric", "name": definition["name"], "value": value, **definition["fields"]}
        said = {metric.TYPE: definition["type"], metric.REPORT: f"{page}.{report}.{number}", **more}
        said.update((key, definition[word]) for word, key in _WORDS if definition.get(word))
        yield number, line(own, {}, {**definition["labels"], **said})


_WORDS: Final = (("unit", metric.UNIT), ("caveat", metric.CAVEAT))


def _parts(type_: str, parts: dict[int, tuple[float, float]]) -> tuple[float, dict[str, Any]]:
    if type_ == "gauge":
        return parts.get(TOTAL, (0.0, 0.0))[1], {}
    if type_ != "histogram":
        return parts.get(TOTAL, (0.0, 0.0))[0], {}
    total = parts.pop(SUM, (0.0, 0.0))[0]
    zero = int(parts.pop(NOUGHT, (0.0, 0.0))[0])
    buckets = [[index, int(added)] for index, (added, _) in sorted(parts.items())]
    more: dict[str, Any] = {metric.COUNT: zero + sum(count for _, count in buckets)}
    if zero:
        more[metric.ZERO] = zero
    if buckets:
        more[metric.BUCKETS] = buckets
    return total, more
