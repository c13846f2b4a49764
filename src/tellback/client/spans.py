"""`span`: a piece of work with its beginning, its duration and its outcome. docs/decisions/0085."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import Token
from functools import wraps
from time import perf_counter_ns, time_ns
from types import TracebackType
from typing import Any, Final, TypeVar, cast, overload

from tellback.client import errors, ids, live, notice
from tellback.client.clean import type_name
from tellback.client.context import Context, current
from tellback.client.events import emit

F = TypeVar("F", bound=Callable[..., Any])
S = TypeVar("S", bound="Span")

OK: Final = "ok"
ERROR: Final = "error"
STOPPED: Final = "stopped"
"""Left by what is no failure: SystemExit, KeyboardInterrupt, a cancelled task, a generator that was closed."""

PHASE: Final = "tellback.phase"
"""What a record of a span without a duration tells: that it began (`start`), or a part of what came out (`export`)."""


class Span:
    """A span that is open or done. Made by `tellback.span`, `tellback.run` and `part`, and never raises."""

    __slots__ = ("_attrs", "_begin", "_context", "_done", "_tokens", "name", "parent", "run", "span", "time", "trace")

    def __init__(self, name: str, attrs: dict[str, Any]) -> None:
        self.name = name
        self._attrs = attrs
        self._tokens: list[Token[Context]] = []
        self._done = False
        self.run: str | None = None
        """Id of the run that this is a part of."""
        self.trace = ""
        """32 hex digits, as in `traceparent`."""
        self.span = ""
        """16 hex digits: the id of this span."""
        self.parent: str | None = None

    def _open(self, above: Context) -> None:
        """Begin now, under what is in force in `above`."""
        fields = above.fields
        self.run = fields.get("run")
        self.trace = fields.get("trace") or ids.trace_id()
        self.parent = fields.get("span")
        self.span = ids.span_id()
        self._stand(above)

    def _stand(self, above: Context) -> None:
        own = {"run": self.run, "trace": self.trace, "span": self.span}
        self._context = above.within({name: value for name, value in own.items() if value is not None})
        self._done = False
        self.time = time_ns()
        # Durations by a clock that is never set back.
        self._begin = perf_counter_ns()

    def __enter__(self: S) -> S:
        context = current.get(live.base)
        try:
            self._open(context)
            context = self._context
        except Exception:  # Never in the way
            self._done = True
        self._tokens.append(current.set(context))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        try:
            self._close(error)
        finally:
            # ValueError: left in another context than entered (a generator that moved between tasks).
            with suppress(ValueError, IndexError):
                current.reset(self._tokens.pop())

    def set(self, **attrs: Any) -> None:
        """Attributes to be told at the end of the span."""
        self._attrs.update(attrs)

    def _close(self, error: BaseException | None) -> None:
        """Tell how it went, once. Inside of the span's own context, so that an error is found by it."""
        if self._done:
            return
        self._done = True
        try:
            duration = perf_counter_ns() - self._begin
            own = {**self._own(), "time": self.time, "duration": duration}
            attrs = self._attrs
            if error is None:
                attrs = {**attrs, "status": OK}
            elif isinstance(error, Exception):
                # By the span's context, not the caller's: a generator's span is closed outside of it.
                token = current.set(self._context)
                try:
                    attrs = {**attrs, "status": ERROR, "error": errors.record(error, attrs={})}
                finally:
                    current.reset(token)
                own["level"] = "error"
                own["message"] = f"{type_name(type(error))}: {errors.message_of(error)}"
            else:
                attrs = {**attrs, "status": STOPPED}
            emit("span", self.name, own, attrs)
        except Exception:
            spool = live.spool
            if spool is not None:
                spool.lost.add("error")

    def _own(self) -> dict[str, Any]:
        """The record's own fields: the span's, whatever the context says where it is told."""
        return {"run": self.run, "trace": self.trace, "span": self.span, "parent": self.parent}


class Named(Span):
    """What `tellback.span("name")` gives: a context manager, and a decorator that makes each call a span."""

    __slots__ = ()

    def __call__(self, function: F) -> F:
        return spanned(function, self.name, self._attrs)


@overload
def span(function: F, /) -> F: ...
@overload
def span(name: str, /, **attrs: Any) -> Named: ...
def span(name: Any, /, **attrs: Any) -> Any:
    """A span: how long a piece of work took, how it ended, and inside of what.

        with tellback.span("load", shot="sq10") as span:
            span.set(rows=rows)                 # told at its end
        @tellback.span                          # each call; named module.function
        @tellback.span("solve", solver="fast")  # named by you

    Records made inside carry its `trace` and `span`; an exception that passes through is recorded and goes on its way.
    Functions may be async or generators (their span lasts from the first step to the last). Never raises.
    """
    if callable(name) and not isinstance(name, str):
        return spanned(name, _qualified(name), attrs)
    return Named(name, attrs)


def spanned(function: F, name: str, attrs: dict[str, Any], make: Callable[[str, dict[str, Any]], Span] = Span) -> F:
    """`function` with a span around each call."""
    flags = getattr(getattr(function, "__code__", None), "co_flags", 0)
    if flags & errors.ASYNC_GENERATOR:
        # A wrapper around one would change how it takes what is sent and thrown into it.
        notice.say(f"{name} is an async generator: put `with tellback.span(...)` inside of it instead.")
        return function
    if flags & errors.COROUTINE:

        @wraps(function)
        async def later(*args: Any, **kwargs: Any) -> Any:
            with make(name, dict(attrs)):
                return await function(*args, **kwargs)

        return cast("F", later)

    if flags & errors.GENERATOR:

        @wraps(function)
        def steps(*args: Any, **kwargs: Any) -> Any:
            # Not bound while it runs: between two steps the context is the caller's.
            opened = make(name, dict(attrs))
            with suppress(Exception):
                opened._open(current.get(live.base))
            error: BaseException | None = None
            try:
                return (yield from function(*args, **kwargs))
            except BaseException as raised:
                error = raised
                raise
            finally:
                opened._close(error)

        return cast("F", steps)

    @wraps(function)
    def now(*args: Any, **kwargs: Any) -> Any:
        with make(name, dict(attrs)):
            return function(*args, **kwargs)

    return cast("F", now)


def _qualified(function: Any) -> str:
    module, name = getattr(function, "__module__", None), getattr(function, "__qualname__", None)
    if type(name) is not str:
        return type_name(type(function))
    return f"{module}.{name}" if type(module) is str else name
