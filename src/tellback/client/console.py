"""Records as lines for people, on standard error, while they are also kept: `init(console=True)`, TELLBACK_DEBUG.

    10:42:07.123 event  export_to_file_edit  rows=1200  user=guido
    10:42:08.001 error  ValueError: no sq10  (rig.py:12 in load)  id=9f0c...

Written in the call itself, so that it stands where the program's own output does: for a person who is watching, not for
a service.
"""

import os
import sys
import time
from contextlib import suppress
from typing import Any, Final

import msgspec

from tellback.client.spool import DurableSpool, Spool

_COLOURS: Final = {"fatal": "31;1", "error": "31", "warn": "33", "debug": "2", "trace": "2"}
_OWN: Final = ("user", "session", "run", "trace")
_HIDDEN: Final = frozenset({"frames", "causes", "members", "breadcrumbs", "id"})
_MOST: Final = 200  # characters of one value


class Echo(Spool):
    """Keeps a line and shows it."""

    __slots__ = ()

    def take(self, line: bytes) -> None:
        super().take(line)
        show(line)


class DurableEcho(DurableSpool):
    """The same on a spool that syncs."""

    __slots__ = ()

    def take(self, line: bytes) -> None:
        super().take(line)
        show(line)


def show(line: bytes) -> None:
    """Write a record's line to standard error. Never raises."""
    with suppress(Exception):
        stream = sys.stderr
        said = words(msgspec.json.decode(line))
        level = said[1]
        if level in _COLOURS and stream.isatty() and not os.environ.get("NO_COLOR"):
            stream.write(f"\x1b[{_COLOURS[level]}m{said[0]}\x1b[0m\n")
        else:
            stream.write(said[0] + "\n")


def words(record: dict[str, Any]) -> tuple[str, str]:
    """A record in one line of words, and its level (empty if it has none)."""
    attrs: dict[str, Any] = record.get("attrs") or {}
    kind, level = str(record.get("kind", "")), str(record.get("level", ""))
    seconds, rest = divmod(record.get("time", 0), 1_000_000_000)
    parts = [
        f"{time.strftime('%H:%M:%S', time.localtime(seconds))}.{rest // 1_000_000:03}",
        f"{level if kind == 'log' else kind:5}",
        ": ".join(_text(record[key]) for key in ("name", "message") if record.get(key)),
    ]
    if kind == "error":
        frames = attrs.get("frames")
        if frames:
            place = frames[-1]
            file = _text(place.get("file")).replace("\\", "/").rpartition("/")[2]
            parts.append(f"({file}:{place.get('line')} in {_text(place.get('function'))})")
        parts.append(f"id={attrs.get('id')}")
    if "duration" in record:
        parts.append(f"{record['duration'] / 1e6:.1f}ms")
    if "value" in record:
        parts.append(f"value={record['value']:g}")
    parts += [
        f"{_text(key)}={_text(value)}" for key, value in attrs.items() if not (kind == "error" and key in _HIDDEN)
    ]
    parts += [f"{key}={_text(record[key])}" for key in _OWN if key in record]
    return "  ".join(parts), level


def _text(value: Any) -> str:
    said = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    if not said.isprintable():  # a control character could rewrite the terminal, another turn the line around
        said = "".join(c if c.isprintable() else c.encode("unicode_escape", "replace").decode() for c in said)
    return said if len(said) <= _MOST else said[: _MOST - 1] + "…"
