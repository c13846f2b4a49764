"""Overview: how much came in, from whom, what they use, what broke."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from tellback.server.web import charts
from tellback.server.web.charts import Chart, Sparkline
from tellback.server.web.filters import RANGES
from tellback.server.web.panels import Page, Panel
from tellback.server.web.view import View

EVER = "1970-01-01"


@dataclass(frozen=True)
class Figure:
    """One number of the strip on top, with the same number of the time before."""

    label: str
    value: int
    before: int | None
    """None where there is nothing that it could be compared with."""
    line: Sparkline
    link: str
    good: int
    """1 when more is better, -1 when less is, 0 when it is neither."""

    @property
    def change(self) -> float | None:
        return (self.value - self.before) / self.before if self.before else None


@dataclass(frozen=True)
class Before:
    """The time before the range, as long to the second as what of the range is over."""

    begin: datetime
    end: datetime
    name: str
    """As a person says it: previous 30 days."""

    @property
    def params(self) -> dict[str, str]:
        return {"from": self.begin.isoformat(), "to": self.end.isoformat()}


def before(view: View, begin: datetime, end: datetime) -> Before:
    name = RANGES[view.filters.range] if view.filters.range else "period"
    return Before(begin - (end - begin), begin, f"previous {name}")


async def figures(view: View) -> dict[str, Any]:
    step = charts.step_for(view.filters.days)
    # All at once: the range is known from the address, what it comes to is in each answer.
    now, histogram, people = await asyncio.gather(
        view.answer("records.facets", column="kind"),
        view.ask("records.histogram", step=step),
        view.ask("adoption.active_users", period="day"),
    )
    kinds = {row["value"]: row for row in now["rows"]}
    begin, end = view.span(now)
    if not kinds:
        return {"figures": [], "filtered": bool(view.filters.columns)}
    earlier = before(view, begin, end)
    past = await _past(view, earlier)
    x = charts.buckets(step, begin, end, view.zone)
    days = charts.buckets(charts.DAY, begin, end, view.zone)
    running = end == view.now

    def line(kind: str) -> Sparkline:
        rows = [row for row in histogram if row["kind"] == kind]
        return charts.sparkline(charts.filled(rows, "bucket", "records", step, x, view.zone), running)

    def figure(label: str, kind: str, column: str, line: Sparkline, link: str, good: int) -> Figure:
        return Figure(
            label, _of(kinds, kind, column), None if past is None else _of(past, kind, column), line, link, good
        )

    active = charts.sparkline(charts.filled(people, "period", "users", charts.DAY, days, view.zone), running)
    to_records = view.filters.link
    return {
        "figures": [
            figure("Active people", "event", "users", active, f"/adoption{to_records()}", 1),
            figure("Events", "event", "records", line("event"), f"/records{to_records(kind='event')}", 0),
            figure("Errors", "error", "records", line("error"), f"/records{to_records(kind='error')}", -1),
            figure("People with errors", "error", "users", Sparkline(), f"/records{to_records(kind='error')}", -1),
        ],
        "filtered": False,
        "before": earlier,
    }


async def _past(view: View, earlier: Before) -> dict[str, Mapping[str, Any]] | None:
    """The kinds of the time before, or None when the installation is younger than that: comparing thirty days with the
    first ten there ever were would call everything growth."""
    older, kinds = await asyncio.gather(
        view.aside("records.search", {"from": [EVER], "to": [earlier.begin.isoformat()], "limit": ["1"]}),
        view.aside("records.facets", view.filters.params(column="kind", **earlier.params)),
    )
    return {row["value"]: row for row in kinds} if older else None


def _of(rows: Mapping[str, Mapping[str, Any]], kind: str, column: str) -> int:
    return rows[kind][column] or 0 if kind in rows else 0


async def active(view: View) -> dict[str, Any]:
    answer = await view.answer("adoption.active_users", period="day")
    begin, end = view.span(answer)
    x = charts.buckets(charts.DAY, begin, end, view.zone)
    values = charts.filled(answer["rows"], "period", "users", charts.DAY, x, view.zone)
    return {"chart": charts.people("People active per day", charts.DAY, x, values, begin, end == view.now)}


async def arrived(view: View) -> dict[str, Any]:
    return {"chart": await histogram(view)}


async def histogram(view: View, **params: str | Sequence[str]) -> Chart:
    """`records.histogram` as stacked bars by level or kind."""
    step = charts.step_for(view.filters.days)
    answer = await view.answer("records.histogram", step=step, **params)
    begin, end = view.span(answer)
    x = charts.buckets(step, begin, end, view.zone)
    series = charts.by_severity(answer["rows"], step, x, view.zone)
    return Chart(f"Records per {step}, by level or kind", step, x, series, "bars", end == view.now)


async def features(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("adoption.features", limit="8"))[:8]}


async def errors(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("errors.top", limit="8"))[:8]}


async def services(view: View) -> dict[str, Any]:
    rows = await view.ask("records.facets", column="service", limit="9")
    return {"rows": rows[:8], "more": len(rows) > 8, "most": max((row["records"] for row in rows), default=1)}


async def teams(view: View) -> dict[str, Any]:
    rows = [row for row in await view.ask("adoption.teams") if row["team"] is not None]
    rows.sort(key=lambda row: (row["adopted"] or 0, -row["people"], row["team"]))
    return {"rows": rows[:8], "count": len(rows), "absent": sum(1 for row in rows if not row["active"])}


PAGE = Page(
    "overview",
    "Overview",
    "/",
    (
        Panel("figures", "In numbers", figures, size="figures", wide=True, bare=True),
        Panel("active", "People active per day", active, size="chart", link="/adoption"),
        Panel("arrived", "Records that came in", arrived, size="bars", link="/records"),
        Panel("features", "Most used features", features, size="eight", link="/adoption"),
        Panel("errors", "Top errors", errors, size="eight", link="/records?kind=error"),
        Panel("teams", "Teams, least adopted first", teams, size="eight-lead", link="/adoption"),
        Panel("services", "Services", services, size="eight-lead"),
    ),
    key="o",
)
