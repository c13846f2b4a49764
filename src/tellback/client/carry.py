"""Context into threads, executors and wherever else a `ContextVar` does not follow by itself."""

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, cast

from tellback.client import live
from tellback.client.context import current
from tellback.client.errors import COROUTINE

if TYPE_CHECKING:
    import threading

P = ParamSpec("P")
R = TypeVar("R")


def wrap(function: Callable[P, R], /) -> Callable[P, R]:
    """`function` with what is bound now, wherever and whenever it is called: run, span, `bound`.

        pool.submit(tellback.wrap(render), frame)
        pool.map(tellback.wrap(render), frames)

    May run in many threads at once, which a `contextvars.copy_context().run` may not. Only Tellback's context goes
    along. For a pool of processes it does nothing: another process has `tellback.environ`.
    """
    context = current.get(live.base)
    code = getattr(function, "__code__", None)

    if getattr(code, "co_flags", 0) & COROUTINE:

        async def later(*args: P.args, **kwargs: P.kwargs) -> Any:
            token = current.set(context)
            try:
                return await cast("Any", function)(*args, **kwargs)
            finally:
                current.reset(token)

        return cast("Callable[P, R]", wraps(function)(later))

    def now(*args: P.args, **kwargs: P.kwargs) -> R:
        token = current.set(context)
        try:
            return function(*args, **kwargs)
        finally:
            current.reset(token)

    return wraps(function)(now)


def thread(
    target: Callable[..., object] | None = None,
    name: str | None = None,
    args: Iterable[Any] = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    daemon: bool | None = None,
) -> "threading.Thread":
    """A `threading.Thread`, not yet started, in which holds what is bound here now.

    tellback.thread(target=work, args=(7,)).start()
    """
    import threading  # not earlier: a program without threads need not load it

    return threading.Thread(None, None if target is None else wrap(target), name, args, kwargs, daemon=daemon)
