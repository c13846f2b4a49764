"""Real servers for what an adapter is put around, a client for them, and a reader of what was recorded."""

import io
import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

TRACE = "0af7651916cd43dd8448eb211c80319c"
SPAN = "b7ad6b7169203331"


@dataclass
class Reply:
    status: int
    headers: dict[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


class Quiet(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        """No access log among the tests' output."""

    def get_stderr(self) -> Any:
        return io.StringIO()


def get(url: str, **headers: str) -> Reply:
    """Ask a server on this machine; an error is an answer too."""
    request = urllib.request.Request(url, headers={name.replace("_", "-"): value for name, value in headers.items()})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        reply = opener.open(request, timeout=20)
    except urllib.error.HTTPError as error:
        reply = error
    with reply:
        return Reply(
            reply.status, {name.lower(): value for name, value in reply.headers.items()}, reply.read().decode()
        )


@contextmanager
def wsgi(application: Any) -> Iterator[str]:
    """Serve a WSGI application with the standard library's server; gives its address."""
    with make_server("127.0.0.1", 0, application, WSGIServer, Quiet) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join(20)


@contextmanager
def asgi(application: Any) -> Iterator[str]:
    """Serve an ASGI application with uvicorn; gives its address."""
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(application, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    ready = threading.Event()
    started = server.startup

    async def startup(*args: Any, **kwargs: Any) -> None:
        await started(*args, **kwargs)
        ready.set()

    server.startup = startup  # type: ignore[method-assign] -- it tells no other way when it listens
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(20)
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)


def records(spool: Path) -> list[dict[str, Any]]:
    """All records in a spool, as docs/spec/spool.md says."""
    out: list[dict[str, Any]] = []
    for path in sorted(spool.glob("*/*.ndjson")):
        data = path.read_bytes().split(b"\0", 1)[0]
        out += [json.loads(line) for line in data.splitlines() if not line.startswith(b'{"kind":"process"')]
    return out
