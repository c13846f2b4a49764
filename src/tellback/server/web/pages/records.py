"""Records: search with words and filters, over time and by column; one record in full."""

import asyncio
import json
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response

from tellback.server.schema import COLUMNS as STORED
from tellback.server.web.contract import Grant, Refused, Web
from tellback.server.web.filters import COLUMNS
from tellback.server.web.pages.overview import histogram
from tellback.server.web.panels import Page, Panel, common, frame
from tellback.server.web.render import html, respond
from tellback.server.web.view import View, view
from tellback.server.web.words import moment

NARROW = tuple(name for name in STORED if name not in {*COLUMNS, "project", "time", "day", "attrs", "received"})
"""Columns that an address may filter by though the bar has no field for them (`trace`, `session` ...): they come
from links and show as chips."""
FACETS = ("level", "kind", "service", "name", "host")
ROWS = 50
NO_FRAME: dict[str, Any] = dict.fromkeys(("module", "file", "function", "line", "code", "in_app"))
NO_CAUSE: dict[str, Any] = dict.fromkeys(("type", "name", "message"))


def searched(seen: View) -> dict[str, list[str]]:
    """The words and the page's own column filters of the address."""
    return {name: list(seen.filters.extra[name]) for name in ("q", *NARROW) if name in seen.filters.extra}


async def over_time(seen: View) -> dict[str, Any]:
    return {"chart": await histogram(seen, **searched(seen))}


async def facets(seen: View) -> dict[str, Any]:
    words = searched(seen)
    # Each column's values under all filters but its own: one sees what else could be chosen.
    found = await asyncio.gather(
        *(seen.ask("records.facets", **{**words, column: "", "column": column, "limit": "8"}) for column in FACETS)
    )
    return {"facets": list(zip(FACETS, found, strict=True))}


async def rows(seen: View) -> dict[str, Any]:
    cursor = seen.filters.own("cursor")
    more = {"cursor": cursor} if cursor else {}
    answer = await seen.answer("records.search", limit=str(ROWS), **searched(seen), **more)
    return {"rows": answer["rows"], "next": answer["next"], "continued": bool(cursor)}


PAGE = Page(
    "records",
    "Records",
    "/records",
    (
        Panel("over_time", "Records over time", over_time, size="histogram", wide=True),
        Panel("facets", "Narrow down", facets, size="facets", bare=True),
        Panel("rows", "Newest first", rows, size="rows", bare=True),
    ),
    own=("q", "cursor", *NARROW),
    template="records.html",
    key="r",
)


async def one(web: Web, pages: tuple[Page, ...], request: Request, grant: Grant) -> Response:
    """`/records/{segment}/{offset}?at=TIME`: a record in full; for htmx only its inside.

    `at` is the record's time: it saves the store a look through all there is. Without it the last 90 days are searched.
    """
    seen = view(web, request, grant, (*PAGE.own, "at"))
    segment, offset = request.path_params["segment"], request.path_params["offset"]
    identity = {"segment": [segment], "offset": [str(offset)], "limit": ["1"]}
    at = seen.filters.own("at")
    if at:
        try:
            then = moment(at)
        except ValueError:
            raise Refused("bad_time", f"“{at}” is no time.", "at") from None
        span = {
            "from": [(then - timedelta(seconds=1)).isoformat()],
            "to": [(then + timedelta(seconds=1)).isoformat()],
        }
    else:
        span = {"from": [(seen.now - timedelta(days=90)).isoformat(timespec="seconds")]}
    answer = await web.ask(grant, "records.search", {**span, **identity})
    if not answer["rows"]:
        raise Refused("not_found", "There is no such record: it may have been retired, or the link is cut.", None, 404)
    record = dict(answer["rows"][0])
    here = f"{request.url.path}?{urlencode({'at': at or record['time']})}"
    values = {**common(seen), "record": record, "address": here, **parts(record)}
    if request.headers.get("hx-request") and not request.headers.get("hx-boosted"):
        return respond(request, html("record_inside.html", {**values, "alone": False}))
    return respond(request, html("record.html", {**values, **frame(request, pages, PAGE), "alone": True}))


def parts(record: dict[str, Any]) -> dict[str, Any]:
    """The record's attributes: an error's frames and causes apart from the rest, and the whole as JSON."""
    attrs = record.get("attrs")
    if isinstance(attrs, str):
        attrs = json.loads(attrs)
    attrs = dict(attrs or {})
    record["attrs"] = attrs
    raw = json.dumps({name: value for name, value in record.items() if value is not None}, indent=2, ensure_ascii=False)
    frames, causes = _objects(attrs, "frames"), _objects(attrs, "causes")
    return {
        "raw": raw,
        "frames": [{**NO_FRAME, **frame, "locals": _pairs(frame.get("locals"))} for frame in frames],
        "causes": [{**NO_CAUSE, **cause} for cause in causes],
        "attrs": {name: _text(value) for name, value in attrs.items()},
    }


def _objects(attrs: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Takes a list of objects out of the attributes. What is not one stays there: anybody may send a `frames`."""
    found = attrs.get(name)
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        return []
    attrs.pop(name)
    return found


def _pairs(value: Any) -> dict[str, str]:
    return {name: _text(part) for name, part in value.items()} if isinstance(value, dict) else {}


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    flat = json.dumps(value, ensure_ascii=False)
    return flat if len(flat) <= 80 else json.dumps(value, ensure_ascii=False, indent=1)
