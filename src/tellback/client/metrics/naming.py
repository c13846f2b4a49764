"""`counter`, `gauge`, `histogram`, `meter`, `timer`: a name gives the same instrument wherever it is asked for."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from tellback.client import notice
from tellback.client.clean import exact, text, type_name
from tellback.client.metrics.current import ask, made
from tellback.client.metrics.instruments import Counter, Gauge, Histogram, Instrument, Meter
from tellback.client.metrics.timing import Timing
from tellback.record import MAX_TEXT

NAMES: Final = 4000
MANY: Final = "tellback.metrics.overflow"
"""The name of those that came after NAMES of them: a name is no place for data."""

Kind = TypeVar("Kind", bound=Instrument)


def _instrument(of: type[Kind], name: Any, unit: str | None, caveat: str | None) -> Kind:
    name = exact(name)
    if type(name) is not str:
        name = f"<{type_name(type(name))}>"
    found = made.get((of.type_, name))
    if found is None:
        name = text(name, MAX_TEXT)[0]
        if len(made) >= NAMES:
            notice.once("names", f"There are {NAMES} metrics already; {name!r} and further ones count as {MANY!r}.")
            name = MANY
        found = made.setdefault((of.type_, name), of(name, unit, caveat))
    return found  # type: ignore[no-any-return]  # of this type, as its key says


def counter(name: str, /, *, unit: str | None = None, caveat: str | None = None) -> Counter:
    """The counter of this name: `tellback.counter("reqs").add()`.

    `unit` is UCUM's (`By`, `{request}`). A `caveat` says why the metric is an intermediate one, to investigate with and
    not to be alarmed by ("counts retries too"); it is shown wherever the metric is.
    """
    return _instrument(Counter, name, unit, caveat)


def meter(name: str, /, *, unit: str | None = None, caveat: str | None = None) -> Meter:
    """The meter of this name: `tellback.meter("frames").mark()`; its rates over 1, 5 and 15 minutes go with its count.

    Else as `counter`.
    """
    return _instrument(Meter, name, unit, caveat)


def histogram(name: str, /, *, unit: str | None = None, caveat: str | None = None) -> Histogram:
    """The histogram of this name: `tellback.histogram("frame.size", unit="By").record(4096)`. Else as `counter`."""
    return _instrument(Histogram, name, unit, caveat)


def timer(name: str, /, *, caveat: str | None = None, **labels: Any) -> Timing:
    """Times a block or a function: `with tellback.timer("request_time"): ...` or `@tellback.timer("request_time")`.

    A histogram in ns; what fails is timed, too. Labels come after the name.
    """
    return Timing(_instrument(Histogram, name, "ns", caveat), labels)


def gauge(
    name: str,
    /,
    value: Callable[[], float] | None = None,
    *,
    unit: str | None = None,
    caveat: str | None = None,
) -> Gauge:
    """The gauge of this name: `tellback.gauge("queue").set(4)`, or `tellback.gauge("queue", queue.qsize)`, which is
    asked by a background thread before each report. Else as `counter`.
    """
    found = _instrument(Gauge, name, unit, caveat)
    if value is not None:
        read = value

        def measure() -> None:
            try:
                found.set(read())
            except Exception as error:
                notice.once(f"gauge {name}", f"The gauge {found.name!r} cannot be read: {type_name(type(error))}.")

        ask(measure)
    return found
