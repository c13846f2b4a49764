"""Context that leaves the process and comes into it: W3C Trace Context (https://www.w3.org/TR/trace-context/) and, for
the run, W3C Baggage (https://www.w3.org/TR/baggage/).

Only ids travel. `user` and what else is bound stays here: headers go to anyone.
"""

import os
import re
from collections.abc import Iterable, Mapping, MutableMapping
from contextlib import suppress
from contextvars import Token
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from tellback.client import live
from tellback.client.context import Context, current

TRACEPARENT: Final = "traceparent"
BAGGAGE: Final = "baggage"
RUN: Final = "tellback.run"
"""The member of the baggage that names the run."""

MAX_RUN: Final = 256
"""Characters of a run's id that come or go: a stranger may send anything."""

_FORM: Final = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII)


class Parent(NamedTuple):
    """Where a trace comes from."""

    trace: str
    """32 lower-case hex digits."""
    span: str
    """16 lower-case hex digits."""


def parse(traceparent: Any) -> Parent | None:
    """A `traceparent` header's value as the standard has it, or None: what is not exactly right begins a new trace.

    A version after 00 may carry more after the flags; ff is no version.
    """
    if type(traceparent) is not str or len(traceparent) > 512:
        return None
    found = _FORM.fullmatch(traceparent)
    if found is None:
        return None
    version, trace, span, _, more = found.groups()
    if version == "ff" or (version == "00" and more) or trace.strip("0") == "" or span.strip("0") == "":
        return None
    return Parent(trace, span)


def inject(carrier: MutableMapping[str, str] | None = None) -> MutableMapping[str, str]:
    """Put the present trace, span and run into the headers of a request; gives the headers.

        requests.get(url, headers=tellback.inject())

    Outside of any span it adds nothing. What `baggage` the headers hold already stays. Never raises.
    """
    headers: MutableMapping[str, str] = {} if carrier is None else carrier
    with suppress(Exception):
        _put(headers, TRACEPARENT, BAGGAGE)
    return headers


def environ(given: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment for a subprocess that goes on with the present trace and run: `TRACEPARENT` and `BAGGAGE`.

        subprocess.run(command, env=tellback.environ())

    `given` instead of `os.environ` is copied. The other program's `tellback.init` takes it from there, as do those of
    OpenTelemetry that follow its specification of environment variables. Never raises.
    """
    out = dict(os.environ if given is None else given)
    with suppress(Exception):
        _put(out, TRACEPARENT.upper(), BAGGAGE.upper())
    return out


def _put(carrier: MutableMapping[str, str], traceparent: str, baggage: str) -> None:
    fields = current.get(live.base).fields
    parent = parse(f"00-{fields.get('trace')}-{fields.get('span')}-01")
    if parent is not None:
        carrier[traceparent] = f"00-{parent.trace}-{parent.span}-01"  # 01: sampled, for all of it is recorded
    run = fields.get("run")
    if type(run) is str and len(run) <= MAX_RUN:
        others = [member for member in carrier.get(baggage, "").split(",") if member.strip() and not _names_run(member)]
        carrier[baggage] = ",".join([*others, f"{RUN}={quote(run, safe='')}"])


def _names_run(member: str) -> bool:
    return member.partition("=")[0].strip() == RUN


def found(carrier: Any) -> dict[str, str]:
    """The record's fields that a carrier tells: `trace` and `span`, `run`. Empty if it tells none of them well.

    A carrier is a mapping or its pairs; names count in any case, names and values may be bytes (ASGI). A `traceparent`
    that comes twice is none.
    """
    pairs = carrier.items() if hasattr(carrier, "items") else carrier
    values: dict[str, list[str]] = {TRACEPARENT: [], BAGGAGE: []}
    for name, value in _texts(pairs):
        if name.lower() in values:
            values[name.lower()].append(value)
    out: dict[str, str] = {}
    if len(values[TRACEPARENT]) == 1 and (parent := parse(values[TRACEPARENT][0].strip(" \t"))):
        out.update(trace=parent.trace, span=parent.span)
    for member in ",".join(values[BAGGAGE]).split(","):
        if _names_run(member):
            run = unquote(member.partition("=")[2].partition(";")[0].strip(), errors="replace")
            if 0 < len(run) <= MAX_RUN and run.isprintable():
                out["run"] = run
    return out


def _texts(pairs: Iterable[Any]) -> Iterable[tuple[str, str]]:
    for name, value in pairs:
        name = name.decode("latin-1") if type(name) is bytes else name
        value = value.decode("latin-1") if type(value) is bytes else value
        if type(name) is str and type(value) is str:
            yield name, value


def from_environment(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the program that started this one said, for `init`."""
    names = (TRACEPARENT.upper(), BAGGAGE.upper())
    return found({name: environment[name] for name in names if name in environment})


class extract:  # noqa: N801 -- used as a statement: `with tellback.extract(request.headers):`
    """Go on with the trace and the run that came with a request's headers, for a `with` block.

        with tellback.extract(request.headers), tellback.span("GET /shots"): ...

    Headers are a mapping or pairs, of str or bytes. What is missing or not exactly as the standard has it is left out;
    then a span inside begins a trace of its own. Never raises.
    """

    __slots__ = ("_carrier", "_tokens")

    def __init__(self, carrier: Any) -> None:
        self._carrier = carrier
        self._tokens: list[Token[Context]] = []

    def __enter__(self) -> "extract":
        context = current.get(live.base)
        with suppress(Exception):
            context = context.within(found(self._carrier))
        self._tokens.append(current.set(context))
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(ValueError, IndexError):  # left in another context than entered
            current.reset(self._tokens.pop())
