"""Rows of a question as charts: every chart is a table at heart.

A time series is sent as a table (in a `<details>` under the plot) that `charts.js` draws with uPlot, so that what is
drawn, read aloud and copied is one thing. Bars, heatmaps and sparklines are drawn here, as SVG and table cells
(docs/decisions/0042).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import ceil
from typing import Any
from zoneinfo import ZoneInfo

from tellback.server.web.words import moment

HOUR, DAY, WEEK, MONTH = "hour", "day", "week", "month"
HOURLY_DAYS = 7
"""A range up to this many days is drawn by the hour: 168 bars at most."""

FEWEST = 4
"""Points that make a line; fewer are drawn as bars."""

SERIES = {
    # as shown, with its colour in charts.js and tellback.css; the most severe is drawn lowest
    "error": "error",
    "warn": "warn",
    "info": "info",
    "debug": "debug",
    "log": "debug",
    "event": "event",
    "metric": "metric",
    "span": "span",
}
SEVERITY = {"fatal": "error", "trace": "debug"}
"""Levels that are drawn as another."""


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
    unfinished: bool = False
    """The last bucket is still being filled."""
    cut: bool = False
    """The range begins within the first bucket, which so counts a part of its time only."""

    def label(self, at: datetime) -> str:
        text = {HOUR: f"{at:%a} {at.day} {at:%b %H:%M}", MONTH: f"{at:%B %Y}"}.get(
            self.step, f"{at:%a} {at.day} {at:%b}"
        )
        if self.unfinished and at == self.x[-1]:
            return text + " (so far)"
        return text + (" (in part)" if self.cut and at == self.x[0] else "")

    @property
    def partial(self) -> str:
        """What the buckets are called that hold a part of their time: a fall at an end of a chart is no news."""
        begun = f"first {self.step} in part" if self.cut else ""
        running = {DAY: "today so far"}.get(self.step, f"this {self.step} so far") if self.unfinished else ""
        return ", ".join(part for part in (begun, running) if part)

    @property
    def empty(self) -> bool:
        return not any(series.total for series in self.series)


def buckets(step: str, begin: datetime, end: datetime, zone: ZoneInfo) -> list[datetime]:
    """The begin of every bucket of a range. Days are the zone's own, so one of them may have 23 or 25 hours; hours are
    whole in UTC, as `records.histogram` counts them."""
    begin, end = begin.astimezone(zone), end.astimezone(zone)
    if step == HOUR:
        first = int(begin.timestamp() // 3600) * 3600
        count = max(0, ceil((end.timestamp() - first) / 3600))
        return [datetime.fromtimestamp(first + 3600 * hour, zone) for hour in range(count)]
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
    # By timestamp: two hours that the clock shows twice would be one as local times.
    found: dict[float, int] = {}
    for row in rows:
        at = bucket_of(row[column], step, zone).timestamp()
        found[at] = found.get(at, 0) + (row[value] or 0)
    return [found.get(at.timestamp(), 0) for at in x]


def people(title: str, step: str, x: list[datetime], values: list[int], begin: datetime, unfinished: bool) -> Chart:
    """People over time: a line, or bars where there are too few points to make one."""
    kind = "line" if len(x) >= FEWEST else "bars"
    cut = bool(x) and x[0] < begin
    return Chart(title, step, x, [Series("people", "accent", values)], kind, unfinished, cut)


def by_severity(rows: Sequence[Mapping[str, Any]], step: str, x: Sequence[datetime], zone: ZoneInfo) -> list[Series]:
    """`records.histogram` as stacked series: by level where a record has one, else by its kind, as the list of records
    names them. The most severe first; series without a record are left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for row in rows:
        name = row["level"] or row["kind"]
        found.setdefault(SEVERITY.get(name, name), []).append(row)
    order = [*(name for name in SERIES if name in found), *sorted(set(found) - set(SERIES))]
    return [
        Series(name, SERIES.get(name, "other"), filled(found[name], "bucket", "records", step, x, zone))
        for name in order
    ]


@dataclass(frozen=True)
class Sparkline:
    """The points of SVG polylines: what is over, and the way to the bucket that is still being filled."""

    done: str = ""
    running: str = ""


def sparkline(values: Sequence[int], unfinished: bool = False, width: int = 120, height: int = 28) -> Sparkline:
    """A flat line lies at the bottom; a few points are no line."""
    if len(values) < FEWEST:
        return Sparkline()
    top = max(values) or 1
    across = width / (len(values) - 1)
    points = [
        f"{index * across:.1f},{height - 2 - (height - 4) * value / top:.1f}" for index, value in enumerate(values)
    ]
    return Sparkline(" ".join(points[:-1]), " ".join(points[-2:])) if unfinished else Sparkline(" ".join(points))


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
    return sorted((cohort for cohort in sized if cohort.users), key=lambda cohort: cohort.begin), width
