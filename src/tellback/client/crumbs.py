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
_WINDOW = 65_536  # bytes that are looked through
_ROOM = 12_288  # bytes of all breadcrumbs together
_LINE = 1_024  # bytes of one; a longer one loses its attributes
_NESTED = 12  # braces and brackets; more than these may be too deep inside of another record
_ATTRS = b',"attrs":{'  # with bare quotes, so never inside of a text; always a line's last field
_KINDS = (b'"kind":"event"', b'"kind":"log"', b'"kind":"error"', b'"kind":"span"')


def crumbs(spool: "Spool") -> msgspec.Raw | None:
    """A JSON array of the last records of this context, oldest first; None if there are none."""
    data = _recent(spool)
    needle, bound = _needle()
    out: list[bytes] = []
    room, end = _ROOM, len(data)
    find, rfind = data.find, data.rfind
    while len(out) < MOST:
        found = rfind(needle, 0, end)
        if found < 0:
            break
        end = rfind(b"\n", 0, found) + 1
        stop = find(b"\n", found)
        head = find(_ATTRS, end, stop)
        if head < 0:
            head = stop
        elif found > head and find(needle, end, head) < 0:
            continue  # it was an attribute of that name, or a breadcrumb of another record
        if not bound and not _wanted(data[end:head]):
            continue
        line = data[end:stop]
        if len(line) > _LINE or line.count(b"{") + line.count(b"[") > _NESTED:
            line = data[end:head] + b"}"
            if head == stop or len(line) > _LINE:
                continue
        room -= len(line)
        if room < 0:
            break
        out.append(line)
    out.reverse()
    return msgspec.Raw(b"[" + b",".join(out) + b"]") if out else None


def _needle() -> tuple[bytes, bool]:
    """What the lines of this context hold, and whether anything is bound that tells them."""
    fields = current.get(live.base).fields
    for name in _TELLING:
        if name in fields:
            return encode({name: fields[name]})[1:-1], True
    return b'"kind":"', False


def _wanted(own: bytes) -> bool:
    return any(kind in own for kind in _KINDS)


def _recent(spool: "Spool") -> bytes:
    """The last whole lines of this process, from its newest two segments; these may be deleted meanwhile."""
    data = b""
    for segment in reversed([*spool.own][-2:]):
        try:
            data = _tail(segment, _WINDOW - len(data)) + data
        except ValueError:  # unmapped by the sender: the server has it
            break
        if len(data) >= _WINDOW // 2:
            break
    return data


def _tail(segment: "Segment", most: int) -> bytes:
    end = segment.position()
    begin = max(segment.head, end - most)
    data = segment.map[begin:end]
    if begin > segment.head:
        data = data[data.find(b"\n") + 1 :]
    return data if data.endswith(b"\n") else data[: data.rfind(b"\n") + 1]
