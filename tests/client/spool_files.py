"""Reads spools as docs/spec/spool.md says, without the client's own code."""

import json
from pathlib import Path
from typing import Any

import msgspec

from tellback.record import MAX_LINE, Line


def whole_lines(path: Path) -> list[bytes]:
    """A segment's whole lines: up to the first NUL, and no line without its newline."""
    data = path.read_bytes().split(b"\0", 1)[0]
    return data[: data.rfind(b"\n") + 1].splitlines(keepends=True)


def lines(spool: Path) -> list[dict[str, Any]]:
    """All records in a spool, each checked against what a record is."""
    out = []
    for path in sorted(spool.glob("*/*.ndjson")):
        for line in whole_lines(path):
            if not line.startswith(b'{"kind":"process"'):
                assert len(line) <= MAX_LINE
                msgspec.json.decode(line, type=Line)
                out.append(json.loads(line))
    return out


def segments(spool: Path) -> list[Path]:
    return sorted(spool.glob("*/*.ndjson"))
