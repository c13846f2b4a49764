"""What a wire is: given one bounded request, it gives back a batch of canonical lines. It does no I/O.

A wire is a file in this folder with one `WIRE`. `http.py` reads the body, checks the token, calls `decode`, waits for
the journal and sends `answer`; the contract test in `tests/server/test_wires.py` runs over every wire there is.
"""

import base64
import binascii
import urllib.parse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import msgspec

from tellback.server.grant import Grant

SAMPLE = 4096
"""Bytes of a rejected line that quarantine keeps."""

MAX_REJECTS = 1000
"""Rejects that one batch keeps with their samples; the rest are counted."""

MAX_REASON = 500
"""Characters of a reason: a validation message may quote what it was given."""

Range = tuple[int, int]
"""Bytes [first, last) of a segment."""


class Reject(msgspec.Struct, omit_defaults=True):
    """What was refused, where, why, and the beginning of what it was."""

    line: int
    """Counted from 1: the line of a body of lines, the element of a JSON array."""
    reason: str
    sample: str


class Seen(Protocol):
    """What was accepted before. Asked by wires, changed only by `http.py`."""

    def ranges(self, project: str, segment: str) -> Sequence[Range]:
        """The accepted bytes of a segment, sorted and merged."""

    def repeated(self, project: str, digest: str, now: int) -> bool:
        """Whether a body of this digest was accepted within `seen.DIGEST_NS` before `now` (ns)."""


@dataclass(slots=True)
class Request:
    """One HTTP request, its body decompressed and bounded."""

    path: str
    params: Mapping[str, str]
    """What the wire's path pattern took out of the path."""
    query: Mapping[str, str]
    headers: Mapping[str, str]
    """Names in lower case."""
    peer: str
    grant: Grant
    user: str | None
    """Beside the token in Basic auth."""
    received: int
    """ns since epoch, the server's clock."""
    body: bytes
    seen: Seen


@dataclass(slots=True)
class Batch:
    """What one request becomes: appended, synced, acknowledged and loaded as a whole."""

    project: str
    token_id: str
    wire: str
    received: int
    lines: list[bytes] = field(default_factory=list)
    """Canonical, each ended by a newline."""
    segment: str | None = None
    """Set when (segment, offset, size) is the sender's own and is to be remembered as accepted."""
    offset: int = 0
    size: int = 0
    digest: str | None = None
    """Set where a body without an identity of its own is to be remembered."""
    duplicates: int = 0
    rejects: list[Reject] = field(default_factory=list)
    """The first `MAX_REJECTS`."""
    rejected: int = 0
    """All of them."""
    dropped: dict[str, int] = field(default_factory=dict)
    """What the sender says it lost, by reason."""

    def reject(self, line: int, reason: str, sample: bytes) -> None:
        """Refuse one line; its neighbours are kept."""
        self.rejected += 1
        if len(self.rejects) < MAX_REJECTS:
            text = sample[:SAMPLE].decode("utf-8", "replace")
            self.rejects.append(Reject(line, reason[:MAX_REASON], text))

    @property
    def empty(self) -> bool:
        """Nothing was kept and nothing was there before, but something was refused."""
        return not self.lines and not self.duplicates and self.rejected > 0

    @property
    def nothing(self) -> bool:
        """There is nothing to remember either."""
        return not (self.lines or self.duplicates or self.rejected or self.size)


class Unavailable(Exception):  # noqa: N818 - an answer, not a failure of ours
    """Nothing can be made durable just now."""


class Refusal(Exception):  # noqa: N818 - a refusal is an answer, not a failure of ours
    """The whole request is refused with this answer."""

    def __init__(
        self, status: int, code: str, message: str, where: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.where = where
        self.headers = dict(headers or {})


@dataclass(slots=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=lambda: {"content-type": "application/json"})


class Wire:
    """A way in. Subclasses set `name` and `paths`, and override what their senders expect otherwise."""

    name: str
    paths: tuple[str, ...]
    """Patterns; `{word}` takes one part of the path."""

    def credentials(
        self, params: Mapping[str, str], headers: Mapping[str, str], query: Mapping[str, str]
    ) -> tuple[str, str | None] | None:
        """The token, and the user who came beside it; None when there is no token."""
        return from_authorization(headers.get("authorization", ""))

    def decode(self, request: Request) -> Batch:
        """Raises `Refusal` when nothing in the body can be told apart; anything smaller is a reject in the batch."""
        raise NotImplementedError

    def answer(self, batch: Batch) -> Answer:
        """Called once the batch is durable, or at once when it is `empty`."""
        raise NotImplementedError

    def error(self, refusal: Refusal) -> Answer:
        """A refusal in the form that this wire's senders read."""
        error = {"code": refusal.code, "message": refusal.message, "where": refusal.where}
        return Answer(
            refusal.status,
            msgspec.json.encode({"error": error}),
            {"content-type": "application/json", **refusal.headers},
        )


def from_authorization(header: str) -> tuple[str, str | None] | None:
    """`Bearer TOKEN`, or Basic with the token as password."""
    scheme, _, rest = header.strip().partition(" ")
    rest = rest.strip()
    if scheme.lower() == "bearer" and rest:
        return rest, None
    if scheme.lower() == "basic":
        try:
            user, colon, password = base64.b64decode(rest, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return None
        if colon and password:
            return password, urllib.parse.unquote(user) or None
    return None
