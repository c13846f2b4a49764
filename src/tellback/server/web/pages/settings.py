"""Settings: tokens, people, and the health of what came in."""

from typing import Any
from zoneinfo import ZoneInfo

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from tellback.server.web.contract import Grant, Refused, Web
from tellback.server.web.guard import form, need_admin
from tellback.server.web.panels import Page, common, frame
from tellback.server.web.render import SECURITY, html, respond
from tellback.server.web.view import View, view

PAGE = Page("settings", "Settings", "/settings", (), key="s")
SCOPES = {
    "write": "write: sends records, sees nothing. For programs.",
    "read": "read: asks questions and sees these pages. For people, notebooks.",
    "admin": "admin: read, and everything on this page.",
}
LEDGER = {
    "received": "Lines that came in: accepted, duplicate and quarantined.",
    "accepted": "Kept, on the disk before they were acknowledged.",
    "duplicate": "Sent again and had already; kept once.",
    "quarantined": "Could not be kept; listed below with the reason.",
    "dropped": "Never sent: programs gave them up and said so.",
    "visible": "In the answers now.",
    "difference": "Accepted less visible: 0 unless some wait to be loaded.",
}
MOST_PEOPLE = 16 << 20
"""Bytes of a people file: some 200,000 people."""


class Settings:
    """The endpoints below `/settings`; each gets the request and the grant of a person who is signed in."""

    def __init__(self, web: Web, pages: tuple[Page, ...]) -> None:
        self.web, self.pages = web, pages

    def page(self, request: Request, seen: View, tab: str, values: dict[str, Any], status: int = 200) -> Response:
        parts = {**common(seen), **frame(request, self.pages, PAGE), "tab": tab, **values}
        return respond(request, html(f"settings_{tab}.html", parts), status)

    async def tokens(self, request: Request, grant: Grant) -> Response:
        return await self._tokens(request, grant)

    async def _tokens(self, request: Request, grant: Grant, new: str = "", scope: str = "write") -> Response:
        tokens = list(await run_in_threadpool(self.web.access.list_tokens)) if "admin" in grant.scopes else []
        tokens.sort(key=lambda token: (token.revoked is not None, token.created), reverse=False)
        values = {"tokens": tokens, "new": new, "scope": scope, "scopes": SCOPES}
        return self.page(request, view(self.web, request, grant), "tokens", values)

    async def new_token(self, request: Request, grant: Grant) -> Response:
        """Shows the new token in the answer to the order itself: it is not kept anywhere, so no other page could."""
        need_admin(grant)
        sent = await form(request)
        scope = str(sent.get("scope", ""))
        if scope not in SCOPES:
            raise Refused("bad_scope", f"A token may be one of {', '.join(SCOPES)}, not “{scope}”.", "scope")
        project = str(sent.get("project", "")).strip()
        text = await run_in_threadpool(self.web.access.new_token, frozenset({scope}), project)
        return await self._tokens(request, grant, new=text, scope=scope)

    async def revoke(self, request: Request, grant: Grant) -> Response:
        need_admin(grant)
        await run_in_threadpool(self.web.access.revoke, request.path_params["token"])
        return RedirectResponse("/settings", 303, SECURITY)

    async def health(self, request: Request, grant: Grant) -> Response:
        seen = view(self.web, request, grant)
        ledger = await self.web.ask(grant, "store.ledger", {})
        quarantine = await self.web.ask(grant, "store.quarantine", {"limit": ["100"]})
        # Of the two answers the one with a range: what was dropped long ago is in the ledger's own line.
        seen.complete.add(quarantine)
        seen.complete.begin = None
        lines = {row["reason"]: row["records"] for row in ledger["rows"]}
        zone: ZoneInfo = seen.zone
        return self.page(
            request,
            seen,
            "health",
            {
                "ledger": lines,
                "reasons": LEDGER,
                "quarantine": quarantine["rows"],
                "version": self.web.version,
                "zone_name": zone.key,
            },
        )

    async def people(self, request: Request, grant: Grant) -> Response:
        return await self._people(request, grant)

    async def _people(self, request: Request, grant: Grant, report: Any = None) -> Response:
        seen = view(self.web, request, grant)
        teams = await self.web.ask(grant, "adoption.teams", {})
        rows = [row for row in teams["rows"] if row["team"] is not None and row["people"]]
        seen.complete.add(teams)
        seen.complete.begin = None  # the directory has no range
        values = {"teams": rows, "people": sum(row["people"] for row in rows), "report": report}
        return self.page(request, seen, "people", values)

    async def import_people(self, request: Request, grant: Grant) -> Response:
        need_admin(grant)
        sent = await form(request, MOST_PEOPLE)
        try:
            text = await _file(sent)
        finally:
            await sent.close()
        report = await run_in_threadpool(self.web.access.import_people, text)
        return await self._people(request, grant, report)


async def _file(sent: FormData) -> bytes:
    file = sent.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise Refused("no_file", "Choose a CSV file with a heading line “user,team” first.", "file")
    return await file.read()
