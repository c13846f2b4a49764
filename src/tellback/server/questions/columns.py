"""Filters by every column of the store: the shared ones, and all others by their exact value.

`records.*` share them, so that what is counted and what is listed are the same records.
"""

from typing import Annotated

import msgspec

from tellback.server import times
from tellback.server.questions import filters
from tellback.server.questions.contract import QuestionError, Scope
from tellback.server.questions.filters import Filters

Exact = Annotated[list[str], msgspec.Meta(description="Exactly this text.")]
Integer = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Number = Annotated[list[Integer], msgspec.Meta(description="Exactly this number.")]
Moment = Annotated[list[str], msgspec.Meta(description="Exactly this time: RFC 3339 or ns since epoch.")]


class EveryColumn(Filters, frozen=True, kw_only=True):
    message: Exact = []
    session: Exact = []
    run: Exact = []
    trace: Exact = []
    span: Exact = []
    parent: Exact = []
    os: Exact = []
    python: Exact = []
    segment: Exact = []
    duration: Annotated[list[Integer], msgspec.Meta(description="ns")] = []
    pid: Number = []
    offset: Number = []
    value: Annotated[list[float], msgspec.Meta(description="Exactly this number.")] = []
    time: Moment = []
    start: Moment = []
    received: Moment = []
    day: Annotated[list[str], msgspec.Meta(description="A date in the reporting zone.")] = []
    attrs: Annotated[
        list[str], msgspec.Meta(description="`key=value`: the attribute of that name, not a nested one, as text.")
    ] = []


TEXTS = ("message", "session", "run", "trace", "span", "parent", "os", "python", "segment")
NUMBERS = ("duration", "pid", "offset", "value")
MOMENTS = ("time", "start", "received")


def where(params: EveryColumn, scope: Scope) -> str:
    """Conditions on the table `records`: those of `filters.where`, and of each further column that is asked for."""
    wanted = {name: getattr(params, name) for name in (*TEXTS, *NUMBERS)}
    wanted |= {name: [_moment(name, text, scope) for text in getattr(params, name)] for name in MOMENTS}
    tests = [filters.where(params, scope)]
    tests += [scope.binder.either(filters.quoted(name), values) for name, values in wanted.items() if values]
    if params.day:
        days = ", ".join(f"CAST({scope.binder.bind(_day(text, scope))} AS DATE)" for text in params.day)
        tests.append(f"day IN ({days})")
    if params.attrs:
        tests.append(f"({' OR '.join(_attribute(text, scope) for text in params.attrs)})")
    return " AND ".join(tests)


def _moment(name: str, text: str, scope: Scope) -> int:
    try:
        return times.parse(text, scope.zone) if "-" in text[1:] else times.bounded(int(text))
    except (ValueError, OverflowError) as error:
        raise QuestionError("bad_parameter", f"{name}: {error}", name) from None


def _day(text: str, scope: Scope) -> str:
    try:
        return times.day_of(times.parse(text, scope.zone), scope.zone).isoformat()
    except (ValueError, OverflowError) as error:
        raise QuestionError("bad_parameter", f"day: {error}", "day") from None


def _attribute(text: str, scope: Scope) -> str:
    key, equals, value = text.partition("=")
    if not equals or not key:
        raise QuestionError("bad_parameter", f"attrs: expected key=value, got {text!r}", "attrs")
    pointer = "/" + key.replace("~", "~0").replace("/", "~1")
    return f"json_extract_string(attrs, {scope.binder.bind(pointer)}) = {scope.binder.bind(value)}"
