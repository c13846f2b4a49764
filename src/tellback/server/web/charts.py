"""Rows of a question as charts: every chart is a table at heart.

A time series is sent as a table (in a `<details>` under the plot) that `charts.js` draws with uPlot, so that what is
drawn, read aloud and copied is one thing. Bars, heatmaps and sparklines are drawn here, as SVG and table cells
(docs/decisions/0042).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tellback.server.web.words import moment

HOUR, DAY, WEEK, MONTH = "hour", "day", "week", "month"
HOURLY_DAYS = 7
"""A range up to this many days is drawn by the hour: 168 bars at most."""

LEVELS = (
    # as shown, its colour in charts.js and tellback.css, the levels it holds
    ("error", "error", ("error", "fatal")),
    ("warn", "warn", ("warn",)),
    ("info", "info", ("info",)),
    ("debug", "debug", ("debug", "trace")),
    ("no level", "none", ()),
)


@dataclass(frozen=True)
class Series:
    label: str
    color: str
    values: list[int]

    @property
    def total(self) -> int:
        return sum(self.values)


@dataclass(frozen=True)
class Chart:
    """A time series: `x` holds each bucket's begin, aware, in the reporting zone."""

    title: str
    step: str
    x: list[datetime]
    series: list[Series]
    kind: str = "line"
    """line, or bars: stacked."""

    def label(self, at: datetime) -> str:
        text = {HOUR: f"{at:%a} {at.day} {at:%b %H:%M}", MONTH: f"{at:%B %Y}"}.get(
            self.step, f"{at:%a} {at.day} {at:%b}"
        )
        return text + (" (so far)" if at == self.x[-1] else "")

    @property
    def empty(self) -> bool:
        return not any(series.total for series in self.series)


def buckets(step: str, begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The begin of every bucket of a range. Days are the zone's own, so one of them may have 23 or 25 hours."""
    begin, end = begin.astimezone(zone), end.astimezone(zone)
    if step == HOUR:
        first = begin.replace(minute=0, second=0, microsecond=0)
        count = max(0, -int((first.timestamp() - end.timestamp()) // 3600))
        return [datetime.fromtimestamp(first.timestamp() + 3600 * hour, zone) for hour in range(count)]
    found, day = [], first_day(step, begin.date())
    while (at := datetime.combine(day, time(), zone)) < end:
        found.append(at)
        day = next_day(step, day)
    return found


def first_day(step: str, day: date) -> date:
    if step == WEEK:
        return day - timedelta(days=day.weekday())
    return day.replace(day=1) if step == MONTH else day


def next_day(step: str, day: date) -> date:
    if step == MONTH:
        return (day.replace(day=28) + timedelta(days=4)).replace(day=1)
    return day + timedelta(days=7 if step == WEEK else 1)


def step_for(days: float) -> str:
    return HOUR if days <= HOURLY_DAYS else DAY


def bucket_of(value: str, step: str, zone: ZoneInfo) -> datetime:
    """A row's bucket as the begin it stands for. A bare date is the zone's day."""
    if len(value) <= 10:
        return datetime.combine(date.fromisoformat(value), time(), zone)
    at = moment(value).astimezone(zone)
    return at if step == HOUR else datetime.combine(at.date(), time(), zone)


def filled(
    rows: Iterable[Mapping[str, Any]], column: str, value: str, step: str, x: Sequence[datetime], zone: ZoneInfo
) -> list[int]:
    """One value for every bucket, 0 where no row has it: a time without records is not a gap in a line."""
    found: dict[datetime, int] = {}
    for row in rows:
        at = bucket_of(row[column], step, zone)
        found[at] = found.get(at, 0) + (row[value] or 0)
    return [found.get(at, 0) for at in x]


def by_level(rows: Sequence[Mapping[str, Any]], step: str, x: Sequence[datetime], zone: ZoneInfo) -> list[Series]:
    """`records.histogram` as stacked series, most severe first; series without a record are left out."""
    named = {level for _, _, levels in LEVELS for level in levels}
    found = []
    for label, color, levels in LEVELS:
        mine = [row for row in rows if (row["level"] in levels if levels else row["level"] not in named)]
        if mine:
            found.append(Series(label, color, filled(mine, "bucket", "records", step, x, zone)))
    return found


def sparkline(values: Sequence[int], width: int = 120, height: int = 28) -> str:
    """The points of an SVG polyline. A flat line lies at the bottom; one point is no line."""
    if len(values) < 2:
        return ""
    top = max(values) or 1
    across = width / (len(values) - 1)
    return " ".join(
        f"{index * across:.1f},{height - 2 - (height - 4) * value / top:.1f}" for index, value in enumerate(values)
    )


@dataclass(frozen=True)
class Cohort:
    begin: str
    users: int
    shares: list[tuple[int, float] | None]
    """(users, share) for each period since, None where that lies in the future."""


def cohorts(rows: Sequence[Mapping[str, Any]]) -> tuple[list[Cohort], int]:
    """`adoption.retention` as the rows of a heatmap, newest cohort last, and how many periods it is wide."""
    width = 1 + max((row["period"] for row in rows), default=-1)
    found: dict[str, Cohort] = {}
    for row in rows:
        cohort = found.setdefault(row["cohort"], Cohort(row["cohort"], 0, [None] * width))
        cohort.shares[row["period"]] = (row["users"], row["share"])
    sized = [
        Cohort(cohort.begin, cohort.shares[0][0] if cohort.shares and cohort.shares[0] else 0, cohort.shares)
        for cohort in found.values()
    ]
    return sorted(sized, key=lambda cohort: cohort.begin), width
