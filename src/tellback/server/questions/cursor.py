"""Where a page ended, as a text that a caller hands back unread.

It pins the range, so that pages of "the last 30 days" asked over midnight belong together, and it carries a
fingerprint of what was asked, so that it cannot continue another question by mistake. It is no secret and no grant:
the caller's own are checked on every page.
"""

import base64
import binascii
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from tellback.record import INT64_MAX, INT64_MIN
from tellback.server.questions.contract import QuestionError

_FREE = frozenset({"cursor", "limit", "from", "to"})


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    asked: str
    since: int
    until: int
    skip: int = 0
    after: tuple[int | str, ...] = ()
    """Values of the question's `key` in the last row."""


def fingerprint(question: str, given: Mapping[str, Sequence[str]]) -> str:
    """Of what must stay the same from page to page. The range need not: "the last day" moves on while one reads, and
    the cursor holds that of the first page."""
    asked = sorted((name, sorted(values)) for name, values in given.items() if name not in _FREE)
    return hashlib.sha256(msgspec.json.encode([question, asked])).hexdigest()[:12]


def write(cursor: Cursor) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(cursor)).rstrip(b"=").decode()


def read(text: str, asked: str, key: Sequence[type]) -> Cursor:
    """`key` has the types of the question's key columns. QuestionError when it is no cursor of this question."""
    try:
        raw = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        cursor = msgspec.json.decode(raw, type=Cursor)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        raise QuestionError("bad_parameter", "cursor: not one that an answer gave; ask without it", "cursor") from None
    if cursor.asked != asked:
        raise QuestionError("bad_parameter", "cursor: it belongs to another question or other parameters", "cursor")
    numbers: list[Any] = [cursor.since, cursor.until, cursor.skip, *(v for v in cursor.after if isinstance(v, int))]
    whole = not cursor.after or [type(value) for value in cursor.after] == list(key)
    if not whole or cursor.skip < 0 or not all(INT64_MIN <= number <= INT64_MAX for number in numbers):
        raise QuestionError("bad_parameter", "cursor: not one that an answer gave; ask without it", "cursor")
    return cursor
