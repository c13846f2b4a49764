"""`run` and `part`: one run of an algorithm, its parts, and what came out of it. docs/decisions/0085."""

from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from tellback.client import ids, live
from tellback.client.clean import text, type_name
from tellback.client.context import Context
from tellback.client.events import emit
from tellback.client.spans import PHASE, Span, spanned
from tellback.record import MAX_TEXT

F = TypeVar("F", bound=Callable[..., Any])


class Part(Span):
    """A step of a run, or of another part. Its class is its `name`: those of one class can be compared."""

    __slots__ = ("_above",)

    def __init__(self, name: str, attrs: dict[str, Any], above: "Part | None" = None) -> None:
        super().__init__(name, attrs)
        self._above = above

    def _open(self, above: Context) -> None:
        parent = self._above
        if parent is None or not parent.span:
            super()._open(above)
            return
        # Under its run wherever it is opened: in a thread, in a callback, after another part.
        self.run, self.trace, self.parent = parent.run, parent.trace, parent.span
        self.span = ids.span_id()
        self._stand(above)

    def part(self, name: str, /, **attrs: Any) -> "Part":
        """A part of this one: `with run.part("SCORING") as scoring: ...`."""
        return Part(name, attrs, self)

    def export(self, values: dict[str, Any], /, *, time: Any = None) -> None:
        """Tell what came out: a dict of names and values. As often as one likes; for one run they belong together.

        `time` as in `event`: when it was so, default now. The record is safe when this returns, whatever becomes of the
        run. Never raises.
        """
        try:
            given: dict[Any, Any] = values if type(values) is dict else {"value": values}
            emit("span", self.name, {**self._own(), "time": time}, {**given, PHASE: "export"})
        except Exception:
            _count()

    def export_batch(self, messages: Iterable[Any], /, *, time: Any = None) -> None:
        """Tell many at once: dicts, or pairs of a dict and its time."""
        try:
            for message in messages:
                if type(message) is tuple and len(message) == 2:
                    self.export(message[0], time=message[1])
                else:
                    self.export(message, time=time)
        except Exception:  # what gives the messages is the host's code
            _count()


class Run(Part):
    """A run: the root of its parts. Its id is in the column `run` of all that is recorded inside."""

    __slots__ = ("_given",)

    def __init__(self, name: str, attrs: dict[str, Any], id_: str | None = None) -> None:
        super().__init__(name, attrs)
        self._given = id_

    @property
    def id(self) -> str:
        """Of the run; empty before it is entered."""
        return self.run or ""

    def _open(self, above: Context) -> None:
        self.trace = above.fields.get("trace") or ids.trace_id()
        # A run that begins a trace gives it its own id: one id to look for, here and in other systems.
        self.run = self._given or (ids.trace_id() if above.fields.get("trace") else self.trace)
        self.parent = above.fields.get("span")
        self.span = ids.span_id()
        self._stand(above)
        # Told at once: a run that is killed is seen to have begun.
        emit("span", self.name, {**self._own(), "time": self.time}, {**self._attrs, PHASE: "start"})

    def __call__(self, function: F) -> F:
        given = self._given
        return spanned(function, self.name, self._attrs, lambda name, attrs: Run(name, attrs, given))


def run(name: str, /, *, id: str | int | None = None, **attrs: Any) -> Run:  # noqa: A002 -- the word that callers know
    """One run of an algorithm: from its beginning to its outcome, with its parts and what it gave.

        with tellback.run("MATCHMAKER", customer="acme") as run:
            run.export({"confidence": 0.93})
            with run.part("SCORING") as part:
                part.export({"score": 7})
        @tellback.run("MATCHMAKER")             # each call is a run

    `name` is its class: runs of one class can be compared. `id` is one that you have already, default a new one of 32
    hex digits; `run.id` has it. Everything recorded inside carries it in `run`. Never raises.
    """
    return Run(name, attrs, None if id is None else text(id, MAX_TEXT)[0] if type(id) is str else _number(id))


def _number(given: Any) -> str:
    return str(given) if type(given) is int else f"<{type_name(type(given))}>"


def _count() -> None:
    spool = live.spool
    if spool is not None:
        spool.lost.add("error")
