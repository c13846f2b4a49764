"""Runs the application on one port until it is told to stop."""

import asyncio
import contextlib
import os
import signal
import socket
from collections.abc import Callable, Iterator

import uvicorn

from tellback.server.access import greeting
from tellback.server.app import Server, Settings
from tellback.server.folder import for_this_user_only
from tellback.server.protocol import BoundedProtocol
from tellback.version import __version__

DRAIN_SECONDS = 8
"""For requests under way when the server is asked to stop."""


class AddressError(Exception):
    """Nothing can listen there; the text says why."""


def serve(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Run until SIGTERM or SIGINT. Raises `FolderError`, ValueError (zone) and `AddressError` before it begins."""
    for_this_user_only()
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
        http=BoundedProtocol,
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
    server.folder.announce({"url": url, "pid": os.getpid(), "version": __version__, "token": server.access.local_token})
    if (first := greeting(server.access, server.decisions, url)) is not None:
        say(first)
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
