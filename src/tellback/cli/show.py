"""`tellback show`: what programs of this user have recorded on this machine, readable. Sends and changes nothing."""

import argparse
import datetime
import json
import os
import sys
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tellback.cli._exit import FINE, USAGE, CommandError

HELP = "prints what has been recorded on this machine"

_FIRST = ("time", "kind", "name")
_LONG = 400
"""Characters of a value; `--format json` has the whole."""


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--spool", metavar="DIR", help="folder; default: TELLBACK_SPOOL, or the user's cache folder")
    parser.add_argument("--kind", action="append", help="only of this kind (event, log, error ...); may be repeated")
    parser.add_argument("--name", action="append", help="only of this name; may be repeated")
    parser.add_argument("--last", type=int, metavar="N", help="only the last N of each process")
    parser.add_argument(
        "--format", choices=("text", "json"), default="text", help="json: a line per record as it lies there"
    )


@dataclass
class Collected:
    """A process's records, oldest first."""

    process: dict[str, Any]
    alive: bool | None
    """None: not a process's folder but slices that a server would not have."""
    records: list[dict[str, Any]]


def run(args: argparse.Namespace) -> int:
    from tellback.client.folder import default_folder

    given = args.spool or os.environ.get("TELLBACK_SPOOL")
    try:
        spool = Path(given).expanduser() if given else default_folder()
    except RuntimeError:
        raise CommandError("this user has no home folder; say --spool", USAGE) from None
    if args.last is not None and args.last < 1:
        raise CommandError(f"--last: expected a number from 1, got {args.last}", USAGE)
    shown = processes = 0
    for collected in _collected(spool, args):
        if not collected.records:
            continue
        processes += 1
        shown += len(collected.records)
        if args.format == "json":
            for record in collected.records:
                print(json.dumps({**_own(collected.process), **record}, ensure_ascii=False))
        else:
            print(_heading(collected))
            for record in collected.records:
                print(_readable(record))
            print()
    if shown:
        words = f"{shown:,} records in {spool}, of {processes} process{'es' if processes > 1 else ''}"
        words += "; some may be with the server already."
    else:
        words = f"nothing in {spool}: nothing was recorded, or all of it is with the server."
    print(words, file=sys.stderr)
    return FINE


def _collected(spool: Path, args: argparse.Namespace) -> Iterator[Collected]:
    from tellback.cli._spool import lives
    from tellback.client.folder import REJECTED, process_folders

    for path in process_folders(spool):
        if path.is_dir():
            yield _of(path, lives(path / "lock"), args)
    yield _of(spool / REJECTED, None, args)


def _of(folder: Path, alive: bool | None, args: argparse.Namespace) -> Collected:
    process: dict[str, Any] = {}
    records: deque[dict[str, Any]] = deque(maxlen=args.last)
    for path in sorted(folder.glob("*.ndjson")):
        for record in _lines(path):
            if record.get("kind") == "process":
                process = process or record
            elif args.kind and record.get("kind", "event") not in args.kind:
                continue
            elif not args.name or record.get("name") in args.name:
                records.append(record)
    return Collected(process, alive, list(records))


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """Whole lines of a segment (docs/spec/spool.md); nothing of a file that is gone meanwhile."""
    from tellback.client import slices

    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    except OSError:
        return
    try:
        offset, end = 0, os.fstat(fd).st_size
        while data := slices.read(fd, offset, end):
            offset += len(data)
            for line in data.splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield record
    finally:
        os.close(fd)


def _own(process: dict[str, Any]) -> dict[str, Any]:
    from tellback.record import PROCESS_FIELDS

    return {name: process[name] for name in PROCESS_FIELDS if name in process}


def _heading(collected: Collected) -> str:
    process = collected.process
    who = " ".join(_plain(str(process[key])) for key in ("service", "release", "environment") if key in process)
    state = {True: "running", False: "ended", None: "set aside, because a server would not have them"}[collected.alive]
    where = f"for {_plain(str(process['url']))}" if "url" in process else "for no server yet"
    return f"{who or 'no service'}, pid {process.get('pid', '?')}, {state}, {where}"


def _readable(record: dict[str, Any]) -> str:
    time = record.get("time")
    parts = [_time(time) if isinstance(time, int) else "?"]
    parts += [f"{_plain(str(record.get('kind', 'event'))):7}", _plain(str(record.get("name", "")))]
    rest = {key: value for key, value in record.items() if key not in (*_FIRST, "attrs")}
    attrs = record.get("attrs")
    for key, value in (*rest.items(), *(attrs.items() if isinstance(attrs, dict) else ())):
        text = value if isinstance(value, str) and value and " " not in value else json.dumps(value, ensure_ascii=False)
        text = text if len(text) <= _LONG else text[: _LONG - 1] + "…"
        parts.append(f"{_plain(key)}={_plain(text)}")
    return "  " + "  ".join(parts)


def _time(time: int) -> str:
    try:
        return datetime.datetime.fromtimestamp(time / 1e9).astimezone().strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
    except (ValueError, OverflowError, OSError):
        return str(time)


def _plain(text: str) -> str:
    """A record's text must not move a terminal's cursor."""
    return "".join(sign if sign.isprintable() else " " for sign in text)
