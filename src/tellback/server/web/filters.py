"""The one filter bar: what an address says, as a question's parameters and back.

In the address: `range` (24h, 7d, 30d, 90d) or `from` with `until` (both days counted) or `to` (not counted, may hold a
time); each filter column any number of times. What a page adds for itself (`period`, `q`) it names when it reads the
address; a name that nobody knows is refused in words, as the API does.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from tellback.server.web.contract import Refused

RANGES = {"24h": "24 h", "7d": "7 days", "30d": "30 days", "90d": "90 days"}
DEFAULT_RANGE = "30d"
LONGEST_DAYS = 3660
"""Of a page's range. Its charts have a point for each day: from 1678 to 2262 they took the server six seconds, in which
it did nothing else, and the browser ten megabytes."""
COLUMNS = {
    "service": "Service",
    "release": "Release",
    "environment": "Environment",
    "team": "Team",
    "user": "User",
    "name": "Name",
    "kind": "Kind",
    "level": "Level",
    "host": "Host",
}
"""Filters in the order of the bar, with their labels. The first four are always shown."""
SHOWN = tuple(COLUMNS)[:4]


@dataclass(frozen=True)
class Filters:
    """What an address asks for. `extra` holds the page's own parameters."""

    range: str | None
    begin: str
    end: str | None
    until: str | None
    """The last day of a custom range, counted; for the bar's own field."""
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def params(self, **more: str | Sequence[str]) -> dict[str, list[str]]:
        """A question's parameters: the range, every filter, and what is given here (which wins)."""
        params = {"from": [self.begin]}
        if self.end:
            params["to"] = [self.end]
        params |= {name: list(values) for name, values in self.columns.items()}
        params |= {name: [value] if isinstance(value, str) else list(value) for name, value in more.items()}
        return params

    def pairs(self) -> Iterator[tuple[str, str]]:
        """The address again, range and filters, in a fixed order."""
        if self.range:
            if self.range != DEFAULT_RANGE:
                yield "range", self.range
        else:
            yield "from", self.begin
            if self.until:
                yield "until", self.until
            elif self.end:
                yield "to", self.end
        for name, values in self.columns.items():
            for value in values:
                yield name, value

    def query(self, **change: str | None) -> str:
        """`?...` with some names set anew (None takes a name out), the page's own parameters included."""
        own = ((name, value) for name, values in self.extra.items() for value in values)
        kept = [(name, value) for name, value in (*self.pairs(), *own) if name not in change]
        return _query([*kept, *((name, value) for name, value in change.items() if value is not None)])

    def link(self, **change: str | None) -> str:
        """As `query`, without the page's own parameters: for a link to another page."""
        kept = [(name, value) for name, value in self.pairs() if name not in change]
        return _query([*kept, *((name, value) for name, value in change.items() if value is not None)])

    def without(self, column: str, value: str) -> str:
        own = ((name, text) for name, values in self.extra.items() for text in values)
        return _query([pair for pair in (*self.pairs(), *own) if pair != (column, value)])

    def ranged(self, preset: str) -> str:
        """The same filters over a preset range."""
        own = [(name, value) for name, values in self.extra.items() for value in values]
        columns = [(name, value) for name, values in self.columns.items() for value in values]
        return _query([("range", preset), *columns, *own])

    @property
    def days(self) -> float:
        """Length of the range, in days, for the choice of a step; a range without an end ends about now."""
        if self.range:
            return 1 if self.range == "24h" else int(self.range[:-1])
        begin = datetime.fromisoformat(self.begin)
        end = datetime.fromisoformat(self.end) if self.end else datetime.now(begin.tzinfo)
        return (end.replace(tzinfo=None) - begin.replace(tzinfo=None)).total_seconds() / 86400

    def own(self, name: str, default: str = "") -> str:
        values = self.extra.get(name)
        return values[-1] if values else default


def _query(pairs: list[tuple[str, str]]) -> str:
    return "?" + urlencode(pairs) if pairs else "?"


def read(address: Iterable[tuple[str, str]], zone: ZoneInfo, now: datetime, own: Iterable[str] = ()) -> Filters:
    """The filters of an address. Raises `Refused` for a name or a date that makes no sense, and says which do."""
    values: dict[str, list[str]] = {}
    for name, value in address:
        if value.strip():  # a form sends its empty fields too
            values.setdefault(name, []).append(value.strip())
    known = {*COLUMNS, "range", "from", "until", "to", *own}
    if unknown := sorted(set(values) - known):
        raise Refused(
            "unknown_parameter",
            f"“{unknown[0]}” is no filter here. There are: {', '.join(sorted(known))}.",
            where=unknown[0],
        )
    columns = {name: tuple(dict.fromkeys(values[name])) for name in COLUMNS if name in values}
    extra = {name: tuple(values[name]) for name in own if name in values}
    if "from" in values or "until" in values or "to" in values:
        begin, end, until = _custom(values, zone, now)
        return Filters(None, begin, end, until, columns, extra)
    preset = values.get("range", [DEFAULT_RANGE])[-1]
    if preset not in RANGES:
        raise Refused("bad_range", f"There is no range “{preset}”. There are: {', '.join(RANGES)}.", where="range")
    return Filters(preset, _begin(preset, zone, now), None, None, columns, extra)


def _begin(preset: str, zone: ZoneInfo, now: datetime) -> str:
    if preset == "24h":
        # The hour in which it was a day ago is whole, as the days below are: a bar that holds a part of its time
        # misleads at the left end of a chart.
        return (now - timedelta(hours=24)).replace(minute=0, second=0, microsecond=0).isoformat(timespec="seconds")
    # Whole days, today being one of them.
    return (now.astimezone(zone).date() - timedelta(days=int(preset[:-1]) - 1)).isoformat()


def _custom(values: Mapping[str, Sequence[str]], zone: ZoneInfo, now: datetime) -> tuple[str, str | None, str | None]:
    begin = values.get("from", [""])[-1]
    until = values.get("until", [""])[-1] or None
    end = values.get("to", [""])[-1] or None
    if until:
        end = (_day(until, "until") + timedelta(days=1)).isoformat()
    last = _moment(end, "to", zone) if end else now
    if not begin:
        begin = (last.astimezone(zone).date() - timedelta(days=29)).isoformat()
    if last - _moment(begin, "from", zone) > timedelta(days=LONGEST_DAYS):
        raise Refused(
            "bad_range",
            f"The range from {begin} to {until or end or 'now'} is longer than ten years: no chart here can show it.",
            "from",
        )
    if _moment(begin, "from", zone) >= last:
        raise Refused("bad_range", f"The range ends before it begins: from {begin} to {until or end or 'now'}.", "from")
    return begin, end, until


def _day(text: str, where: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise Refused("bad_date", f"“{text}” is no day. Write it as 2026-11-25.", where) from None


def _moment(text: str, where: str, zone: ZoneInfo) -> datetime:
    try:
        if len(text) <= 10:
            return datetime.combine(date.fromisoformat(text), time(), zone)
        parsed = datetime.fromisoformat(text)
    except ValueError:
        raise Refused("bad_time", f"“{text}” is no time. Write 2026-11-25 or 2026-11-25T10:42:07Z.", where) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=zone)
