"""`capture`: an exception with its stack, as a record of kind `error`."""

import os
import sys
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from functools import wraps
from queue import Empty, SimpleQueue
from types import TracebackType
from typing import Any, Final, TypeVar, cast, overload

from tellback.client import live
from tellback.client.clean import text, type_name
from tellback.client.events import emit
from tellback.client.frames import frames

F = TypeVar("F", bound=Callable[..., Any])

MAX_CAUSES: Final = 5
_MAX_TEXT: Final = 8_192
_PATIENCE: Final = 1.0
"""Seconds that a capture waits for the thread that describes a stack which is full."""
_ID: Final = "_tellback_id"

_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE; importing inspect would cost more than the rest of the client
_GENERATOR: Final = 0x20 | 0x200  # CO_GENERATOR, CO_ASYNC_GENERATOR

# Read through the base class: a host's class may have made properties of these names.
_cause = BaseException.__dict__["__cause__"].__get__
_context = BaseException.__dict__["__context__"].__get__
_suppressed = BaseException.__dict__["__suppress_context__"].__get__
_traceback = BaseException.__dict__["__traceback__"].__get__
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
def capture(error: BaseException | None = None, /, *, time: Any = None, **attrs: Any) -> Captured: ...
def capture(error: Any = None, /, *, time: Any = None, **attrs: Any) -> Any:
    """Record an exception with its stack and local values; gives the id under which it is found.

        try: ...
        except OSError:
            tellback.capture(shot="sq10")      # the exception in hand
        tellback.capture(error)                # a given one
        with tellback.capture(): ...           # whatever passes through is captured and goes on its way
        @tellback.capture                      # the same for a function; also @tellback.capture(tool="rig")

    The id is 32 hex digits, empty if there is no exception or nothing is recorded. An exception that was captured
    before gives its id again and makes no second record. `time` as in `event`. Values whose names say that they are
    secret are masked. Never raises.
    """
    if callable(error) and not isinstance(error, BaseException):
        return _guarded(error, attrs)
    if error is None:
        error = sys.exc_info()[1]
    captured = Captured(record(error, time=time, attrs=attrs))
    captured._attrs = attrs
    return captured


def record(error: BaseException | None, *, time: Any = None, attrs: dict[str, Any]) -> str:
    """Make the record; its id, or an empty text. Never raises."""
    if live.spool is None:
        if error is not None:
            live.muted()
        return ""
    try:
        if not isinstance(error, BaseException):
            return ""
        own = _attributes(error)
        known = own.get(_ID)
        if type(known) is str:
            return known
        id_ = os.urandom(16).hex()
        described = _described(error)
        # From here on only C and `emit`, which reports nothing: what could not be described is not known either.
        own[_ID] = id_
        emit(
            "error",
            type_name(type(error)),
            {"time": time, "level": "error", "message": message_of(error)},
            attrs,
            {**described, "id": id_},
        )
    except RecursionError:  # the stack that is to be described leaves no room for doing so
        return _aside(error, time, attrs)
    except Exception:
        spool = live.spool
        if spool is not None:
            spool.lost.add("error")
        return ""
    return id_


def _aside(error: BaseException | None, time: Any, attrs: dict[str, Any]) -> str:
    """`record` on the empty stack of a thread of its own. Calls nothing that is written in Python, for want of room."""
    done: SimpleQueue[str] = SimpleQueue()
    try:
        start_new_thread(copy_context().run, (_recorded, done, error, time, attrs))
        return done.get(timeout=_PATIENCE)
    except (RuntimeError, Empty):
        return ""


def _recorded(done: "SimpleQueue[str]", error: BaseException | None, time: Any, attrs: dict[str, Any]) -> None:
    done.put(record(error, time=time, attrs=attrs))


def message_of(error: BaseException) -> str:
    """The text of an exception.

    The one place where a host's `__str__` may run: an exception is made to be printed, and its text is often all that
    helps. A text that raises becomes a word about it. docs/decisions/0012.
    """
    try:
        return text(str.__str__(str(error)), _MAX_TEXT)[0]
    except Exception as broken:
        return f"<its text raised {type_name(type(broken))}>"


def _described(error: BaseException) -> dict[str, Any]:
    out: dict[str, Any] = {"frames": frames(_traceback(error))}
    causes: list[dict[str, Any]] = []
    seen = {id(error)}
    inner = error
    while len(causes) < MAX_CAUSES:
        how, following = "cause", _cause(inner)
        if following is None and not _suppressed(inner):
            how, following = "context", _context(inner)
        if following is None or id(following) in seen:
            break
        seen.add(id(following))
        causes.append({"how": how, **_short(following), "frames": frames(_traceback(following))})
        inner = following
    if causes:
        out["causes"] = causes
    if isinstance(error, BaseExceptionGroup):
        members = BaseExceptionGroup.__dict__["exceptions"].__get__(error)
        out["members"] = [_short(member) for member in members[:MAX_CAUSES]]
    return out


def _short(error: BaseException) -> dict[str, Any]:
    return {"type": type_name(type(error)), "message": message_of(error)}


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
