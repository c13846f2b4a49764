from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from tellback.server.questions import columns
from tellback.server.questions.columns import EveryColumn
from tellback.server.questions.contract import Count, Question, Scope, Time


class Params(EveryColumn, frozen=True, kw_only=True):
    step: Annotated[
        Literal["hour", "day"], msgspec.Meta(description="Days are those of the reporting zone, hours whole in UTC.")
    ] = "day"


class Row(msgspec.Struct):
    bucket: Time
    """RFC 3339 for hours, a date for days."""
    kind: str
    level: str | None
    records: Count


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    return {"where": columns.where(params, scope), "bucket": {"hour": "hour_of(time)", "day": "day"}[params.step]}


QUESTION = Question(
    name="records.histogram",
    title="How many records there are over time, by kind and level",
    doc="Records of every kind in buckets of an hour or a day; the level is null where the record has none, as most "
    "events. Buckets without records have no row.",
    params=Params,
    row=Row,
    sql="""
SELECT {bucket} AS bucket, kind, level, count(*) AS records
FROM records
WHERE {where}
GROUP BY {bucket}, kind, level
ORDER BY bucket, kind, level IS NULL, level""",
    prepare=prepare,
    limit=10_000,
)
