"""Counter, gauge, histogram: what a host counts and measures with.

An add's usual way is a function of `slots`, put in the place of the method once the slot is there. Everything else (the
first add, labels that are new, a wrong value, no recording) goes the careful way. Nothing here ever raises.
"""

import sys
import time
from collections.abc import Callable
from typing import Any, Final

from tellback.client import live, notice
from tellback.client.clean import exact, text, type_name
from tellback.client.metrics.book import Book, Series
from tellback.client.metrics.current import current
from tellback.client.metrics.rates import Rates
from tellback.client.metrics.slots import MOST, Careful, Take, adder, recorder, setter
from tellback.client.metrics.telling import NOUGHT, SUM, WAS_SET
from tellback.metric import OVERFLOW

LABEL_SETS: Final = 2000
"""Sets of labels of one metric (OpenTelemetry's default); what comes after them is told under OVERFLOW."""
LABELS: Final = 32
LABEL_TEXT: Final = 256
_FREE_THREADED: Final = not getattr(sys, "_is_gil_enabled", lambda: True)()

Given = tuple[tuple[str, Any], ...]


class Instrument:
    """What all of them share: from a set of labels to its series. Made by the functions of `naming`."""

    type_ = ""
    method = ""
    """The name of the method that takes a value."""
    wants = "It takes a number from 0 on."

    def __init__(self, name: str, unit: str | None, caveat: str | None) -> None:
        self.name = name
        self.unit = unit
        self.caveat = caveat
        self.forget()

    def forget(self) -> None:
        """The book is another one: what was counted before is told, or lies in its file."""
        self.__dict__.pop(self.method, None)
        self._series: dict[Given, Series] = {}
        self._known: dict[Given, Callable[..., None]] = {}

    def good(self, value: float) -> bool:
        return 0 <= value < MOST

    def bind(self, book: Book, series: Series, careful: Careful) -> tuple[Callable[..., None], Take] | None:
        """The two functions of `slots` for a series; None where there is no room."""
        raise NotImplementedError

    def labelled(self, value: Any, labels: dict[str, Any]) -> None:
        """A value under labels: those that were seen before are found by what was given, in its order."""
        for label in labels.values():
            if type(label) is not str:  # whose __hash__ and __eq__ would be the host's
                break
        else:
            known = self._known.get(tuple(labels.items()))
            if known is not None:
                known(value)
                return
        self.careful(value, labels)

    def careful(self, value: Any, labels: dict[str, Any]) -> None:
        """Take a value that nothing is known of yet. Never raises."""
        spool = live.spool
        if spool is None:
            live.muted()
            return
        try:
            value = exact(value)  # numpy's float64 is a number, too
            if not (type(value) is int or type(value) is float) or not self.good(value):
                spool.lost.add("metric")
                plain = type(value) is float or (type(value) is int and value.bit_length() < 128)
                given = repr(value) if plain else f"a value of type {type_name(type(value))}"
                notice.once(
                    f"value {self.name}",
                    f"The {self.type_} {self.name!r} was given {given}, which it cannot take; it is counted as lost. "
                    f"{self.wants}",
                )
                return
            if live.refused("metric", self.name):
                return
            book = current()
            series = self._find(book, labels) if book is not None else None
            take = series.take if series is not None else None
            if book is None or take is None or not (book.locked(take, value) if _FREE_THREADED else take(value)):
                spool.lost.add("disk")
        except Exception:
            spool.lost.add("error")

    def _find(self, book: Book, labels: dict[str, Any]) -> Series:
        clean = tuple(sorted((text(key, LABEL_TEXT)[0], _label(value)) for key, value in labels.items()))
        series = self._series.get(clean)
        if series is None:
            if len(self._series) >= LABEL_SETS or len(clean) > LABELS:
                notice.once(
                    f"labels {self.name}",
                    f"The metric {self.name!r} has more than {LABEL_SETS} sets of labels (or one of more than {LABELS} "
                    f"labels); further ones are counted together, under {OVERFLOW}. A user, an id or a path makes a "
                    "poor label: put it into an event.",
                )
                clean = ((OVERFLOW, "true"),)
            series = self._series.setdefault(clean, Series(self._definition(dict(clean))))
        book.locked(self._settle, book, series, labels)
        return series

    def _settle(self, book: Book, series: Series, labels: dict[str, Any]) -> None:
        """Have the next value of these labels go the quick way."""
        own, known = dict(labels), tuple(labels.items())

        def again(value: Any, _: dict[str, Any]) -> None:
            # The host kept hold of `add` over a fork or an `init`: there may be a newer one.
            newer = self._known.get(known) if own else self.__dict__.get(self.method)
            if newer is None or newer is series.quick:
                self.careful(value, own)
            else:
                newer(value)

        if series.take is None:
            bound = self.bind(book, series, again)
            if bound is None:
                return
            series.quick, series.take = bound
        if _FREE_THREADED or series.quick is None:
            return
        if not labels:
            self.__dict__[self.method] = series.quick
        elif len(self._known) < 2 * LABEL_SETS and all(type(label) is str for label in labels.values()):
            self._known[known] = series.quick

    def _definition(self, labels: dict[str, str]) -> dict[str, Any]:
        out = {"type": self.type_, "name": self.name, "labels": labels, "fields": dict(live.base.fields)}
        return out | {key: value for key, value in (("unit", self.unit), ("caveat", self.caveat)) if value}

    def _any(self, value: Any, labels: dict[str, Any]) -> None:
        """What the method itself does: also for a host that got hold of it before there was a quicker one."""
        quick = self.__dict__.get(self.method)
        if quick is None:
            self.careful(value, labels)
        else:
            quick(value, **labels)


