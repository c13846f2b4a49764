"""One request for a page: who asks, with which filters, at what time; and the answers gathered so far."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from tellback.server.web import filters
from tellback.server.web.contract import Answer, Grant, Params, Web
from tellback.server.web.filters import Filters
from tellback.server.web.words import count_of, moment


@dataclass
class Completeness:
    """What every answer of a page says about itself, put together: the earliest `through`, the most that is missing."""

    through: datetime | None = None
    missing: int = 0
    dropped: int = 0
    begin: datetime | None = None
    end: datetime | None = None

    def add(self, answer: Answer) -> None:
        complete = answer["complete"]
        if complete.get("through"):
            through = moment(complete["through"])
            self.through = min(self.through, through) if self.through else through
        self.missing = max(self.missing, count_of(complete.get("missing")))
        self.dropped = max(self.dropped, count_of(complete.get("dropped")))
        span = answer["range"]
        if span["from"] and span["to"]:  # a question about all there is has neither
            self.begin = moment(span["from"])
            self.end = moment(span["to"]) - timedelta(microseconds=1)  # `to` is not counted: the last day is shown


@dataclass
class View:
    """Handed to every panel. `ask` fills in the filters and takes note of the answer's completeness."""

    web: Web
    request: Request
    grant: Grant
    filters: Filters
    now: datetime
    zone: ZoneInfo
    complete: Completeness = field(default_factory=Completeness)
    asked: dict[tuple[Any, ...], asyncio.Future[Answer]] = field(default_factory=dict)

    async def ask(self, name: str, /, **params: str | Sequence[str]) -> list[dict[str, Any]]:
        """The rows of a question under the bar's filters. `params` add to them; an empty one takes a filter away.

        The list is the caller's own; panels that ask the same share one answer, and its rows.
        """
        return list((await self.answer(name, **params))["rows"])

    async def answer(self, name: str, /, **params: str | Sequence[str]) -> Answer:
        wanted = {key: values for key, values in self.filters.params(**params).items() if any(values)}
        key = (name, *sorted((key, tuple(values)) for key, values in wanted.items()))
        if key not in self.asked:
            self.asked[key] = asyncio.ensure_future(self.web.ask(self.grant, name, wanted))
        # Waiting for it without a shield: when the page gives its late panels up, the question ends with them.
        answer = await self.asked[key]
        self.complete.add(answer)
        return answer

    async def aside(self, name: str, params: Params) -> list[dict[str, Any]]:
        """The rows of a question about another time than the page's: they say nothing of its range."""
        return list((await self.web.ask(self.grant, name, params))["rows"])

    def span(self, answer: Answer) -> tuple[datetime, datetime]:
        """An answer's range as far as it lies in the past: the rest of today is no row of zeros."""
        begin, end = moment(answer["range"]["from"]), moment(answer["range"]["to"])
        return begin, min(end, max(self.now, begin))

    @property
    def admin(self) -> bool:
        return "admin" in self.grant.scopes

    @property
    def origin(self) -> str:
        """Where this server is, for the lines to copy."""
        return str(self.request.base_url).rstrip("/")


def view(web: Web, request: Request, grant: Grant, own: Sequence[str] = ()) -> View:
    """Reads the address. Raises `Refused` for what it cannot read."""
    now, zone = datetime.now(UTC), ZoneInfo(web.zone())
    return View(web, request, grant, filters.read(request.query_params.multi_items(), zone, now, own), now, zone)
