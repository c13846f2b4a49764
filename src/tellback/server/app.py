"""Puts the rooms together; the only file that knows them all."""

import asyncio
import contextlib
import logging
import os
import threading
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tellback.server import api, web
from tellback.server.access import Access
from tellback.server.api.metrics import Metric
from tellback.server.decisions import open_decisions
from tellback.server.folder import DataFolder
from tellback.server.grant import Grant
from tellback.server.intake.contract import Batch
from tellback.server.intake.http import Intake, Receive, Scope, Send
from tellback.server.intake.seen import Index
from tellback.server.journal import Journal
from tellback.server.people import directory, table
from tellback.server.questions.asking import Given, ask_async
from tellback.server.questions.contract import Answer, QuestionError
from tellback.server.store import Loader, QueryTimeout, Store
from tellback.version import __version__

log = logging.getLogger("tellback.server")

BEHIND_SECONDS = 0.5
"""Of loading that may be waiting; beyond, intake waits, so that a record is visible within a second."""

BACKLOG = 512 << 20
"""Bytes that may be waiting, however fast the loader is."""

STOP_SECONDS = 25
"""For stopping as a whole. What is not loaded by then is in the journal."""

ANSWER_SECONDS = 5
"""Within which a server that is ready has answered the smallest of questions."""

WATCH_SECONDS = 0.25
"""Between looks at the database of decisions, which the command line changes beside us."""


@dataclass(frozen=True, slots=True)
class Settings:
    data: Path
    host: str = "127.0.0.1"
    port: int = 8321
    zone: str | None = None


