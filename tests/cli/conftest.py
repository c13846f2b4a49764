import io
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

sys.path.insert(0, str(Path(__file__).parents[1] / "questions"))

from memory_store import MemoryStore

from tellback.cli import main
from tellback.server.access import Access
from tellback.server.api import Api, on_http_error, routes
from tellback.server.control import Control
from tellback.server.decisions import open_decisions
from tellback.server.grant import Grant
from tellback.server.questions.asking import Given, ask
from tellback.server.questions.contract import Answer
from tellback.version import __version__

SOURCE = Path(__file__).parents[2] / "src"
Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def tellback(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs the command as its entry point does, in an empty folder, with an environment that says nothing."""
    for name in list(os.environ):
        if name.startswith(("TELLBACK_", "XDG_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run(*words: str, stdin: str = "", **environ: str) -> "subprocess.CompletedProcess[str]":
        with pytest.MonkeyPatch.context() as patch:
            for name, value in environ.items():
                patch.setenv(name, value)
            patch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8"))
            capsys.readouterr()
            try:
                code = main(words)
            except SystemExit as end:  # argparse's own
                code = int(end.code or 0)
            said = capsys.readouterr()
        return subprocess.CompletedProcess(words, code, said.out, said.err)

    return run


@pytest.fixture
def in_process(tmp_path: Path) -> Callable[..., "subprocess.Popen[str]"]:
    """Python in a process of its own, for what only a process shows."""

    def start(code: str, *folders: Path) -> "subprocess.Popen[str]":
        path = os.pathsep.join(map(str, (*folders, SOURCE)))
        return subprocess.Popen(
            [sys.executable, "-W", "error", "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
            cwd=tmp_path, env={**os.environ, "PYTHONPATH": path},
        )  # fmt: skip

    return start


class Running:
    """The API behind a real HTTP server, over a real database of decisions and a store of a few rows."""

    def __init__(self, data: Path, store: MemoryStore) -> None:
        self.data, self.store = data, store
        self.decisions = open_decisions(data, "")
        self.access = Access(self.decisions)
        self.version = __version__
        self.ready = 200
        self.headers: list[tuple[str, str]] = []
        app = Starlette(
            routes=[Route("/healthz", self._health), Route("/readyz", self._ready), *routes(self._api())],
            exception_handlers={HTTPException: on_http_error},
        )
        config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none")
        self._server = uvicorn.Server(config)
        self._socket = config.bind_socket()
        self._socket.listen()  # who comes before the server is up waits instead of being refused
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})
        self._thread.start()

    def _api(self) -> Api:
        async def answer(grant: Grant, name: str, given: Given) -> Answer:
            return ask(self.store, name, given, reads=grant.reads)

        return Api(answer, self.access, self.decisions, Control(self.decisions), dict)

    async def _health(self, _: Request) -> JSONResponse:
        return JSONResponse({"status": "ok", "version": self.version})

    async def _ready(self, _: Request) -> JSONResponse:
        return JSONResponse({"error": {"message": "the disk is full"}}, self.ready)

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join()
        self._socket.close()
        self.decisions.close()


@pytest.fixture(scope="session")
def engine() -> Iterator[MemoryStore]:
    made = MemoryStore()
    yield made
    made.connection.close()


@pytest.fixture
def server(tmp_path: Path, engine: MemoryStore) -> Iterator[Running]:
    engine.clear()
    data = tmp_path / "data"
    data.mkdir()
    running = Running(data, engine)
    yield running
    running.stop()


@pytest.fixture
def client_room() -> Any:
    """The spool's folders are the client's room; doctor looks at them through it."""
    return pytest.importorskip("tellback.client.folder", reason="the client's spool is not here")
