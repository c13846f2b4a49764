"""`bound`: values for a stretch of code."""

from collections.abc import Callable
from contextlib import suppress
from contextvars import Token
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from tellback.client import live
from tellback.client.context import Context, current

P = ParamSpec("P")
R = TypeVar("R")


class bound:  # noqa: N801 -- used as a statement: `with tellback.bound(user="guido"):`
    """Bind values to every record made inside of the `with` block, or inside of a decorated function.

    `user`, `session`, `run`, `trace`, `span`, `parent`, `level` and `message` are the record's own fields; the rest
    goes into `attrs`. Blocks nest, the inner one wins, None takes a value away, and what a record says itself wins
    over all. Never raises.

        with tellback.bound(user="guido", shot="sq10"):
            tellback.event("export_to_file_edit")
    """

    __slots__ = ("_given", "_tokens")

    def __init__(self, /, **values: Any) -> None:
        self._given = values
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> "bound":
        try:
            self._tokens.append(current.set(current.get(live.base).extended(self._given)))
        except Exception:  # Never in the way; records then lack what was to be bound
            self._tokens.append(current.set(current.get(live.base)))
        return self

    def __exit__(self, *_: object) -> None:
        # The latest that was entered in this context: one block may be shared by tasks or threads, whose own entries
        # give a ValueError here. None at all: a generator that moved between tasks.
        for token in reversed(list(self._tokens)):
            with suppress(ValueError):
                current.reset(token)
                self._tokens.remove(token)
                return

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        given = self._given

        @wraps(function)
        def inside(*args: P.args, **kwargs: P.kwargs) -> R:
            with bound(**given):
                return function(*args, **kwargs)

        return inside
