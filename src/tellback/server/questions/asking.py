"""Asks a question: a request's parameters in, one SQL text with bound parameters out, and rows made into an answer."""

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any, Literal, cast, get_args, get_origin, get_type_hints
from zoneinfo import ZoneInfo

import msgspec

from tellback.record import INT64_MAX
from tellback.server import times
from tellback.server.questions import cursor as cursors
from tellback.server.questions import filters
from tellback.server.questions.catalogue import find
from tellback.server.questions.contract import (
    Answer,
    Binder,
    Complete,
    Question,
    QuestionError,
    Range,
    Result,
    Scope,
    Store,
    Time,
)

Given = Mapping[str, Sequence[str]]
"""Parameters as they came: each name with its values, all text."""

Run = Callable[[str, Mapping[str, object]], Awaitable[Result]]
Steps = Generator[tuple[str, Mapping[str, object]], Result, Answer]
"""SQL texts out, their results in, the answer at the end: asking without saying how to wait."""

DEFAULT_DAYS = 30
MAX_PROJECTS = 100
_PLACEHOLDER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Plan:
    """A question ready to run."""

    question: Question
    sql: str
    values: Mapping[str, object]
    range: Range
    limit: int
    at: cursors.Cursor
    """Where this page begins."""
    projects: tuple[str, ...]
    """Those asked about; empty is every project."""


def ask(store: Store, name: str, given: Given, *, reads: str | None = None, now: int | None = None) -> Answer:
    """The answer to question `name`. `reads` is the one project that the caller may ask about, None is every one.

    Raises QuestionError with the contract's error form. Runs in the calling thread for as long as the store takes.
    """
    steps = _steps(store, name, given, reads, now)
    sql, values = next(steps)
    while True:
        try:
            sql, values = steps.send(store.query(sql, values))
        except StopIteration as end:
            return cast(Answer, end.value)


async def ask_async(store: Store, run: Run, name: str, given: Given, *, reads: str | None = None) -> Answer:
    """The same for an event loop: `run` is the store's awaitable query. Cancelling it cancels the query that runs."""
    # In threads: counting gaps and shaping ten thousand rows take time in which the loop has records to take.
    steps = _steps(store, name, given, reads, None)
    step = await asyncio.to_thread(_advance, steps, None)
    while not isinstance(step, Answer):
        step = await asyncio.to_thread(_advance, steps, await run(*step))
    return step


def _advance(steps: Steps, result: Result | None) -> tuple[str, Mapping[str, object]] | Answer:
    try:
        return next(steps) if result is None else steps.send(result)
    except StopIteration as end:  # which no future can carry
        return cast(Answer, end.value)


def _steps(store: Store, name: str, given: Given, reads: str | None, now: int | None) -> Steps:
    planned = plan(find(name), given, zone=store.zone, reads=reads, now=time.time_ns() if now is None else now)
    # Before the rows are read: what it promises must be in them.
    through = times.text(store.through())
    dropped = (yield _dropped_ever(planned)).rows[0][0] or 0
    # Where nothing was ever dropped, which is the rule, no record has to be looked at.
    if dropped and planned.range.from_ is not None:
        dropped = (yield _dropped_in_range(planned)).rows[0][0] or 0
    missing = sum(store.missing(project) for project in planned.projects) if planned.projects else store.missing()
    result = yield planned.sql, planned.values
    return shape(planned, result, Complete(through, missing, dropped))


def plan(question: Question, given: Given, *, zone: str, reads: str | None, now: int) -> Plan:
    params: Any = read_params(question, given)
    place = ZoneInfo(zone)
    wanted = list(dict.fromkeys(getattr(params, "project", [])))
    if len(wanted) > MAX_PROJECTS:  # gaps are counted project by project
        raise QuestionError(
            "bad_parameter", f"project: {len(wanted)} are given, at most {MAX_PROJECTS} are taken", "project"
        )
    if reads is not None and any(project != reads for project in wanted):
        raise QuestionError("denied", f"project: this token may ask about project {reads!r} only", "project", 403)
    asked = cursors.fingerprint(question.name, given)
    binder = Binder()
    if params.cursor:
        key = [str if name == "segment" else int for name in question.key]
        at = cursors.read(params.cursor, asked, key)
    elif isinstance(params, filters.Ranged):
        at = cursors.Cursor(asked, *span(params, place, now))
    else:
        at = cursors.Cursor(asked, 0, 0)
    scope = Scope(binder, place, now, at.since, at.until, reads)
    limit = params.limit or question.limit
    sql = _fill(question, params, scope, at)
    sql += f"\nLIMIT {binder.bind(limit + 1)} OFFSET {binder.bind(at.skip)}"
    ranged = isinstance(params, filters.Ranged)
    covered = Range(times.text(at.since) if ranged else None, times.text(at.until) if ranged else None, zone)
    return Plan(question, sql, binder.values, covered, limit, at, tuple(wanted or ([reads] if reads else [])))


def _fill(question: Question, params: Any, scope: Scope, at: cursors.Cursor) -> str:
    """Fills only what the text has: an engine refuses a bound parameter that nothing uses."""
    own = question.prepare(params, scope) if question.prepare else {}
    shared: dict[str, Callable[[], str]] = {
        "where": lambda: filters.where(params, scope),
        "projects": lambda: filters.projects(params, scope),
        "page": lambda: _after(question.key, at.after, scope.binder),
    }
    texts: dict[str, str] = dict(own)
    for name in _PLACEHOLDER.findall(question.sql):
        if name not in texts:
            texts[name] = shared[name]()
    return _PLACEHOLDER.sub(lambda match: texts[match[1]], question.sql)


