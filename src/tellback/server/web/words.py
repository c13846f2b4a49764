"""Values in the words a page shows them in: numbers, shares, times, lengths of time.

Every function takes what a question's row holds (numbers, RFC 3339 text, None) and gives text or markup. None is an
en dash wherever it stands, so that a table has no holes.
"""

from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from markupsafe import Markup

NONE = "\N{EN DASH}"
THIN = "\N{NARROW NO-BREAK SPACE}"


def number(value: float | None) -> str:
    """1234567 -> 1,234,567; fractions keep three significant digits, which is more than most measurements bear."""
    if value is None:
        return NONE
    if isinstance(value, int) or float(value).is_integer():
        return f"{int(value):,}"
    return f"{value:,.3g}" if abs(value) < 1000 else f"{value:,.0f}"


def short(value: float | None) -> str:
    """For a place where the order of magnitude is what counts: 1,234,567 -> 1.23 M."""
    if value is None:
        return NONE
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e4, "k")):
        if abs(value) >= size:
            divisor = 1e3 if unit == "k" else size
            return f"{value / divisor:.3g}{THIN}{unit}"
    return number(value)


def share(value: float | None) -> str:
    """0.4567 -> 46 %. Below one per cent it says so rather than 0 %, and only all of them are 100 %."""
    if value is None:
        return NONE
    if 0 < value < 0.01:
        return f"<{THIN}1{THIN}%"
    if 0.99 < value < 1:
        return f">{THIN}99{THIN}%"
    return f"{value * 100:.0f}{THIN}%"


def moment(value: str | datetime) -> datetime:
    """RFC 3339 text (or a bare date) -> an aware datetime. Nanoseconds are cut: no page shows them."""
    if isinstance(value, datetime):
        return value if value.tzinfo else value.replace(tzinfo=UTC)
    parsed = datetime.fromisoformat(_microseconds(value))
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _microseconds(text: str) -> str:
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[: min(digits, 6)]:0<6}{tail[digits:]}"


def ago(value: str | datetime | None, now: datetime) -> str:
    """How long ago, in the largest unit that fits: "3 min ago", "yesterday", "5 Mar"."""
    if value is None:
        return NONE
    then = moment(value)
    seconds = (now - then).total_seconds()
    if seconds < 0:
        return "in the future" if seconds < -60 else "now"
    if seconds < 45:
        return "now"
    if seconds < 59.5 * 60:
        return f"{max(1, round(seconds / 60))} min ago"
    if seconds < 23.5 * 3600:
        return f"{round(seconds / 3600)} h ago"
    if seconds < 86400 * 14:
        days = round(seconds / 86400)
        return "yesterday" if days == 1 else f"{days} days ago"
    year = "" if then.year == now.year else f" {then.year}"
    return f"{then.day} {then:%b}{year}"


def exact(value: str | datetime, zone: ZoneInfo) -> str:
    """2026-11-25 10:42:07 Europe/Berlin."""
    return f"{moment(value).astimezone(zone):%Y-%m-%d %H:%M:%S} {zone.key.removeprefix('Etc/')}"


def stamp(value: str | datetime, zone: ZoneInfo) -> str:
    """A row's time among its neighbours: 25 Nov 10:42:07."""
    then = moment(value).astimezone(zone)
    return f"{then.day} {then:%b %H:%M:%S}"


def time_tag(value: str | datetime | None, now: datetime, zone: ZoneInfo) -> Markup:
    """A relative time whose exact one shows on hover. `data-v` is what a table sorts by and copies."""
    if value is None:
        return Markup('<span class="none" data-v="">{}</span>').format(NONE)
    then = moment(value).astimezone(zone)
    text = ago(then, now)
    return Markup('<time datetime="{0}" title="{1}" data-v="{0}">{2}</time>').format(
        then.isoformat(timespec="seconds"), exact(then, zone), text
    )


def day(value: str | datetime, zone: ZoneInfo, year: bool = False) -> str:
    """A day as people write it: 5 Mar, 5 Mar 2026. A bare date is taken as it stands, in whatever zone."""
    then = moment(value)
    if isinstance(value, datetime) or len(value) > 10:
        then = then.astimezone(zone)
    return f"{then.day} {then:%b %Y}" if year else f"{then.day} {then:%b}"


def duration(nanoseconds: float | None) -> str:
    """A length of time in the unit that suits it: 1.24 s, 83 ms, 2 min 5 s."""
    if nanoseconds is None:
        return NONE
    for size, unit in ((1e9, "s"), (1e6, "ms"), (1e3, "µs")):
        if nanoseconds >= size:
            if unit == "s" and nanoseconds >= 60e9:
                minutes, seconds = divmod(round(nanoseconds / 1e9), 60)
                return f"{minutes} min {seconds} s"
            return f"{nanoseconds / size:.3g}{THIN}{unit}"
    return f"{nanoseconds:.0f}{THIN}ns"


def plural(count: int, one: str, many: str | None = None) -> str:
    """1 team, 2 teams, 3 people."""
    return f"{number(count)} {one if count == 1 else many or one + 's'}"


def count_of(value: Any) -> int:
    """`complete.missing` and `.dropped` may come as a number, a list or counts by reason: how many that is."""
    if value is None:
        return 0
    if isinstance(value, dict):
        return sum(count_of(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return len(value)
    return int(value)
