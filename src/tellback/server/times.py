"""Times as the server speaks them: RFC 3339 text outside, ns since epoch inside, days in the reporting zone."""

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from tellback.record import INT64_MAX, INT64_MIN

SECOND = 1_000_000_000

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_DATE = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
# A space where the `+` of an offset belongs is a `+` that nobody escaped in an address. No offset begins with a space.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9})\d*)?([Zz]|[+\- ]\d\d:\d\d)", re.ASCII)


def text(ns: int) -> str:
    """RFC 3339 in UTC with as many digits as the time has: none, 3, 6 or 9."""
    seconds, fraction = divmod(ns, SECOND)
    whole = (_EPOCH + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%S")
    if not fraction:
        return f"{whole}Z"
    digits = f"{fraction:09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return f"{whole}.{digits}Z"


def parse(value: str, zone: ZoneInfo) -> int:
    """ns since epoch of an RFC 3339 time, or of the start of a date in `zone`. ValueError says what is wrong."""
    if _DATE.fullmatch(value):
        return bounded(day_start(date.fromisoformat(value), zone))
    match = _TIME.fullmatch(value)
    if match is None:
        raise ValueError(
            f"expected a time like 2026-11-01T09:30:00Z (an offset is needed) or a date like 2026-11-01, got {value!r}"
        )
    day, clock, fraction, offset = match.groups()
    offset = "+00:00" if offset in "Zz" else offset.replace(" ", "+")
    moment = datetime.fromisoformat(f"{day}T{clock}{offset}")
    return bounded((moment - _EPOCH) // timedelta(seconds=1) * SECOND + int((fraction or "0").ljust(9, "0")))


def day_start(day: date, zone: ZoneInfo) -> int:
    """ns since epoch of the first instant of `day` in `zone`."""
    midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
    return (midnight - _EPOCH) // timedelta(seconds=1) * SECOND


def day_of(ns: int, zone: ZoneInfo) -> date:
    return (_EPOCH + timedelta(seconds=ns // SECOND)).astimezone(zone).date()


def period_start(day: date, period: str) -> date:
    """First day of the day, ISO week or month that `day` is in."""
    if period == "week":
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if period == "month" else day


def next_period(start: date, period: str) -> date:
    if period == "month":
        return (start + timedelta(days=31)).replace(day=1)
    return start + timedelta(days=7 if period == "week" else 1)


def bounded(ns: int) -> int:
    """`ns` if a record can have it as its time, else ValueError."""
    if not INT64_MIN <= ns <= INT64_MAX:
        raise ValueError("times lie between the years 1678 and 2262")
    return ns
