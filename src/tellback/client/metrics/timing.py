"""`timer`'s context manager and decorator."""

from collections.abc import Callable
from functools import wraps
from time import perf_counter_ns
from types import TracebackType
from typing import Any, Final, ParamSpec, TypeVar

from tellback.client.metrics.instruments import Histogram

P = ParamSpec("P")
R = TypeVar("R")

_COROUTINE: Final = 0x80  # inspect.CO_COROUTINE, without importing inspect


class Timing:
    """How long a block, or each call of a function, takes; in ns, into a histogram."""

    __slots__ = ("_begun", "_histogram", "_labels")

    def __init__(self, histogram: Histogram, labels: dict[str, Any]) -> None:
        self._histogram = histogram
        self._labels = labels
        self._begun: list[int] = []

    def __enter__(self) -> "Timing":
        self._begun.append(perf_counter_ns())
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._begun:
            self._histogram.record(perf_counter_ns() - self._begun.pop(), **self._labels)

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        histogram, labels = self._histogram, self._labels
        code = getattr(function, "__code__", None)
        if code is not None and code.co_flags & _COROUTINE:

            @wraps(function)
            async def awaited(*args: P.args, **kwargs: P.kwargs) -> Any:
                with Timing(histogram, labels):
                    return await function(*args, **kwargs)  # type: ignore[misc]  # R is a coroutine, as just asked

            return awaited  # type: ignore[return-value]  # calling it gives a coroutine, as calling `function` does

        @wraps(function)
        def timed(*args: P.args, **kwargs: P.kwargs) -> R:
            begun = perf_counter_ns()
            try:
                return function(*args, **kwargs)
            finally:
                histogram.record(perf_counter_ns() - begun, **labels)

        return timed