def _after(key: Sequence[str], values: Sequence[object], binder: Binder) -> str:
    """Rows behind `values` in the descending order of `key`. The first test alone lets an engine skip blocks."""
    if not values:
        return "TRUE"
    names = [filters.quoted(name) for name in key]
    bound = [binder.bind(value) for value in values]
    text = f"{names[-1]} < {bound[-1]}"
    for name, value in list(zip(names, bound, strict=True))[-2::-1]:
        text = f"({name} < {value} OR ({name} = {value} AND {text}))"
    return f"{names[0]} <= {bound[0]} AND {text}"


def span(params: filters.Ranged, zone: ZoneInfo, now: int) -> tuple[int, int]:
    """ns. By default 30 whole days and today, to the end of today: a clock that runs a little ahead hides nothing."""
    until = (
        _time("to", params.to, zone)
        if params.to
        else times.day_start(times.day_of(now, zone) + timedelta(days=1), zone)
    )
    if params.from_:
        since = _time("from", params.from_, zone)
    else:
        last = times.day_of(now if not params.to else until, zone)
        since = times.day_start(last - timedelta(days=DEFAULT_DAYS), zone)
    if since > until:
        raise QuestionError(
            "bad_parameter", f"from: {times.text(since)} is later than to, which is {times.text(until)}", "from"
        )
    return since, until


def _time(name: str, value: str, zone: ZoneInfo) -> int:
    try:
        return times.parse(value, zone)
    except (ValueError, OverflowError) as error:
        raise QuestionError("bad_parameter", f"{name}: {error}", name) from None


def read_params(question: Question, given: Given) -> Any:
    fields = {field.encode_name: field for field in msgspec.structs.fields(question.params)}
    raw: dict[str, object] = {}
    for name, values in given.items():
        if name not in fields:
            raise QuestionError(
                "unknown_parameter", f"no parameter {name!r}; there are: {', '.join(sorted(fields))}", name
            )
        if _is_list(fields[name].type):
            raw[name] = list(values)
        elif len(values) != 1:
            raise QuestionError("bad_parameter", f"{name}: given {len(values)} times, takes one value", name)
        elif values[0]:  # a form sends its empty fields too
            raw[name] = values[0]
    try:
        return msgspec.convert(raw, question.params, strict=False)
    except msgspec.ValidationError as error:
        match = re.search(r" - at `\$\.(\w+)", str(error))
        where = match[1] if match else None
        said = str(error).split(" - at ")[0].replace("`", "")
        if where and (choices := _choices(fields[where].type)):
            said = f"expected one of {', '.join(choices)}"
        got = f", got {raw[where]!r}" if where else ""
        raise QuestionError("bad_parameter", f"{where}: {said}{got}", where) from None


def _is_text(value: str) -> bool:
    return "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)


def _bare(type_: Any) -> Any:
    return _bare(get_args(type_)[0]) if hasattr(type_, "__metadata__") else type_


def _is_list(type_: Any) -> bool:
    return get_origin(_bare(type_)) is list


def _choices(type_: Any) -> tuple[str, ...]:
    bare = _bare(type_)
    return get_args(bare) if get_origin(bare) is Literal else ()


def _dropped_ever(planned: Plan) -> tuple[str, Mapping[str, object]]:
    binder = Binder()
    test = binder.either("project", planned.projects) if planned.projects else "TRUE"
    # Bounded: each reason's number is a client's own word, and their sum need not fit 64 bits.
    total = f"CAST(least(coalesce(sum(records), 0), {INT64_MAX}) AS BIGINT)"
    sql = f"SELECT {total} FROM ledger WHERE reason LIKE 'dropped:%' AND {test}"
    return sql, binder.values


def _dropped_in_range(planned: Plan) -> tuple[str, Mapping[str, object]]:
    """What clients say they dropped, by the time they said it: a drop of long ago says nothing about today's answer.

    A `lost` record carries the number as its value; what is no number counts as in the ledger, for nothing.
    """
    binder, at = Binder(), planned.at
    test = binder.either("project", planned.projects) if planned.projects else "TRUE"
    number = f"CASE WHEN value >= 0 AND value < {2**53} THEN floor(value) ELSE 0 END"
    sql = (
        f"SELECT CAST(least(coalesce(sum({number}), 0), {2**53}) AS BIGINT) "
        f"FROM records WHERE kind = 'lost' AND time >= {binder.bind(at.since)} AND time < {binder.bind(at.until)} "
        f"AND {test}"
    )
    return sql, binder.values


def shape(planned: Plan, result: Result, done: Complete) -> Answer:
    question, at = planned.question, planned.at
    names = [field.encode_name for field in msgspec.structs.fields(question.row)]
    places = [list(result.columns).index(name) for name in names]
    convert = [_converter(question, name) for name in names]
    page = result.rows[: planned.limit]
    rows = [{name: to(row[place]) for name, place, to in zip(names, places, convert, strict=True)} for row in page]
    following = None
    if len(result.rows) > planned.limit:
        after = tuple(page[-1][list(result.columns).index(name)] for name in question.key)
        skip = 0 if question.key else at.skip + planned.limit
        following = cursors.write(cursors.Cursor(at.asked, at.since, at.until, skip, after))
    return Answer(question.name, planned.range, done, rows, following)


def _converter(question: Question, name: str) -> Callable[[Any], Any]:
    hint = get_type_hints(question.row, include_extras=True)[name]
    if Time in (hint, *get_args(hint)):
        return _time_text
    if dict in (get_origin(arg) for arg in (hint, *get_args(hint))):
        return lambda value: msgspec.json.decode(value) if value is not None else None
    return _plain


def _time_text(value: Any) -> Any:
    return times.text(value) if isinstance(value, int) else _plain(value)


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    return value.decode(errors="replace") if isinstance(value, bytes) else value
