"""A real server in a process of its own, on a port the OS chose, and plain HTTP to it."""

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

RUN = Path(__file__).with_name("run.py")
SOURCE = Path(__file__).parents[2] / "src"


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Running:
    """`start`, `kill`, `stop`; the data directory outlives all of them."""

    def __init__(self, data: Path, *arguments: str, prefix: tuple[str, ...] = ()) -> None:
        self.data, self.arguments, self.prefix = data, arguments, prefix
        self.token = ""
        self.port = 0

    def start(self) -> "Running":
        env = dict(os.environ, PYTHONPATH=str(SOURCE), TZ="UTC")
        command = [*self.prefix, sys.executable, str(RUN), "--data", str(self.data), "--port", "0", *self.arguments]
        with (self.data.parent / "stderr").open("ab") as errors:
            self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, env=env, text=True)
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith("write token: "):
                self.token = line.split()[-1]
            if " listens at " in line:
                self.port = int(line.split(",")[0].rpartition(":")[2])
                return self
        raise AssertionError((self.data.parent / "stderr").read_text())

    def kill(self) -> None:
        """As a crash does."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self._close()

    def stop(self) -> int:
        """As a service manager does; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        self._close()
        return code

    def _close(self) -> None:
        assert self.process.stdout
        self.process.stdout.close()

    def __enter__(self) -> "Running":
        return self.start()

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        else:
            self._close()

    def request(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Reply:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            given = {"Authorization": f"Bearer {token if token is not None else self.token}", **(headers or {})}
            connection.request(method, path, body, {k: v for k, v in given.items() if v})
            answer = connection.getresponse()
            return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        finally:
            connection.close()

    def post(self, body: bytes, path: str = "/v1/records", **headers: str) -> Reply:
        return self.request("POST", path, body, {k.replace("_", "-"): v for k, v in headers.items()})


def rows(data: Path, sql: str) -> list[tuple[Any, ...]]:
    """Ask the store of a stopped server."""
    import duckdb

    connection = duckdb.connect(str(data / "store.duckdb"), read_only=True)
    try:
        return connection.execute(sql).fetchall()
    finally:
        connection.close()


def until(condition: Any, seconds: float = 20) -> Any:
    """Poll until true; its value. AssertionError after the deadline."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.02)
    raise AssertionError(f"not within {seconds} s")
