from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from tellback.server.questions import columns, filters
from tellback.server.questions.columns import EveryColumn
from tellback.server.questions.contract import Count, Question, Scope

Column = Literal[
    "service", "release", "environment", "user", "team", "name", "kind", "level", "host", "project", "os", "python"
]


class Params(EveryColumn, frozen=True, kw_only=True):
    column: Annotated[Column, msgspec.Meta(description="The column whose values are counted.")] = "service"


class Row(msgspec.Struct):
    value: str | None
    records: Count
    users: Count


def prepare(params: Params, scope: Scope) -> Mapping[str, str]:
    where = columns.where(params, scope)
    if params.column == "team":
        return {"where": where, "value": "p.team", "people": 'LEFT JOIN people AS p ON p."user" = r."user"'}
    return {"where": where, "value": f"r.{filters.quoted(params.column)}", "people": ""}


QUESTION = Question(
    name="records.facets",
    title="Which values a column has",
    doc="The values of one column among the records that the filters choose, the most frequent first; null stands for "
    "records that have none.",
    params=Params,
    row=Row,
    sql="""
SELECT value, count(*) AS records, count(DISTINCT CASE WHEN "user" <> '' THEN "user" END) AS users
FROM (
  SELECT {value} AS value, r."user" AS "user"
  FROM (SELECT * FROM records WHERE {where}) AS r {people}
) AS chosen
GROUP BY value
ORDER BY records DESC, value IS NULL, value""",
    prepare=prepare,
    limit=20,
)
