"""One request for a page: who asks, with which filters, at what time; and the answers gathered so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from starlette.requests import Request

from tellback.server.web import filters
from tellback.server.web.contract import Answer, Grant, Web
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
        self.begin = moment(answer["range"]["from"])
        self.end = moment(answer["range"]["to"])


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

    async def ask(self, name: str, /, **params: str | Sequence[str]) -> list[dict[str, Any]]:
        """The rows of a question under the bar's filters. `params` add to them; an empty one takes a filter away."""
        return list((await self.answer(name, **params))["rows"])

    async def answer(self, name: str, /, **params: str | Sequence[str]) -> Answer:
        wanted = {key: values for key, values in self.filters.params(**params).items() if any(values)}
        answer = await self.web.ask(self.grant, name, wanted)
        self.complete.add(answer)
        return answer

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
