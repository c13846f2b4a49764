"""The parameters that questions share, and the conditions they become."""

import re
from collections.abc import Container
from typing import Annotated, Any

import msgspec

from tellback.server.questions.contract import Binder, QuestionError, Scope

MAX_LIMIT = 10_000
MAX_WORDS = 32

# No parameter is optional in the type's sense: a lax conversion would read the text "null" as None.


class Paging(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    limit: Annotated[int, msgspec.Meta(ge=0, le=MAX_LIMIT, description="Rows of a page; 0 is the question's own.")] = 0
    cursor: Annotated[str, msgspec.Meta(description="`next` of the page before.")] = ""


class Projects(Paging, frozen=True, kw_only=True):
    project: Annotated[list[str], msgspec.Meta(description="Project of the token that brought the record.")] = []


class Ranged(Projects, frozen=True, kw_only=True, rename={"from_": "from"}):
    from_: Annotated[
        str,
        msgspec.Meta(
            description="Inclusive: RFC 3339, or a date (its start in the reporting zone). "
            "Default: 30 whole days before `to`."
        ),
    ] = ""
    to: Annotated[str, msgspec.Meta(description="Exclusive: RFC 3339, or a date. Default: the end of today.")] = ""


class Filters(Ranged, frozen=True, kw_only=True):
    """Each may be given several times and means either; an empty value asks for records that have none."""

    service: Annotated[list[str], msgspec.Meta(description="The program.")] = []
    release: Annotated[list[str], msgspec.Meta(description="The program's version.")] = []
    environment: Annotated[list[str], msgspec.Meta(description="production, test ...")] = []
    user: Annotated[list[str], msgspec.Meta(description="The person.")] = []
    team: Annotated[list[str], msgspec.Meta(description="The person's team in the directory of people.")] = []
    name: Annotated[list[str], msgspec.Meta(description="The record's name: event, logger, exception type.")] = []
    kind: Annotated[list[str], msgspec.Meta(description="event, log, error, metric, span, usage, profile, lost.")] = []
    level: Annotated[list[str], msgspec.Meta(description="trace, debug, info, warn, error, fatal.")] = []
    host: Annotated[list[str], msgspec.Meta(description="The machine.")] = []
    q: Annotated[
        str,
        msgspec.Meta(
            description="Words that all occur in name, message, user, service, host or attributes, in any case; "
            '"a phrase" in double quotes.'
        ),
    ] = ""


COLUMNS = ("service", "release", "environment", "user", "name", "kind", "level", "host")
"""Filters that are a column of the same name."""

HAS_USER = "\"user\" <> ''"
"""Not null and not empty: the record is somebody's."""


def lower(text: str) -> str:
    """The one place that spells it: engines differ (`lowerUTF8` in ClickHouse)."""
    return f"lower({text})"


_SEARCHED = "concat_ws(' ', name, message, \"user\", service, host, CAST(attrs AS VARCHAR))"
_WORD = re.compile(r'"([^"]*)"|([^\s"]+)')


def words(q: str) -> list[str]:
    """`a "b c" d` -> a, b c, d. Each is looked for in every record, so there is an end to them."""
    found = list(dict.fromkeys(word for phrase, plain in _WORD.findall(q) if (word := phrase or plain)))
    if len(found) > MAX_WORDS:
        raise QuestionError("bad_parameter", f"q: {len(found)} words, at most {MAX_WORDS} are looked for", "q")
    return found


def projects(params: Projects, scope: Scope) -> str:
    """The projects asked about; asking has refused those that the caller may not see."""
    if params.project:
        return scope.binder.either("project", params.project)
    return scope.binder.either("project", [scope.reads]) if scope.reads is not None else "TRUE"


def span(scope: Scope, column: str = "time") -> str:
    return f"{column} >= {scope.binder.bind(scope.since)} AND {column} < {scope.binder.bind(scope.until)}"


def teams(values: list[str], binder: Binder) -> str:
    """Condition on the table `people`."""
    return binder.either("team", values) if values else "TRUE"


def where(params: Any, scope: Scope, *, without: Container[str] = (), ever: bool = False) -> str:
    """Conditions on the table `records`, never empty. `without` leaves filters out; `ever` leaves the range out."""
    binder = scope.binder
    tests = [projects(params, scope)]
    if not ever:
        tests.append(span(scope))
    tests += [
        binder.either(quoted(name), values)
        for name in COLUMNS
        if name not in without and (values := getattr(params, name))
    ]
    if params.team:
        tests.append(_of_teams(params.team, binder))
    if "q" not in without:
        tests += [f"position({lower(binder.bind(word))} IN {lower(_SEARCHED)}) > 0" for word in words(params.q)]
    return " AND ".join(tests)


def quoted(column: str) -> str:
    """`user` and `offset` are words of SQL."""
    return f'"{column}"' if column in ("user", "offset") else column


def _of_teams(values: list[str], binder: Binder) -> str:
    tests = []
    if some := [team for team in values if team]:
        tests.append(f'"user" IN (SELECT "user" FROM people WHERE {binder.either("team", some)})')
    if len(some) < len(values):
        tests.append('("user" IS NULL OR "user" NOT IN (SELECT "user" FROM people WHERE team <> \'\'))')
    return f"({' OR '.join(tests)})"
