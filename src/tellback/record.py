"""What a record is: names, types and limits. Client and server both import it; it imports only msgspec.

A record is one line of NDJSON with short clear keys, OpenTelemetry's terms where it has one. `docs/spec/` has the
format in words, with golden files.
"""

from typing import Any

import msgspec

KINDS = frozenset({"event", "log", "error", "metric", "span", "usage", "profile", "lost"})
"""What a line may call itself. `process` is a segment's first line and is never a record."""

LEVELS = ("trace", "debug", "info", "warn", "error", "fatal")
"""OpenTelemetry's severity texts, lower case, least severe first."""

LEVEL_ALIASES = {
    "notset": "trace",
    "notice": "info",
    "information": "info",
    "warning": "warn",
    "err": "error",
    "critical": "fatal",
    "crit": "fatal",
    "emergency": "fatal",
    "alert": "fatal",
}
"""Other programs' words for a level. A word in neither table is kept as it is, in lower case."""

RESERVED = "tellback."
"""Names and attributes that start so are Tellback's own: `tellback.altered` lists the attributes that were changed
because JSON or the store cannot hold them as they came."""

INT64_MIN = -(2**63)
INT64_MAX = 2**63 - 1

MAX_LINE = 1 << 20
"""Bytes of one line. A longer one is rejected alone; its neighbours are kept."""

MAX_BODY = 64 << 20
"""Bytes of one request after decompression."""

MAX_DEPTH = 64
"""Nesting of objects and arrays in one line, the line's own object counted."""

MAX_TEXT = 4096
"""Characters of each column that a question groups or filters by (name, user, service ...); `message` and `attrs` are
bounded by the line alone."""

HEADER_SEGMENT = "Tellback-Segment"  # 32 lower-case hex digits
HEADER_OFFSET = "Tellback-Offset"  # of the slice's first byte in its segment, before compression
HEADER_PROCESS = "Tellback-Process"  # base64url of the segment's `process` line


class Process(msgspec.Struct, omit_defaults=True):
    """What is constant for a process. Stands once in a segment's first line and travels with every slice."""

    service: str | None = None
    release: str | None = None
    environment: str | None = None
    host: str | None = None
    os: str | None = None
    python: str | None = None
    pid: int | None = None
    start: int | None = None
    """When the process began, ns since epoch."""


class Line(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """A line as Tellback's client writes it, without what is constant for its process. All fields may be absent."""

    time: int | None = None
    """When it happened, ns since epoch."""
    kind: str | None = None
    name: str | None = None
    """What it is called: the event, the logger, the exception's type, the metric."""
    level: str | None = None
    message: str | None = None
    user: str | None = None
    session: str | None = None
    run: str | None = None
    trace: str | None = None
    span: str | None = None
    parent: str | None = None
    duration: int | None = None
    """ns."""
    value: float | None = None
    attrs: dict[str, Any] | None = None


FIELDS = Line.__struct_fields__
"""The record's own fields; what else a line carries moves into `attrs`."""

PROCESS_FIELDS = Process.__struct_fields__
