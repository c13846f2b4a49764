"""Puts the rooms together; the only file that knows them all."""

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from tellback.server.folder import DataFolder
from tellback.server.intake.contract import Batch
from tellback.server.intake.http import Authenticate, Intake, Receive, Scope, Send
from tellback.server.intake.seen import Index
from tellback.server.journal import Journal
from tellback.server.store import Loader, Store
from tellback.version import __version__

log = logging.getLogger("tellback.server")

BEHIND_SECONDS = 0.5
"""Of loading that may be waiting; beyond, intake waits, so that a record is visible within a second."""

BACKLOG = 512 << 20
"""Bytes that may be waiting, however fast the loader is."""

DRAIN_SECONDS = 8
"""For requests under way when the server is asked to stop."""

STOP_SECONDS = 25
"""For stopping as a whole. What is not loaded by then is in the journal."""


class AddressError(Exception):
    """Nothing can listen there; the text says why."""


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
        self.access = open_access(self.folder)
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
        self.pages = Starlette(
            routes=[Route("/healthz", self.health), Route("/readyz", self.ready), *routes(self)],
            exception_handlers={HTTPException: _http_error, Exception: _fault},
        )

    async def close(self) -> None:
        """Syncs and loads what was taken. After `STOP_SECONDS` the process ends anyway: the rest is in the journal."""
        watch = threading.Timer(STOP_SECONDS, os._exit, [0])
        watch.daemon = True
        watch.start()
        await asyncio.to_thread(self.journal.close)
        await asyncio.to_thread(self.loader.stop)
        self.store.close()
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
        await self.store.ask("SELECT 1", timeout=5)
        return JSONResponse({"status": "ready", "version": __version__})

    def metrics(self) -> dict[str, float]:
        """Numbers about the server's own work, for `/metrics`."""
        return {
            "tellback_uptime_seconds": (time.time_ns() - self.started) / 1e9,
            "tellback_journal_backlog_bytes": self.journal.backlog,
            "tellback_load_bytes_per_second": self.loader.rate,
            "tellback_visible_lag_seconds": max(time.time_ns() - self.store.through(), 0) / 1e9,
        }


def routes(server: Server) -> list[BaseRoute]:
    """SEAM: the API's and the pages' routes come here when those rooms are merged."""
    return []


# SEAM: replaced by `tellback.server.access` when that room is merged; nothing below knows more of it than this.


class _StandIn:
    """One write token, made at the first start and kept as a hash."""

    def __init__(self, folder: DataFolder) -> None:
        import hashlib
        import secrets

        from tellback.server.grant import DEFAULT_PROJECT, WRITE, Grant

        self.first: str | None = None
        path = folder.path / "token.sha256"
        if not path.exists():
            self.first = secrets.token_hex(20)
            path.write_text(hashlib.sha256(self.first.encode()).hexdigest())
        known, grant = path.read_text(), Grant(DEFAULT_PROJECT, "first", frozenset({WRITE}))

        def authenticate(token: str, user: str | None) -> Grant | None:
            given = hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
            return grant if secrets.compare_digest(given, known) else None

        self.authenticate: Authenticate = authenticate

    def greeting(self, url: str) -> str | None:
        """What the first start prints, once."""
        return self.first and f"write token: {self.first}"


def open_access(folder: DataFolder) -> _StandIn:
    return _StandIn(folder)


# Serving


def serve(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Run until SIGTERM or SIGINT. Raises `FolderError`, ValueError (zone) and `AddressError` before it begins."""
    with contextlib.closing(_listening(settings)) as listener:
        server = Server(settings)
        asyncio.run(_serve(server, listener, say))


def _listening(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name != "nt":  # there it would let two servers share a port
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.listen(1024)
    except OSError as error:
        listener.close()
        raise AddressError(
            f"cannot listen at {settings.host} port {settings.port}: {error.strerror}; "
            "choose others with --host and --port"
        ) from None
    return listener


async def _serve(server: Server, listener: socket.socket, say: Callable[[str], None]) -> None:
    host, port = listener.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    await server.open()
    # uvicorn's own access log would show tokens that stand in paths, so there is none.
    config = uvicorn.Config(
        server,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    http = _Http(config)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C raises KeyboardInterrupt instead
            loop.add_signal_handler(number, http.stop)
    server.folder.announce({"url": url, "pid": os.getpid(), "version": __version__})
    if (greeting := server.access.greeting(url)) is not None:
        say(greeting)
    say(f"Tellback {__version__} listens at {url}, data in {server.settings.data}")
    try:
        await http.serve([listener])
    finally:
        await server.close()


class _Http(uvicorn.Server):
    """uvicorn without its signal handlers: they raise the signal again after the drain, so the exit code is not 0."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    def stop(self) -> None:
        self.should_exit = True


def _error(status: int, code: str, message: str, where: str | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "message": message, "where": where}}, status)


async def _http_error(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    if status == 404:
        return _error(404, "not_found", "there is nothing at this address", "path")
    detail = error.detail if isinstance(error, HTTPException) else str(error)
    return _error(status, "http_error", detail)


async def _fault(request: Request, error: Exception) -> Response:
    log.error("a request could not be answered", exc_info=error)
    return _error(500, "internal", "a fault of the server's own; its log says more")
