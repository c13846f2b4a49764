"""What the demo shows: once, the answers as tables; or a server that stays up, with a link to sign in."""

import sys
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from tellback.demo import fill
from tellback.demo.calendar import Calendar
from tellback.demo.serving import Server

ANSWERS: dict[str, dict[str, str]] = {
    "adoption.active_users": {"period": "month"},
    "adoption.top_users": {"limit": "10"},
    "adoption.teams": {},
    "adoption.features": {"limit": "15"},
    "adoption.retention": {"period": "month"},
    "errors.top": {"limit": "10"},
    "store.ledger": {},
}
"""The questions that the demo answers by itself, with what they are given beside the ninety days."""


def once(data: Path | None, port: int) -> None:
    """Fills a server, prints the answers and ends it. Without a directory of its own it leaves nothing behind."""
    with TemporaryDirectory(prefix="tellback-demo-") as temporary:
        folder = data or Path(temporary) / "data"
        filled = fill.prepare(folder)
        with Server(folder, port) as server:
            if filled.records is None:
                fill.fill(server, filled, sys.stderr)
            print_answers(server, filled)


def stay(data: Path, port: int) -> None:
    """Fills a server if it is new, prints how to sign in, and stays until Ctrl-C."""
    filled = fill.prepare(data)
    with Server(data, port) as server:
        if filled.records is None:
            fill.fill(server, filled, sys.stderr)
            _say(
                f"{filled.records:,} records came through the client, the spool and the intake; all are in the answers."
            )
        else:
            _say(f"{data} already holds {filled.records:,} records up to {filled.today}; they are used again.")
            _say(f"To have the ninety days up to today, remove it: rm -r {data}")
        _say(f"\nSign in: {server.sign_in_link()}\n")
        # As it was started: in a clone `tellback` is .venv/bin/tellback, and not on the path.
        program = sys.argv[0] if Path(sys.argv[0]).name == "tellback" else "tellback"
        _say(f"Ask:     {program} ask adoption.teams --data {data}")
        _say("End it with Ctrl-C; the data stays.")
        server.wait()


def print_answers(server: Server, filled: fill.Mark) -> None:
    calendar = Calendar(filled.today)
    days = {"from": calendar.first.isoformat(), "to": (calendar.today + timedelta(days=1)).isoformat()}
    for name, params in ANSWERS.items():
        ranged = {} if name == "store.ledger" else days
        given = [part for key, value in (ranged | params).items() for part in ("--param", f"{key}={value}")]
        _say(f"{name}\n{server.run('ask', name, *given)}")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()
