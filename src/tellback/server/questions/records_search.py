"""Every record in full."""

from typing import Any

import msgspec

from tellback.server.questions import columns
from tellback.server.questions.columns import EveryColumn
from tellback.server.questions.contract import Day, Question, Time


class Row(msgspec.Struct):
    time: Time
    kind: str
    name: str | None
    level: str | None
    message: str | None
    user: str | None
    service: str | None
    release: str | None
    environment: str | None
    host: str | None
    session: str | None
    run: str | None
    trace: str | None
    span: str | None
    parent: str | None
    duration: int | None
    value: float | None
    attrs: dict[str, Any] | None
    os: str | None
    python: str | None
    pid: int | None
    start: Time | None
    project: str
    day: Day
    segment: str
    offset: int
    received: Time


QUESTION = Question(
    name="records.search",
    title="Which records there are",
    doc="Records in full, newest first, of those that come at one time the ones of the greater segment and offset. "
    "A page continues where the last one ended, whatever came in meanwhile.",
    params=EveryColumn,
    row=Row,
    sql="""
SELECT time, kind, name, level, message, "user", service, release, environment, host, session, run, trace, span, parent,
  duration, value, CAST(attrs AS VARCHAR) AS attrs, os, python, pid, start, project, day, segment, "offset", received
FROM records
WHERE {where} AND {page}
ORDER BY time DESC, segment DESC, "offset" DESC""",
    prepare=lambda params, scope: {"where": columns.where(params, scope)},
    limit=100,
    key=("time", "segment", "offset"),
)
