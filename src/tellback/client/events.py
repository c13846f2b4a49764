"""`event`: what a person or a program did.

This is the path that a host pays for on each call, so it is written for its cost: the checks that the common event
passes are made here, in the order of what they cost, and everything else goes to `encode.line`. Measured by
`benchmarks/client.py`; the reasons are in docs/decisions/0010.
"""

from time import time_ns
from typing import TYPE_CHECKING, Any, Final

from tellback.client import live
from tellback.client.context import current
from tellback.client.encode import encode, line
from tellback.record import INT64_MAX, INT64_MIN, MAX_LINE

if TYPE_CHECKING:
    from datetime import datetime, timedelta

_SIMPLE: Final = frozenset({str, bool, type(None)})


def event(
    name: str,
    /,
    *,
    user: str | None = None,
    session: str | None = None,
    run: str | None = None,
    trace: str | None = None,
    span: str | None = None,
    parent: str | None = None,
    time: "int | float | datetime | None" = None,
    level: str | int | None = None,
    message: str | None = None,
    duration: "int | float | timedelta | None" = None,
    value: float | None = None,
    **attrs: Any,
) -> None:
    """Record that something happened; `name` says what, `attrs` (any keyword) say more.

    `time` is ns since epoch as int, seconds as float, or a datetime; default now. `duration` is ns, or a timedelta.
    `attrs` may be str, int, float, bool, None, and dicts and lists of them; other objects are written as
    `<module.Class>` without running their code, and named in `attrs["tellback.altered"]`. What `bound` holds is added.

    Never raises and makes no system call on its usual path. Once it has returned, the record survives the process. A
    quiet no-op before `init`.
    """
    spool = live.spool
    if spool is None:
        live.muted()
        return
    try:
        context = current.get(live.base)
        if (
            user is None
            and time is None
            and value is None
            and duration is None
            and level is None
            and message is None
            and session is None
            and run is None
            and trace is None
            and span is None
            and parent is None
            and type(name) is str
            and context.keys.isdisjoint(attrs)
        ):
            for item in attrs.values():
                kind = type(item)
                if kind in _SIMPLE:
                    continue
                if kind is int:
                    if INT64_MIN <= item <= INT64_MAX:
                        continue
                elif kind is float and item - item == 0.0:  # neither NaN nor infinite
                    continue
                break
            else:
                heads = context.heads.get(name) or context.head(name)
                if attrs:
                    out = b'{"time":%d%b%b}\n' % (time_ns(), heads[0], encode(attrs)[1:])
                else:
                    out = b'{"time":%d%b' % (time_ns(), heads[1])
                if len(out) <= MAX_LINE:
                    spool.append(out)
                    return
    except Exception:  # noqa: S110 -- what the quick way cannot do (a lone surrogate), the careful one can
        pass
    given = locals()
    own = {field: given[field] for field in _FIELDS if given[field] is not None}
    emit("event", name, own, attrs)


_FIELDS: Final = tuple(key for key in event.__kwdefaults__ or ())


def emit(
    kind: str,
    name: Any,
    own: dict[str, Any],
    attrs: dict[str, Any],
    clean: dict[str, Any] | None = None,
    *,
    mask: bool = False,
) -> None:
    """The careful way for a record of any kind, with the context; `clean`, `mask` as in `encode.line`. Never raises."""
    spool = live.spool
    if spool is None:
        live.muted()
        return
    try:
        context = current.get(live.base)
        fields = {"time": own.get("time"), "kind": kind, "name": name, **context.fields, **own}
        spool.append(line(fields, {**context.attrs, **attrs} if context.attrs else attrs, clean, mask=mask))
    except Exception:
        spool.lost.add("error")
