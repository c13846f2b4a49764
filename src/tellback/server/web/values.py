"""The values that a filter's menu offers: fetched when the menu is opened, never before."""

from starlette.requests import Request
from starlette.responses import Response

from tellback.server.web.contract import Grant, Refused, Web
from tellback.server.web.filters import COLUMNS
from tellback.server.web.pages.records import PAGE as RECORDS
from tellback.server.web.pages.records import searched
from tellback.server.web.render import html, respond
from tellback.server.web.view import View, view

MOST = 200


async def values_of(web: Web, request: Request, grant: Grant) -> Response:
    """`/values/{column}`: checkboxes for the column's values in the range, those that are on first."""
    column = request.path_params["column"]
    if column not in COLUMNS:
        raise Refused("unknown_column", f"“{column}” is no filter. There are: {', '.join(COLUMNS)}.", "column", 404)
    seen = view(web, request, grant, (*RECORDS.own, "period"))
    chosen = seen.filters.columns.get(column, ())
    rows = await offered(seen, column)
    known = {value for value, _ in rows}
    rows = [(value, None) for value in chosen if value not in known] + rows
    values = {"column": column, "chosen": chosen, "rows": rows, "label": COLUMNS[column], "cut": len(rows) >= MOST}
    return respond(request, html("values.html", values))


async def offered(seen: View, column: str) -> list[tuple[str, int | None]]:
    """Each value with its number of people (teams) or of records, under all filters but the column's own."""
    if column == "team":
        teams = await seen.ask("adoption.teams", team="")
        return [(row["team"], row["active"]) for row in teams if row["team"] is not None]
    rows = await seen.ask("records.facets", **{**searched(seen), column: "", "column": column, "limit": str(MOST)})
    return [(row["value"], row["records"]) for row in rows if row["value"] is not None]
