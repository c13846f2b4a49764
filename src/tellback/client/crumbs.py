"""Breadcrumbs: the last records of this context, for an error or a report.

They are read from the spool's mapped bytes when an error is captured, so that they cost the other records nothing. What
belongs to the context is told by the most telling field that is bound: the records of this trace, else this run, else
this session, else this user; where none is bound, of the process.

A line stands as it was written, its bytes copied and not decoded; of a long one its attributes are left out.
"""

from typing import TYPE_CHECKING

import msgspec

from tellback.client import live
from tellback.client.context import current
from tellback.client.encode import encode

if TYPE_CHECKING:
    from tellback.client.segment import Segment
    from tellback.client.spool import Spool

MOST = 10
"""Breadcrumbs of one error."""

_TELLING = ("trace", "run", "session", "user")
_WINDOWS = (6_144, 32_768)  # bytes that are looked through: at first, and if they hold too few
_ROOM = 12_288  # bytes of all breadcrumbs together
_LINE = 1_024  # bytes of one; a longer one loses its attributes
_NESTED = 40  # braces and brackets; a line with more may be too deep to lie inside of another
_ATTRS = b',"attrs":{'  # with bare quotes, so never inside of a text; always a line's last field
_KINDS = (b'"kind":"event"', b'"kind":"log"', b'"kind":"error"', b'"kind":"span"')


def crumbs(spool: "Spool") -> msgspec.Raw | None:
    """A JSON array of the last records of this context, oldest first; None if there are none."""
    needle, bound = _needle()
    found: list[bytes] = []
    for window in _WINDOWS:
        data, more = _recent(spool, window)
        found = _matching(data, needle, bound)
        if len(found) == MOST or not more:
            break
    if not found:
        return None
    out = b",".join(reversed(found))
    if out.count(b"{") + out.count(b"[") > _NESTED:
        out = b",".join(_flat(line) for line in reversed(found))
    return msgspec.Raw(b"[" + out + b"]")


def _matching(data: bytes, needle: bytes, bound: bool) -> list[bytes]:
    """The newest first."""
    found: list[bytes] = []
    room = _ROOM
    find, rfind = data.find, data.rfind
    end = len(data) - 1  # of a line, at its newline. Splitting all of them would look at each byte
    while end > 0 and len(found) < MOST:
        stop, begin = end, rfind(b"\n", 0, end) + 1
        end = begin - 1
        at = find(needle, begin, stop)
        if at < 0:
            continue
        head = find(_ATTRS, begin, stop)
        if 0 <= head < at:
            continue  # an attribute of that name, or a breadcrumb of another record
        if not bound and not _wanted(data[begin : stop if head < 0 else head]):
            continue
        if stop - begin <= _LINE:
            line = data[begin:stop]
        elif 0 <= head < begin + _LINE:
            line = data[begin:head] + b"}"
        else:
            continue
        room -= len(line)
        if room < 0:
            break
        found.append(line)
    return found


def _flat(line: bytes) -> bytes:
    head = line.find(_ATTRS)
    if head < 0 or line.count(b"{") + line.count(b"[") <= _NESTED:
        return line
    return line[:head] + b"}"


def _needle() -> tuple[bytes, bool]:
    """What the lines of this context hold, and whether anything is bound that tells them."""
    fields = current.get(live.base).fields
    for name in _TELLING:
        if name in fields:
            return encode({name: fields[name]})[1:-1], True
    return b'"kind":"', False


def _wanted(own: bytes) -> bool:
    return any(kind in own for kind in _KINDS)


def _recent(spool: "Spool", most: int) -> tuple[bytes, bool]:
    """The last whole lines of this process, from its newest two segments, and whether there may be more of them."""
    data = b""
    for segment in reversed([*spool.own][-2:]):
        try:
            tail, more = _tail(segment, most - len(data))
        except ValueError:  # unmapped meanwhile by the sender: the server has it
            break
        data = tail + data
        if more:
            return data, True
    return data, False


def _tail(segment: "Segment", most: int) -> tuple[bytes, bool]:
    end = segment.position()
    begin = max(segment.head, end - most)
    data = segment.map[begin:end]
    if begin > segment.head:
        return data[data.find(b"\n") + 1 :], True
    return data, False
