"""The demo's server: the same `tellback serve` that a firm runs, as a process of its own."""

import http.client
import os
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import msgspec

PROGRAM = [sys.executable, "-m", "tellback.cli"]
"""`tellback`, also where the script itself is not on the path."""

START = 30.0
"""Seconds that the server has to begin to answer, and to end when asked."""


class ServingError(Exception):
    """The server did not do what the demo needs; the message says what to do."""


class Server:
    """`tellback serve` on a data directory, from `with` to its end; `url` is its address."""

    def __init__(self, data: Path, port: int) -> None:
        self.data = data
        self.url = ""
        self._port = port
        self._log = data / "demo.log"

    def __enter__(self) -> Self:
        self.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        stated = self.data / "server.json"
        # What a killed server left would be taken for the new one's.
        stated.unlink(missing_ok=True)
        serve = [*PROGRAM, "serve", "--data", str(self.data), "--host", "127.0.0.1", "--port", str(self._port)]
        with self._log.open("ab") as log:
            # A process group of its own: Ctrl-C reaches the demo alone, which then ends the server in order.
            self._process = subprocess.Popen(serve, stdout=log, stderr=log, process_group=0)
        try:
            self._await(stated)
        except BaseException:
            self._process.kill()
            self._process.wait()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.poll() is None:
            self._process.terminate()
        try:
            code = self._process.wait(START)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            message = f"The server did not end within {START:.0f} s and was killed; see {self._log}."
            raise ServingError(message) from None
        if code and error is None:
            raise ServingError(f"The server ended with exit code {code}; see {self._log}.")

    def wait(self) -> None:
        """Until the server ends by itself."""
        self._process.wait()

    def run(self, *args: str) -> str:
        """What `tellback ARGS --data DIR` prints."""
        done = subprocess.run([*PROGRAM, *args, "--data", str(self.data)], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServingError(f"`tellback {' '.join(args)}` failed:\n{done.stderr.strip()}")
        return done.stdout

    def ask(self, name: str, **params: str) -> list[dict[str, Any]]:
        given = [part for key, value in params.items() for part in ("--param", f"{key}={value}")]
        answer = msgspec.json.decode(self.run("ask", name, "--format", "json", *given))
        rows: list[dict[str, Any]] = answer["rows"]
        return rows

    def sign_in_link(self) -> str:
        """A new link: it works once, and the first start's may be used already."""
        from tellback.server.access import Access
        from tellback.server.decisions import open_decisions

        decisions = open_decisions(self.data)
        try:
            return f"{self.url}/sign-in/{Access(decisions).create_code()}"
        finally:
            decisions.close()

    def client(self, token: str) -> dict[str, str]:
        """The environment of a program that tells this server."""
        foreign = {name: value for name, value in os.environ.items() if not name.startswith("TELLBACK_")}
        # The person who starts the demo asks for it: the switch is for other people's programs.
        foreign.pop("DO_NOT_TRACK", None)
        return foreign | {
            "TELLBACK_URL": self.url,
            "TELLBACK_TOKEN": token,
            "TELLBACK_SPOOL": str(self.data / "spool"),
            "TELLBACK_INTERVAL": "0.2",
        }

    def _await(self, stated: Path) -> None:
        deadline = time.monotonic() + START
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise ServingError(f"The server did not start:\n{_last_lines(self._log)}")
            if stated.exists() and (url := _url(stated)) and _ready(url):
                self.url = url
                return
            time.sleep(0.05)
        raise ServingError(f"The server did not answer within {START:.0f} s; see {self._log}.")


def _url(stated: Path) -> str | None:
    try:
        url = msgspec.json.decode(stated.read_bytes())["url"]
    except (OSError, msgspec.DecodeError, KeyError):
        return None
    return str(url)


def _ready(url: str) -> bool:
    connection = http.client.HTTPConnection(url.removeprefix("http://"), timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def _last_lines(log: Path, count: int = 8) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
