"""`POST /v1/records`: NDJSON, from Tellback's client in slices of segments, or from anything that can post lines.

The format is in `docs/spec/slice.md`, the answers in the outside contract: 202, or 400 where nothing could be kept,
`{"accepted", "rejected", "duplicates", "errors": [{"line", "reason"}]}`.
"""

import base64
import binascii
import re
import uuid
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET

from tellback.record import (
    HEADER_OFFSET,
    HEADER_PROCESS,
    HEADER_SEGMENT,
    INT64_MAX,
    MAX_LINE,
    PROCESS_FIELDS,
)
from tellback.server.intake import canonical
from tellback.server.intake.canonical import Bad, Inline, Own
from tellback.server.intake.contract import Answer, Batch, Range, Refusal, Request, Wire
from tellback.server.intake.seen import covers, overlaps

_SEGMENT = re.compile(r"[0-9a-f]{32}")
_BLANK = b" \t\r\0"
"""What a line of filler is made of. NULs are the unwritten rest of a segment that someone posted as a file."""

MOST_LOST = 2**53
"""A sender's own count is taken on trust, but not so far that a sum of them leaves the 64 bits of the ledger: a load
that fails over it would fail for ever, and all that comes after it would wait."""

MAX_WRITTEN = 256 << 20
"""Bytes that one body may become. Each line carries what is constant for its process: of 64 MiB of `{}` that would be
gigabytes, and a few kilobytes compressed are 64 MiB."""

_FALLBACK = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class Records(Wire):
    name = "records"
    paths = ("/v1/records",)

    def decode(self, request: Request) -> Batch:
        batch = Batch(request.grant.project, request.grant.token_id, self.name, request.received)
        ranges = _identify(batch, request)
        _Reader(batch, request, ranges).read()
        return batch

    def answer(self, batch: Batch) -> Answer:
        body = {
            "accepted": len(batch.lines),
            "rejected": batch.rejected,
            "duplicates": batch.duplicates,
            "errors": [{"line": reject.line, "reason": reject.reason} for reject in batch.rejects],
        }
        return Answer(400 if batch.empty else 202, msgspec.json.encode(body))


def _identify(batch: Batch, request: Request) -> Sequence[Range]:
    """Set whose bytes these are; the part of them that was accepted before is returned."""
    segment = request.headers.get(HEADER_SEGMENT.lower())
    offset = request.headers.get(HEADER_OFFSET.lower())
    if segment is None and offset is None:
        return ()
    if segment is None or not _SEGMENT.fullmatch(segment):
        raise Refusal(400, "bad_header", "expected 32 lower-case hexadecimal digits", HEADER_SEGMENT)
    if offset is None or not (offset.isascii() and offset.isdigit() and len(offset) < 19):
        raise Refusal(400, "bad_header", "expected the byte offset of the slice in its segment", HEADER_OFFSET)
    batch.segment, batch.offset, batch.size = segment, int(offset), len(request.body)
    if batch.offset + batch.size > INT64_MAX:
        raise Refusal(400, "bad_header", "the offset does not fit 64 bits", HEADER_OFFSET)
    ranges = request.seen.ranges(batch.project, segment)
    return ranges if overlaps(ranges, batch.offset, batch.offset + batch.size) else ()


def process_of(header: str) -> dict[str, Any]:
    """What `Tellback-Process` says; keys it does not know are the client's own business. Raises `Refusal`."""
    try:
        text = base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))
        return _process(canonical.parse(text))
    except (binascii.Error, ValueError) as error:
        raise Refusal(400, "bad_header", f"expected base64url of a JSON object: {error}", HEADER_PROCESS) from None


