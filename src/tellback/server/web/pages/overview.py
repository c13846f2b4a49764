"""Overview: how much came in, from whom, what they use, what broke."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tellback.server.web import charts
from tellback.server.web.charts import Chart, Series
from tellback.server.web.panels import Page, Panel
from tellback.server.web.view import View
from tellback.server.web.words import moment


@dataclass(frozen=True)
class Figure:
    """One number of the strip on top, with the same number of the time before."""

    label: str
    value: int
    before: int
    points: str
    link: str
    good: int
    """1 when more is better, -1 when less is, 0 when it is neither."""

    @property
    def change(self) -> float | None:
        return (self.value - self.before) / self.before if self.before else None


async def figures(view: View) -> dict[str, Any]:
    step = charts.step_for(view.filters.days)
    answer = await view.answer("records.facets", column="kind")
    kinds = {row["value"]: row for row in answer["rows"]}
    begin, end = moment(answer["range"]["from"]), moment(answer["range"]["to"])
    if not kinds:
        return {"figures": [], "filtered": bool(view.filters.columns)}
    before = {"from": (begin - (end - begin)).isoformat(), "to": begin.isoformat()}
    earlier, events, errors, active = await asyncio.gather(
        view.ask("records.facets", column="kind", **before),
        view.ask("records.histogram", step=step, kind="event"),
        view.ask("records.histogram", step=step, kind="error"),
        view.ask("adoption.active_users", period="day"),
    )
    past = {row["value"]: row for row in earlier}
    x = charts.buckets(step, begin, end, view.zone)
    days = charts.buckets(charts.DAY, begin, end, view.zone)
    people = charts.sparkline(charts.filled(active, "period", "users", charts.DAY, days, view.zone))
    used = charts.sparkline(charts.filled(events, "bucket", "records", step, x, view.zone))
    broke = charts.sparkline(charts.filled(errors, "bucket", "records", step, x, view.zone))

    def figure(label: str, kind: str, column: str, points: str, link: str, good: int) -> Figure:
        return Figure(label, _of(kinds, kind, column), _of(past, kind, column), points, link, good)

    to_records = view.filters.link
    return {
        "figures": [
            figure("Active people", "event", "users", people, f"/adoption{to_records()}", 1),
            figure("Events", "event", "records", used, f"/records{to_records(kind='event')}", 0),
            figure("Errors", "error", "records", broke, f"/records{to_records(kind='error')}", -1),
            figure("People with errors", "error", "users", "", f"/records{to_records(kind='error')}", -1),
        ],
        "filtered": False,
    }


def _of(rows: Mapping[str, Mapping[str, Any]], kind: str, column: str) -> int:
    return rows[kind][column] or 0 if kind in rows else 0


async def active(view: View) -> dict[str, Any]:
    answer = await view.answer("adoption.active_users", period="day")
    x = charts.buckets(charts.DAY, moment(answer["range"]["from"]), moment(answer["range"]["to"]), view.zone)
    values = charts.filled(answer["rows"], "period", "users", charts.DAY, x, view.zone)
    return {"chart": Chart("People active per day", charts.DAY, x, [Series("people", "accent", values)])}


async def arrived(view: View) -> dict[str, Any]:
    return {"chart": await histogram(view)}


async def histogram(view: View, **params: str | Sequence[str]) -> Chart:
    """`records.histogram` as stacked bars by level."""
    step = charts.step_for(view.filters.days)
    answer = await view.answer("records.histogram", step=step, **params)
    x = charts.buckets(step, moment(answer["range"]["from"]), moment(answer["range"]["to"]), view.zone)
    series = charts.by_level(answer["rows"], step, x, view.zone)
    return Chart(f"Records per {step}, by level", step, x, series, "bars")


async def features(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("adoption.features", limit="8"))[:8]}


async def errors(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("errors.top", limit="8"))[:8]}


async def services(view: View) -> dict[str, Any]:
    return {"rows": await view.ask("records.facets", column="service", limit="12")}


async def teams(view: View) -> dict[str, Any]:
    rows = [row for row in await view.ask("adoption.teams") if row["team"] is not None]
    rows.sort(key=lambda row: (row["adopted"] or 0, -row["people"], row["team"]))
    return {"rows": rows[:8], "count": len(rows), "absent": sum(1 for row in rows if not row["active"])}


PAGE = Page(
    "overview",
    "Overview",
    "/",
    (
        Panel("figures", "In numbers", figures, size="s", wide=True, bare=True),
        Panel("active", "People active per day", active, size="chart", link="/adoption"),
        Panel("arrived", "Records that came in", arrived, size="chart", link="/records"),
        Panel("features", "Most used features", features, link="/adoption"),
        Panel("errors", "Top errors", errors, link="/records?kind=error"),
        Panel("teams", "Teams, least adopted first", teams, link="/adoption"),
        Panel("services", "Services", services),
    ),
    key="o",
)
