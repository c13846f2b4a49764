"""What stands in a journal file, written and read back. `docs/spec/journal.md` has it in words."""

import zlib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from tellback.server.intake.contract import Batch, Reject

SUFFIX = ".ndjson"
MARK = b'{"batch":'
_REJECT = b'{"reject":'


class Mark(msgspec.Struct, omit_defaults=True):
    """The last line of a batch: a batch without it was never acknowledged. A record's line never begins like it."""

    project: str
    token: str
    wire: str
    received: int
    bytes: int
    """Of the batch before its mark."""
    crc32: int
    """Of the same."""
    records: int = 0
    duplicates: int = 0
    rejected: int = 0
    dropped: dict[str, int] = {}
    segment: str | None = None
    offset: int = 0
    size: int = 0
    digest: str | None = None


class _MarkLine(msgspec.Struct):
    batch: Mark


class _RejectLine(msgspec.Struct):
    reject: Reject


@dataclass(slots=True)
class Closed:
    """An immutable file, handed to the loader."""

    path: Path
    size: int
    first: int
    """When the first of its batches was acknowledged, ns since epoch."""
    marks: list[tuple[Mark, list[Reject]]] = field(default_factory=list)

    @property
    def name(self) -> str:
        return self.path.name

    @property
    def records(self) -> int:
        return sum(mark.records for mark, _ in self.marks)


def written(batch: Batch) -> tuple[bytes, Mark]:
    """The bytes of a batch, its mark at the end."""
    rejects = [msgspec.json.encode(_RejectLine(reject)) + b"\n" for reject in batch.rejects]
    body = b"".join([*batch.lines, *rejects])
    mark = Mark(
        project=batch.project,
        token=batch.token_id,
        wire=batch.wire,
        received=batch.received,
        bytes=len(body),
        crc32=zlib.crc32(body),
        records=len(batch.lines),
        duplicates=batch.duplicates,
        rejected=batch.rejected,
        dropped=batch.dropped,
        segment=batch.segment,
        offset=batch.offset,
        size=batch.size,
        digest=batch.digest,
    )
    return body + msgspec.json.encode(_MarkLine(mark)) + b"\n", mark


def read(path: Path) -> Closed:
    """The acknowledged batches of a file that was left behind; `size` is where they end, a torn tail comes after it."""
    closed = Closed(path, 0, 0)
    rejects: list[Reject] = []
    crc = length = 0
    with path.open("rb") as file:
        for line in file:
            if not line.startswith(MARK):
                if line.startswith(_REJECT):
                    rejects.append(_reject(line))
                crc = zlib.crc32(line, crc)
                length += len(line)
                continue
            mark = _mark(line)
            if mark is None or mark.bytes != length or mark.crc32 != crc:
                break
            closed.marks.append((mark, rejects))
            closed.size += length + len(line)
            rejects, crc, length = [], 0, 0
    closed.first = min((mark.received for mark, _ in closed.marks), default=0)
    return closed


def _mark(line: bytes) -> Mark | None:
    try:
        return msgspec.json.decode(line, type=_MarkLine).batch if line.endswith(b"\n") else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None


def _reject(line: bytes) -> Reject:
    try:
        return msgspec.json.decode(line, type=_RejectLine).reject
    except (msgspec.DecodeError, UnicodeDecodeError):
        # Torn: the checksum of its batch will say so.
        return Reject(0, "", "")
