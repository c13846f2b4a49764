"""The reporting time zone: fixed at the first start, in every answer.

Its rules are Python's (this system's, or those of the package tzdata) wherever a day is reckoned. DuckDB has rules of
its own, of the day on which it was built: in the winter of 2026, when Vancouver and Winnipeg had given up changing
their clocks, an hour of every day there was counted to another day than the one that a question asked for.
"""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DAY = 86_400
_STEP = 4
_FIRST, _LAST = -130 * 365, (2**63 // 10**9) // _DAY - _STEP
"""Days since epoch: from 1840, before which no zone has a rule, to the last that 64 bits of ns hold."""

_AROUND = 3 * 366
"""Days before and after now whose rules are looked at first."""


def machine_zone() -> str:
    """This machine's zone as an IANA name, UTC where it cannot be told."""
    name = os.environ.get("TZ", "").removeprefix(":")
    if not name:
        for part, path in ((None, Path("/etc/timezone")), ("zoneinfo/", Path("/etc/localtime"))):
            try:
                name = path.read_text().strip() if part is None else str(path.resolve()).partition(part)[2]
            except (OSError, UnicodeDecodeError):
                continue
            if name:
                break
    return name if is_zone(name) else "UTC"


def is_zone(name: str) -> bool:
    """Whether `name` is an IANA zone."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


@cache
def ahead(name: str) -> str:
    """SQL that says by how many microseconds the zone's clocks are ahead of UTC at the column `time` (ns).

    Nearly all records are of these years, whose few changes are compared with one by one; for others the whole list is
    counted through. (All of it as a tree of comparisons takes the engine 200 ms to plan, for each load.)
    """
    found = changes(ZoneInfo(name))
    today = (datetime.now(UTC) - _EPOCH).days
    low, high = ((today + days) * _DAY for days in (-_AROUND, _AROUND))
    near = [change for change in found if change[0] <= low][-1:] + [c for c in found if low < c[0] < high]
    recent = " ".join(f'WHEN "time" < {since * 10**9} THEN {before * 10**6}' for before, since in _pairs(near))
    recent = f"CASE {recent} ELSE {near[-1][1] * 10**6} END" if recent else str(near[-1][1] * 10**6)
    begins, offsets = [since * 10**9 for since, _ in found[1:]], [offset * 10**6 for _, offset in found]
    passed = f"""len(list_filter('{begins}'::BIGINT[], lambda begin: begin <= "time"))"""
    ever = f"('{offsets}'::BIGINT[])[1 + {passed}]"
    return f'CASE WHEN "time" >= {low * 10**9} AND "time" < {high * 10**9} THEN {recent} ELSE {ever} END'


def _pairs(found: list[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """(offset, until when) of all but the last."""
    return ((before, since) for (_, before), (since, _) in pairwise(found))


def changes(zone: ZoneInfo) -> list[tuple[int, int]]:
    """(from when in s since epoch, s ahead of UTC) over all times that a record may have, to the second.

    Looked for in steps of days: no clock was ever put forward and back again within so few.
    """
    found = [(_FIRST * _DAY, _offset(_FIRST * _DAY, zone))]
    for day in range(_FIRST, _LAST + _STEP, _STEP):
        offset = _offset(day * _DAY, zone)
        if offset == found[-1][1]:
            continue
        low, high = (day - _STEP) * _DAY, day * _DAY
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if _offset(middle, zone) == found[-1][1] else (low, middle)
        found.append((high, offset))
    return found


def _offset(seconds: int, zone: ZoneInfo) -> int:
    offset = (_EPOCH + timedelta(seconds=seconds)).astimezone(zone).utcoffset()
    assert offset is not None
    return round(offset.total_seconds())
