"""Where a command works: a server over HTTP, or a data directory on this machine."""

import argparse
import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tellback.cli._exit import DENIED, USAGE, CommandError
from tellback.cli._http import Server

DEFAULT_URL = "http://127.0.0.1:8321"
DEFAULT_DATA = Path("tellback-data")
"""Where `tellback serve` puts its data when it is not told; taken when nothing else is said either."""


@dataclass(frozen=True)
class Place:
    """One of the two is None."""

    server: Server | None
    data: Path | None


def add_options(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("where", "the server by address and token, or its data directory on this machine")
    group.add_argument("--url", help=f"the server's address (TELLBACK_URL; {DEFAULT_URL})")
    group.add_argument("--token", help="a read or admin token (TELLBACK_TOKEN)")
    group.add_argument(
        "--data", metavar="DIR", help="the data directory, as the server's user; needs no token (TELLBACK_DATA)"
    )


def place(args: argparse.Namespace) -> Place:
    """What is said on the command line goes before the environment, the data directory before the address."""
    if args.data and args.url:
        raise CommandError("give --data or --url, not both", USAGE)
    data = args.data or (None if args.url else os.environ.get("TELLBACK_DATA"))
    if not data and not args.url and not os.environ.get("TELLBACK_URL") and DEFAULT_DATA.is_dir():
        data = str(DEFAULT_DATA)
    if data:
        folder = Path(data).expanduser()
        if not folder.is_dir():
            raise CommandError(f"{folder} is no data directory; `tellback serve --data {folder}` makes one", USAGE)
        return Place(None, folder)
    url = args.url or os.environ.get("TELLBACK_URL") or DEFAULT_URL
    return Place(Server(url, args.token or os.environ.get("TELLBACK_TOKEN") or ""), None)


def running(data: Path) -> Server | None:
    """The server that has `data` open, with its local admin token; None when none has."""
    if not _is_locked(data / "lock"):
        return None  # a server.json that is there was left behind by a server that was killed
    try:
        said: dict[str, Any] = json.loads((data / "server.json").read_bytes())
        return Server(str(said["url"]), str(said["token"]))
    except PermissionError:
        path = data / "server.json"
        raise CommandError(f"{path} is not yours: be the server's user, or use --url and --token", DENIED) from None
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _is_locked(path: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows: no flock; the server.json that a server removes at its end has to do
        return path.with_name("server.json").exists()
    try:
        handle = path.open("rb")
    except OSError:
        return False
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        with contextlib.suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_UN)
    return False
