"""Fills a server with the firm's ninety days, once.

`demo.json` in the data directory says how far that went. What was filled is used again and never doubled; what was
broken off is begun anew in an empty directory, since one half of the history cannot be told from the other.
"""

import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TextIO

import msgspec

from tellback.demo import firm
from tellback.demo.calendar import Calendar
from tellback.demo.play import Said
from tellback.demo.serving import Server

VISIBLE = 30.0
"""Seconds until everything acknowledged must be in the answers; a second is what the server promises."""


class Mark(msgspec.Struct):
    """What `demo.json` holds."""

    seed: int
    today: date
    """The last of the ninety days."""
    records: int | None = None
    """How many were said. None: the filling has not ended."""


class FillError(Exception):
    """The history did not come through; the message says what is known."""


def mark(data: Path) -> Mark | None:
    """What the directory holds; None if it is new. A directory that is not a demo's is refused."""
    path = data / "demo.json"
    if path.exists():
        return msgspec.json.decode(path.read_bytes(), type=Mark)
    if data.exists() and any(data.iterdir()):
        raise FillError(f"{data} is not empty and not a demo's. Give another directory with --data.")
    return None


def prepare(data: Path) -> Mark:
    """Makes the directory ready for the server: as it was if its filling had ended, else empty."""
    found = mark(data)
    if found and found.records is not None:
        return found
    if found:
        shutil.rmtree(data)
    data.mkdir(mode=0o700, parents=True)
    fresh = Mark(firm.SEED, date.today())  # noqa: DTZ011 - the firm's days are those of this machine's calendar
    _write(data, fresh)
    return fresh


def fill(server: Server, filling: Mark, screen: TextIO) -> None:
    """Speaks the whole history to the server and returns when every record of it is in the answers."""
    people = firm.make(filling.seed)
    with NamedTemporaryFile("w", suffix=".csv", encoding="utf-8") as directory:
        directory.write(firm.directory(people))
        directory.flush()
        server.run("people", "import", directory.name)
    token = server.run("token", "new", "--write").strip()
    said = _speak(server, people, filling, token, Progress(screen, days=firm.DAYS * len(people.tools)))
    _await_visible(server, said)
    filling.records = said
    _write(server.data, filling)


def _speak(server: Server, people: firm.Firm, filling: Mark, token: str, progress: "Progress") -> int:
    calendar = Calendar(filling.today)
    until = time.time_ns()
    reigned = [release for release in people.releases if calendar.reign(people, release)]
    reigns = [(tool, release) for release in reigned for tool in people.tools]
    environment = server.client(token)
    total = days = 0
    for number, (tool, release) in enumerate(reigns, start=1):
        play = [sys.executable, "-m", "tellback.demo.play", "--tool", tool.service, "--release", release.name]
        play += ["--today", filling.today.isoformat(), "--until", str(until), "--seed", str(filling.seed)]
        play += ["--last"] if number == len(reigns) else []
        said = Said()
        with subprocess.Popen(play, env=environment, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            try:
                for line in process.stdout:
                    said = msgspec.json.decode(line, type=Said)
                    progress.show(days + said.days, total + said.records, f"{tool.service} {release.name}")
            except BaseException:
                process.terminate()
                raise
        if process.returncode:
            raise FillError(f"{tool.service} {release.name} ended with exit code {process.returncode}.")
        total, days = total + said.records, days + said.days
    progress.end()
    return total


def _await_visible(server: Server, said: int) -> None:
    deadline = time.monotonic() + VISIBLE
    visible = -1
    while time.monotonic() < deadline:
        ledger = {row["reason"]: row["records"] for row in server.ask("store.ledger")}
        visible = ledger.get("visible", 0)
        if visible == said:
            return
        time.sleep(0.2)
    raise FillError(
        f"{said:,} records were said and {visible:,} are in the answers; `tellback ask store.ledger` tells why."
    )


def _write(data: Path, filled: Mark) -> None:
    path = data / "demo.json"
    fresh = path.with_suffix(".new")
    fresh.write_bytes(msgspec.json.encode(filled))
    fresh.replace(path)


class Progress:
    """A bar on a terminal; elsewhere a line for each tenth."""

    WIDTH = 32

    def __init__(self, screen: TextIO, days: int) -> None:
        self._screen = screen
        self._days = days
        self._live = screen.isatty()
        self._tenth = -1

    def show(self, days: int, records: int, what: str) -> None:
        share = days / self._days
        if self._live:
            done = round(share * self.WIDTH)
            bar = "█" * done + "░" * (self.WIDTH - done)
            self._screen.write(f"\r{bar} {share:4.0%} {records:>9,} records  {what:<20}")
        elif int(share * 10) > self._tenth:
            self._tenth = int(share * 10)
            self._screen.write(f"{share:4.0%} {records:>9,} records\n")
        self._screen.flush()

    def end(self) -> None:
        if self._live:
            self._screen.write("\n")
            self._screen.flush()
