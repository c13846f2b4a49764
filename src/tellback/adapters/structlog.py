"""`Sink`: the last processor of structlog's chain. What it is given is recorded, and the logger beneath has no work.

    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, tellback.adapters.structlog.Sink()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.ReturnLoggerFactory(),
        cache_logger_on_first_use=True,
    )

With `Sink(next=renderer)` people see the line as well: the event goes on to `next`, and from there to the logger.

No `TimeStamper`, `add_log_level` or `format_exc_info` is needed before it: time, level and errors come from Tellback.
It needs nothing of structlog's.
"""

import sys
from collections.abc import Callable, MutableMapping
from time import time_ns
from typing import Any, Final

from tellback.client import errors, live
from tellback.client.context import Context, current
from tellback.client.encode import encode, level_of
from tellback.client.events import emit
from tellback.record import INT64_MAX, INT64_MIN, MAX_LINE

EventDict = MutableMapping[str, Any]
Processor = Callable[[Any, str, EventDict], Any]

_SIMPLE: Final = frozenset({str, bool, type(None)})
_LEVELS: Final = {
    name: level_of(name)[0] for name in ("debug", "info", "warning", "warn", "error", "critical", "fatal")
}
_OWN: Final = frozenset({"user", "session", "run", "trace", "span", "parent"})
_NOT_QUICK: Final = _OWN | {"exc_info", "logger", "level", "timestamp"}
_NAME: Final = "structlog"


class Sink:
    """Records each log as a record of kind `log`: the event is the `message`, `logger` (if it is bound) the name, all
    other values attributes. With `exc_info` the exception becomes a record of kind `error`, too, and `attrs["error"]`
    holds its id. Never raises by itself; drops nothing."""

    __slots__ = ("_next",)

    def __init__(self, next: Processor | None = None) -> None:  # noqa: A002 -- says it best
        self._next = next

    def __call__(self, logger: Any, method: str, event: EventDict) -> Any:
        if live.spool is None:
            live.muted()
        elif not _quick(method, event):
            _careful(method, dict(event))
        return "" if self._next is None else self._next(logger, method, event)


def _quick(method: str, event: EventDict) -> bool:
    """The usual log in one go: plain values, and nothing in it that the record has a field for."""
    try:
        spool, context = live.spool, current.get(live.base)
        message = event["event"]
        if (
            spool is None
            or method not in _LEVELS
            or type(event) is not dict
            or type(message) is not str
            or not _NOT_QUICK.isdisjoint(event)
            or not context.keys.isdisjoint(event)
            or not _plain(event)
        ):
            return False
        head, bound = context.made.get((_NAME, method)) or _parts(context, method)
        if head is None:
            return False
        del event["event"]  # the dict is this call's own: structlog copies what is bound
        try:
            attrs = encode(event)
        finally:
            event["event"] = message
        out = b'{"time":%d%b%b,"attrs":{%b%b}\n' % (time_ns(), head, encode(message), bound, attrs[1:])
        if len(attrs) == 2 or len(out) > MAX_LINE:  # nothing after the comma that may end `bound`
            return False
        spool.append(out)
    except Exception:
        return False
    return True


def _plain(event: dict[str, Any]) -> bool:
    for value in event.values():
        kind = type(value)
        if kind in _SIMPLE:
            continue
        if kind is int:
            if not INT64_MIN <= value <= INT64_MAX:
                return False
        elif kind is not float or value - value != 0.0:
            return False
    return True


def _parts(context: Context, method: str) -> tuple[bytes | None, bytes]:
    """What is constant for a level in a context: up to the message, and what is bound of the attributes."""
    fields = {"kind": "log", "name": _NAME, "level": _LEVELS[method], **context.fields}
    head = None
    if context.fields.keys().isdisjoint({"level", "message"}):
        head = b"," + encode(fields)[1:-1] + b',"message":'
    parts = head, encode(context.attrs)[1:-1] + b"," if context.attrs else b""
    context.made[_NAME, method] = parts
    return parts


def _careful(method: str, event: dict[str, Any]) -> None:
    try:
        own: dict[str, Any] = {name: event.pop(name) for name in _OWN if name in event}
        message = event.pop("event", None)
        name = event.pop("logger", None) or _NAME
        exception = _exception(event.pop("exc_info", None))
        if exception is not None:
            event["error"] = errors.record(exception, attrs={"logger": name})
        event.pop("timestamp", None)  # a text of the moment that the record's own time tells better
        level = event.pop("level", None) or ("error" if method == "exception" else method)
        emit("log", name, {**own, "level": level, "message": message}, event)
    except Exception:
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")


def _exception(given: Any) -> BaseException | None:
    """The exception of `exc_info`, which is one, a tuple of `sys.exc_info()`, or true for the one in hand."""
    if isinstance(given, BaseException):
        return given
    if type(given) is tuple and len(given) == 3 and isinstance(given[1], BaseException):
        return given[1]
    return sys.exc_info()[1] if given else None