def _process(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise Bad("expected a JSON object")
    # As a line with nothing else in it, so that its fields meet the same rules.
    line = canonical.repaired({name: value[name] for name in PROCESS_FIELDS if name in value}, 0)
    return {name: given for name in PROCESS_FIELDS if (given := getattr(line, name)) is not UNSET}


class _Reader:
    """Goes once through the lines of a body and fills the batch."""

    def __init__(self, batch: Batch, request: Request, ranges: Sequence[Range]) -> None:
        self.batch = batch
        self.body = request.body
        self.lines = self.body.count(b"\n") + 1
        self.received = request.received
        self.ranges = ranges
        # Rows need an identity also where the sender gave none; such a segment is never asked for again.
        self.constant = {
            "project": batch.project,
            "segment": batch.segment or uuid.uuid4().hex,
            "received": batch.received,
        }
        header = request.headers.get(HEADER_PROCESS.lower())
        self.process: dict[str, Any] = {}
        self.use(process_of(header) if header else {})

    def use(self, process: dict[str, Any]) -> None:
        """Lines from here on are of this process."""
        self.process = process
        # With process fields at hand a line rarely has its own, and those that do go the slow way.
        self.fast: Any = canonical.decode_own if process else canonical.decode_inline
        self.tail = _tail(process | self.constant)
        size = len(self.body) + self.lines * len(self.tail)
        if size > MAX_WRITTEN:
            raise Refusal(
                413, "too_large", f"{self.lines} lines with what is constant for their process are {size} bytes: at "
                f"most {MAX_WRITTEN} are taken at once, send them in smaller parts", "body",
            )  # fmt: skip

    def read(self) -> None:
        encode, received, dropped = canonical.encode, self.received, self.batch.dropped
        append = self.batch.lines.append
        at = self.batch.offset
        for number, line in enumerate(self.body.split(b"\n"), 1):
            start, at = at, at + len(line) + 1
            if self.ranges and covers(self.ranges, start, at - 1):
                self.batch.duplicates += self.counts(line)
                continue
            if len(line) > MAX_LINE:
                self.batch.reject(number, f"a line of {len(line)} bytes: at most {MAX_LINE} are taken", line)
                continue
            try:
                record: Own = self.fast(line)
            except _FALLBACK:
                self.slow(number, line, start)
                continue
            if record.time is UNSET:
                record.time = received
            if record.kind == "lost":
                _count_lost(record, dropped)
            # One object's closing brace makes way for what is constant in the slice: encoded once, not per line.
            append(b'%b,"offset":%d%b' % (encode(record)[:-1], start, self.tail))

    def counts(self, line: bytes) -> bool:
        """Whether a line stands for a record, good or bad."""
        if not line.strip(_BLANK):
            return False
        return not (b'"process"' in line[:MAX_LINE] and _is_process(line))

    def slow(self, number: int, line: bytes, start: int) -> None:
        if not line.strip(_BLANK):
            return
        try:
            value = canonical.parse(line)
            if isinstance(value, dict) and value.get("kind") == "process":
                if not self.process:
                    self.use(_process(value))
                return
            record = canonical.repaired(value, self.received)
            self.batch.lines.append(finished(record, start, self.process, self.constant))
        except Bad as error:
            self.batch.reject(number, str(error), line)
            return
        if record.kind == "lost":
            _count_lost(record, self.batch.dropped)


def finished(record: Inline, offset: int, process: dict[str, Any], constant: dict[str, Any]) -> bytes:
    """The canonical line of a record; what it says itself wins over its process. Raises `Bad` when it grew too long."""
    rest = {name: given for name, given in process.items() if getattr(record, name) is UNSET}
    line = b'%b,"offset":%d%b' % (canonical.encode(record)[:-1], offset, _tail(rest | constant))
    if len(line) > canonical.MAX_CANONICAL:
        raise Bad(f"{len(line)} bytes in canonical form: at most {canonical.MAX_CANONICAL} are taken")
    return line


def _tail(fields: dict[str, Any]) -> bytes:
    return b"," + canonical.encode(fields)[1:] + b"\n"


def _is_process(line: bytes) -> bool:
    try:
        value = canonical.parse(line)
    except Bad:
        return False
    return isinstance(value, dict) and value.get("kind") == "process"


def _count_lost(record: Own, dropped: dict[str, int]) -> None:
    """A sender that had to drop records says so in a record: its name is the reason, its value the number."""
    reason = record.name if isinstance(record.name, str) else "unknown"
    count = record.value if isinstance(record.value, float) and 0 <= record.value < MOST_LOST else 0
    dropped[reason] = min(dropped.get(reason, 0) + int(count), MOST_LOST)


WIRE = Records()