class Counter(Instrument):
    """Something that happens again and again: requests, files written, bytes."""

    type_ = "counter"
    method = "add"

    def add(self, /, n: float = 1, **labels: Any) -> None:
        """Count `n` (0 or more) under these labels. Labels are few and have few values: a route, a status, a format."""
        self._any(n, labels)

    def bind(self, book: Book, series: Series, careful: Careful) -> tuple[Callable[..., None], Take] | None:
        cell = book.slot(series)
        return None if cell is None else adder(book.gate, cell, careful, self.labelled)


class Meter(Instrument):
    """Something whose pace matters: a counter with its rates over the last 1, 5 and 15 minutes."""

    type_ = "meter"
    method = "mark"

    def mark(self, /, n: float = 1, **labels: Any) -> None:
        """Count `n` (0 or more) under these labels."""
        self._any(n, labels)

    def bind(self, book: Book, series: Series, careful: Careful) -> tuple[Callable[..., None], Take] | None:
        cell = book.slot(series)
        if cell is None:
            return None
        values, index = cell
        book.rates[id(series)] = Rates(lambda: values[index], time.monotonic())
        return adder(book.gate, cell, careful, self.labelled)


class Histogram(Instrument):
    """Values whose spread matters: durations, sizes. Any quantile is known to 0.54 %."""

    type_ = "histogram"
    method = "record"

    def record(self, value: float, /, **labels: Any) -> None:
        """Record a value, 0 or more, under these labels."""
        self._any(value, labels)

    def bind(self, book: Book, series: Series, careful: Careful) -> tuple[Callable[..., None], Take] | None:
        return recorder(book.gate, lambda key: book.slot(series, key), (SUM, NOUGHT), careful, self.labelled)


class Gauge(Instrument):
    """Something that is high or low: a queue's length, a temperature. Its last value counts."""

    type_ = "gauge"
    method = "set"
    wants = "It takes a number."

    def set(self, value: float, /, **labels: Any) -> None:
        """Say how high it is now."""
        self._any(value, labels)

    def good(self, value: float) -> bool:
        return -MOST < value < MOST

    def bind(self, book: Book, series: Series, careful: Careful) -> tuple[Callable[..., None], Take] | None:
        cell, was_set = book.slot(series), book.slot(series, WAS_SET)
        if cell is None or was_set is None:
            return None
        was_set[0][was_set[1]] = 1.0
        return setter(book.gate, cell, careful, self.labelled)


def _label(value: Any) -> str:
    value = exact(value)
    kind = type(value)
    if kind is str:
        return text(value, LABEL_TEXT)[0]
    if kind is bool:
        return "true" if value else "false"
    if kind is int or kind is float:
        return repr(value)[:LABEL_TEXT] if kind is float or value.bit_length() <= 4096 else "<int>"
    return "null" if value is None else f"<{type_name(kind)}>"
