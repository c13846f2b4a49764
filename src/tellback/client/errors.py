"""`capture` and `report`: an exception, or a problem without one, as a record of kind `error`."""

import os
import sys
from _thread import start_new_thread
from collections.abc import Callable, Sequence
from contextlib import suppress
from contextvars import copy_context
from functools import wraps
from queue import Empty, SimpleQueue
from time import time_ns
from types import TracebackType
from typing import Any, Final, TypeAlias, TypeVar, cast, overload

from tellback.client import live
from tellback.client.clean import type_name
from tellback.client.crumbs import crumbs
from tellback.client.events import emit
from tellback.client.exceptions import described
from tellback.client.exceptions import message_of as message_of
from tellback.client.frames import stack
from tellback.client.mask import masked

F = TypeVar("F", bound=Callable[..., Any])
Fingerprint: TypeAlias = str | Sequence[str]

_PATIENCE: Final = 1.0
"""Seconds that a capture waits for the thread that describes a stack which is full."""
_ID: Final = "_tellback_id"

_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE; importing inspect would cost more than the rest of the client
_GENERATOR: Final = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR

# Read through the base class: a host's class may have made a property of this name.
_attributes = BaseException.__dict__["__dict__"].__get__


class Captured(str):
    """The id of an error's record, empty if there was no exception. Also a context manager and a decorator:
    what passes through it is captured and goes on its way."""

    __slots__ = ("_attrs",)

    _attrs: dict[str, Any]

    def __enter__(self) -> "Captured":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if isinstance(error, Exception):  # SystemExit, KeyboardInterrupt and their like are no failures
            with suppress(RecursionError):
                record(error, attrs=self._attrs)

    def __call__(self, function: F) -> F:
        return cast("F", _guarded(function, self._attrs))


@overload
def capture(error: F, /) -> F: ...
@overload
def capture(
    error: BaseException | None = None, /, *, time: Any = None, fingerprint: Fingerprint | None = None, **attrs: Any
) -> Captured: ...
def capture(error: Any = None, /, *, time: Any = None, fingerprint: Fingerprint | None = None, **attrs: Any) -> Any:
    """Record an exception with its stack and local values; gives the id under which it is found.

        try: ...
        except OSError:
            tellback.capture(shot="sq10")      # the exception in hand
        tellback.capture(error)                # a given one
        with tellback.capture(): ...           # whatever passes through is captured and goes on its way
        @tellback.capture                      # the same for a function; also @tellback.capture(tool="rig")

    The id is 32 hex digits, empty if there is no exception or nothing is recorded. An exception that was captured
    before gives its id again and makes no second record. `time` as in `event`. `fingerprint`, a text or a list of
    texts, says which errors are one problem: those with the same fingerprint. The last records of this context
    (trace, run, session or user, whichever is bound) come along. What is named or looks like a secret is masked.
    Never raises.
    """
    if fingerprint is not None:
        attrs["fingerprint"] = _fingerprint(fingerprint)
    if callable(error) and not isinstance(error, BaseException):
        return _guarded(error, attrs)
    if error is None:
        error = sys.exc_info()[1]
    captured = Captured(record(error, time=time, attrs=attrs))
    captured._attrs = attrs
    return captured


def report(
    message: str,
    /,
    *,
    level: str | int = "error",
    time: Any = None,
    fingerprint: Fingerprint | None = None,
    **attrs: Any,
) -> str:
    """Record a problem that is no exception, with the stack and the last records of this context; gives its id.

        tellback.report("the rig popped on frame 12", shot="sq10")

    A record of kind `error` without a name. `level`, `time`, `fingerprint` and `attrs` as in `event` and `capture`.
    The id is empty if nothing is recorded. Never raises.
    """
    if live.spool is None:
        live.muted()
        return ""
    try:
        if live.refused("error", ""):
            return ""
        if fingerprint is not None:
            attrs["fingerprint"] = _fingerprint(fingerprint)
        time = time_ns() if time is None else time
        own = {"time": time, "level": level, "message": masked(message) if type(message) is str else message}
        id_ = os.urandom(16).hex()
        emit("error", None, own, attrs, {"frames": stack(sys._getframe(1)), **_last(), "id": id_}, mask=True)
        return id_
    except Exception:
        return _failed()


def record(error: BaseException | None, *, time: Any = None, level: str = "error", attrs: dict[str, Any]) -> str:
    """Make the record of an exception; its id, or an empty text. Never raises."""
    if live.spool is None:
        if error is not None:
            live.muted()
        return ""
    try:
        if not isinstance(error, BaseException):
            return ""
        kept = _attributes(error)
        known = kept.get(_ID)
        if type(known) is str:
            return known
        name = type_name(type(error))
        if live.refused("error", name):  # an id that leads nowhere would be quoted in vain
            return ""
        time = time_ns() if time is None else time  # before its stack is described, which may take a while
        told = described(error)
        own = {"time": time, "level": level, "message": message_of(error)}
        last = _last()
        # From here on only C and `emit`, which reports nothing: what could not be described is not known either.
        kept[_ID] = id_ = os.urandom(16).hex()
        emit("error", name, own, attrs, {**told, **last, "id": id_}, mask=True)
        return id_
    except RecursionError:  # the stack that is to be described leaves no room for doing so
        return _aside(error, time, level, attrs)
    except Exception:
        return _failed()


def _last() -> dict[str, Any]:
    found = None if live.spool is None else crumbs(live.spool)
    return {} if found is None else {"breadcrumbs": found}


def _failed() -> str:
    spool = live.spool
    if spool is not None:
        spool.lost.add("error")
    return ""


def _aside(error: BaseException | None, time: Any, level: str, attrs: dict[str, Any]) -> str:
    """`record` on the empty stack of a thread of its own. Calls nothing that is written in Python, for want of room."""
    done: SimpleQueue[str] = SimpleQueue()
    try:
        start_new_thread(copy_context().run, (_recorded, done, error, time, level, attrs))
        return done.get(timeout=_PATIENCE)
    except (RuntimeError, Empty):
        return ""


def _recorded(
    done: "SimpleQueue[str]", error: BaseException | None, time: Any, level: str, attrs: dict[str, Any]
) -> None:
    done.put(record(error, time=time, level=level, attrs=attrs))


def _fingerprint(given: Any) -> list[Any]:
    return list(given[:16]) if type(given) in (list, tuple) else [given]


def _guarded(function: Any, attrs: dict[str, Any]) -> Any:
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & _GENERATOR:
        return function  # its body runs in whoever iterates it; a guard around the call would see nothing
    if flags & _COROUTINE:

        @wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                with suppress(RecursionError):  # not even room for the call; whoever called us has more
                    record(error, attrs=attrs)
                raise

        return later

    @wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception as error:
            with suppress(RecursionError):
                record(error, attrs=attrs)
            raise

    return now
