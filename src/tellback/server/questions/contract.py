"""What a question is, what it asks of a store, and what an answer looks like.

A question is one file with one `QUESTION`. Its SQL is a constant text in the subset that every engine answers alike
(`docs/questions.md`), with placeholders in braces that are filled with constant text and bound parameters only: no
word that a caller sent ever becomes SQL.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol
from zoneinfo import ZoneInfo

import msgspec

Time = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date-time"})]
"""A row's time as RFC 3339 text. The SQL gives ns since epoch (BIGINT)."""

Day = Annotated[str, msgspec.Meta(extra_json_schema={"format": "date"})]
"""A row's date, the first day of its period. The SQL gives a DATE."""

Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Count = Annotated[int, msgspec.Meta(ge=0)]


class Result(Protocol):
    @property
    def columns(self) -> Sequence[str]: ...
    @property
    def rows(self) -> Sequence[tuple[Any, ...]]: ...


class Store(Protocol):
    """The part of a store that questions use.

    Tables: `records` (columns of `server/schema.py`), `people("user", team, name, extra)`,
    `ledger(project, reason, records)`, `quarantine(received, project, wire, line, reason, sample)`.
    Macros: `week_of(day)`, `month_of(day)` (first day, ISO weeks), `hour_of(time)` (ns, down to the hour).
    """

    @property
    def zone(self) -> str:
        """The installation's reporting zone, an IANA name."""

    def query(self, sql: str, params: Mapping[str, object]) -> Result:
        """Runs on a cursor of its own; may be called from any thread."""

    def through(self) -> int:
        """ns since epoch until which all that was acknowledged is visible."""

    def missing(self, project: str | None = None) -> int:
        """Gaps in what clients sent: slices known to exist that have not come. None is every project."""


class QuestionError(Exception):
    """A question that cannot be answered as asked: the contract's error form."""

    def __init__(self, code: str, message: str, where: str | None = None, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.where, self.status = code, message, where, status


class Range(msgspec.Struct, rename={"from_": "from"}):
    """`from` inclusive, `to` exclusive; `from` is null for a question about all there is."""

    from_: Time | None
    to: Time | None
    zone: str


class Complete(msgspec.Struct):
    through: Time
    """All that was acknowledged until then is in the answer."""
    missing: int
    """Gaps: slices of clients that are known to exist and have not come."""
    dropped: int
    """Records that clients say they dropped in the range; since the installation began where the question has none."""


class Answer(msgspec.Struct):
    question: str
    range: Range
    complete: Complete
    rows: list[dict[str, Any]]
    next: str | None
    """The `cursor` of the next page; null at the end."""


@dataclass(slots=True)
class Binder:
    """Collects bound parameters; the only way by which a value reaches SQL."""

    values: dict[str, object] = field(default_factory=dict)

    def bind(self, value: object) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"${name}"

    def either(self, column: str, values: Sequence[object]) -> str:
        """`column` is one of `values`; an empty text stands for "has none"."""
        tests = []
        if some := [value for value in values if value != ""]:
            tests.append(f"{column} IN ({', '.join(self.bind(value) for value in some)})")
        if len(some) < len(values):
            tests.append(f"({column} IS NULL OR CAST({column} AS VARCHAR) = '')")
        return tests[0] if len(tests) == 1 else f"({' OR '.join(tests)})"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a question is asked about, made out before its `prepare` is called."""

    binder: Binder
    zone: ZoneInfo
    now: int
    since: int
    """ns, inclusive"""
    until: int
    """ns, exclusive"""
    reads: str | None = None
    """The one project the caller may ask about; None is every project."""


Prepare = Callable[[Any, Scope], Mapping[str, str]]
"""Parameters and scope in; texts for the SQL's placeholders out, made of constants and `scope.binder` only."""


@dataclass(frozen=True, slots=True)
class Question:
    name: str
    """Two words with a dot: `adoption.active_users`."""
    title: str
    """What it answers, in sentence case."""
    doc: str
    """How it counts, for the person who reads the number."""
    params: type[msgspec.Struct]
    row: type[msgspec.Struct]
    sql: str
    """Ends in ORDER BY over a total order; LIMIT and OFFSET are added."""
    prepare: Prepare | None = None
    limit: int = 1000
    """Rows of a page when the caller does not say."""
    key: tuple[str, ...] = ()
    """Columns of a descending total order that pages continue by (placeholder `{page}`), so that rows which come in
    meanwhile shift nothing. Without it pages continue by row number."""
