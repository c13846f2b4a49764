"""Adoption: who uses it, who does not yet, what they use, whether they stay, what stops them."""

import asyncio
from typing import Any

from tellback.server.web import charts
from tellback.server.web.contract import Refused
from tellback.server.web.panels import Page, Panel
from tellback.server.web.view import View

PERIODS = ("day", "week", "month")
POWER_USERS = 100
BLOCKERS = 10


def period_of(view: View, default: str) -> str:
    """The period that the address asks for."""
    period = view.filters.own("period", default)
    if period not in PERIODS:
        raise Refused("bad_period", f"There is no period “{period}”. There are: {', '.join(PERIODS)}.", "period")
    return period


async def summary(view: View) -> dict[str, Any]:
    teams, kinds, features = await asyncio.gather(
        view.ask("adoption.teams"),
        view.ask("records.facets", column="kind"),
        view.ask("adoption.features", limit="1000"),
    )
    listed = [row for row in teams if row["team"] is not None]
    active = next((row["users"] for row in kinds if row["value"] == "event"), 0)
    people, known = sum(row["people"] for row in listed), sum(row["active"] for row in listed)
    return {
        "active": active,
        "people": people,
        "adopted": known / people if people else None,
        "teams": len(listed),
        "absent": [row["team"] for row in listed if not row["active"]],
        "features": len(features),
        "events": sum(row["records"] for row in features),
    }


async def active(view: View) -> dict[str, Any]:
    period = period_of(view, "day")
    answer = await view.answer("adoption.active_users", period=period)
    begin, end = view.span(answer)
    x = charts.buckets(period, begin, end, view.zone)
    values = charts.filled(answer["rows"], "period", "users", period, x, view.zone)
    title = f"People with at least one event, per {period}"
    chart = charts.people(title, period, x, values, begin, end == view.now)
    return {"chart": chart, "period": period, "periods": PERIODS}


async def teams(view: View) -> dict[str, Any]:
    rows = await view.ask("adoption.teams")
    rows.sort(key=lambda row: (row["team"] is None, row["adopted"] or 0, -row["people"], row["team"] or ""))
    return {"rows": rows, "absent": [row for row in rows if row["team"] is not None and not row["active"]]}


async def users(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("adoption.top_users", limit=str(POWER_USERS)))[:POWER_USERS]}


async def features(view: View) -> dict[str, Any]:
    return {"rows": await view.ask("adoption.features", limit="1000")}


async def retention(view: View) -> dict[str, Any]:
    # By day, a heatmap has too many columns to be read; the bar's choice of week or month holds.
    period = period_of(view, "week")
    period = "week" if period == "day" else period
    rows, width = charts.cohorts(await view.ask("adoption.retention", period=period))
    return {"cohorts": rows, "width": width, "period": period}


async def errors(view: View) -> dict[str, Any]:
    return {"rows": (await view.ask("errors.top", limit=str(BLOCKERS)))[:BLOCKERS]}


PAGE = Page(
    "adoption",
    "Adoption",
    "/adoption",
    (
        Panel("summary", "In numbers", summary, size="figures", wide=True, bare=True),
        Panel("active", "People with at least one event", active, size="periods", wide=True),
        Panel("teams", "Teams", teams, size="tall"),
        Panel("features", "Most used features", features, size="tall"),
        Panel("retention", "Retention", retention, size="tall", wide=True),
        Panel("errors", "Top errors that blocked people", errors, size="ten", wide=True),
        Panel("users", "Top 100 power users", users, size="tall", wide=True),
    ),
    own=("period",),
    key="a",
)