class Server:
    """One installation, from `open` to `close`; an ASGI application between the two."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.folder = DataFolder(settings.data)
        self.store = Store(self.folder.store, zone=settings.zone)
        self.seen = Index(self.store.ranges(), self.store.digests())
        self.decisions = open_decisions(settings.data)
        self.access = Access(self.decisions)
        self.people = directory.Sync(self.decisions, self.store)
        self.started = time.time_ns()
        self.journal: Journal
        self.loader: Loader
        self.intake: Intake
        self.pages: Starlette

    async def open(self) -> None:
        """Replays what is in the journal and begins to take and answer."""
        self.journal = Journal(self.folder.journal, settled=self.seen.settle, undone=self.seen.undo)
        for closed in self.journal.waiting():
            self.seen.learn(mark for mark, _ in closed.marks)
        self.loader = Loader(self.store, self.journal, self.folder.attempts)
        self.loader.start()
        self.intake = Intake(self.access.authenticate, self.seen, self)
        await asyncio.to_thread(self.people)
        self.watching = asyncio.create_task(self._watch())
        self.pages = Starlette(
            routes=[
                Route("/healthz", self.health),
                Route("/readyz", self.ready),
                *api.routes(api.Api(self.ask, self.access, self.decisions, self.metrics)),
                *web.routes(web.Web(self.ask_for_page, self._access_for_pages(), lambda: self.store.zone, __version__)),
            ],
            exception_handlers={HTTPException: api.on_http_error, Exception: _fault},
        )

    async def close(self) -> None:
        """Syncs and loads what was taken. After `STOP_SECONDS` the process ends anyway: the rest is in the journal."""
        watch = threading.Timer(STOP_SECONDS, os._exit, [0])
        watch.daemon = True
        watch.start()
        self.watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await self.watching
        await asyncio.to_thread(self.journal.close)
        await asyncio.to_thread(self.loader.stop)
        self.store.close()
        self.decisions.close()
        self.folder.close()
        watch.cancel()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and self.intake.match(scope["path"]):
            await self.intake(scope, receive, send)
        else:
            await self.pages(scope, receive, send)

    # What intake needs of the rooms behind it

    def append(self, batch: Batch) -> Awaitable[None]:
        return self.journal.append(batch)

    async def room(self) -> None:
        while self.loader.behind > BEHIND_SECONDS or self.journal.backlog > BACKLOG:
            await asyncio.sleep(0.02)

    # What is said of the server itself

    async def health(self, _: Request) -> Response:
        return JSONResponse({"status": "ok", "version": __version__})

    async def ready(self, _: Request) -> Response:
        """200 when it takes and answers."""
        for trouble, what in (
            (self.journal.failed, "the journal cannot be written"),
            (self.loader.failed, "loading fails"),
        ):
            if trouble is not None:
                return _error(503, "not_ready", f"{what}: {trouble}")
        try:
            await self.store.ask("SELECT 1", timeout=ANSWER_SECONDS)
        except QueryTimeout:
            return _error(503, "not_ready", "every way to the store is taken by a question that takes long")
        return JSONResponse({"status": "ready", "version": __version__})

    def metrics(self) -> Mapping[str, Metric]:
        """Numbers about the server's own work, for `/metrics`."""
        reasons: dict[tuple[tuple[str, str], ...], float] = {
            (("reason", reason),): float(count) for reason, count in self.store.counts()
        }
        return {
            "tellback_uptime_seconds": _gauge("Since the server started.", (time.time_ns() - self.started) / 1e9),
            "tellback_journal_backlog_bytes": _gauge("Acknowledged and not yet loaded.", self.journal.backlog),
            "tellback_load_bytes_per_second": _gauge("What loading does at present.", self.loader.rate),
            "tellback_visible_lag_seconds": _gauge(
                "Age of the oldest acknowledged record that no answer has yet.",
                max(time.time_ns() - self.store.through(), 0) / 1e9,
            ),
            "tellback_records_total": Metric("counter", "Records by what became of them.", reasons),
        }

    # Questions, for the API and the pages

    def ask(self, grant: Grant, name: str, params: Given) -> Awaitable[Answer]:
        """Raises `QuestionError`. Cancelling it cancels the query."""
        return ask_async(self.store, self.store.ask, name, params, reads=grant.reads)

    async def ask_for_page(self, grant: web.Grant, name: str, params: web.Params) -> web.Answer:
        assert isinstance(grant, Grant)
        try:
            answer: web.Answer = msgspec.to_builtins(await self.ask(grant, name, params))
        except QuestionError as error:
            raise web.Refused(error.code, error.message, error.where, error.status) from None
        return answer

    def _access_for_pages(self) -> web.Access:
        def new_token(scopes: frozenset[str], project: str) -> str:
            try:
                return self.access.new_token(scopes, project or None).token
            except ValueError as error:
                raise web.Refused("bad_parameter", str(error)) from None

        def import_people(raw: bytes) -> web.Imported:
            try:
                report = directory.import_csv(self.decisions, raw)
            except table.FileError as error:
                raise web.Refused("bad_body", str(error), "file") from None
            self.people()  # at once: the page that answers shows the directory
            return _Imported(report.imported, [(bad.line, bad.reason) for bad in report.bad])

        def revoke(token_id: str) -> None:
            if not self.access.revoke(token_id):
                raise web.Refused("not_found", f"no token {token_id} that is not revoked", "id", 404)

        gate = self.access
        return web.Access(
            gate.redeem, gate.sign_in, gate.session, gate.sign_out, gate.list_tokens, new_token, revoke, import_people
        )

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                await asyncio.to_thread(self.people)
                await asyncio.to_thread(self.access.keep_uses)
            except Exception as error:  # tried again at the next look; what is there stays as it is
                log.error("the database of decisions could not be read or written: %s", error)


@dataclass(frozen=True, slots=True)
class _Imported:
    imported: int
    bad: list[tuple[int, str]]


def _gauge(help_: str, value: float) -> Metric:
    return Metric("gauge", help_, {(): value})


def _error(status: int, code: str, message: str, where: str | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "where": where}}, status)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("a request could not be answered", exc_info=error)
    return _error(500, "internal", "a fault of the server's own; its log says more")
